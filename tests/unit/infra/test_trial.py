"""A run is right only if nothing at all differs; kills are drawn beforehand, and each is struck once."""

import random
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.command import trial
from infra.command.comparison import Differences, Measure, Stated
from infra.command.delivering import Handed, Outcome, Progress
from infra.command.demo_summary import dollars, show_differences
from infra.command.output import people
from infra.command.trial import Kills, Report, deliver_all
from services.intake.deliveries import Registration

SAME = Differences(0, 0, 0, 0, 0, ())
FRESH = Outcome("a", "d1", 1, "completed", repeated=False, reason=None, records=9, claims=8, quarantined=2, events=40)
AGAIN = replace(FRESH, repeated=True)
REFUSED = Outcome("b", "d2", 2, "refused", repeated=False, reason="r: x", records=0, claims=0, quarantined=0, events=0)
TRUTH: dict[str, Any] = {
    "parameters": {"people": 30},
    "totals": {"claims": 8},
    "measures": [{"cents": 700}, {"cents": -50}],
}


def _report(**changed: Any) -> Report:
    said = Stated((Measure("medicare", "inpatient", "2022-01", "aligned", 650, 8, 0, 0),), {}, {})
    return replace(Report(TRUTH, said, SAME, (FRESH, AGAIN, REFUSED), 8, 0, 3, 2.04), **changed)


def test_a_run_that_differs_in_nothing_is_right() -> None:
    assert _report().right


@pytest.mark.parametrize("field", ["cents", "claims", "crossover", "person_months", "alignment_months"])
def test_one_difference_of_any_kind_makes_a_run_wrong(field: str) -> None:
    assert not _report(differences=replace(SAME, **{field: 1})).right


@pytest.mark.parametrize("changed", [{"dead_letters": 1}, {"claims_applied": 7}, {"claims_applied": 9}])
def test_a_parked_message_or_a_claim_lost_or_counted_twice_makes_a_run_wrong(changed: dict[str, int]) -> None:
    assert not _report(**changed).right


def test_kills_alone_do_not_make_a_run_wrong() -> None:
    assert _report(kills=50).right


def test_machines_are_told_sums_and_each_difference_by_its_own_name() -> None:
    told = _report(differences=Differences(1, 2, 3, 4, 5, ("x",))).as_object()
    assert (told["cents_expected"], told["cents_applied"]) == (650, 650)
    assert [
        told[f"{name}"]
        for name in (
            "cents_difference",
            "claims_difference",
            "crossover_difference",
            "person_months_difference",
            "alignment_months_different",
        )
    ] == [1, 2, 3, 4, 5]
    assert (told["claims_expected"], told["claims_applied"], told["kills"]) == (8, 8, 3)
    assert (told["seconds"], told["claims_per_second"]) == (2.0, 4)


def test_what_was_delivered_twice_counts_once() -> None:
    told = _report().as_object()
    assert told["deliveries"] == 3
    assert told["events"] == 40
    assert told["quarantined"] == 2 + 1  # bad lines of the first, and the one refused whole


def test_a_run_of_no_time_has_no_rate() -> None:
    assert _report(seconds=0.0).as_object()["claims_per_second"] is None


@pytest.mark.parametrize(
    ("changed", "said", "unsaid"),
    [
        ({}, "Equal to the truth", "Not equal"),
        ({"differences": replace(SAME, cents=5, examples=("cents of x: +5",))}, "cents of x: +5", "Equal to the truth"),
        ({"dead_letters": 2}, "2 dead letters", "Equal to the truth"),
        ({"claims_applied": 7}, "7 of 8 claims", "Equal to the truth"),
    ],
)
def test_people_are_told_whether_it_is_right_and_where_not(changed: dict[str, Any], said: str, unsaid: str) -> None:
    with people.capture() as captured:
        show_differences(_report(**changed))
    assert said in captured.get()
    assert unsaid not in captured.get()


