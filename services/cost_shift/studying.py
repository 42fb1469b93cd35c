"""Estimates the effects that signals stand on, from the cells of a study: puts the rules together. No I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np

from contracts.codes import Payer
from contracts.months import add_months, month_index
from services.cost_shift.category_policy import CategoryPair
from services.cost_shift.completion import TOTAL, Completion
from services.cost_shift.county_cells import OF_NO_ENTITY, completed
from services.cost_shift.estimate_policy import EstimatePolicy
from services.cost_shift.estimating import Effects, Estimate, PairEstimate
from services.cost_shift.rules.clustered_regression import NotIdentifiedError, Space, effects_basis, regression
from services.cost_shift.rules.cohort_time import Averaged, Event, averaged, indicators, joint_level, leads_and_lags
from services.cost_shift.rules.composition import TraitDifference
from services.cost_shift.rules.county_panel import Numbers, Panel, Series
from services.cost_shift.rules.false_discovery import adjusted_p_values
from services.cost_shift.rules.wild_cluster_bootstrap import bootstrap_weights
from services.cost_shift.signal_policy import SignalPolicy
from services.cost_shift.study_cells import NEVER, StudyCells, UnitMonth, known_share, study_panel, trait

PAYERS: Final = (Payer.MEDICARE.value, Payer.MEDICAID.value)
ALL_SERVICES: Final = CategoryPair("all_services", TOTAL, TOTAL)
COMPOSITION: Final = "composition"


@dataclass(frozen=True, eq=False)
class Study:
    """An entity's cells of the usable months, completed. The months up to ``baseline_last`` are those before anything is counted."""

    cells: StudyCells
    completion: Completion
    baseline_last: str
    pairs: tuple[CategoryPair, ...]
    estimating: EstimatePolicy
    policy: SignalPolicy
    covariates: bool = True
    months: tuple[str, ...] = field(default=())
    entity: str = OF_NO_ENTITY

    def entity_of(self, key: UnitMonth) -> str:
        """Whose history tells how a cell fills up: the entity's where its people count as aligned or did before."""
        return OF_NO_ENTITY if key.start == NEVER else self.entity

    def with_covariates(self, *, holding: bool) -> "Study":
        """The same with or without holding covariates constant."""
        return replace(self, covariates=holding)

    @cached_property
    def series(self) -> tuple[Series, ...]:
        """Both series of every pair, totals first."""
        return tuple(dict.fromkeys(series for pair in self.pairs for series in series_of(pair)))

    @cached_property
    def panel(self) -> Panel:
        """Cents per person-month. Raises :class:`NotIdentifiedError` where aligned or comparison people live in too few counties."""
        for aligned in (True, False):
            counties = {key.county for key in self.cells.people if (key.start != NEVER) is aligned}
            if len(counties) < self.estimating.fewest_counties:
                who = "aligned" if aligned else "comparison"
                raise NotIdentifiedError(
                    f"{who} people whose earlier months can be seen live in {len(counties)} counties, "
                    f"and {self.estimating.fewest_counties} are needed"
                )
        return self.panel_of_all

    @cached_property
    def panel_of_all(self) -> Panel:
        """The same, however few the counties are."""
        whole = {
            key: completed(key.month, costs, self.completion, self.entity_of(key))
            for key, costs in self.cells.cents.items()
        }
        return study_panel(self.cells, self.series, whole)

    @cached_property
    def events(self) -> list[Event | None]:
        """For each cell its group and how many periods it lies behind the start; ``None`` for people never aligned."""
        return [None if key.start == NEVER else (key.start, self._period(key)) for key in self.cells.ordered()]

    def _period(self, key: UnitMonth) -> int:
        return (month_index(key.month) - month_index(key.start)) // self.policy.months_a_group

    @cached_property
    def covariate_columns(self) -> list[tuple[str, Numbers]]:
        """What people cost in the baseline and how their risk was scored, by cell: other people there make no effect."""
        found = []
        if self.covariates and known_share(self.cells, "with_baseline") >= self.policy.least_known_share:
            found += [
                (f"baseline_{payer}", trait(self.cells, f"baseline_{payer}", "with_baseline")) for payer in PAYERS
            ]
        if self.covariates and known_share(self.cells, "scored") >= self.policy.least_known_share:
            found.append(("risk_score", trait(self.cells, "thousandths", "scored", 1e-3)))
        return found

    @cached_property
    def held_constant(self) -> Numbers:
        """The covariates (cells x any number)."""
        none = np.zeros((len(self.panel.weight), 0))
        return np.column_stack([none, *(values for _, values in self.covariate_columns)])

    @cached_property
    def effects_of_cells(self) -> Numbers:
        """What units and months span: the same for every regressor."""
        return effects_basis(self.panel)

    @cached_property
    def weights(self) -> Numbers:
        """The draws: the same for the same number of counties."""
        return bootstrap_weights(
            len(self.panel.counties), self.estimating.bootstrap_draws, self.estimating.bootstrap_seed
        )

    def treated(self) -> Averaged:
        """The average over groups and periods behind their starts."""
        behind = [event if event is not None and event[1] >= 0 else None for event in self.events]
        return averaged(behind, self.panel.weight)

    def effects(self) -> Effects:
        """Average effects of all series. Raises :class:`NotIdentifiedError`."""
        return self._effects(self.treated(), self.panel)

    def _effects(self, chosen: Averaged, panel: Panel, *, adjusted: bool = True) -> Effects:
        others = np.hstack([chosen.contrasts, self.held_constant]) if adjusted else chosen.contrasts
        found = regression(panel, chosen.regressor, others, self.effects_of_cells)
        return Effects(found, panel, self.weights, self.estimating)

    def by_period(self) -> dict[int, Effects]:
        """Effects of each quarter since the start against the last before it. Raises :class:`NotIdentifiedError`."""
        found, held = leads_and_lags(self.events, self.panel.weight), self.held_constant
        columns = np.hstack([indicators(self.events, found.events), held])
        space = Space.of(self.panel, columns, self.effects_of_cells)
        covariates = np.eye(columns.shape[1])[:, len(found.events) :]
        beside = np.zeros(held.shape[1])
        return {
            period: Effects(
                space.regression(
                    np.concatenate([own, beside]),
                    np.hstack([np.vstack([others, np.zeros((len(beside), others.shape[1]))]), covariates]),
                ),
                self.panel,
                self.weights,
                self.estimating,
            )
            for period, (own, others) in found.periods.items()
        }

    def parted_before(self, series: Series, periods: dict[int, Effects]) -> float:
        """The probability that what the leads show is chance."""
        return joint_level([effects.p_value(series) for period, effects in periods.items() if period < -1])

    def composition(self) -> list[TraitDifference]:
        """By how much the people behind the effect parted from the comparison, trait by trait."""
        traits = self._traits()
        names = tuple((COMPOSITION, name) for name, *_ in traits)
        outcomes = np.column_stack([values for _, values, _, _ in traits])
        panel = replace(self.panel, series=names, outcomes=outcomes)
        effects = self._effects(self.treated(), panel, adjusted=False)
        found = [_difference(effects, *one) for one in traits]
        chances = adjusted_p_values([one.chance for one in found])
        return [replace(one, chance=chance) for one, chance in zip(found, chances, strict=True)]

    def _traits(self) -> list[tuple[str, Numbers, float, float]]:
        cells, policy = self.cells, self.policy
        shares = policy.largest_share_difference
        found = [
            ("risk_score", trait(cells, "thousandths", "scored", 1e-3), policy.largest_risk_difference, "scored"),
            ("dual_status_02", trait(cells, "status_02", "with_status"), shares, "with_status"),
            ("dual_status_08", trait(cells, "status_08", "with_status"), shares, "with_status"),
            ("under_65", trait(cells, "under_65", "with_age"), shares, "with_age"),
            ("long_term_stay", trait(cells, "long_term", "scored"), shares, "scored"),
            ("moved_county", trait(cells, "moved"), shares, ""),
            ("exits_to_health_plans", trait(cells, "exits"), policy.largest_exit_difference, ""),
        ]
        for payer in PAYERS:
            values = trait(cells, f"baseline_{payer}", "with_baseline")
            material = policy.largest_cost_difference * float(np.average(values, weights=self.panel.weight))
            found.append((f"baseline_{payer}_cents", values, material, "with_baseline"))
        return [
            (name, values, material, known_share(cells, known) if known else 1.0)
            for name, values, material, known in found
        ]


