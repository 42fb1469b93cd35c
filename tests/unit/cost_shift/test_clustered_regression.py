"""The regression against statsmodels with every dummy written out."""

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from infra.bench.county_worlds import MEDICAID, MEDICARE, CountyWorld
from services.cost_shift.rules.clustered_regression import NotIdentifiedError, regression
from services.cost_shift.rules.county_panel import CellKey, Numbers, Panel, panel_of

WORLDS = [CountyWorld(seed, counties=counties) for seed, counties in ((1, 6), (2, 12), (3, 25))]


def later(panel: Panel, world: CountyWorld) -> Numbers:
    after = np.array([month >= world.windows.post_from for month in panel.months], dtype=np.float64)
    return after[panel.month]


def dummies(panel: Panel) -> Numbers:
    units = [(panel.unit == unit).astype(float) for unit in range(panel.unit.max() + 1)]
    months = [(panel.month == month).astype(float) for month in range(1, len(panel.months))]
    return np.column_stack([*units, *months])


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: f"{world.counties} counties")
def test_estimates_and_clustered_errors_are_those_of_statsmodels(world: CountyWorld) -> None:
    panel = world.panel()
    regressor = panel.aligned * later(panel, world)
    found = regression(panel, regressor)
    for place in range(len(panel.series)):
        oracle = sm.WLS(
            panel.outcomes[:, place], np.column_stack([regressor, dummies(panel)]), weights=panel.weight
        ).fit(cov_type="cluster", cov_kwds={"groups": panel.cluster})
        assert found.coefficients()[place] == pytest.approx(oracle.params[0], rel=1e-9)
        assert np.sqrt(found.covariance()[place, place]) == pytest.approx(oracle.bse[0], rel=1e-9)


def test_other_regressors_are_held_constant_as_statsmodels_does() -> None:
    world = WORLDS[1]
    panel = world.panel()
    early = panel.aligned * np.isin(panel.month, (0, 1, 2))
    late = panel.aligned * later(panel, world)
    oracle = sm.WLS(panel.outcomes[:, 0], np.column_stack([late, early, dummies(panel)]), weights=panel.weight).fit(
        cov_type="cluster", cov_kwds={"groups": panel.cluster}
    )
    found = regression(panel, late, early[:, None])
    assert found.coefficients()[0] == pytest.approx(oracle.params[0], rel=1e-9)
    assert np.sqrt(found.covariance()[0, 0]) == pytest.approx(oracle.bse[0], rel=1e-9)


def test_two_payers_keep_their_covariance() -> None:
    """The error of a sum is that of estimating the sum itself."""
    world = WORLDS[2]
    panel = world.panel()
    together = replace(panel, outcomes=panel.outcomes.sum(axis=1, keepdims=True), series=(("both", ""),))
    regressor = panel.aligned * later(panel, world)
    apart, at_once = regression(panel, regressor), regression(together, regressor)
    assert apart.coefficients().sum() == pytest.approx(at_once.coefficients()[0])
    assert apart.covariance().sum() == pytest.approx(at_once.covariance()[0, 0])
    assert apart.outcome_absorbed.sum(axis=2) == pytest.approx(at_once.outcome_absorbed[:, :, 0], abs=1e-6)


def test_without_noise_the_planted_effect_comes_out_exactly() -> None:
    world = CountyWorld(9, counties=8, spread=0.0, county_spread=0.0)
    panel = world.panel()
    found = regression(panel, panel.aligned * later(panel, world))
    # Cells are whole cents of some hundred person-months: that is what is left.
    assert found.coefficients() == pytest.approx(np.array(world.effects), abs=0.1)


def _panel(keys: list[CellKey]) -> Panel:
    return panel_of(dict.fromkeys(keys, 10), {key: {MEDICARE: 100} for key in keys}, (MEDICARE, MEDICAID))


MONTHS = ("2022-01", "2022-02", "2022-03", "2022-04")


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ([CellKey(f"3900{c}", True, m) for c in range(6) for m in MONTHS], "compare"),
        ([CellKey("39001", a, m) for a in (True, False) for m in MONTHS], "too few"),
        ([CellKey(f"3900{c}", a, MONTHS[0]) for c in range(6) for a in (True, False)], "compare"),
    ],
    ids=["nobody to compare with", "one county", "one month"],
)
def test_what_nobody_can_tell_is_said(keys: list[CellKey], reason: str) -> None:
    panel = _panel(keys)
    after = np.array([month >= MONTHS[2] for month in panel.months], dtype=np.float64)
    with pytest.raises(NotIdentifiedError, match=reason):
        regression(panel, panel.aligned * after[panel.month])


def test_cells_without_people_are_none_and_costs_without_a_record_are_nothing() -> None:
    keys = [CellKey("39001", True, "2022-01"), CellKey("39003", False, "2022-01")]
    panel = panel_of({keys[0]: 4, keys[1]: 0}, {keys[0]: {MEDICARE: 600}}, (MEDICARE, MEDICAID))
    assert panel.counties == ("39001",)
    assert panel.outcomes.tolist() == [[150.0, 0.0]]


def test_months_are_taken_out_with_the_counties_that_have_no_other() -> None:
    keys = [CellKey("39001", True, "2022-01"), CellKey("39001", True, "2022-02"), CellKey("39003", False, "2022-02")]
    panel = _panel(keys).of_months("2022-01", "2022-01")
    assert (panel.counties, panel.months, panel.weight.tolist()) == (("39001",), ("2022-01",), [10.0])
