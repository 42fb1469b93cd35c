"""What is said and heard, free of I/O: both clients hold the same conversations, each in its own way.

A conversation is a generator: it yields what to send or how long to wait, is given the answer, and returns what came of it.
"""

import random
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeAlias, TypeVar

import httpx

from tandem_states.failures import CursorRefused, Problem, Unreachable
from tandem_states.signing import Signer

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
Parameters: TypeAlias = Mapping[str, str | int | float | Sequence[str] | None]
Answer = TypeVar("Answer")

_RENEW_BEFORE_SECONDS: Final = 30
_BUSY: Final = frozenset({429, 502, 503, 504})
_LONGEST_WAIT: Final = 120.0
_MOST_KEPT: Final = 64


@dataclass(frozen=True)
class Pause:
    """Wait so many seconds."""

    seconds: float


Step: TypeAlias = httpx.Request | Pause
# What a step gives back: an answer, or why there was none.
Heard: TypeAlias = httpx.Response | httpx.TransportError | None
Conversation: TypeAlias = Generator[Step, Heard, Answer]


@dataclass
class Speaker:
    """Says and hears for one client: tokens, retries, conditional requests."""

    base_url: str
    signer: Signer
    clock: Callable[[], float]
    tries: int = 6
    chance: random.Random = field(default_factory=random.Random)
    _token: str | None = None
    _token_until: float = 0.0
    _kept: dict[str, tuple[str, Any]] = field(default_factory=dict)

    def ask(self, path: str, parameters: Parameters) -> Conversation[Any]:
        """The JSON of one answer; where it did not change since it was asked last, the one that was kept.

        Raises:
            Problem: an answer that says what is wrong.
            Unreachable: no answer.
        """
        url = httpx.URL(self.base_url + path, params=_given(parameters))
        tag, kept = self._kept.get(str(url), (None, None))
        answer = yield from self._authorised("GET", url, {"If-None-Match": tag} if tag else {})
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            return kept
        document = answer.json()
        if "etag" in answer.headers:
            self._kept[str(url)] = (answer.headers["etag"], document)
            if len(self._kept) > _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return document

    def fetch(self, path: str, parameters: Parameters) -> Conversation[bytes]:
        """The content of one answer, for tables."""
        answer = yield from self._authorised("GET", httpx.URL(self.base_url + path, params=_given(parameters)), {})
        return answer.content

    def _authorised(self, method: str, url: httpx.URL, headers: Mapping[str, str]) -> Conversation[httpx.Response]:
        for again in (False, True):
            token = yield from self._token_now(renew=again)
            marked = {**headers, "Authorization": f"Bearer {token}"}
            answer = yield from self._patiently(lambda: httpx.Request(method, url, headers=marked))  # noqa: B023 - used at once
            # The other side may have another key, or another clock: a new token is tried once.
            if answer.status_code != httpx.codes.UNAUTHORIZED or again:
                break
        return _checked(answer)

    def _token_now(self, *, renew: bool) -> Conversation[str]:
        now = self.clock()
        if renew or self._token is None or now > self._token_until:
            url = f"{self.base_url}/oauth/token"

            def request() -> httpx.Request:
                # Each try needs a proof of its own: one that arrived is used up.
                form = {
                    "grant_type": "client_credentials",
                    "client_assertion_type": ASSERTION_TYPE,
                    "client_assertion": self.signer.assertion(url),
                }
                return httpx.Request("POST", url, data=form)

            document = _checked((yield from self._patiently(request))).json()
            self._token = document["access_token"]
            self._token_until = now + document["expires_in"] - _RENEW_BEFORE_SECONDS
        assert self._token is not None  # noqa: S101 - asked for just now
        return self._token

    def _patiently(self, request: Callable[[], httpx.Request]) -> Conversation[httpx.Response]:
        reason = ""
        for number in range(self.tries):
            heard = yield request()
            if isinstance(heard, httpx.Response):
                if heard.status_code not in _BUSY:
                    return heard
                reason = f"busy ({heard.status_code})"
            else:
                reason = type(heard).__name__
            if number + 1 < self.tries:
                yield Pause(self._pause(heard, number))
        raise Unreachable(f"{self.base_url} gave no answer in {self.tries} tries: {reason}")

    def _pause(self, heard: Heard, number: int) -> float:
        told = _retry_after(heard, self.clock()) if isinstance(heard, httpx.Response) else None
        if told is not None:
            return min(_LONGEST_WAIT, told)
        # Longer each time, and not all clients at once.
        return float(min(_LONGEST_WAIT, 0.5 * 2**number) * self.chance.uniform(0.5, 1))


def _given(parameters: Parameters) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _retry_after(answer: httpx.Response, now: float) -> float | None:
    """Seconds, of either form that the header may have (RFC 9110, 10.2.3)."""
    text = answer.headers.get("retry-after", "")
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.fromtimestamp(now, UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_success or answer.status_code == httpx.codes.NOT_MODIFIED:
        return answer
    try:
        document = answer.json()
    except ValueError:
        document = {}
    if not isinstance(document, dict):
        document = {}
    kind = CursorRefused if document.get("title") == "Not a usable cursor" else Problem
    raise kind(answer.status_code, document)