def _difference(effects: Effects, name: str, values: Numbers, material: float, known: float) -> TraitDifference:
    # A trait that all cells share did not change: there is nothing to estimate.
    if np.ptp(values) == 0:
        return TraitDifference(name, 0.0, (0.0, 0.0), material, known, 1.0)
    found = effects.estimate((COMPOSITION, name))
    return TraitDifference(name, found.effect, found.limits, material, known, found.p_value)


def until(study: Study, last: str) -> Study:
    """The same study as it would have been with the months up to one of them only."""
    kept = [month for month in study.months if month <= last]
    return replace(study, cells=study.cells.of_months(kept), months=tuple(kept))


def earlier_months(study: Study) -> str:
    """The last month that was usable a reported quarter before."""
    return add_months(study.months[-1], -study.policy.persistence_months)


def smaller(adjusted: Estimate, plain: Estimate) -> float | None:
    """The detectable effect with covariates as a share of that without; ``None`` where there is none without."""
    return adjusted.detectable / plain.detectable if plain.detectable else None


def pair_estimates(study: Study) -> list[PairEstimate]:
    """Every pair, from the same people, months and draws."""
    return study.effects().pairs(study.pairs, PAYERS)


def usable(pairs: Iterable[CategoryPair], series: Sequence[Series]) -> tuple[CategoryPair, ...]:
    """All services, and the pairs both series of which have a cost."""
    present = frozenset(series)
    return (ALL_SERVICES, *(pair for pair in pairs if present.issuperset(series_of(pair))))


def series_of(pair: CategoryPair) -> tuple[Series, Series]:
    """Medicare's and Medicaid's."""
    return (PAYERS[0], pair.medicare), (PAYERS[1], pair.medicaid)
