import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.delivery import DeliveryProcessed
from contracts.identities import PeopleMerged, PeopleMergedData
from services.runtime.cuts import passed, processed_event
from services.runtime.ledger import Spot
from services.runtime.outbox import MOST_EVENT_BYTES, EventTooLarge, fill_fence, nested, outgoing
from services.runtime.partitioning import partition_of
from services.runtime.service import Cut

CUT = Cut(3, f"d{3:032x}", datetime(2026, 1, 1, tzinfo=UTC), date(2025, 12, 31))


@pytest.mark.parametrize(
    ("key", "partition"),
    # Java's Utils.toPositive(Utils.murmur2(key)) % 1000, from Kafka's own UtilsTest.testMurmur2 values.
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
    ],
)
def test_partition_is_that_of_kafkas_own_clients(key: bytes, partition: int) -> None:
    assert partition_of(key, 1000) == (partition & 0x7FFFFFFF) % 1000


@given(st.binary(max_size=60), st.integers(1, 64))
def test_partition_lies_in_the_topic(key: bytes, partitions: int) -> None:
    assert 0 <= partition_of(key, partitions) < partitions


def _merged(retired: str) -> PeopleMerged:
    return PeopleMerged.of(
        service="intake",
        key=f"p{1:032x}",
        version="1",
        time=CUT.time,
        delivery_id=CUT.delivery_id,
        sequence=3,
        data=PeopleMergedData(kept=f"p{1:032x}", retired=retired),
    )


def test_an_event_goes_to_its_own_topic_by_its_subject() -> None:
    event = _merged(f"p{2:032x}")
    queued = outgoing(event)
    assert (queued.topic, queued.key, queued.fence) == ("tandem.identities.v1", event.subject.encode(), False)
    assert queued.payload == event.encode()


def test_what_no_broker_would_take_is_refused_at_once() -> None:
    huge = _merged(f"p{2:032x}").model_copy(update={"source": "/tandem/" + "x" * MOST_EVENT_BYTES})
    with pytest.raises(EventTooLarge, match=r"tandem\.identities|tandem\.people|bytes"):
        outgoing(huge)


def test_a_fence_says_how_far_everything_was_written() -> None:
    event = processed_event("risk", CUT)
    assert event == processed_event("risk", replace(CUT))
    ends = {Spot("b", 1): 5, Spot("a", 0): 7, Spot("b", 0): 2}
    filled = DeliveryProcessed.model_validate_json(fill_fence(event.encode(), ends))
    assert filled.data.end_offsets == {"a": {"0": 7}, "b": {"0": 2, "1": 5}}
    assert filled.model_copy(update={"data": event.data}) == event
    assert json.loads(fill_fence(event.encode(), {}))["data"]["end_offsets"] == {}


@pytest.mark.parametrize(
    ("vector", "positions", "is_passed"),
    [
        ({}, {}, True),
        ({"a": {"0": 5}}, {Spot("a", 0): 5}, True),
        ({"a": {"0": 5}}, {Spot("a", 0): 4}, False),
        ({"a": {"0": 5, "1": 1}}, {Spot("a", 0): 9}, False),
        ({"a": {"0": 0}}, {}, True),
        # A topic that the service does not read is none of its business.
        ({"c": {"0": 5}}, {}, True),
    ],
)
def test_when_positions_have_passed_a_vector(
    vector: dict[str, dict[str, int]],
    positions: dict[Spot, int],
    is_passed: bool,  # noqa: FBT001 - a table's column
) -> None:
    assert passed(vector, positions, frozenset({"a", "b"})) is is_passed


@given(st.dictionaries(st.tuples(st.sampled_from("ab"), st.integers(0, 3)), st.integers(0, 9)))
def test_positions_at_the_ends_pass_the_vector_of_them(ends: dict[tuple[str, int], int]) -> None:
    spots = {Spot(*place): end for place, end in ends.items()}
    assert passed(nested(spots), spots, frozenset("ab"))
    for spot in (spot for spot, end in spots.items() if end):
        assert not passed(nested(spots), spots | {spot: spots[spot] - 1}, frozenset("ab"))
