"""Where a reader of the changes stands, as a text that only this installation can make.

A cursor names the last change read and the filters under which it was read. It is signed, so that it can be refused where it was
made up, comes from elsewhere, or is used with other filters: each would skip or repeat changes without a word.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

VERSION: Final = 1
_SIGNATURE_BYTES: Final = 16
_LONGEST: Final = 1024

Key = tuple[str, str, str, str, str, str]  # state, entity, cohort, payer, category, month
BEGINNING: Final[Key] = ("", "", "", "", "", "")


class CursorError(ValueError):
    """The text is no cursor of these changes. The message is for people and repeats nothing."""


@dataclass(frozen=True, slots=True)
class Place:
    """Behind the change of ``key`` in ``revision``: everything up to there has been read."""

    revision: int
    key: Key = BEGINNING


def write(place: Place, filters: Sequence[str | None], secret: bytes) -> str:
    """The cursor of a place under these filters."""
    content = json.dumps([VERSION, place.revision, list(place.key), list(filters)], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_signature(content, secret) + content).decode().rstrip("=")


def read(text: str, filters: Sequence[str | None], secret: bytes) -> Place:
    """The place of a cursor. Raises :class:`CursorError`."""
    content = _content(text, secret)
    version, revision, key, written_under = json.loads(content)
    if version != VERSION:
        raise CursorError("the cursor is of another version of this interface: begin again")
    if written_under != list(filters):
        raise CursorError("the cursor belongs to other filters")
    return Place(revision, (*key,))


def _content(text: str, secret: bytes) -> bytes:
    if len(text) > _LONGEST:
        raise CursorError("not a cursor of this interface")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise CursorError("not a cursor of this interface") from None
    signature, content = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(content, secret)):
        raise CursorError("not a cursor of this interface")
    return content


def _signature(content: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, content, "sha256")[:_SIGNATURE_BYTES]
