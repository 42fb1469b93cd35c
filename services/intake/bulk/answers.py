"""An answer of the server, read within bounds, and what it says in words without anything about a person."""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

import httpx

from services.intake.bulk.failures import AnswerInvalid

# A list of files of ten thousand people is below 1 MB; whatever is larger is no answer.
MOST_BYTES: Final = 16 * 1024 * 1024
_MOST_TOLD: Final = 200
# A word with a digit may be a number of a person's; a word of letters is the server's prose.
_NUMBERED = re.compile(r"\S*\d\S{3,}|\S{3,}\d\S*")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and body."""

    status: int
    headers: httpx.Headers
    body: bytes

    def document(self) -> dict[str, Any]:
        """The body as a JSON object. Raises :class:`AnswerInvalid`."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind and not kind.endswith("json"):
            raise AnswerInvalid("The server answers with something else than JSON; is this the address of the API?")
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            raise AnswerInvalid("The server's answer is no JSON.") from None
        if not isinstance(found, dict):
            raise AnswerInvalid("The server's answer is no JSON object.")
        return found

    def outcome(self) -> str | None:
        """What an OperationOutcome in the body says, masked; ``None`` where the body is none."""
        try:
            document = self.document()
        except AnswerInvalid:
            return None
        return told(document) if document.get("resourceType") == "OperationOutcome" else None


def masked(text: str) -> str:
    """The text, short, printable, and without words that hold digits."""
    return _NUMBERED.sub("***", _UNPRINTABLE.sub(" ", text[: 5 * _MOST_TOLD]))[:_MOST_TOLD].strip()


def _issue(issue: object) -> str:
    if not isinstance(issue, dict):
        return "unreadable"
    details = issue.get("details")
    text = issue.get("diagnostics") or (details.get("text") if isinstance(details, dict) else None)
    named = [str(issue.get(part, "")) for part in ("severity", "code")]
    return masked(" ".join(filter(None, [*named, str(text or "")])))


def told(outcome: dict[str, Any]) -> str:
    """The issues of an OperationOutcome in one line."""
    issues = outcome.get("issue")
    return "; ".join(map(_issue, issues[:3])) if isinstance(issues, list) and issues else "no reason given"
