"""Medians over rounds, ratios within a round, and cost of a claim."""

import json
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from infra.bench import running
from infra.bench.__main__ import end_to_end_table, table
from infra.bench.contestants import Outcome
from infra.bench.end_to_end import Demonstration
from infra.bench.running import ORDER, Results, Servers, grow, rounds, run_one
from infra.bench.workload import Scale


def _round(plain: float, worker: float, *, claims: int = 1_000) -> dict[str, Outcome]:
    return {
        "plain": Outcome(claims, plain, plain / 2, peak_megabytes=50),
        "worker": Outcome(claims, worker, worker, peak_megabytes=worker * 10),
    }


def test_a_rate_is_the_median_of_the_rounds_not_their_mean() -> None:
    results = Results([_round(1, 2), _round(1, 4), _round(1, 100)])
    assert results.rate("worker") == 250
    assert results.rate("plain") == 1_000


def test_a_ratio_is_taken_within_each_round_so_that_a_slow_round_slows_both() -> None:
    results = Results([_round(1, 2), _round(10, 20), _round(100, 100)])
    assert results.ratio("worker", "plain") == 0.5
    assert results.ratio("plain", "worker") == 2
    assert results.rate("worker") / results.rate("plain") == 0.5
    apart = Results([_round(1, 1), _round(8, 2), _round(2, 4)])
    assert apart.ratio("worker", "plain") == 1
    assert apart.rate("worker") / apart.rate("plain") == 1
    crossed = Results([_round(1, 10), _round(2, 1), _round(30, 10)])
    assert crossed.ratio("worker", "plain") == 2
    assert crossed.rate("worker") / crossed.rate("plain") == pytest.approx(0.2)


def test_cpu_is_of_a_million_claims_and_more_claims_cost_no_more_each() -> None:
    assert Results([_round(1, 2)]).cpu("worker") == 2_000
    assert Results([_round(1, 2, claims=2_000)]).cpu("worker") == 1_000
    assert Results([_round(1, 2)]).cpu_ratio("worker", "plain") == 0.25
    assert Results([_round(1, 2)]).cpu_ratio("plain", "worker") == 4


def test_a_peak_is_the_largest_of_all_rounds() -> None:
    assert Results([_round(1, 2), _round(1, 9), _round(1, 3)]).peak("worker") == 90


def test_growth_compares_the_cost_of_a_claim_not_of_a_run() -> None:
    growth = [Outcome(100, 1, 1.0), Outcome(1_000, 1, 99.0), Outcome(10_000, 1, 150.0)]
    assert Results([], growth).growth_ratio() == 1.5


def test_counters_are_per_thousand_claims() -> None:
    outcomes = {name: Outcome(2_000, 1, 1) for name in ORDER}
    outcomes["worker"] = Outcome(2_000, 1, 1, round_trips=30, transactions=5)
    outcomes["plain"] = Outcome(4_000, 1, 1, transactions=9)
    rows = dict(zip(*(column._cells for column in table(Scale(1, 1, 1), Results([outcomes])).columns[:2]), strict=True))
    assert rows["a: transactions per 1,000 claims"] == "2.25"
    assert rows["b: transactions per 1,000 claims"] == "2.50"
    assert rows["b: round trips per 1,000 claims"] == "15.00"


def _demonstration(rate: int, **changed: int) -> Demonstration:
    said = {
        "claims_applied": 10 * rate,
        "seconds": 10.0,
        "claims_per_second": rate,
        "cents_difference": 0,
        "person_months_difference": 0,
        "alignment_months_different": 0,
    }
    return Demonstration(said | changed, {"worker risk": 120.4, "java": 700.0})


def test_the_whole_system_at_two_sizes_says_how_the_cost_of_a_claim_grew() -> None:
    cells = [list(column._cells) for column in end_to_end_table([_demonstration(500), _demonstration(400)]).columns]
    assert cells[0][:2] == ["5,000", "4,000"]
    assert cells[3][:2] == ["0", "0"]
    assert cells[0][2:4] == ["peak of java", "peak of worker risk"]
    assert cells[2][-1] == "1.25"
    assert "cost a claim, last / first" not in end_to_end_table([_demonstration(500)]).columns[0]._cells


@pytest.mark.parametrize("field", ["cents_difference", "person_months_difference", "alignment_months_different"])
def test_a_fast_run_that_is_wrong_shows_it(field: str) -> None:
    shown = end_to_end_table([_demonstration(500, **{field: 3})])
    assert next(iter(shown.columns[3]._cells)) == "3"


SERVERS = Servers("h:9", "postgresql:///x")


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, str]]:
    found: list[tuple[str, int, str]] = []

    def run(name: str, messages: int, environment: dict[str, str]) -> Outcome:
        found.append((name, messages, environment["TANDEM_GROUP"]))
        return Outcome(messages, 1, 1)

    async def forget(_url: str) -> None:
        found.append(("forget", 0, ""))

    monkeypatch.setattr(running, "run_one", run)
    monkeypatch.setattr(running, "forget", forget)
    return found


def test_each_contestant_starts_from_nothing_in_a_group_of_its_own(ran: list[tuple[str, int, str]]) -> None:
    found = list(rounds(SERVERS, Scale(40, 5, 2), lambda _text: None))
    assert [name for name, *_ in ran] == [word for name in ORDER * 2 for word in ("forget", name)]
    groups = [group for name, _, group in ran if name != "forget"]
    assert len(set(groups)) == len(groups) == 8
    assert [sorted(one) for one in found] == [sorted(ORDER)] * 2


def test_only_the_textbook_reads_single_claims(ran: list[tuple[str, int, str]]) -> None:
    scale = Scale(40, 5, 1)
    list(rounds(SERVERS, scale, lambda _text: None))
    read = {name: messages for name, messages, _ in ran if name != "forget"}
    assert read == dict.fromkeys(ORDER, 40) | {"faust": scale.single_messages}


def test_growth_runs_the_worker_alone_from_nothing(ran: list[tuple[str, int, str]]) -> None:
    list(grow(SERVERS, Scale(1, 1, 1, growth=(5, 50)), lambda _text: None))
    assert [(name, messages) for name, messages, _ in ran] == [
        ("forget", 0),
        ("worker", 5),
        ("forget", 0),
        ("worker", 50),
    ]


def _done(code: int, out: str = "", err: str = "") -> Any:
    return lambda *_words, **_options: SimpleNamespace(returncode=code, stdout=out, stderr=err)


def test_an_outcome_is_the_last_line_that_a_contestant_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    line = json.dumps({"claims": 5, "seconds": 2.0, "cpu_seconds": 1.0})
    monkeypatch.setattr(subprocess, "run", _done(0, f"warming up\n{line}\n"))
    assert run_one("worker", 5, {}) == Outcome(5, 2.0, 1.0)


def test_a_contestant_that_fails_is_named_with_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", _done(73, err="x" * 5_000 + "broker gone"))
    with pytest.raises(RuntimeError, match=r"worker ended with 73: x+broker gone") as raised:
        run_one("worker", 5, {})
    assert len(str(raised.value)) < 2_100
