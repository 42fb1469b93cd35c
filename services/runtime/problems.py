"""The one shape of every error that a gateway answers with: RFC 9457, ``application/problem+json``.

A problem never repeats what the caller sent: a value, or a path, could hold an identifier of a person.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

MEDIA_TYPE: Final = "application/problem+json"
# Their messages are written by validators, which could quote the value.
_UNTOLD: Final = frozenset({"value_error", "assertion_error"})


class FieldProblem(BaseModel):
    """What is wrong with one part of a request."""

    location: Annotated[str, Field(examples=["query.month"])]
    kind: Annotated[str, Field(examples=["string_pattern_mismatch"])]
    message: str | None = None


class ProblemDocument(BaseModel):
    """RFC 9457 problem details. ``instance`` names the request, as it stands in the log."""

    type: str = "about:blank"
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str | None = None
    instance: Annotated[str | None, Field(examples=["urn:uuid:7d444840-9dc0-4bd1-b245-5ffdce74fad2"])] = None
    errors: list[FieldProblem] | None = None


class Problem(Exception):  # noqa: N818 - named as RFC 9457 names it
    """Raised by a route to answer with a problem. ``detail`` must hold nothing that the caller sent."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str | None = None,
        *,
        title: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(title or status.phrase)
        self.status = status
        self.title = title or status.phrase
        self.detail = detail
        self.headers = headers


def not_found(what: str) -> Problem:
    """Say that there is no such thing, for example ``not_found("person")``."""
    return Problem(HTTPStatus.NOT_FOUND, f"There is no such {what}.")


def problem_response(document: ProblemDocument, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Answer with a problem."""
    content = document.model_dump(exclude_none=True)
    return JSONResponse(content, document.status, headers, MEDIA_TYPE)


def instance_of(request_id: str) -> str:
    """Name a request as a URI."""
    return f"urn:uuid:{request_id}"


def handle_problems(app: FastAPI) -> None:
    """Make every error that a route or the framework raises a problem."""
    app.add_exception_handler(Problem, _of_problem)
    app.add_exception_handler(HTTPException, _of_http_exception)
    app.add_exception_handler(RequestValidationError, _of_validation)


def _instance(request: Request) -> str | None:
    request_id = getattr(request.state, "request_id", None)
    return instance_of(request_id) if request_id else None


async def _of_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - Starlette looks handlers up by class
    document = ProblemDocument(title=error.title, status=error.status, detail=error.detail, instance=_instance(request))
    return problem_response(document, error.headers)


async def _of_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette looks handlers up by class
    # Its detail may be anything, the path included; the phrase says enough.
    document = ProblemDocument(
        title=HTTPStatus(error.status_code).phrase, status=error.status_code, instance=_instance(request)
    )
    return problem_response(document, error.headers)


async def _of_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - Starlette looks handlers up by class
    document = ProblemDocument(
        title="The request is not valid",
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        instance=_instance(request),
        errors=list(_field_problems(error.errors())),
    )
    return problem_response(document)


def _field_problems(faults: Iterable[Mapping[str, Any]]) -> Iterable[FieldProblem]:
    for fault in faults:
        message = None if fault["type"] in _UNTOLD else fault["msg"]
        yield FieldProblem(location=".".join(map(str, fault["loc"])), kind=fault["type"], message=message)


def document_problems(schema: dict[str, Any]) -> dict[str, Any]:
    """Write into an OpenAPI document that every operation may answer with a problem, in place of FastAPI's own."""
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    documented = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= documented.pop("$defs") | {"ProblemDocument": documented}
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    for path in schema["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = {"description": "A problem", "content": content}
    return schema
