"""The benchmark's command: what it shows, and that it never ends quietly without a table."""

import subprocess
from collections.abc import Callable

import pytest
from rich.console import Console
from rich.table import Table

from infra.bench import __main__ as command
from infra.bench.contestants import Moment, Outcome
from infra.bench.running import ORDER, Results
from infra.bench.workload import QUICK, Scale
from infra.local.ports import StartError


def _results() -> Results:
    outcomes = {name: Outcome(40_000, 2.0, 1.0, peak_megabytes=90) for name in ORDER}
    outcomes["faust"] = Outcome(3_000, 3.0, 3.0)
    outcomes["worker"] = Outcome(40_000, 1.0, 0.5, round_trips=80, transactions=16, peak_megabytes=150)
    growth = [Outcome(100_000, 5.0, 2.0, peak_megabytes=150), Outcome(1_000_000, 60.0, 22.0, peak_megabytes=155)]
    return Results([outcomes], growth)


def _text(table: Table) -> str:
    console = Console(width=140)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def test_the_table_holds_rates_cpu_ratios_and_counters() -> None:
    shown = _text(command.table(QUICK, _results()))
    row = {line.split("│")[1].strip(): line for line in shown.splitlines() if line.startswith("│")}
    assert "40,000" in row["(b) Tandem's worker"]
    assert "2.00" in row["b / a"]
    assert "40.00" in row["b / c"]
    assert "2.00" in row["b: round trips per 1,000 claims"]
    assert "0.40" in row["b: transactions per 1,000 claims"]


def test_growth_is_the_cost_of_a_claim_at_the_most_over_that_at_the_fewest() -> None:
    shown = _text(command.growth_table(_results()))
    assert "1,000,000" in shown
    assert "1.10" in shown


def test_published_is_as_much_as_anybody_reads() -> None:
    assert Scale(20, 5, 1).published == 20
    assert Scale(20, 5, 1, growth=(5, 50)).published == 50


def test_an_outcome_is_what_lies_between_two_moments() -> None:
    outcome = Moment(10.0, 3.0).until(Moment(12.5, 4.0), 500)
    assert (outcome.claims, outcome.seconds, outcome.cpu_seconds) == (500, 2.5, 1.0)


@pytest.mark.parametrize(
    "error",
    [
        StartError("Maven could not fetch Apache Kafka"),
        RuntimeError("worker ended with 1"),
        subprocess.TimeoutExpired("worker", 600),
        OSError("no space"),
    ],
)
def test_a_failure_is_said_and_told_by_the_exit_code(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(scale: Scale, tell: Callable[[str], None]) -> Results:
        tell("starting")
        assert scale == QUICK
        raise error

    monkeypatch.setattr(command, "measure", fail)
    assert command.main(["--quick"]) == 1
    said = capsys.readouterr()
    assert "The benchmark failed" in said.err
    assert str(error) in said.err


def test_what_was_measured_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "measure", lambda _scale, _tell: _results())
    assert command.main(["--quick"]) == 0
    shown = capsys.readouterr().out
    assert "b / a" in shown
    assert "from empty tables" in shown
