"""Charts of how the aligned differ from the comparison, month by month: puts the rules together. No I/O.

The difference takes out what happens to both, seasons above all; it is standardised by a baseline in which nothing is supposed to have
changed, freed of autocorrelation, and charted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Literal

from services.cost_shift.chart_policy import ChartPolicy
from services.cost_shift.rules.attention_level import Change, Movement
from services.cost_shift.rules.control_chart import (
    LIMIT_WIDTH,
    Baseline,
    baseline,
    cusum_above,
    cusum_below,
    ewma,
    ewma_limit,
    whitened,
)

Signal = Literal["cusum_up", "cusum_down", "ewma_up", "ewma_down", "limit_up", "limit_down"]
# A single month beyond its limits is for people who look: it is no lasting change.
_LASTING: dict[Signal, Movement] = {
    "cusum_up": "up", "ewma_up": "up", "cusum_down": "down", "ewma_down": "down",
}  # fmt: skip


class NoChartError(ValueError):
    """There is no baseline to chart against. The message is for people."""


@dataclass(frozen=True, slots=True)
class Point:
    """One month: the difference in cents per person-month, standardised, and what the charts come to."""

    month: str
    cents: float
    standardised: float
    cusum_above: float
    cusum_below: float
    ewma: float
    signals: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """One series. Points begin behind the baseline, whose last value is ``before``; ``run``: how many of them were worked out now."""

    baseline: Baseline
    points: tuple[Point, ...] = field(default=())
    before: float = 0.0
    run: int = 0

    def change(self) -> Change:
        """What the charts tell at the last month, and by how much the months behind the baseline lie from it."""
        if not self.points:
            return Change(None, 0.0)
        moves = {_LASTING[signal] for signal in self.points[-1].signals if signal in _LASTING}
        mean = sum(point.cents for point in self.points) / len(self.points)
        return Change(moves.pop() if len(moves) == 1 else None, mean - self.baseline.mean)


def chart(
    differences: Mapping[str, float], months: Sequence[str], first: str, policy: ChartPolicy, kept: Chart | None = None
) -> Chart:
    """Chart the months from ``first`` on against those of ``months`` before it. Raises :class:`NoChartError`.

    ``kept``: the chart as it was. What lies before the first month that was restated since is taken over from it.
    """
    earlier = [month for month in months if month < first]
    if len(earlier) < policy.fewest_baseline_months:
        raise NoChartError(
            f"the baseline has {len(earlier)} usable months, and {policy.fewest_baseline_months} are needed"
        )
    base, before = baseline([differences[month] for month in earlier]), differences[earlier[-1]]
    if base.deviation == 0:
        return Chart(base, before=before)
    later = list(months[len(earlier) :])
    same = _unchanged(kept, base, before, differences, later) if kept is not None else []
    added = list(_points(same, later[len(same) :], before, differences, base, policy))
    return Chart(base, (*same, *added), before, len(added))


def _unchanged(
    kept: Chart, base: Baseline, before: float, differences: Mapping[str, float], later: Sequence[str]
) -> list[Point]:
    """The points before the first month of which anything is another than it was."""
    if (kept.baseline, kept.before) != (base, before):
        return []
    alike = (
        point.month == month and point.cents == differences[month]
        for point, month in zip(kept.points, later, strict=False)
    )
    return [point for point, _ in zip(kept.points, takewhile(bool, alike), strict=False)]


def _points(  # noqa: PLR0913, PLR0917 - where to go on from, and what is charted
    same: Sequence[Point],
    later: Sequence[str],
    before: float,
    differences: Mapping[str, float],
    base: Baseline,
    policy: ChartPolicy,
) -> Iterator[Point]:
    above, below, average = (same[-1].cusum_above, same[-1].cusum_below, same[-1].ewma) if same else (0.0, 0.0, 0.0)
    previous = (same[-1].cents if same else before) - base.mean
    for month in later:
        own = differences[month] - base.mean
        value = whitened([previous / base.deviation, own / base.deviation], base.autocorrelation)[1]
        above = float(cusum_above(above, value, policy.cusum_slack))
        below = float(cusum_below(below, value, policy.cusum_slack))
        average = ewma(average, value, policy.ewma_weight)
        signals = _signals(value, above, below, average, policy)
        yield Point(month, differences[month], value, above, below, average, signals)
        previous = own


def _signals(value: float, above: float, below: float, average: float, policy: ChartPolicy) -> tuple[Signal, ...]:
    limit = ewma_limit(policy.ewma_weight, policy.ewma_width)
    told: dict[Signal, bool] = {
        "cusum_up": above > policy.cusum_limit,
        "cusum_down": below > policy.cusum_limit,
        "ewma_up": average > limit,
        "ewma_down": average < -limit,
        "limit_up": value > LIMIT_WIDTH,
        "limit_down": value < -LIMIT_WIDTH,
    }
    return tuple(signal for signal, holds in told.items() if holds)
