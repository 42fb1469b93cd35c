"""What the relay sends, in which order, and what it deletes, with a producer and a database that only remember."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, UnsupportedVersionError

from services.runtime import relay as module
from services.runtime.cuts import processed_event
from services.runtime.dead_letters import Seal
from services.runtime.exits import CutFailed
from services.runtime.ledger import Spot
from services.runtime.relay import Queued, Relay, SendFailed
from services.runtime.service import Cut, ServiceDefinition
from services.runtime.settings import Settings

CUT = Cut(3, f"d{3:032x}", datetime(2026, 1, 1, tzinfo=UTC), date(2025, 12, 31))


async def handle(_: object, __: object) -> None:
    raise AssertionError("a relay handles nothing")


def service(*waits_for: Any) -> ServiceDefinition:
    return ServiceDefinition("risk", "risk", (), handle, Path(), waits_for)


@dataclass
class Remembering:
    """A connection that gives out what the outbox holds and notes what is done."""

    outbox: list[Queued] = field(default_factory=list)
    relayed: list[dict[str, Any]] = field(default_factory=list)
    done: list[tuple[Any, ...]] = field(default_factory=list)

    async def fetch(self, query: str, *_: object) -> list[Any]:
        return self.relayed if "runtime_relayed" in query else self.outbox

    async def fetchrow(self, _: str) -> dict[str, Any]:
        return {"depth": len(self.outbox), "age": None}

    async def execute(self, query: str, *arguments: object) -> None:
        self.done.append((query.split(maxsplit=1)[0], *arguments))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        self.done.append(("BEGIN",))
        yield
        self.done.append(("COMMIT",))

    def is_closed(self) -> bool:
        return False


@dataclass
class Broker:
    """A producer whose acknowledgements come later, as a broker's do."""

    refused: dict[bytes, Exception] = field(default_factory=dict)
    unacknowledged: dict[bytes, Exception] = field(default_factory=dict)
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    unanswered: int = 0
    before: list[int] = field(default_factory=list)
    ends: dict[Spot, int] = field(default_factory=dict)

    async def send(self, topic: str, payload: bytes, *, key: bytes, partition: int) -> "asyncio.Future[Any]":
        assert key == b"k"
        if payload in self.refused:
            raise self.refused[payload]
        self.before.append(self.unanswered)
        self.sent.append((topic, payload))
        spot = Spot(topic, partition)
        offset = self.ends.get(spot, 0)
        self.ends[spot] = offset + 1
        self.unanswered += 1
        answer = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(
            self._answer, answer, payload, SimpleNamespace(**spot._asdict(), offset=offset)
        )
        return answer

    def _answer(self, answer: "asyncio.Future[Any]", payload: bytes, metadata: object) -> None:
        self.unanswered -= 1
        if payload in self.unacknowledged:
            answer.set_exception(self.unacknowledged[payload])
        else:
            answer.set_result(metadata)


def event(number: int, payload: bytes, topic: str = "a", partition: int = 0) -> Queued:
    return Queued(number, topic, partition, b"k", payload, fence=False)


def fence(number: int) -> Queued:
    return Queued(number, "deliveries", 0, b"k", processed_event("risk", CUT).encode(), fence=True)


def relaying(*rows: Queued, broker: Broker | None = None, probed: list[str] | None = None) -> Relay:
    probe = (probed if probed is not None else []).append
    return Relay(service(), Remembering(list(rows)), broker or Broker(), Seal(bytes(32)), probe)  # type: ignore[arg-type]


def vectors(broker: Broker) -> list[dict[str, dict[str, int]]]:
    return [json.loads(payload)["data"]["end_offsets"] for topic, payload in broker.sent if topic == "deliveries"]


async def test_rows_are_sent_in_order_and_deleted_with_their_ends_in_one_transaction() -> None:
    broker, probed = Broker(), []
    relay = relaying(event(4, b"x"), event(5, b"y", "b", 1), event(9, b"z"), broker=broker, probed=probed)
    assert await relay.send_chunk() == 3
    assert broker.sent == [("a", b"x"), ("b", b"y"), ("a", b"z")]
    begun, deleted, noted, committed = relay.connection.done
    assert (begun, committed, probed) == (("BEGIN",), ("COMMIT",), ["after_send"])
    assert deleted == ("DELETE", [4, 5, 9])
    assert dict(zip(zip(*noted[1:3], strict=True), noted[3], strict=True)) == {("a", 0): 2, ("b", 1): 1}


