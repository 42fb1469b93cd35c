"""Effects with their uncertainty, from county-month cells: puts the rules together. No I/O.

An effect is by how much more the cost of the aligned changed than that of comparison people of the same counties, in
cents per person-month, between a window before and a window after. Estimates are floating-point numbers; the sums that they stand on are
exact.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from contracts.months import month_index
from services.cost_shift.category_policy import CategoryPair
from services.cost_shift.estimate_policy import EstimatePolicy
from services.cost_shift.rules.clustered_regression import NotIdentifiedError, Regression, regression
from services.cost_shift.rules.county_panel import Numbers, Panel, Series
from services.cost_shift.rules.detectable_effect import minimum_detectable_effect
from services.cost_shift.rules.direction import Direction, direction
from services.cost_shift.rules.false_discovery import adjusted_p_values
from services.cost_shift.rules.offset_interval import offset_interval
from services.cost_shift.rules.wild_cluster_bootstrap import Drawn, WildBootstrap, bootstrap_weights

MONTHS_A_QUARTER = 3
Limits = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Windows:
    """Months before and after, first and last included."""

    pre_from: str
    pre_to: str
    post_from: str
    post_to: str

    def hold(self, month: str) -> bool:
        """Whether a month lies in either."""
        return self.pre_from <= month <= self.pre_to or self.post_from <= month <= self.post_to


@dataclass(frozen=True, slots=True)
class Estimate:
    """Cents per person-month. ``limits`` are ``None`` where the data set no bound."""

    effect: float
    standard_error: float
    limits: Limits
    p_value: float
    detectable: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of zero."""
        return self.limits is not None and (self.limits[0] > 0 or self.limits[1] < 0)


@dataclass(frozen=True, slots=True)
class SeriesEstimate:
    """One series; ``adjusted_p_value`` allows for how many series were looked at."""

    series: Series
    estimate: Estimate
    adjusted_p_value: float


