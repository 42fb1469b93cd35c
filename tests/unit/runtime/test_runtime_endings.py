"""How processes end, which topics are made before they start, and what is kept of what could not be applied."""

import asyncio
import os
import re
import signal
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka.errors import InvalidReplicationFactorError, TopicAlreadyExistsError
from hypothesis import given
from hypothesis import strategies as st

from contracts.topics import COVERAGE, PROVIDER_ROSTERS, Topic
from services.runtime import exits, provisioning
from services.runtime.dead_letters import MOST_PAYLOAD_BYTES, DeadLetter, Seal, _row, unpack
from services.runtime.exits import ExitCode, RuntimeFailure, TopicsUnusable
from services.runtime.ledger import Message, Spot
from services.runtime.processes import run_process, until_signalled

SPOT = Spot("t", 1)
SEAL = Seal(bytes(32))
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FAILURES = RuntimeFailure.__subclasses__()


def test_every_failure_has_a_code_of_its_own_and_every_code_a_failure() -> None:
    codes = [failure.code for failure in FAILURES]
    assert len(set(codes)) == len(codes)
    assert {*codes, ExitCode.STOPPED} == set(ExitCode)
    # Shells answer from 126 on, interpreters below 64.
    assert all(64 <= code < 126 for code in codes)


def test_the_tree_of_failures_is_drawn_whole() -> None:
    drawn = re.findall(r"[├└]── (\w+)", exits.__doc__ or "")
    assert sorted(drawn) == sorted(failure.__name__ for failure in FAILURES)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.__name__)
def test_a_failure_is_the_exit_code_of_its_process(
    failure: type[RuntimeFailure], caplog: pytest.LogCaptureFixture
) -> None:
    async def main(_: asyncio.Event) -> None:
        raise failure("what to do")

    assert run_process(main) == failure.code
    assert caplog.records[-1].__dict__["fields"] == {
        "reason": "what to do",
        "exit_code": int(failure.code),
        "error": failure.__name__,
    }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_is_an_orderly_end(number: signal.Signals) -> None:
    async def main(stop: asyncio.Event) -> None:
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stop.wait(), 5)

    try:
        assert await until_signalled(main) is ExitCode.STOPPED
    finally:
        for handled in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().remove_signal_handler(handled)


async def test_a_bug_is_not_dressed_up_as_an_end() -> None:
    async def main(_: asyncio.Event) -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await until_signalled(main)


@pytest.mark.parametrize(("topic", "policy"), [(COVERAGE, "delete"), (PROVIDER_ROSTERS, "compact")])
def test_a_topic_is_made_as_the_registry_says(topic: Topic, policy: str) -> None:
    made = provisioning._as_new(topic, 3)
    assert (made.name, made.num_partitions, made.replication_factor) == (topic.name, topic.partitions, 3)
    assert made.topic_configs == {"cleanup.policy": policy, "retention.ms": str(topic.retention_ms)}


def test_a_topic_that_another_process_made_is_as_good() -> None:
    provisioning._check([("a", 0, None), ("b", TopicAlreadyExistsError.errno, "exists")])


def test_topics_that_could_not_be_made_are_named() -> None:
    errors: list[tuple[Any, ...]] = [("a", 0), ("b", InvalidReplicationFactorError.errno, "no"), ("c", 36)]
    with pytest.raises(TopicsUnusable, match=r"^b: InvalidReplicationFactorError$"):
        provisioning._check(errors)


def kept(key: bytes | None, value: bytes | None, detail: str = "") -> tuple[Any, ...]:
    return _row(DeadLetter(Message(SPOT, 7, key, value, NOON), "invalid", detail, None), SEAL)


@given(st.none() | st.binary(max_size=9), st.none() | st.binary(max_size=99))
def test_a_parked_message_is_kept_whole_and_sealed_in_its_place(key: bytes | None, value: bytes | None) -> None:
    row = kept(key, value)
    assert row[:4] == ("t", 1, 7, "invalid")
    assert unpack(SEAL.open(row[9], SPOT, 7)) == (key, value)
    assert row[10:] == (SEAL.key_id, len(key or b"") + len(value or b""), False)


@pytest.mark.parametrize(
    ("key_bytes", "value_bytes", "is_cut"),
    [(8, MOST_PAYLOAD_BYTES - 8, False), (8, MOST_PAYLOAD_BYTES - 7, True), (MOST_PAYLOAD_BYTES + 1, 0, True)],
)
def test_what_is_too_large_is_cut_and_says_so(key_bytes: int, value_bytes: int, is_cut: bool) -> None:  # noqa: FBT001 - a table's column
    row = kept(b"k" * key_bytes, b"v" * value_bytes)
    key, value = unpack(SEAL.open(row[9], SPOT, 7))
    assert (row[11], row[12]) == (key_bytes + value_bytes, is_cut)
    assert len(key or b"") + len(value or b"") <= MOST_PAYLOAD_BYTES
    assert (len(key or b"") + len(value or b"") < row[11]) is is_cut


def test_a_detail_is_bounded_and_can_be_stored() -> None:
    assert kept(None, None, "a\x00b")[4] == "ab"
    assert kept(None, None, "x" * 501)[4] == "x" * 500


def test_without_an_event_the_time_is_the_logs() -> None:
    assert kept(b"", b"")[5:9] == (None, None, None, NOON)
