"""What a completed job says: which files there are, of when, and until when. Source: HL7 Bulk Data Access, 2.5."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urljoin

import httpx

from services.intake.bulk.answers import Answer
from services.intake.bulk.failures import AnswerInvalid, StrangeAddress
from services.intake.bulk.profiles import origin

MOST_FILES: Final = 100_000
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,39}")
_DAY_AND_TIME = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)\S* ([+-]\d{4})")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file that waits at the server."""

    type: str
    url: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """``errors`` are reports (OperationOutcome) about what is missing in the files, and lists of what was deleted."""

    transaction_time: datetime
    files: tuple[RemoteFile, ...]
    errors: tuple[RemoteFile, ...]
    expires: datetime | None = None


def same_server(url: str, base_url: str) -> str:
    """The address, complete. Raises :class:`StrangeAddress` where it is of another scheme, host or port."""
    try:
        complete = str(httpx.URL(urljoin(base_url + "/", url)))
        stranger = origin(complete) != origin(base_url) or bool(httpx.URL(complete).userinfo)
    except (ValueError, httpx.InvalidURL):
        stranger = True
    if stranger:
        raise StrangeAddress("The server points to an address that is not its own; no token goes there. Tell CMS.")
    return complete


def moment(text: object) -> datetime:
    """A FHIR instant. Raises :class:`ValueError`."""
    if not isinstance(text, str):
        raise ValueError("no instant")  # noqa: TRY004 - what is wrong is the text of a document
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def expiry(text: str | None) -> datetime | None:
    """The time of an Expires header: a date of HTTP's, or BCDA's ``2026-07-01 10:11:12.13 +0000 UTC``."""
    if text is None:
        return None
    try:
        found = parsedate_to_datetime(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        parts = _DAY_AND_TIME.match(text)
    try:
        return None if parts is None else datetime.fromisoformat("{}T{}{}".format(*parts.groups()))
    except ValueError:
        return None


def _listed(document: dict[str, Any], part: str, base_url: str) -> tuple[RemoteFile, ...]:
    entries = document.get(part) or []
    if not isinstance(entries, list) or len(entries) > MOST_FILES:
        raise AnswerInvalid(f"The server's list of files ({part}) cannot be read.")
    return tuple(dict.fromkeys(_remote(entry, part, base_url) for entry in entries))


def _remote(entry: object, part: str, base_url: str) -> RemoteFile:
    kind, url = (entry.get("type"), entry.get("url")) if isinstance(entry, dict) else (None, None)
    if not isinstance(kind, str) or not isinstance(url, str) or not _TYPE.fullmatch(kind):
        raise AnswerInvalid(f"The server's list of files ({part}) cannot be read.")
    return RemoteFile(kind, same_server(url, base_url))


def manifest_from(answer: Answer, base_url: str) -> Manifest:
    """Read it. Raises :class:`AnswerInvalid`."""
    document = answer.document()
    try:
        time = moment(document.get("transactionTime"))
    except ValueError:
        raise AnswerInvalid("The server does not say of when the files are (transactionTime).") from None
    errors = _listed(document, "error", base_url) + _listed(document, "deleted", base_url)
    return Manifest(time, _listed(document, "output", base_url), errors, expiry(answer.headers.get("expires")))
