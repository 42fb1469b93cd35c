"""Every kind of message that is not an event, and the reason that it is refused with."""

import json
import traceback
from contextlib import suppress
from typing import Any

import pytest
from event_strategies import PERSON, events, sample
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.decoding import MOST_BYTES, MOST_DEPTH, UndecodableEvent, check_key, decode
from contracts.delivery import DeliveryProcessed
from contracts.identities import PeopleMerged
from contracts.medicaid import MedicaidEnrolmentStated
from contracts.topics import DELIVERIES, IDENTITIES, MEDICAID_ENROLMENT, TOPIC_BY_TYPE, EventClass, event_classes

TOPIC = MEDICAID_ENROLMENT.name
EVENT = sample(MedicaidEnrolmentStated)
RAW = EVENT.encode()


def altered(**changes: Any) -> bytes:
    return json.dumps(json.loads(RAW) | changes).encode()


def altered_data(**changes: Any) -> bytes:
    return altered(data=json.loads(RAW)["data"] | changes)


def inserted(text: bytes) -> bytes:
    """The event with a further member at its end."""
    return RAW[:-1] + b"," + text + b"}"


def refusal(raw: bytes | None, topic: str = TOPIC) -> UndecodableEvent:
    with pytest.raises(UndecodableEvent) as caught:
        decode(topic, raw)
    return caught.value


DEEP = b"[" * (MOST_DEPTH + 1)
REFUSED = {
    "tombstone": (None, "empty"),
    "no bytes": (b"", "empty"),
    "latin-1": (RAW.replace(b"OH", b"\xc4\xd6"), "not_utf8"),
    "not utf-8 in a field that is ignored": (inserted(b'"new":"\xff"'), "not_utf8"),
    "truncated": (RAW[:-9], "not_json"),
    "truncated in a string": (RAW[:60], "not_json"),
    "two values": (RAW + RAW, "not_json"),
    "text": (b"hello", "not_json"),
    "byte order mark": (b"\xef\xbb\xbf" + RAW, "not_json"),
    "half a surrogate pair": (inserted(b'"new":"\\ud800"'), "invalid"),
    "an array": (b"[]", "invalid"),
    "one byte too many": (b" " * (MOST_BYTES + 1 - len(RAW)) + RAW, "too_large"),
    "deep": (inserted(b'"new":' + DEEP + b"]" * len(DEEP)), "too_deep"),
    "deep without end": (b"[" * MOST_BYTES, "too_deep"),
    "deep as a known event": (RAW.replace(b'"spans":[]', b'"spans":' + b"[" * 500 + b"]" * 500), "too_deep"),
    "key twice": (inserted(b'"type":"x"'), "duplicate_key"),
    "key twice, the same value": (RAW.replace(b'{"specversion"', b'{"deliveryseq":1,"specversion"'), "duplicate_key"),
    "key twice inside": (RAW.replace(b'"state":"OH"', b'"state":"OH","state":"PA"'), "duplicate_key"),
    "key twice in a new field": (inserted(b'"new":[{"a":1,"a":2}]'), "duplicate_key"),
    "key twice, once escaped": (RAW.replace(b'"state":"OH"', b'"state":"OH","st\\u0061te":"PA"'), "duplicate_key"),
    "NaN": (inserted(b'"new":NaN'), "not_a_number"),
    "NaN for a number": (RAW.replace(b'"deliveryseq":1', b'"deliveryseq":NaN'), "not_a_number"),
    "-Infinity": (inserted(b'"new":-Infinity'), "not_a_number"),
    "null character": (altered_data(spans=[{"first_month": "2022-01", "aid_code": "\0"}]), "null_character"),
    "unknown type": (altered(type="tandem.weather.changed.v1"), "unknown_type"),
    "unknown type, canonical": (RAW.replace(b"tandem.medicaid.", b"tandem.weather."), "unknown_type"),
    "no type": (b"{}", "unknown_type"),
    "type is a number": (altered(type=7), "unknown_type"),
    "type without version": (altered(type="tandem.medicaid.enrolment-stated"), "unknown_type"),
    "next version": (altered(type="tandem.medicaid.enrolment-stated.v2"), "unknown_version"),
    "next version, canonical": (RAW.replace(b"enrolment-stated.v1", b"enrolment-stated.v12"), "unknown_version"),
    "another topic's type": (altered(type="tandem.risk.scored.v1"), "wrong_topic"),
    "another person's subject": (altered(subject="p" + "c" * 32), "wrong_subject"),
    "year 9999": (altered_data(stated_on="9999-12-31"), "invalid"),
    "year 1000": (altered_data(birth_date="1000-01-01"), "invalid"),
    "time in year 0001": (altered(time="0001-01-01T00:00:00Z"), "invalid"),
    "time without zone": (altered(time="2022-01-01T00:00:00"), "invalid"),
    "number as text": (altered(deliveryseq="1"), "invalid"),
    "number too large for a column": (altered(deliveryseq=2**31), "invalid"),
    "ten thousand digits": (inserted(b'"deliveryseq2":' + b"9" * 10_000).replace(b'"OH"', b"7"), "invalid"),
    "digits of another script": (altered_data(spans=[{"first_month": "20٢٢-01"}]), "invalid"),
    "a field missing": (json.dumps({k: v for k, v in json.loads(RAW).items() if k != "time"}).encode(), "invalid"),
    "null data": (altered(data=None), "invalid"),
    "an id that is none": (altered(id="1"), "invalid"),
}


