"""What a worker does about each outcome of a batch, how it watches, and how it ends; without servers."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from contracts.topics import COVERAGE
from services.runtime import seat as seat_module
from services.runtime import worker as module
from services.runtime.applying import Applied, Candidate
from services.runtime.buffers import Buffers
from services.runtime.exits import LogRecreated, RunnerCrashed, SlotTaken, TooManyParked
from services.runtime.ledger import Gap, Message, PositionMoved, Spot, UnverifiedGap
from services.runtime.log import LogUnavailable
from services.runtime.seat import Seat
from services.runtime.service import ServiceDefinition
from services.runtime.settings import Settings
from services.runtime.telemetry import LAG_MESSAGES, STALLED, Liveness
from services.runtime.worker import Worker

A0, A1 = Spot(COVERAGE.name, 0), Spot(COVERAGE.name, 1)
BATCH = [Candidate(Message(A0, 5, b"k", b"v", None), None, None)]
GAP = Gap(3, 5)
DONE = Applied(6, 1, 0)


@dataclass
class Scripted:
    """Answers each call with the next of what was written down."""

    outcomes: list[Any]
    asked: list[Any] = field(default_factory=list)

    async def __call__(self, *asked: Any) -> Any:
        self.asked.append(tuple(set(one) if isinstance(one, set) else one for one in asked))
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Connections:
    """Where a worker gets its connection; counts how often it was given up."""

    renewed = 0

    async def get(self) -> str:
        return f"connection {self.renewed}"

    def is_transient(self, error: BaseException) -> bool:
        return isinstance(error, OSError)

    async def renew(self) -> None:
        self.renewed += 1


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.runtime.retrying._FIRST_SECONDS", 0.0)


def working(outcomes: Iterable[Any] = (), found: Iterable[Any] = ()) -> Worker:
    applier = SimpleNamespace(
        definition=ServiceDefinition("risk", "risk", (COVERAGE,), None, Path()),  # type: ignore[arg-type]
        schema="risk",
        apply=Scripted(list(outcomes)),
        probe=lambda _: None,
    )
    reader = SimpleNamespace(first_from=Scripted(list(found)))
    settings = Settings(database_url="postgresql://h/d", brokers="127.0.0.1:9")
    worker = Worker(applier, settings, reader, (A0, A1), Buffers(10), None)  # type: ignore[arg-type]
    worker.app = SimpleNamespace(  # type: ignore[assignment]
        applied={}, seeking_consumer=SimpleNamespace(seek_back=Scripted([None])), stop=Scripted([None])
    )
    return worker


async def applied(worker: Worker) -> Connections:
    connections = Connections()
    await worker._apply_surely(connections, BATCH)  # type: ignore[arg-type]
    return connections


def lying_at(offset: int) -> Message:
    return Message(A0, offset, b"k", b"v", None)


async def test_what_was_applied_is_acknowledged() -> None:
    worker = working([DONE])
    await applied(worker)
    assert worker.app.applied == {A0: 6}


@pytest.mark.parametrize(("error", "renewed"), [(PositionMoved(), 0), (ConnectionResetError(), 1), (OSError(), 1)])
async def test_what_passes_is_tried_again_with_a_connection_that_works(error: Exception, renewed: int) -> None:
    worker = working([error, error, DONE])
    connections = await applied(worker)
    assert connections.renewed == renewed * 2
    assert [asked[0] for asked in worker.applier.apply.asked] == [f"connection {renewed * turn}" for turn in range(3)]
    assert worker.app.applied == {A0: 6}


@pytest.mark.parametrize("error", [TooManyParked("no more"), KeyError("a bug")])
async def test_what_does_not_pass_ends_the_worker(error: Exception) -> None:
    worker = working([error])
    with pytest.raises(type(error)):
        await applied(worker)
    assert worker.app.applied == {}


@pytest.mark.parametrize("first", [5, 9])
async def test_a_gap_in_which_nothing_lies_is_passed_once(first: int) -> None:
    worker = working([UnverifiedGap(GAP), DONE], [lying_at(first)])
    await applied(worker)
    assert worker.reader.first_from.asked == [(A0, 3)]
    assert [asked[2] for asked in worker.applier.apply.asked] == [set(), {GAP}]
    assert worker.app.applied == {A0: 6}
    # What was known of a gap behind the position is worth nothing any more.
    assert worker.holes == set()


@pytest.mark.parametrize("first", [lying_at(3), lying_at(4), None])
async def test_a_gap_in_which_something_lies_is_read_again(first: Message | None) -> None:
    worker = working([UnverifiedGap(GAP)], [first])
    await worker.buffers.put([lying_at(6)])
    await worker.buffers.put([lying_at(1)._replace(spot=A1)])
    await applied(worker)
    assert worker.app.seeking_consumer.seek_back.asked == [(A0, 3)]
    assert worker.app.applied == {}
    assert len(worker.buffers) == 1


async def test_a_gap_is_asked_about_until_the_log_answers() -> None:
    worker = working([UnverifiedGap(GAP), DONE], [LogUnavailable(), LogUnavailable(), lying_at(5)])
    await applied(worker)
    assert worker.app.applied == {A0: 6}


def watching(monkeypatch: pytest.MonkeyPatch, positions: dict[Spot, int], ends: dict[Spot, int]) -> Worker:
    worker = working()
    worker.seat = SimpleNamespace(connection=Scripted([None] * 9))  # type: ignore[assignment]
    worker.reader = SimpleNamespace(ends=Scripted([ends] * 9))  # type: ignore[assignment]

    async def age(_: object, waiting: dict[Spot, int], __: datetime) -> float:
        return float(len(waiting))

    async def read(_: object) -> dict[Spot, int]:
        return positions

    monkeypatch.setattr(module, "read_positions", read)
    monkeypatch.setattr(module, "oldest_age_seconds", age)
    return worker


async def test_lag_is_told_of_all_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = watching(monkeypatch, {A0: 4, A1: 7}, {A0: 9, A1: 7})
    await worker._look(Liveness())
    told = [LAG_MESSAGES.labels("risk", COVERAGE.name, number)._value.get() for number in ("0", "1")]
    assert told == [5, 0]


@pytest.mark.parametrize(("own", "stalled"), [(A0, 1), (A1, 0)])
async def test_only_ones_own_partitions_stall_a_worker(
    monkeypatch: pytest.MonkeyPatch, own: Spot, stalled: int
) -> None:
    worker = watching(monkeypatch, {A0: 4, A1: 7}, {A0: 9, A1: 7})
    worker.app.applied[own] = 0
    times = iter([0.0, 100.0])
    monkeypatch.setattr(module, "monotonic", lambda: next(times))
    liveness = Liveness(60)
    await worker._look(liveness)
    await worker._look(liveness)
    assert STALLED.labels("risk")._value.get() == stalled


async def test_a_log_that_ends_before_what_was_read_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = watching(monkeypatch, {A0: 4, A1: 7}, {A0: 3, A1: 7})
    monkeypatch.setattr(module, "_WATCH_SECONDS", 0)
    with pytest.raises(LogRecreated, match="ends at 3, but was read up to 4"):
        await worker._watch()


async def test_an_outage_is_looked_past_and_a_bug_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Scripted([LogUnavailable(), asyncpg.InterfaceError("closed"), ConnectionResetError(), ZeroDivisionError()])
    monkeypatch.setattr(Worker, "_look", lambda _, liveness: looks(liveness))
    monkeypatch.setattr(module, "_WATCH_SECONDS", 0)
    with pytest.raises(ZeroDivisionError):
        await working()._watch()
    assert looks.outcomes == []


async def _for_ever(_: Worker) -> None:
    await asyncio.Event().wait()


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("_run_app", "_apply", "_watch"):
        monkeypatch.setattr(Worker, name, _for_ever)
    return monkeypatch


@pytest.mark.usefixtures("tasks")
async def test_told_to_stop_it_stops() -> None:
    worker, stop = working(), asyncio.Event()
    stop.set()
    await worker.run(stop)
    assert worker.app.stop.asked == [()]


@pytest.mark.parametrize("name", ["_run_app", "_apply", "_watch"])
async def test_a_task_that_fails_ends_all_and_says_why(tasks: pytest.MonkeyPatch, name: str) -> None:
    async def fail(_: Worker) -> None:
        raise TooManyParked("no more")

    tasks.setattr(Worker, name, fail)
    worker = working()
    with pytest.raises(TooManyParked, match="no more"):
        await worker.run(asyncio.Event())
    assert worker.app.stop.asked == [()]


async def test_a_runner_that_does_not_stop_is_left_behind(tasks: pytest.MonkeyPatch) -> None:
    tasks.setattr(module, "_STOP_SECONDS", 0.0)
    worker, stop = working(), asyncio.Event()
    worker.app.stop = asyncio.Event().wait
    stop.set()
    await asyncio.wait_for(worker.run(stop), 5)


@pytest.mark.parametrize(
    ("reason", "raised", "words"),
    [
        (LogRecreated("gone"), LogRecreated, r"^gone$"),
        (ValueError("Ann"), RunnerCrashed, r"^Faust stopped: ValueError$"),
        (None, RunnerCrashed, r"^Faust stopped: NoneType$"),
    ],
)
async def test_why_faust_stopped(
    monkeypatch: pytest.MonkeyPatch, reason: Exception | None, raised: type[Exception], words: str
) -> None:
    monkeypatch.setattr(module, "spare_collector", lambda: None)
    worker = working()
    worker.app = SimpleNamespace(start=Scripted([None]), wait_until_stopped=Scripted([None]), crash_reason=reason)  # type: ignore[assignment]
    with pytest.raises(raised, match=words):
        await worker._run_app()


@dataclass
class Session:
    """A connection to PostgreSQL, of which only locks and its end matter."""

    free: list[bool]
    closed: bool = False

    async def fetchval(self, _: str, __: int) -> bool:
        return self.free.pop(0) if len(self.free) > 1 else self.free[0]

    def is_closed(self) -> bool:
        return self.closed

    async def close(self, *, timeout: float) -> None:  # noqa: ASYNC109 - as in asyncpg
        assert timeout
        self.closed = True


def seated(monkeypatch: pytest.MonkeyPatch, *sessions: Session) -> Seat:
    opened = Scripted(list(sessions))
    monkeypatch.setattr(seat_module, "connect", opened)
    monkeypatch.setattr(seat_module, "connect_patiently", opened)
    settings = Settings(database_url="postgresql://h/d", brokers="b:1", slot="7", start_timeout_seconds=0.05)
    return Seat(settings, "risk")


async def test_a_seat_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session([False, False, True])
    seat = seated(monkeypatch, session)
    await seat.take()
    assert await seat.connection() is session
    await seat.leave()
    await seat.leave()
    assert session.closed


async def test_a_seat_that_is_taken_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.runtime.retrying._FIRST_SECONDS", 0.1)
    with pytest.raises(SlotTaken, match=r"of risk runs as slot 7 \(TANDEM_SLOT\)"):
        await seated(monkeypatch, Session([False])).take()


async def test_a_seat_that_was_lost_is_taken_again_or_known_to_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.runtime.retrying._FIRST_SECONDS", 0.1)
    first, second, third = Session([True]), Session([True]), Session([False])
    seat = seated(monkeypatch, first, second, third)
    await seat.take()
    first.closed = True
    assert await seat.connection() is second
    second.closed = True
    with pytest.raises(SlotTaken):
        await seat.connection()


async def test_one_connection_is_kept_until_it_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = [Session([]), Session([])]
    monkeypatch.setattr(module, "connect", Scripted(list(sessions)))
    async with module._Reconnecting(working().settings, "risk").held() as connections:
        assert await connections.get() is await connections.get() is sessions[0]
        sessions[0].closed = True
        assert connections.is_transient(asyncpg.InterfaceError("closed"))
        await connections.renew()
        assert await connections.get() is sessions[1]
        assert not connections.is_transient(asyncpg.InterfaceError("another operation"))
    assert sessions[1].closed
