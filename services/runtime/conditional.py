"""Answers that the caller has already: 304 by a strong entity tag (RFC 9110, 8.8.3 and 13.1.2)."""

import hashlib
from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import Response

from services.runtime.access.tenancy import principal_of_request

_DIGITS = 32
_HEADER = "if-none-match"


class NotModified(Exception):  # noqa: N818 - it is an answer, named as HTTP names it
    """Raised by a dependency or a route: the caller's copy is what would be answered."""

    def __init__(self, tag: str) -> None:
        super().__init__(HTTPStatus.NOT_MODIFIED.phrase)
        self.tag = tag


@cache
def code_digest() -> str:
    """Of all code and policy that an answer may rest on, read once: another version may answer otherwise."""
    digest = hashlib.sha256()
    root = Path(__file__).parents[1]
    for path in sorted(path for path in root.rglob("*") if path.suffix in {".py", ".toml", ".sql"}):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def entity_tag(request: Request, state: str) -> str:
    """The tag of what a request is answered with in one state of the read model, by this code and policy, for this tenant."""
    principal = principal_of_request(request)
    tenant = principal.tenant if principal is not None else None
    asked = "&".join(sorted(f"{name}={value}" for name, value in request.query_params.multi_items()))
    whole = f"{code_digest()}\x1f{request.url.path}\x1f{asked}\x1f{state}\x1f{tenant}"
    return f'"{hashlib.sha256(whole.encode()).hexdigest()[:_DIGITS]}"'


def has_tag(request: Request, tag: str) -> bool:
    """Whether the caller named the tag among those that it has."""
    return tag in _tags(request.headers.getlist(_HEADER))


def _tags(headers: Iterable[str]) -> Iterable[str]:
    # A cache on the way may have weakened the tag: for reading that is the same.
    return (tag.strip().removeprefix("W/") for header in headers for tag in header.split(","))


def handle_not_modified(app: FastAPI) -> None:
    """Answer :class:`NotModified` without a body."""
    app.add_exception_handler(NotModified, _not_modified)


async def _not_modified(_: Request, error: Exception) -> Response:
    assert isinstance(error, NotModified)  # noqa: S101 - Starlette looks handlers up by class
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": error.tag})