@pytest.mark.parametrize(("raw", "reason"), REFUSED.values(), ids=REFUSED)
def test_is_refused_with_its_reason(raw: bytes | None, reason: str) -> None:
    assert refusal(raw).reason == reason


def test_a_topic_that_nobody_declared() -> None:
    assert refusal(RAW, "tandem.weather.v1").reason == "unknown_topic"


def test_says_where_and_what_kind_but_never_the_value() -> None:
    error = refusal(altered_data(spans=[{"first_month": "1EG4TE5MK73"}], state="Smith"))
    assert error.detail == "data.state string_pattern_mismatch, data.spans.0.first_month string_pattern_mismatch"
    told = "".join(traceback.format_exception(error)) + repr(error.__context__)
    assert "1EG4" not in told
    assert "Smith" not in told


def test_a_mapping_key_is_the_senders_and_is_not_told() -> None:
    raw = sample(DeliveryProcessed, end_offsets={"Smith": {"1EG4TE5MK73": 1}}).encode().replace(b":1}", b":-1}")
    assert refusal(raw, DELIVERIES.name).detail == "data.end_offsets.*.* greater_than_equal"


def test_tells_no_more_than_five_faults() -> None:
    spans = [{"first_month": "x"}] * 50
    assert refusal(altered_data(spans=spans)).detail.count("string_pattern_mismatch") == 5


@pytest.mark.parametrize("position", range(0, len(RAW), 7))
def test_cut_anywhere_is_refused(position: int) -> None:
    assert refusal(RAW[:position]).reason == ("empty" if position == 0 else "not_json")


def test_fields_that_a_newer_producer_added_are_ignored() -> None:
    raw = altered(traceparent="00-1", data={**PERSON, "stated_on": "2022-01-31", "spans": [], "new": {"deep": [1.5]}})
    assert decode(TOPIC, raw) == EVENT


def test_white_space_and_order_do_not_matter() -> None:
    raw = json.dumps(dict(reversed(json.loads(RAW).items())), indent=2).encode()
    assert decode(TOPIC, raw) == EVENT


def test_an_escaped_backslash_before_u0000_is_text() -> None:
    span = {"first_month": "2022-01", "aid_code": r"\u0000"}
    decoded = decode(TOPIC, altered_data(spans=[span]))
    assert decoded.data.spans[0].aid_code == r"\u0000"


def test_merged_people_may_stand_under_either() -> None:
    for subject in ("p" + "a" * 32, "p" + "b" * 32):
        raw = json.dumps(json.loads(sample(PeopleMerged).encode()) | {"subject": subject}).encode()
        assert decode(IDENTITIES.name, raw).subject == subject


def test_key_is_the_subject() -> None:
    check_key(EVENT, EVENT.subject.encode())
    for key, reason in ((None, "null_key"), (b"", "wrong_key"), (b"another", "wrong_key")):
        with pytest.raises(UndecodableEvent) as caught:
            check_key(EVENT, key)
        assert caught.value.reason == reason


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.parametrize("event_class", list(event_classes()), ids=lambda event_class: event_class.TYPE)
@given(choice=st.data())
def test_every_event_comes_back_as_it_was_sent(event_class: EventClass, choice: st.DataObject) -> None:
    event = choice.draw(events(event_class))
    decoded = decode(TOPIC_BY_TYPE[event_class.TYPE].name, event.encode())
    assert decoded == event
    assert type(decoded) is event_class
    assert decoded.encode() == event.encode()


@settings(max_examples=150, deadline=None)
@given(position=st.integers(0, len(RAW) - 1), byte=st.integers(0, 255))
def test_one_byte_changed_is_an_event_or_a_reason(position: int, byte: int) -> None:
    raw = RAW[:position] + bytes([byte]) + RAW[position + 1 :]
    with suppress(UndecodableEvent):
        assert isinstance(decode(TOPIC, raw), MedicaidEnrolmentStated)


@settings(max_examples=100, deadline=None)
@given(raw=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_noise_is_refused(raw: bytes) -> None:
    assert refusal(raw).reason