@pytest.mark.parametrize(
    ("cents", "plain", "signed"),
    [
        (0, "$0.00", "+$0.00"),
        (5, "$0.05", "+$0.05"),
        (-5, "-$0.05", "-$0.05"),
        (-100, "-$1.00", "-$1.00"),
        (123_456_789, "$1,234,567.89", "+$1,234,567.89"),
    ],
)
def test_cents_are_shown_as_dollars(cents: int, plain: str, signed: str) -> None:
    assert dollars(cents) == plain
    assert dollars(cents, signed=True) == signed


class Struck:
    """A supervisor that notes who is killed, or has nobody to kill."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def kill_one_of(self, choice: random.Random) -> str | None:
        return choice.choice(self.names) if self.names else None


def _stack(*names: str) -> Any:
    return SimpleNamespace(supervisor=Struck(*names))


def _silent(_text: str) -> None:
    pass


@pytest.mark.parametrize(("kills", "deliveries"), [(0, 10), (1, 1), (5, 40), (40, 7), (3, 0)])
def test_as_many_kills_are_planned_as_asked_for_and_all_before_the_end(kills: int, deliveries: int) -> None:
    for seed in range(20):
        planned = Kills.planned(kills, deliveries, seed, _silent).thresholds
        assert len(planned) == kills
        assert planned == sorted(planned)
        assert all(0 <= threshold < max(1, deliveries) for threshold in planned)


def test_the_same_seed_kills_the_same_processes_at_the_same_deliveries() -> None:
    def victims(seed: int) -> tuple[list[int], list[str]]:
        kills = Kills.planned(6, 50, seed, _silent)
        thresholds = list(kills.thresholds)
        for published in range(51):
            kills.strike(published, _stack("a", "b", "c"))
        return thresholds, kills.victims

    assert victims(4) == victims(4)
    assert len({str(victims(seed)) for seed in range(10)}) == 10


def test_every_planned_kill_is_struck_once_one_a_look_and_told() -> None:
    told: list[str] = []
    kills = Kills([2, 2, 5], random.Random(1), told.append)
    after = []
    for published in (0, 1, 2, 2, 2, 4, 9, 9):
        kills.strike(published, _stack("risk-worker"))
        after.append(len(kills.victims))
    assert after == [0, 0, 1, 2, 2, 2, 3, 3]
    assert told == ["kill -9 risk-worker"] * 3


def test_a_kill_that_found_nobody_is_not_lost() -> None:
    kills = Kills([1], random.Random(1), _silent)
    kills.strike(1, _stack())
    assert kills.victims == []
    kills.strike(1, _stack("risk-relay"))
    assert kills.victims == ["risk-relay"]


def test_everything_is_delivered_in_the_order_of_the_truth_and_the_newest_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: dict[str, Any] = {}
    kills = Kills([1], random.Random(1), _silent)
    handed = [Handed(str(number), Registration("d", number, "registered", known=False)) for number in (1, 3, 2)]

    async def hand_over(_installation: object, paths: list[Path], *, keep_copies: bool) -> list[Handed]:
        seen.update(paths=[path.relative_to(tmp_path).as_posix() for path in paths], copies=keep_copies)
        return handed

    def wait(_installation: object, sequence: int, *, tend: Any, tell: Any) -> None:
        del tend
        seen["last"] = sequence
        tell(Progress({"risk": 2, "alignment": 3}))

    monkeypatch.setattr(trial, "wait_until_ready", lambda _installation, tend: tend())
    monkeypatch.setattr(trial, "hand_over", hand_over)
    monkeypatch.setattr(trial, "wait_until_published", wait)
    tended: list[int] = []
    stack: Any = SimpleNamespace(installation=None, tend=lambda: tended.append(1), supervisor=Struck("risk-worker"))
    truth = {"deliveries": [{"path": "002/b"}, {"path": "001/a"}, {"path": "003/c"}]}
    told: list[int] = []
    found, seconds = deliver_all(stack, truth, tmp_path, kills, lambda progress: told.append(progress.slowest))
    assert seen == {"paths": ["002/b", "001/a", "003/c"], "copies": False, "last": 3}
    assert found == handed
    assert seconds >= 0
    assert tended == [1]
    assert told == [2]
    assert kills.victims == ["risk-worker"]
