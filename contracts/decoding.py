"""From the bytes of a message to an event, or to the reason why there is none.

Anything can stand on a log. Every message that is not an event of its topic is refused with a reason code
that an operator can act on; neither the reason nor its detail ever holds a value of the message.
Fields that a newer producer added are ignored; everything else is strict.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from itertools import islice
from typing import Any, Final, Literal, NoReturn

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from contracts.identities import PeopleMergedData
from contracts.topics import EVENT_BY_TYPE, TOPIC_BY_NAME, TOPIC_BY_TYPE, AnyEvent, EventClass

Reason = Literal[
    "duplicate_key",
    "empty",
    "invalid",
    "not_a_number",
    "not_json",
    "not_utf8",
    "null_character",
    "null_key",
    "too_deep",
    "too_large",
    "unknown_topic",
    "unknown_type",
    "unknown_version",
    "wrong_key",
    "wrong_subject",
    "wrong_topic",
]

# Four times what intake splits at (claims.MOST_BYTES_AN_EVENT), and Kafka's default message limit.
MOST_BYTES: Final = 1024 * 1024
# Events nest to about eight; a parser's stack ends at about two hundred.
MOST_DEPTH: Final = 32
_MOST_ERRORS_TOLD: Final = 5

# How ``Event.encode`` begins; anything else is parsed once more to find its type.
_CANONICAL_START = re.compile(rb'\{"specversion":"1\.0","id":"[^"\\]*","source":"[^"\\]*","type":"([a-z0-9.-]+)"')
# Possessive, so that a string without end cannot make it try again from every quote.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKET = re.compile(rb"[\[{\]}]")
# PostgreSQL cannot store it in a text.
_NULL_CHARACTER = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_VERSION_SUFFIX = re.compile(r"\.v\d+$")
_STEMS = frozenset(_VERSION_SUFFIX.sub("", event_type) for event_type in EVENT_BY_TYPE)


class UndecodableEvent(ValueError):  # noqa: N818 - names the thing, as everyone speaks of it
    """The message is not an event of its topic. ``detail`` names fields and kinds of error, never values."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason: Reason = reason
        self.detail = detail


def decode(topic_name: str, raw: bytes | None) -> AnyEvent:
    """Decode the value of a message of a topic. Raises :class:`UndecodableEvent`."""
    if topic_name not in TOPIC_BY_NAME:
        raise UndecodableEvent("unknown_topic")
    if not raw:
        raise UndecodableEvent("empty")
    if len(raw) > MOST_BYTES:
        raise UndecodableEvent("too_large", f"{len(raw)} bytes")
    start = _CANONICAL_START.match(raw)
    event_type = start[1].decode("ascii") if start else _examined(raw).get("type")
    event = _validated(_event_class(topic_name, event_type), raw)
    # What equals its own encoding is well-formed and has no key twice: the look at every byte is for the rest.
    if event.encode() != raw or b"\\u0000" in raw:
        _examined(raw)
    _check_subject(event)
    return event


def check_key(event: AnyEvent, key: bytes | None) -> None:
    """Check that a message was keyed by its event's subject, so that it lies in the partition of its subject."""
    if key is None:
        raise UndecodableEvent("null_key")
    if key != event.subject.encode():
        raise UndecodableEvent("wrong_key")


def _check_subject(event: AnyEvent) -> None:
    """Refuse an event that stands among another person's, where it would be applied under the wrong lock."""
    if TOPIC_BY_TYPE[event.type].key != "person":
        return
    data = event.data
    people = {data.kept, data.retired} if isinstance(data, PeopleMergedData) else {data.person_id}
    if event.subject not in people:
        raise UndecodableEvent("wrong_subject")


def _event_class(topic_name: str, event_type: object) -> EventClass:
    if isinstance(event_type, str) and event_type in EVENT_BY_TYPE:
        if TOPIC_BY_TYPE[event_type].name != topic_name:
            raise UndecodableEvent("wrong_topic", event_type)
        return EVENT_BY_TYPE[event_type]
    stem, versioned = _VERSION_SUFFIX.subn("", event_type) if isinstance(event_type, str) else ("", 0)
    raise UndecodableEvent("unknown_version" if versioned and stem in _STEMS else "unknown_type")


def _validated(event_class: EventClass, raw: bytes) -> AnyEvent:
    try:
        return event_class.model_validate_json(raw, extra="ignore")
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
    # Raised out here: an exception raised above would carry the values in its context.
    raise _refusal(event_class, faults, raw)


def _refusal(event_class: EventClass, faults: list[ErrorDetails], raw: bytes) -> UndecodableEvent:
    _examined(raw)
    told = (f"{_location(event_class, fault)} {fault['type']}" for fault in islice(faults, _MOST_ERRORS_TOLD))
    return UndecodableEvent("invalid", ", ".join(told))


def _location(event_class: EventClass, fault: ErrorDetails) -> str:
    """Where in the event, in names of ours: keys of a mapping are the sender's and could say anything."""
    names = _field_names(event_class)
    return ".".join(str(part) if isinstance(part, int) or part in names else "*" for part in fault["loc"])


@cache
def _field_names(event_class: EventClass) -> frozenset[str]:
    schema = event_class.model_json_schema()
    models = (schema, *schema.get("$defs", {}).values())
    return frozenset(name for model in models for name in model.get("properties", {}))


def _examined(raw: bytes) -> dict[str, Any]:
    """Parse slowly, refusing everything that JSON parsers disagree about or that a database cannot hold."""
    text = _text(raw)
    _check_depth(raw)
    if _NULL_CHARACTER.search(text):
        raise UndecodableEvent("null_character")
    parsed = _parsed(text)
    if not isinstance(parsed, dict):
        raise UndecodableEvent("invalid", "not an object")
    return parsed


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        position = error.start
    raise UndecodableEvent("not_utf8", f"at byte {position}")


def _parsed(text: str) -> object:
    try:
        # Numbers stay texts: reading ten thousand digits takes longer than the message is worth.
        parsed: object = json.loads(
            text, object_pairs_hook=_without_duplicates, parse_constant=_no_constant, parse_int=str, parse_float=str
        )
    except json.JSONDecodeError as error:
        position = error.pos
    else:
        return parsed
    raise UndecodableEvent("not_json", f"at character {position}")


def _check_depth(raw: bytes) -> None:
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub(b"", raw)):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > MOST_DEPTH:
            raise UndecodableEvent("too_deep")


def _without_duplicates(pairs: list[tuple[str, object]]) -> Mapping[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise UndecodableEvent("duplicate_key")
    return fields


def _no_constant(_: str) -> NoReturn:
    raise UndecodableEvent("not_a_number")
