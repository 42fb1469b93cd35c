"""Any event of any type, damaged in any of the ways that bytes and documents are: an event, or a reason without values."""

import json
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from event_strategies import events, sample
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.decoding import MOST_BYTES, MOST_DEPTH, UndecodableEvent, check_key, decode
from contracts.medicaid import MedicaidEnrolmentStated
from contracts.topics import MEDICAID_ENROLMENT, TOPIC_BY_TYPE, TOPICS, AnyEvent, EventClass, event_classes

EVENT_CLASSES = list(event_classes())
ALL = pytest.mark.parametrize("event_class", EVENT_CLASSES, ids=lambda event_class: event_class.TYPE)
FEW = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
SECRET = "1EG4TE5MK73"
# What a careless or hostile producer might put in a place; each can be found again in a text.
STRANGE: list[Any] = [
    None, True, -1, 2**31, 2**63, 10**400, 0.5, "", SECRET, f"x{SECRET}\u0000", "9999-12-31", [], [SECRET], {},
    {SECRET: SECRET}, {"person_id": {SECRET: 1}},
]  # fmt: skip


def outcome(topic: str, raw: bytes) -> AnyEvent | UndecodableEvent:
    """An event, or the refusal; whatever else is raised fails the test."""
    try:
        return decode(topic, raw)
    except UndecodableEvent as refusal:
        return refusal


def told(refusal: UndecodableEvent) -> str:
    """Everything that a log, a dead letter or a traceback could say."""
    return "".join(traceback.format_exception(refusal)) + refusal.detail + repr(refusal.__cause__) + repr(refusal.args)


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document below its top."""
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in inner:
        yield (*path, key)
        yield from places(value, (*path, key))


def parent(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        document = document[key]
    return document


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> None:
    parent(document, path)[path[-1]] = value


def removed(document: Any, path: tuple[Any, ...], _: Any) -> None:
    del parent(document, path)[path[-1]]


def renamed(document: Any, path: tuple[Any, ...], _: Any) -> None:
    inside = parent(document, path)
    if isinstance(inside, dict):
        inside[SECRET] = inside.pop(path[-1])


def wrapped(document: Any, path: tuple[Any, ...], _: Any) -> None:
    inside = parent(document, path)
    inside[path[-1]] = {SECRET: inside[path[-1]]}


Damage = Callable[[Any, tuple[Any, ...], Any], None]


@ALL
@FEW
@given(choice=st.data())
def test_a_damaged_document_is_an_event_or_a_reason_that_tells_no_value(
    event_class: EventClass, choice: st.DataObject
) -> None:
    document = json.loads(choice.draw(events(event_class)).encode())
    for damage in choice.draw(st.lists(st.sampled_from([replaced, removed, renamed, wrapped]), min_size=1, max_size=3)):
        found = list(places(document))
        damage(document, choice.draw(st.sampled_from(found)), choice.draw(st.sampled_from(STRANGE)))
        if not document:
            break
    result = outcome(TOPIC_BY_TYPE[event_class.TYPE].name, json.dumps(document).encode())
    if isinstance(result, UndecodableEvent):
        assert SECRET not in told(result)
    else:
        assert type(result) is event_class
        assert decode(TOPIC_BY_TYPE[event_class.TYPE].name, result.encode()) == result


@ALL
@FEW
@given(choice=st.data())
def test_damaged_bytes_are_an_event_or_a_reason(event_class: EventClass, choice: st.DataObject) -> None:
    raw = choice.draw(events(event_class)).encode()
    for _ in range(choice.draw(st.integers(1, 4))):
        start = choice.draw(st.integers(0, len(raw)))
        end = min(len(raw), start + choice.draw(st.integers(0, 8)))
        raw = raw[:start] + choice.draw(st.binary(max_size=4) | st.just(raw[end : end + 40])) + raw[end:]
    result = outcome(TOPIC_BY_TYPE[event_class.TYPE].name, raw)
    assert isinstance(result, UndecodableEvent | event_class)


@ALL
def test_an_event_stands_on_its_own_topic_only(event_class: EventClass) -> None:
    raw = sample_of(event_class).encode()
    for topic in TOPICS:
        result = outcome(topic.name, raw)
        if event_class in topic.events:
            assert isinstance(result, event_class)
        else:
            assert isinstance(result, UndecodableEvent)
            assert (result.reason, result.detail) == ("wrong_topic", event_class.TYPE)


def sample_of(event_class: EventClass) -> AnyEvent:
    strategy = events(event_class)
    drawn: list[AnyEvent] = []

    @settings(max_examples=1, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def draw(event: AnyEvent) -> None:
        drawn.append(event)

    draw()
    return drawn[0]


@ALL
@FEW
@given(choice=st.data())
def test_only_its_subject_is_the_key_of_an_event(event_class: EventClass, choice: st.DataObject) -> None:
    event = choice.draw(events(event_class))
    key = event.subject.encode()
    check_key(event, key)
    for other in (None, b"", key + b" ", key[:-1], key.swapcase() if key.swapcase() != key else b"\xff"):
        with pytest.raises(UndecodableEvent) as refused:
            check_key(event, other)
        assert refused.value.reason == ("null_key" if other is None else "wrong_key")


@given(
    depth=st.integers(1, 2 * MOST_DEPTH),
    bracket=st.sampled_from(["[]", "{}"]),
    text=st.sampled_from(["", "]", "[{", r"\""]),
)
@settings(deadline=None)
def test_depth_is_counted_in_brackets_and_not_in_texts(depth: int, bracket: str, text: str) -> None:
    inner = f'"{text}"'
    for _ in range(depth):
        inner = f"[{inner}]" if bracket == "[]" else f'{{"{text}":{inner}}}'
    raw = sample(MedicaidEnrolmentStated).encode()[:-1] + f',"new":{inner}}}'.encode()
    result = outcome(MEDICAID_ENROLMENT.name, raw)
    # One more: the event itself is an object.
    assert isinstance(result, UndecodableEvent) is (depth + 1 > MOST_DEPTH)
    if isinstance(result, UndecodableEvent):
        assert result.reason == "too_deep"


def test_the_largest_message_is_read_and_one_byte_more_is_not() -> None:
    raw = sample(MedicaidEnrolmentStated).encode()
    whole = raw + b" " * (MOST_BYTES - len(raw))
    assert isinstance(outcome(MEDICAID_ENROLMENT.name, whole), MedicaidEnrolmentStated)
    assert isinstance(outcome(MEDICAID_ENROLMENT.name, whole + b" "), UndecodableEvent)
