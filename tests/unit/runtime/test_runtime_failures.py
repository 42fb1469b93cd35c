"""How failures are told apart."""

import asyncio
from types import SimpleNamespace

import asyncpg
import pytest

from contracts.decoding import UndecodableEvent
from contracts.topics import COVERAGE, DELIVERIES
from services.runtime import faust_runner
from services.runtime.applying import Candidate, examine, location_of, parked_run
from services.runtime.database import is_transient, lock_number
from services.runtime.exits import ExitCode, LogRecreated, RuntimeFailure, TooManyParked, UntestedLibraries
from services.runtime.faust_runner import require_tested_libraries
from services.runtime.ledger import Message, Spot
from services.runtime.log import check_bounds, topic_faults
from services.runtime.processes import until_signalled
from services.runtime.retrying import Backoff

SPOT = Spot("t", 0)
CLOSED = SimpleNamespace(is_closed=lambda: True)
OPEN = SimpleNamespace(is_closed=lambda: False)


@pytest.mark.parametrize(
    ("error", "connection", "transient"),
    [
        (ConnectionResetError(), None, True),
        (TimeoutError(), None, True),
        (asyncpg.ConnectionDoesNotExistError(), None, True),
        (asyncpg.SerializationError(), None, True),
        (asyncpg.DeadlockDetectedError(), None, True),
        (asyncpg.AdminShutdownError(), None, True),
        (asyncpg.CannotConnectNowError(), None, True),
        (asyncpg.TooManyConnectionsError(), None, True),
        (asyncpg.DiskFullError(), None, True),
        (asyncpg.InterfaceError("connection is closed"), CLOSED, True),
        (asyncpg.InterfaceError("another operation is in progress"), OPEN, False),
        (asyncpg.InterfaceError("no connection"), None, False),
        (asyncpg.UniqueViolationError(), None, False),
        (asyncpg.UndefinedTableError(), None, False),
        (asyncpg.DataError(), None, False),
        (ValueError(), None, False),
        (KeyError(), CLOSED, False),
    ],
)
def test_what_passes_by_itself(error: BaseException, connection: asyncpg.Connection, transient: bool) -> None:  # noqa: FBT001 - a table's column
    assert is_transient(error, connection) is transient


def _candidates(pattern: str) -> list[Candidate]:
    refused = UndecodableEvent("empty")
    return [
        Candidate(Message(SPOT, offset, None, None, None), None, refused if letter == "x" else None)
        for offset, letter in enumerate(pattern)
    ]


@pytest.mark.parametrize(
    ("before", "pattern", "run"),
    [(0, "", 0), (2, "", 2), (0, "...", 0), (0, "xx", 2), (1, "xx", 3), (3, ".xx", 2), (0, "xxx.", 0), (2, "x.x", 1)],
)
def test_run_of_parked_messages(before: int, pattern: str, run: int) -> None:
    assert parked_run(before, _candidates(pattern), limit=3) == run


@pytest.mark.parametrize(
    ("before", "pattern", "offset"), [(0, "xxxx", 3), (3, "x", 0), (1, "xxx.", 2), (0, ".xxxx", 4)]
)
def test_run_over_the_limit_stops(before: int, pattern: str, offset: int) -> None:
    with pytest.raises(TooManyParked, match=f"offset {offset}$"):
        parked_run(before, _candidates(pattern), limit=3)


def test_a_message_that_is_no_event_is_refused_with_a_reason() -> None:
    candidate = examine(Message(Spot(COVERAGE.name, 0), 0, b"k", b"{", None))
    assert candidate.event is None
    assert candidate.refusal is not None
    assert candidate.refusal.reason == "not_json"


def test_location_names_file_and_line_only() -> None:
    with pytest.raises(ValueError, match="secret") as raised:
        raise ValueError("secret")
    assert location_of(raised.value).startswith("tests/unit/runtime/test_runtime_failures.py:")
    assert location_of(ValueError("never raised")) == "unknown"


@pytest.mark.parametrize(
    ("position", "beginning", "end", "words"),
    [(11, 0, 10, "ends at 10"), (3, 5, 10, "begins at 5"), (1, 0, 0, "ends at 0")],
)
def test_a_position_outside_of_its_log(position: int, beginning: int, end: int, words: str) -> None:
    with pytest.raises(LogRecreated, match=words):
        check_bounds({SPOT: position}, {SPOT: beginning}, {SPOT: end})


@pytest.mark.parametrize(("position", "beginning", "end"), [(0, 0, 0), (10, 0, 10), (5, 5, 10)])
def test_a_position_within_its_log(position: int, beginning: int, end: int) -> None:
    check_bounds({SPOT: position, Spot("other", 0): 99}, {SPOT: beginning}, {SPOT: end})


def test_faults_of_topics_are_told() -> None:
    found = {COVERAGE.name: 3, DELIVERIES.name: 0}
    assert topic_faults([COVERAGE, DELIVERIES], found) == [
        "tandem.coverage.v1 has 3 partitions and needs 4",
        "tandem.deliveries.v1 is missing",
    ]
    assert topic_faults([DELIVERIES], {DELIVERIES.name: 1}) == []


def test_lock_numbers_fit_and_differ() -> None:
    numbers = {lock_number(f"worker of {schema}") for schema in ("alignment", "risk", "cost_shift", "intake")}
    assert len(numbers) == 4
    assert all(-(2**31) <= number < 2**31 for number in numbers)


def test_installed_libraries_are_the_tested_ones() -> None:
    require_tested_libraries()


def test_other_versions_and_changed_hooks_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(faust_runner.TESTED_VERSIONS, "aiokafka", "0.13.0")
    monkeypatch.setitem(faust_runner.TESTED_HOOKS, "Consumer.getmany", "0" * 16)
    with pytest.raises(UntestedLibraries, match=r"aiokafka is .*, tested with 0\.13\.0; Consumer\.getmany was changed"):
        require_tested_libraries()


async def test_backoff_grows_and_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def instantly(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", instantly)
    backoff = Backoff()
    for _ in range(8):
        assert await backoff.wait()
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    backoff.reset()
    await backoff.wait()
    assert waits[-1] == 0.1
    assert not await Backoff(give_up_after=0.05).wait()


async def _stopped(_: asyncio.Event) -> None:
    return None


async def _failed(_: asyncio.Event) -> None:
    raise LogRecreated("gone")


async def test_the_end_of_a_process_is_its_exit_code() -> None:
    assert await until_signalled(_stopped) == ExitCode.STOPPED
    assert await until_signalled(_failed) == ExitCode.LOG_RECREATED
    assert all(issubclass(failure, RuntimeFailure) for failure in RuntimeFailure.__subclasses__())
