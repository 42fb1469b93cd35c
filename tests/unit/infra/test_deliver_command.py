"""What ``tandem deliver`` says of files that were published, known before, refused, or only handed over."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.progress import Progress as Bars

from infra.command import deliver as module
from infra.command.delivering import Handed, Outcome, Progress, Reading, files_in, wait_until_published
from infra.command.output import Failure
from infra.local.installation import Installation
from services.intake.deliveries import Registration

DONE = Outcome(
    "cclf.zip", "d1", 7, "completed", repeated=False, reason=None, records=1_200, claims=900, quarantined=3, events=44
)
KNOWN = Outcome(
    "again.zip", "d1", 7, "completed", repeated=True, reason=None, records=0, claims=0, quarantined=0, events=0
)
REFUSED = Outcome(
    "x.834", "d2", 8, "refused", repeated=False, reason="not_x12: no ISA", records=0, claims=0, quarantined=0, events=0
)


HELD = Outcome(
    "old.csv", "d3", 9, "held", repeated=False, reason="older: yes", records=5, claims=0, quarantined=0, events=0
)


class Door:
    """Stands where intake and the services would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.outcomes: list[Outcome] = [DONE]
        self.handed: list[str] = []
        self.awaited: list[int] = []
        self.folder = folder
        monkeypatch.setattr(module, "wait_until_ready", lambda _installation, tend: tend)
        monkeypatch.setattr(module, "hand_over", self._hand_over)
        monkeypatch.setattr(module, "outcomes", self._outcomes)
        monkeypatch.setattr(module, "wait_until_published", self._wait)

    async def _hand_over(self, _installation: Installation, paths: Sequence[Path]) -> list[Handed]:
        self.handed = [path.name for path in paths]
        return [
            Handed(one.name, Registration(one.delivery_id, one.sequence, "registered", one.repeated))
            for one in self.outcomes
        ]

    async def _outcomes(self, _installation: Installation, _handed: Sequence[Handed]) -> list[Outcome]:
        return self.outcomes

    def _wait(self, _installation: Installation, sequence: int, *, tend: Any, tell: Any) -> None:
        del tend
        tell(Progress({"risk": 0, "alignment": sequence}))
        self.awaited.append(sequence)

    def run(self, *words: str) -> Result:
        for name in ("b.zip", "a.zip"):
            (self.folder / name).write_text("x")
        return CliRunner(env={"COLUMNS": "160"}).invoke(
            module.command, [*words, str(self.folder), "--folder", str(self.folder / "installation")]
        )


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Door:
    return Door(monkeypatch, tmp_path)


def test_files_of_a_folder_are_handed_over_in_the_order_of_their_names(door: Door) -> None:
    assert door.run("--json").exit_code == 0
    assert door.handed == ["a.zip", "b.zip"]


def test_the_newest_of_all_is_waited_for_whatever_their_order(door: Door) -> None:
    door.outcomes = [REFUSED, DONE]
    door.run("--json")
    assert door.awaited == [8]


@pytest.mark.parametrize(
    ("outcomes", "code"), [([DONE], 0), ([DONE, KNOWN], 0), ([REFUSED], 1), ([REFUSED, DONE], 1), ([DONE, HELD], 1)]
)
@pytest.mark.parametrize("words", [("--json",), (), ("--no-wait",)])
def test_only_a_delivery_refused_whole_or_held_ends_with_1(
    door: Door, outcomes: list[Outcome], code: int, words: tuple[str, ...]
) -> None:
    door.outcomes = outcomes
    assert door.run(*words).exit_code == code


def test_json_says_of_every_file_what_became_of_it(door: Door) -> None:
    door.outcomes = [DONE, KNOWN, REFUSED]
    told = json.loads(door.run("--json").stdout)
    assert [one["status"] for one in told] == ["completed", "completed", "refused"]
    assert [one["repeated"] for one in told] == [False, True, False]
    assert [one["quarantined"] for one in told] == [3, 0, 0]
    assert told[2]["reason"] == "not_x12: no ISA"


@pytest.mark.parametrize(
    ("outcome", "words", "said"),
    [
        (DONE, (), "published"),
        (DONE, ("--no-wait",), "completed"),
        (KNOWN, (), "delivered before"),
        (KNOWN, ("--no-wait",), "delivered before"),
        (REFUSED, (), "refused not_x12: no ISA"),
        (HELD, (), "held older: yes"),
    ],
)
def test_people_read_what_became_of_a_file(door: Door, outcome: Outcome, words: tuple[str, ...], said: str) -> None:
    door.outcomes = [outcome]
    (row,) = [line for line in door.run(*words).stdout.splitlines() if line.lstrip().startswith(outcome.name)]
    assert said in row


def test_nothing_that_was_not_waited_for_is_called_published(door: Door) -> None:
    shown = door.run("--no-wait").stdout
    assert "published" not in shown
    assert door.awaited == []


def test_a_folder_without_files_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no file") as raised:
        files_in([tmp_path])
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    ("cuts", "published", "slowest"),
    [
        ({"alignment": 5, "risk": 5, "cost-shift": 5}, True, 5),
        ({"alignment": 9, "risk": 4, "cost-shift": 9}, False, 4),
        ({"alignment": 5, "risk": 6, "cost-shift": 7}, True, 5),
    ],
)
def test_a_delivery_is_published_when_the_slowest_service_has_cut_it(
    cuts: Any, *, published: bool, slowest: int
) -> None:
    assert Progress(cuts).published(5) is published
    assert Progress(cuts).slowest == slowest


def test_waiting_looks_after_the_processes_at_each_look_and_tells_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    looks = iter(
        [
            Progress({"risk": 1, "alignment": 3}),
            Progress({"risk": 2, "alignment": 3}),
            Progress({"risk": 3, "alignment": 3}),
        ]
    )

    async def look(_installation: Installation) -> Progress:
        return next(looks)

    monkeypatch.setattr("infra.command.delivering.progress_of", look)
    monkeypatch.setattr("infra.command.delivering.LOOK_EVERY_SECONDS", 0)
    tended: list[int] = []
    told: list[int] = []
    last = wait_until_published(
        Installation(tmp_path), 3, tend=lambda: tended.append(1), tell=lambda seen: told.append(seen.slowest)
    )
    assert told == [1, 2, 3]
    assert len(tended) == 3
    assert last.published(3)


def test_a_process_that_keeps_failing_ends_the_waiting(tmp_path: Path) -> None:
    def fail() -> None:
        raise Failure("risk-worker keeps failing")

    with pytest.raises(Failure, match="keeps failing"):
        wait_until_published(Installation(tmp_path), 1, tend=fail, tell=lambda _seen: None)


def test_the_bar_of_a_file_that_is_read_shows_its_bytes_and_gives_way_to_the_next() -> None:
    bars = Bars(disable=True)
    bar = module.ReadingBar(bars)
    bar.tell(None)
    assert bars.tasks == []
    for read in (10, 20):
        bar.tell(Reading(7, "a.zip", read, 100))
    (task,) = bars.tasks
    assert (task.description, task.completed, task.total) == ("reading a.zip", 20, 100)
    bar.tell(Reading(8, "b.zip", 1, 50))
    (task,) = bars.tasks
    assert (task.description, task.completed, task.total) == ("reading b.zip", 1, 50)
    bar.tell(None)
    assert bars.tasks == []
