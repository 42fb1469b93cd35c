"""Effects of groups that enter at different times: what a single coefficient gets wrong, and statsmodels with every dummy."""

import numpy as np
import pytest
import statsmodels.api as sm

from infra.bench.study_worlds import SERIES, StudyWorld
from services.cost_shift.rules.clustered_regression import NotIdentifiedError, Space, effects_basis, regression
from services.cost_shift.rules.cohort_time import Event, averaged, indicators, joint_level, leads_and_lags
from services.cost_shift.rules.county_panel import Numbers, Panel
from services.cost_shift.rules.wild_cluster_bootstrap import WildBootstrap
from services.cost_shift.studying import Study

WORLD = StudyWorld(5, counties=8, people=25)
STUDY = WORLD.study(covariates=False)


def dummies(panel: Panel) -> Numbers:
    units = [(panel.unit == unit).astype(float) for unit in range(panel.unit.max() + 1)]
    months = [(panel.month == month).astype(float) for month in range(1, len(panel.months))]
    return np.column_stack([*units, *months])


def behind(study: Study) -> list[Event | None]:
    return [event if event is not None and event[1] >= 0 else None for event in study.events]


def test_the_average_is_that_of_one_coefficient_for_each_group_and_quarter() -> None:
    panel, events = STUDY.panel, behind(STUDY)
    distinct = sorted({event for event in events if event is not None})
    own = np.stack([np.array([event == one for event in events], dtype=float) for one in distinct], axis=1)
    oracle = sm.WLS(panel.outcomes[:, 0], np.column_stack([own, dummies(panel)]), weights=panel.weight).fit(
        cov_type="cluster", cov_kwds={"groups": panel.cluster}
    )
    shares = panel.weight @ own / (panel.weight @ own).sum()
    combination = np.concatenate([shares, np.zeros(len(oracle.params) - len(distinct))])
    test = oracle.t_test(combination)
    chosen = averaged(events, panel.weight)
    found = regression(panel, chosen.regressor, chosen.contrasts)
    assert chosen.events == tuple(distinct)
    assert chosen.shares == pytest.approx(shares)
    assert found.coefficients()[0] == pytest.approx(float(test.effect[0]), rel=1e-6)
    assert np.sqrt(found.covariance()[0, 0]) == pytest.approx(float(test.sd[0, 0]), rel=1e-6)


@pytest.mark.parametrize("period", [-3, 0, 2])
def test_leads_and_lags_are_those_of_every_group_averaged(period: int) -> None:
    panel = STUDY.panel
    shown = [None if event is None or event[1] == -1 else event for event in STUDY.events]
    distinct = sorted({event for event in shown if event is not None})
    own = np.stack([np.array([event == one for event in shown], dtype=float) for one in distinct], axis=1)
    oracle = sm.WLS(panel.outcomes[:, 1], np.column_stack([own, dummies(panel)]), weights=panel.weight).fit()
    weight = panel.weight @ own
    inside = np.array([event[1] == period for event in distinct])
    expected = (oracle.params[: len(distinct)] * weight)[inside].sum() / weight[inside].sum()
    chosen = leads_and_lags(STUDY.events, panel.weight)
    assert chosen.events == tuple(distinct)
    regressor, others = chosen.periods[period]
    found = regression(panel, own @ regressor, own @ others)
    assert found.coefficients()[1] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("covariates", [False, True])
def test_what_columns_span_is_freed_once_for_every_period(covariates: bool) -> None:  # noqa: FBT001
    """Each quarter regressed by itself, with all other columns beside it: the same coefficients, errors and draws."""
    study = WORLD.study(covariates=covariates)
    panel, chosen = study.panel, leads_and_lags(study.events, study.panel.weight)
    own, periods = indicators(study.events, chosen.events), study.by_period()
    assert periods.keys() == chosen.periods.keys()
    for period, (regressor, others) in chosen.periods.items():
        alone = regression(panel, own @ regressor, np.hstack([own @ others, study.held_constant]))
        found = periods[period]
        assert found.found.coefficients() == pytest.approx(alone.coefficients(), rel=1e-6, abs=1e-6)
        assert found.found.covariance() == pytest.approx(alone.covariance(), rel=1e-6)
        assert found.found.factor == pytest.approx(alone.factor)
        draws = WildBootstrap(alone, study.weights)
        for place, series in enumerate(panel.series):
            assert found.p_value(series) == pytest.approx(draws.p_value(draws.series(place)), abs=0.0021)


def test_a_column_that_the_effects_explain_is_no_direction_and_has_no_effect() -> None:
    panel = STUDY.panel
    unit, aligned = (panel.unit == 0).astype(float), behind(STUDY)
    treated = np.array([event is not None for event in aligned], dtype=float)
    space = Space.of(panel, np.column_stack([treated, unit]), effects_basis(panel))
    assert space.directions.shape[1] == 1
    nothing = np.zeros((2, 0))
    found, alone = space.regression(np.array([1.0, 0.0]), nothing), regression(panel, treated)
    assert found.coefficients() == pytest.approx(alone.coefficients())
    assert found.covariance() == pytest.approx(alone.covariance())
    with pytest.raises(NotIdentifiedError):
        space.regression(np.array([0.0, 1.0]), nothing)


def _two_groups() -> tuple[list[tuple[str, str]], Numbers]:
    """An early and a late group whose effect grows by 100 a month, against one that never enters; without noise."""
    cells, outcomes = [], []
    for county in ("39001", "39003", "39005"):
        for group, start in (("early", 2), ("late", 10), ("never", 99)):
            for month in range(16):
                cells.append((f"{county} {group}", f"{month:02}"))
                outcomes.append(1000.0 + 10 * month + 100 * max(0, month - start + 1))
    return cells, np.array(outcomes)


def test_a_growing_effect_is_recovered_where_a_single_coefficient_is_wrong() -> None:
    cells, outcomes = _two_groups()
    units = sorted({unit for unit, _ in cells})
    months = sorted({month for _, month in cells})
    starts = {"early": 2, "late": 10, "never": 99}
    panel = Panel(
        series=(SERIES[0],),
        months=tuple(months),
        counties=("39001", "39003", "39005"),
        unit=np.array([units.index(unit) for unit, _ in cells]),
        month=np.array([months.index(month) for _, month in cells]),
        cluster=np.array([("39001", "39003", "39005").index(unit[:5]) for unit, _ in cells]),
        aligned=np.ones(len(cells)),
        weight=np.ones(len(cells)),
        outcomes=outcomes[:, None],
    )
    events: list[Event | None] = [
        (unit[6:], int(month) - starts[unit[6:]]) if int(month) >= starts[unit[6:]] else None for unit, month in cells
    ]
    truth = np.mean([100.0 * (event[1] + 1) for event in events if event is not None])
    chosen = averaged(events, panel.weight)
    assert regression(panel, chosen.regressor, chosen.contrasts).coefficients()[0] == pytest.approx(truth, rel=1e-9)
    single = regression(panel, chosen.regressor).coefficients()[0]
    assert abs(single - truth) > 50


def test_nobody_treated_is_nothing_to_estimate() -> None:
    with pytest.raises(NotIdentifiedError, match="nobody is aligned"):
        averaged([None, None], np.ones(2))


@pytest.mark.parametrize(
    ("p_values", "expected"), [([], 1.0), ([0.01], 0.01), ([0.2, 0.01, 0.5], 0.03), ([0.5, 0.6, 0.9], 1.0)]
)
def test_the_smallest_of_several_is_judged_by_how_many_there_were(p_values: list[float], expected: float) -> None:
    assert joint_level(p_values) == pytest.approx(expected)
