"""``python -m infra.bench.run_lengths``: how long the charts run before they alarm, by simulation, and how often the installation's are wrong.

In control: values between false alarms. With a change of one standard deviation: values until it is found. That is of charts whose level and
spread are known. Then the whole chart as the service draws it, against baselines of so many months: the share that tells a change at the
last of eighteen months, of none and of one, two and three standard deviations from the first of them on.
"""

import json
from dataclasses import asdict, dataclass

import click
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from contracts.months import add_months
from infra.command.output import results
from services.cost_shift.chart_policy import chart_policy
from services.cost_shift.charting import chart
from services.cost_shift.rules.control_chart import LIMIT_WIDTH, cusum_above, cusum_below, ewma, ewma_limit

Numbers = npt.NDArray[np.float64]
_LONGEST = 20_000
_MONTHS = 18
BASELINES = (12, 24)
CHANGES = (0.0, 1.0, 2.0, 3.0)  # standard deviations


@dataclass(frozen=True, slots=True)
class Kind:
    """A chart: ``first`` is a CUSUM's slack or an EWMA's weight, ``second`` its limit or width. ``published``: textbook run length."""

    name: str
    first: float
    second: float
    published: float


KINDS = (
    Kind("shewhart", 0.0, LIMIT_WIDTH, 370),
    Kind("cusum", 0.5, 4.0, 168),
    Kind("cusum", 0.5, 5.0, 465),
    Kind("ewma", 0.2, 2.962, 500),
    Kind("ewma", 0.1, 2.814, 500),
    Kind("ewma", 0.2, 2.86, 370),
)


@dataclass(frozen=True, slots=True)
class RunLength:
    """Means over all runs, with the standard error of the first."""

    kind: Kind
    in_control: float
    error: float
    one_deviation: float


def run_lengths(kind: Kind, runs: int, change: float, seed: int) -> Numbers:
    """The value at which each run alarms, the first being 1."""
    chance = np.random.default_rng(seed)
    above, below, average = np.zeros(runs), np.zeros(runs), np.zeros(runs)
    lengths, running = np.zeros(runs), np.arange(runs)
    for step in range(1, _LONGEST + 1):
        values = chance.normal(change, 1.0, len(running))
        if kind.name == "cusum":
            above, below = cusum_above(above, values, kind.first), cusum_below(below, values, kind.first)
            alarmed = np.maximum(above, below) > kind.second
        elif kind.name == "ewma":
            average = ewma(average, values, kind.first)
            alarmed = np.abs(average) > ewma_limit(kind.first, kind.second)
        else:
            alarmed = np.abs(values) > kind.second
        lengths[running[alarmed]] = step
        kept = ~alarmed
        running, above, below, average = running[kept], above[kept], below[kept], average[kept]
        if not len(running):
            return lengths
    lengths[running] = _LONGEST
    return lengths


def measured(kind: Kind, runs: int, seed: int) -> RunLength:
    """One chart."""
    quiet = run_lengths(kind, runs, 0.0, seed)
    found = run_lengths(kind, runs, 1.0, seed + 1)
    return RunLength(kind, float(quiet.mean()), float(quiet.std() / np.sqrt(runs)), float(found.mean()))


def told_at_the_end(baseline_months: int, months: int, runs: int, change: float, seed: int) -> float:
    """The share of charts against a baseline of so many months that tell a change at the last of ``months``."""
    chance, policy = np.random.default_rng(seed), chart_policy()
    calendar = [add_months("2000-01", number) for number in range(baseline_months + months)]
    told = 0
    for _ in range(runs):
        values = chance.normal(0.0, 1.0, len(calendar))
        values[baseline_months:] += change
        drawn = chart(dict(zip(calendar, values.tolist(), strict=True)), calendar, calendar[baseline_months], policy)
        told += drawn.change().movement is not None
    return told / runs


@click.command("run-lengths")
@click.option("--runs", type=click.IntRange(10), default=4_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def main(runs: int, seed: int, as_json: bool) -> None:  # noqa: FBT001 - click's own way
    """Simulate the charts on standard normal values."""
    rows = [measured(kind, runs, seed) for kind in KINDS]
    shares = {
        months: [told_at_the_end(months, _MONTHS, runs, change, seed + 2) for change in CHANGES] for months in BASELINES
    }
    if as_json:
        results.print_json(json.dumps({"run_lengths": [asdict(row) for row in rows], "told_at_the_end": shares}))
        return
    _show(rows)
    table = Table("months of baseline", *(f"{change:g}" for change in CHANGES), box=None)
    for months, told in shares.items():
        table.add_row(str(months), *(f"{share:.3f}" for share in told))
    Console(width=100).print(table)


def _show(rows: list[RunLength]) -> None:
    table = Table(
        "chart", "slack or weight", "limit or width", "published", "in control", "+/-", "one deviation", box=None
    )
    for row in rows:
        kind = row.kind
        numbers = (f"{row.in_control:.0f}", f"{row.error:.0f}", f"{row.one_deviation:.1f}")
        table.add_row(kind.name, f"{kind.first:g}", f"{kind.second:g}", f"{kind.published:g}", *numbers)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
