"""``python -m infra.bench.effect_speed``: effects with intervals against statsmodels doing the point estimates alone, in one run.

12 categories of two payers, 48 months, 60 counties with both cohorts. Ours: estimates, errors clustered by county, tests and 95 % intervals by 999
bootstrap draws of every series. The rival: ``statsmodels.api.WLS`` with a dummy for every unit and month, one fit for each series, no errors of
clusters, no draws. Both are held to the same estimates first; ``ratio`` is ours over the rival's seconds, the better of ``--rounds``.
"""

import importlib
import json
from dataclasses import asdict, dataclass, replace
from time import perf_counter

import click
import numpy as np
from rich.console import Console

from contracts.codes import Payer, ServiceCategory
from infra.bench.county_worlds import CountyWorld
from infra.command.output import results
from services.cost_shift.estimate_policy import estimate_policy
from services.cost_shift.estimating import Estimator, SeriesEstimate
from services.cost_shift.rules.county_panel import Numbers, Panel

_CATEGORIES = [category for category in ServiceCategory if category is not ServiceCategory.CAPITATION]
_CLOSE = 1e-6


@dataclass(frozen=True, slots=True)
class Measured:
    """Sizes and the best seconds of each."""

    series: int
    cells: int
    counties: int
    draws: int
    ours_seconds: float
    statsmodels_seconds: float
    ratio: float


def panel_of_all(world: CountyWorld) -> Panel:
    """The world's cells with a series for every payer and category: its own two, and noise on them."""
    panel, chance = world.panel(), np.random.default_rng(world.seed)
    series = tuple((payer.value, category.value) for payer in Payer for category in _CATEGORIES)
    of_payer = np.repeat([0, 1], len(_CATEGORIES))
    noise = chance.normal(0, 3000, (len(panel.weight), len(series)))
    return replace(panel, series=series, outcomes=panel.outcomes[:, of_payer] / len(_CATEGORIES) + noise)


def ours(world: CountyWorld, panel: Panel) -> list[SeriesEstimate]:
    """Every series with its interval."""
    return Estimator(panel, world.windows, estimate_policy()).effects().each()


def rival(world: CountyWorld, panel: Panel) -> Numbers:
    """Point estimates alone."""
    sm = importlib.import_module("statsmodels.api")  # only benchmarks and tests have it
    after = np.array([month >= world.windows.post_from for month in panel.months])[panel.month]
    units = panel.unit[:, None] == np.arange(panel.unit.max() + 1)
    months = panel.month[:, None] == np.arange(1, len(panel.months))
    design = np.column_stack([panel.aligned * after, units, months]).astype(np.float64)
    return np.array(
        [
            sm.WLS(panel.outcomes[:, place], design, weights=panel.weight).fit().params[0]
            for place in range(len(panel.series))
        ]
    )


def measured(world: CountyWorld, rounds: int) -> Measured:
    """The best of some rounds, each in turn. Raises :class:`AssertionError` where the two do not agree."""
    panel = panel_of_all(world)
    seconds: dict[str, list[float]] = {"ours": [], "rival": []}
    for _ in range(rounds):
        began = perf_counter()
        found = ours(world, panel)
        between = perf_counter()
        points = rival(world, panel)
        seconds["ours"].append(between - began)
        seconds["rival"].append(perf_counter() - between)
        if not np.allclose([one.estimate.effect for one in found], points, rtol=_CLOSE):
            raise AssertionError("the estimates are not the same")
    best = {name: min(taken) for name, taken in seconds.items()}
    return Measured(
        len(panel.series), len(panel.weight), len(panel.counties), estimate_policy().bootstrap_draws, round(best["ours"], 3),
        round(best["rival"], 3), round(best["ours"] / best["rival"], 2),
    )  # fmt: skip


@click.command("effect-speed")
@click.option("--counties", type=click.IntRange(5), default=60, show_default=True)
@click.option("--months", type=click.IntRange(6), default=48, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def main(counties: int, months: int, rounds: int, as_json: bool) -> None:  # noqa: FBT001 - click's own way
    """Measure effects with intervals against point estimates alone."""
    found = measured(CountyWorld(1, counties=counties, months=months), rounds)
    if as_json:
        results.print_json(json.dumps(asdict(found)))
        return
    Console().print(
        f"{found.series} series, {found.cells:,} cells, {found.counties} counties, {found.draws} draws: "
        f"{found.ours_seconds:.2f} s with intervals, statsmodels {found.statsmodels_seconds:.2f} s for the points alone, "
        f"ratio {found.ratio:.2f}"
    )


if __name__ == "__main__":
    main()