@dataclass(frozen=True, slots=True)
class PairEstimate:
    """Two linked series, estimated from the same people, months and draws."""

    pair: CategoryPair
    medicare: Estimate
    medicaid: Estimate
    net: Estimate
    direction: Direction
    offset_ratio: float | None
    offset_limits: Limits
    opposite_signs: float

    @property
    def shifted(self) -> float:
        """The smaller size where the signs differ, else nothing."""
        opposed = self.medicare.effect * self.medicaid.effect < 0
        return min(abs(self.medicare.effect), abs(self.medicaid.effect)) if opposed else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Estimator:
    """One panel, one pair of windows, one set of draws."""

    panel: Panel
    windows: Windows
    policy: EstimatePolicy

    def _after(self) -> Numbers:
        after = np.array([month >= self.windows.post_from for month in self.panel.months], dtype=np.float64)
        chosen: Numbers = after[self.panel.month]
        return chosen

    def effects(self) -> "Effects":
        """The effect on every series. Raises :class:`NotIdentifiedError`."""
        return Effects(
            regression(self.panel, self.panel.aligned * self._after()),
            self.panel,
            _weights_of(self.panel, self.policy),
            self.policy,
        )

    def earlier_trend(self) -> "Effects":
        """How the aligned drifted away from the comparison, cents a month, before anything began."""
        before = self.panel.of_months(self.windows.pre_from, self.windows.pre_to)
        time = np.array([month_index(month) for month in before.months], dtype=np.float64)
        return Effects(
            regression(before, before.aligned * (time - time.mean())[before.month]),
            before,
            _weights_of(before, self.policy),
            self.policy,
        )

    def by_quarter(self) -> dict[int, "Effects"]:
        """Effects of each quarter against the last one before: 0 begins with the later window, -1 is left out."""
        start = month_index(self.windows.post_from)
        quarter = np.array([(month_index(month) - start) // MONTHS_A_QUARTER for month in self.panel.months])
        of_cell = quarter[self.panel.month]
        reference = max((int(number) for number in quarter if number < 0), default=None)
        if reference is None:
            raise NotIdentifiedError("no month lies before the later window")
        shown = [number for number in sorted({int(number) for number in quarter}) if number != reference]
        columns = np.stack([self.panel.aligned * (of_cell == number) for number in shown], axis=1)
        weights = _weights_of(self.panel, self.policy)
        found = {}
        for place, number in enumerate(shown):
            others = np.delete(columns, place, axis=1)
            found[number] = Effects(regression(self.panel, columns[:, place], others), self.panel, weights, self.policy)
        return found


@dataclass(frozen=True, eq=False)
class Effects:
    """Estimates of one coefficient for all series."""

    found: Regression
    panel: Panel
    weights: Numbers
    policy: EstimatePolicy

    @cached_property
    def draws(self) -> WildBootstrap:
        """What is drawn of all series."""
        return WildBootstrap(self.found, self.weights)

    def p_value(self, series: Series) -> float:
        """That the effect on one series is chance."""
        return self.draws.p_value(self._drawn(series))

    def estimate(self, series: Series) -> Estimate:
        """One series."""
        return self._estimate(self._drawn(series))

    def each(self) -> list[SeriesEstimate]:
        """Every series, in the order of the panel."""
        estimates = [self.estimate(series) for series in self.panel.series]
        adjusted = adjusted_p_values([one.p_value for one in estimates])
        return [SeriesEstimate(*one) for one in zip(self.panel.series, estimates, adjusted, strict=True)]

    def pairs(self, linked: Iterable[CategoryPair], payers: tuple[str, str]) -> list[PairEstimate]:
        """Linked pairs both series of which the panel has."""
        present = frozenset(self.panel.series)
        wanted = [(pair, (payers[0], pair.medicare), (payers[1], pair.medicaid)) for pair in linked]
        return [
            self._pair(pair, medicare, medicaid)
            for pair, medicare, medicaid in wanted
            if medicare in present and medicaid in present
        ]

    def _drawn(self, series: Series) -> Drawn:
        return self.draws.series(self.panel.series.index(series))

    def _estimate(self, drawn: Drawn) -> Estimate:
        effect, error = self.draws.estimate(drawn)
        critical = self.draws.critical_value(drawn, self.policy.confidence_level)
        return Estimate(
            effect=effect,
            standard_error=error,
            limits=self.draws.interval(drawn, self.policy.confidence_level),
            p_value=self.draws.p_value(drawn),
            detectable=minimum_detectable_effect(error, critical, self.policy.power),
        )

    def _pair(self, pair: CategoryPair, medicare: Series, medicaid: Series) -> PairEstimate:
        drawn = (self._drawn(medicare), self._drawn(medicaid))
        one, other = (self._estimate(each) for each in drawn)
        ratio, limits = self._offset((one, drawn[0]), (other, drawn[1]))
        return PairEstimate(
            pair=pair,
            medicare=one,
            medicaid=other,
            net=self._estimate(drawn[0].plus(drawn[1])),
            direction=direction(one.effect, other.effect),
            offset_ratio=ratio,
            offset_limits=limits,
            opposite_signs=self._opposite_signs((medicare, medicaid), one.effect, other.effect),
        )

    def _opposite_signs(self, both: tuple[Series, Series], one: float, other: float) -> float:
        if one * other >= 0:
            return 0.0
        draws = self.draws.joint_draws()[:, [self.panel.series.index(series) for series in both]]
        return float(np.all(np.sign(draws) == np.sign([one, other]), axis=1).mean())

    def _offset(self, one: tuple[Estimate, Drawn], other: tuple[Estimate, Drawn]) -> tuple[float | None, Limits]:
        level = self.policy.confidence_level
        for (fallen, drawn), (beside, drawn_beside) in ((one, other), (other, one)):
            if fallen.effect < 0:
                return -beside.effect / fallen.effect, offset_interval(self.draws, drawn, drawn_beside, level)
        return None, None


def _weights_of(panel: Panel, policy: EstimatePolicy) -> Numbers:
    return bootstrap_weights(len(panel.counties), policy.bootstrap_draws, policy.bootstrap_seed)