async def test_a_fence_is_sent_when_all_before_it_is_on_the_log_and_says_so() -> None:
    broker = Broker()
    relay = relaying(event(1, b"x"), event(2, b"y", "b"), fence(3), event(4, b"z"), fence(5), fence(6), broker=broker)
    await relay.send_chunk()
    assert [topic for topic, _ in broker.sent] == ["a", "b", "deliveries", "a", "deliveries", "deliveries"]
    assert broker.before == [0, 1, 0, 0, 0, 0]
    assert vectors(broker) == [
        {"a": {"0": 1}, "b": {"0": 1}},
        {"a": {"0": 2}, "b": {"0": 1}, "deliveries": {"0": 1}},
        {"a": {"0": 2}, "b": {"0": 1}, "deliveries": {"0": 2}},
    ]


async def test_a_fence_knows_what_was_written_before_a_restart() -> None:
    broker = Broker()
    relay = relaying(fence(1), broker=broker)
    relay.connection.relayed = [{"topic": "a", "partition": 2, "end_offset": 77}]
    await relay.load_ends()
    await relay.send_chunk()
    assert vectors(broker) == [{"a": {"2": 77}}]


async def test_an_end_never_goes_back() -> None:
    relay = relaying(event(1, b"x"))
    relay.ends[Spot("a", 0)] = 50
    await relay.send_chunk()
    assert relay.ends == {Spot("a", 0): 50}


@pytest.mark.parametrize("kind", ["refused", "unacknowledged"])
async def test_where_one_is_not_taken_none_is_deleted(kind: str) -> None:
    broker, probed = Broker(**{kind: {b"y": KafkaTimeoutError("of p0")}}), []
    relay = relaying(event(1, b"x"), event(2, b"y"), fence(3), broker=broker, probed=probed)
    with pytest.raises(SendFailed, match=r"^KafkaTimeoutError$"):
        await relay.send_chunk()
    assert relay.connection.done == probed == []
    assert vectors(broker) == []


async def test_a_turn_says_whether_there_was_anything_to_do() -> None:
    assert await relaying(event(1, b"x")).turn() is True
    idle = relaying()
    assert await idle.turn() is False
    assert idle.connection.done == []


async def cutting(monkeypatch: pytest.MonkeyPatch, outcome: Cut | Exception | None) -> bool:
    async def cut_next(*_: object) -> Cut | None:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(module, "cut_next", cut_next)
    relay = relaying()
    relay.definition = service("intake")
    return await relay.turn()


async def test_a_cut_is_something_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await cutting(monkeypatch, CUT) is True
    assert await cutting(monkeypatch, None) is False


async def test_a_cut_that_cannot_be_computed_ends_the_process_and_tells_no_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(CutFailed, match=r"^ZeroDivisionError at tests/unit/runtime/test_runtime_relay\.py:\d+$"):
        await cutting(monkeypatch, ZeroDivisionError("Ann's 5 dollars"))


async def test_a_cut_that_met_an_outage_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(asyncpg.SerializationError):
        await cutting(monkeypatch, asyncpg.SerializationError())


@pytest.mark.parametrize(
    ("error", "is_lost"),
    [
        (asyncpg.InterfaceError("connection is closed"), True),
        (asyncpg.InternalClientError(), True),
        (asyncpg.UniqueViolationError(), False),
        (type("InterfaceError", (Exception,), {})(), False),
    ],
)
def test_a_lost_connection_is_known_by_the_errors_kind(error: Exception, is_lost: bool) -> None:  # noqa: FBT001 - a table's column
    assert module._lost(error) is is_lost


@pytest.mark.parametrize(
    ("setting", "error", "tried"),
    [
        ("auto", None, [True]),
        ("auto", UnsupportedVersionError(), [True, False]),
        ("auto", TimeoutError(), [True, False]),
        ("auto", KafkaConnectionError(), [True]),
        ("on", UnsupportedVersionError(), [True]),
        ("off", None, [False]),
    ],
)
async def test_which_producer_is_started(
    monkeypatch: pytest.MonkeyPatch, setting: Any, error: Exception | None, tried: list[bool]
) -> None:
    asked: list[bool] = []

    async def started(_: Settings, *, idempotent: bool) -> str:
        asked.append(idempotent)
        if idempotent and error:
            raise error
        return "a producer"

    monkeypatch.setattr(module, "_started", started)
    settings = Settings(database_url="postgresql://h/d", brokers="b:1", idempotent_producer=setting)
    if error is not None and tried == [True]:
        with pytest.raises(KafkaError):
            await module.start_producer(settings)
    else:
        assert await module.start_producer(settings) == "a producer"
    assert asked == tried
