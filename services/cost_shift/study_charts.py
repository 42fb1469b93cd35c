"""Charts of a study's people: whether they parted from the comparison, month by month, with the mix held still. No I/O.

The same people all along, every county and group set against its own baseline, and the comparison weighted as the aligned live: what happens
to both, seasons above all, and who lives where are out of the difference.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from contracts.months import add_months
from services.cost_shift.chart_policy import ChartPolicy
from services.cost_shift.charting import Chart, NoChartError, chart
from services.cost_shift.rules.attention_level import Change
from services.cost_shift.rules.county_panel import Numbers, Places, Series
from services.cost_shift.study_cells import NEVER
from services.cost_shift.studying import Study

Flags = npt.NDArray[np.bool_]
_NONE: Final[Mapping[Series, Chart]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Charted:
    """Per series the chart, if there is one, what it tells at the last month, and what the aligned cost in the baseline."""

    charts: dict[Series, Chart] = field(default_factory=dict)
    changes: dict[Series, Change] = field(default_factory=dict)
    baseline_cents: dict[Series, float] = field(default_factory=dict)

    def months_run(self) -> tuple[int, int]:
        """How many months of all charts were worked out now, of how many."""
        return sum(one.run for one in self.charts.values()), sum(len(one.points) for one in self.charts.values())


def charted(study: Study, policy: ChartPolicy, kept: Mapping[Series, Chart] = _NONE) -> Charted:
    """Every series of the study; without a baseline that is long enough there are none. ``kept``: the charts as they were."""
    found = Charted()
    months, means, baseline = _differences(study)
    first = add_months(study.baseline_last, 1)
    for place, series in enumerate(study.series):
        values = dict(zip(months, means[:, place], strict=True))
        try:
            own = {month: float(values[month]) for month in months}
            found.charts[series] = chart(own, months, first, policy, kept.get(series))
        except NoChartError:
            continue
        found.changes[series] = found.charts[series].change()
        found.baseline_cents[series] = float(baseline[place])
    return found


def _differences(study: Study) -> tuple[list[str], Numbers, Numbers]:
    """Cents per person-month by which the aligned lie above the comparison, from their own baselines (months x series)."""
    panel = study.panel_of_all
    keys = study.cells.ordered()
    early = np.array([key.month <= study.baseline_last for key in keys])
    aligned = np.array([key.start != NEVER for key in keys])
    freed = _from_baseline(panel.unit, panel.weight, panel.outcomes, early)
    sums = []
    for side in (aligned, ~aligned):
        cents = np.zeros((len(panel.months), len(panel.counties), panel.outcomes.shape[1]))
        people = np.zeros((len(panel.months), len(panel.counties)))
        known = side & np.isfinite(freed[:, 0])
        np.add.at(cents, (panel.month[known], panel.cluster[known]), freed[known] * panel.weight[known, None])
        np.add.at(people, (panel.month[known], panel.cluster[known]), panel.weight[known])
        sums.append((cents, people))
    (own, own_people), (other, other_people) = sums
    both = (own_people > 0) & (other_people > 0)
    apart = own / np.maximum(own_people, 1)[:, :, None] - other / np.maximum(other_people, 1)[:, :, None]
    weight = np.where(both, own_people, 0.0)
    kept = weight.sum(axis=1) > 0
    means = np.einsum("mc,mcs->ms", weight, apart)[kept] / weight.sum(axis=1)[kept, None]
    months = [month for month, holds in zip(panel.months, kept, strict=True) if holds]
    before = early & aligned
    baseline = (panel.weight[before] @ panel.outcomes[before]) / max(1.0, panel.weight[before].sum())
    return months, means, np.asarray(baseline)


def _from_baseline(unit: Places, weight: Numbers, outcomes: Numbers, early: Flags) -> Numbers:
    """Outcomes less the mean of their county and group in the baseline; not a number where it has none."""
    freed = np.full(outcomes.shape, np.nan)
    for one in np.unique(unit):
        inside = unit == one
        before = inside & early
        if before.any():
            freed[inside] = outcomes[inside] - np.average(outcomes[before], axis=0, weights=weight[before])
    return freed
