"""The envelope: ids that repeat when they must and only then; nothing undeclared leaves."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid5

import pytest
from event_strategies import PERSON, TEXT, sample
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.claims import MedicareClaimsDelivered, MedicareClaimsDeliveredData
from contracts.envelope import EVENT_NAMESPACE, event_id
from contracts.identities import PeopleMerged, PeopleMergedData
from contracts.medicaid import MedicaidEnrolmentStated
from contracts.topics import event_classes

PART = st.text(TEXT.filter(lambda character: character != "\x1f"), max_size=20)
PARTS = st.tuples(PART, PART, PART)


@given(PARTS, PARTS)
def test_ids_are_equal_exactly_when_all_parts_are(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assert (event_id(*one) == event_id(*other)) == (one == other)


@given(PARTS)
def test_ids_are_those_of_the_standard_library(parts: tuple[str, str, str]) -> None:
    assert event_id(*parts) == str(uuid5(EVENT_NAMESPACE, "\x1f".join(parts)))


def test_ids_never_change() -> None:
    assert event_id("tandem.risk.scored.v1", "p1", "7") == "6afc0ef8-79ed-5dcd-9cf8-853c72a42ff2"


def _merged(time: datetime) -> PeopleMerged:
    data = PeopleMergedData(retired="p" + "b" * 32, kept="p" + "a" * 32)
    return PeopleMerged.of(
        service="intake", key=data.kept, version="1", time=time, delivery_id="d" + "0" * 32, sequence=3, data=data
    )


def test_of_fills_the_envelope() -> None:
    event = _merged(datetime(2022, 1, 1, 7, tzinfo=timezone(timedelta(hours=2))))
    assert event.encode() == (
        b'{"specversion":"1.0","id":"' + event.id.encode() + b'","source":"/tandem/intake",'
        b'"type":"tandem.identity.people-merged.v1","subject":"p' + b"a" * 32 + b'","time":"2022-01-01T05:00:00Z",'
        b'"datacontenttype":"application/json","deliveryid":"d' + b"0" * 32 + b'","deliveryseq":3,'
        b'"data":{"retired":"p' + b"b" * 32 + b'","kept":"p' + b"a" * 32 + b'"}}'
    )


def test_producers_cannot_send_what_is_not_declared() -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        PeopleMergedData.model_validate({"retired": "p" + "b" * 32, "kept": "p" + "a" * 32, "name": "x"})


def test_events_cannot_be_altered() -> None:
    event = sample(MedicaidEnrolmentStated)
    with pytest.raises(ValidationError, match="frozen"):
        event.subject = "other"


def test_numbers_are_not_guessed_from_texts() -> None:
    with pytest.raises(ValidationError, match="int_type"):
        MedicareClaimsDeliveredData.model_validate({**PERSON, "part": "1", "claims": ()})


@pytest.mark.parametrize("time", [datetime(2100, 1, 1, tzinfo=UTC), datetime(1800, 1, 1, tzinfo=UTC)])
def test_absurd_times(time: datetime) -> None:
    with pytest.raises(ValidationError, match="time"):
        _merged(time)


@pytest.mark.parametrize("event_class", list(event_classes()), ids=lambda event_class: event_class.TYPE)
def test_what_may_be_none_has_a_default(event_class: type[MedicareClaimsDelivered]) -> None:
    """``encode`` leaves ``None`` out, so a required field that may be ``None`` could not be read again."""
    schema = event_class.model_json_schema()
    for model in (schema, *schema["$defs"].values()):
        for name in model.get("required", ()):
            assert {"type": "null"} not in model["properties"][name].get("anyOf", ()), name
