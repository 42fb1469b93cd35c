"""Charts of how the aligned differ from the comparison, month by month: puts the rules together. No I/O.

The difference takes out what happens to both, seasons above all; it is standardised by a baseline in which nothing is supposed to have
changed, freed of autocorrelation, and charted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    """One series. Points begin behind the baseline."""

    baseline: Baseline
    points: tuple[Point, ...] = field(default=())

    def change(self) -> Change:
        """What the charts tell at the last month, and by how much the months behind the baseline lie from it."""
        if not self.points:
            return Change(None, 0.0)
        moves = {_LASTING[signal] for signal in self.points[-1].signals if signal in _LASTING}
        mean = sum(point.cents for point in self.points) / len(self.points)
        return Change(moves.pop() if len(moves) == 1 else None, mean - self.baseline.mean)


def chart(differences: Mapping[str, float], months: Sequence[str], first: str, policy: ChartPolicy) -> Chart:
    """Chart the months from ``first`` on against those of ``months`` before it. Raises :class:`NoChartError`."""
    earlier = [month for month in months if month < first]
    if len(earlier) < policy.fewest_baseline_months:
        raise NoChartError(
            f"the baseline has {len(earlier)} usable months, and {policy.fewest_baseline_months} are needed"
        )
    base = baseline([differences[month] for month in earlier])
    if base.deviation == 0:
        return Chart(base)
    values = [(differences[month] - base.mean) / base.deviation for month in months]
    later = list(zip(months, whitened(values, base.autocorrelation), strict=True))[len(earlier) :]
    return Chart(base, tuple(_points(later, differences, policy)))


def _points(
    values: Sequence[tuple[str, float]], differences: Mapping[str, float], policy: ChartPolicy
) -> Sequence[Point]:
    above, below, average, points = 0.0, 0.0, 0.0, []
    for month, value in values:
        above = float(cusum_above(above, value, policy.cusum_slack))
        below = float(cusum_below(below, value, policy.cusum_slack))
        average = ewma(average, value, policy.ewma_weight)
        signals = _signals(value, above, below, average, policy)
        points.append(Point(month, differences[month], value, above, below, average, signals))
    return points


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
