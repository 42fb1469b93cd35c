"""``python -m infra.bench.facilities``: planted facility effects, recovered by the facility rule; coverage of its intervals.

Worlds differ in how far facilities differ, and in whether residents differ among themselves beyond their stratum. Rivals of the
shrunk ratio: the plain ratio of observed to expected, and the mean for everybody.
"""

import json
import math
from dataclasses import asdict, dataclass

import click
import numpy as np
from rich.table import Table

from infra.command.output import results
from services.risk.rules.facility_rate import FacilityRate, Resident, facility_rates

# Admissions per resident day of each stratum.
_STRATA = {"low": 0.0012, "middle": 0.0022, "high": 0.0045}
_FACILITIES = 40
_PERCENT = 90
_SMALL = 20


@dataclass(frozen=True, slots=True)
class World:
    """``spread``: of true ratios between facilities; ``frailty``: of residents' own rates; ``lognormal``: the shape is not the rule's."""

    name: str
    spread: float
    frailty: float
    lognormal: bool = False


WORLDS = (
    World("no facility differs", 0.0, 0.0),
    World("facilities differ a little", 0.15, 0.0),
    World("facilities differ", 0.35, 0.0),
    World("facilities differ, not as the rule thinks", 0.35, 0.0, lognormal=True),
    World("facilities and residents differ", 0.35, 1.0),
)


@dataclass(frozen=True, slots=True)
class Recovery:
    """Shares and errors over all facilities of all seeds."""

    world: str
    seeds: int
    coverage: float
    coverage_small: float
    lowest_seed: float
    error_shrunk: float
    error_plain: float
    error_mean: float
    flagged_right: float | None


def _ratios(world: World, chance: np.random.Generator) -> np.ndarray:
    if world.spread == 0:
        return np.ones(_FACILITIES)
    if world.lognormal:
        sigma = math.sqrt(math.log(1 + world.spread**2))
        return chance.lognormal(-(sigma**2) / 2, sigma, _FACILITIES)
    shape = 1 / world.spread**2
    return chance.gamma(shape, 1 / shape, _FACILITIES)


def plant(world: World, seed: int) -> tuple[list[Resident], dict[str, float]]:
    """Residents of one world, and every facility's true ratio against the mean over resident days at risk."""
    chance = np.random.default_rng([seed, sum(map(ord, world.name))])
    ratios = _ratios(world, chance)
    residents: list[Resident] = []
    weighted = at_risk = 0.0
    strata = list(_STRATA)
    for number, ratio in enumerate(ratios):
        size = int(np.clip(chance.lognormal(3.2, 0.8), 4, 150))
        mix = chance.dirichlet((4, 4, 2))
        for stratum, days in zip(chance.choice(3, size, p=mix), chance.integers(30, 366, size), strict=True):
            rate = _STRATA[strata[stratum]] * days
            own = chance.gamma(1 / world.frailty**2, world.frailty**2) if world.frailty else 1.0
            weighted, at_risk = weighted + rate * ratio, at_risk + rate
            residents.append(
                Resident(f"{number:02d}", strata[stratum], int(days), int(chance.poisson(rate * own * ratio)))
            )
    # A ratio against everybody: what the data can tell is relative to their mean.
    return residents, {f"{number:02d}": ratio * at_risk / weighted for number, ratio in enumerate(ratios)}


def _held(rate: FacilityRate, truth: dict[str, float]) -> bool:
    return rate.ratio_low <= truth[rate.totals.facility] <= rate.ratio_high


def recover(world: World, seeds: int) -> Recovery:
    """One row of the table."""
    held: list[list[bool]] = []
    small: list[bool] = []
    squares = np.zeros(3)
    flagged: list[bool] = []
    count = 0
    for seed in range(seeds):
        residents, truth = plant(world, seed)
        rates = facility_rates(residents, _PERCENT)
        held.append([_held(rate, truth) for rate in rates])
        small += [_held(rate, truth) for rate in rates if rate.totals.residents < _SMALL]
        flagged += [truth[rate.totals.facility] > 1 for rate in rates if rate.ratio_low > 1]
        for rate in rates:
            true = truth[rate.totals.facility]
            squares += [
                (rate.ratio - true) ** 2,
                (rate.totals.admissions / rate.totals.expected - true) ** 2,
                (1 - true) ** 2,
            ]
            count += 1
    errors = np.sqrt(squares / count)
    return Recovery(
        world.name,
        seeds,
        float(sum(map(sum, held)) / count),
        float(sum(small) / len(small)),
        min(sum(one) / len(one) for one in held),
        float(errors[0]),
        float(errors[1]),
        float(errors[2]),
        sum(flagged) / len(flagged) if flagged else None,
    )


@click.command()
@click.option("--seeds", type=click.IntRange(1, 10_000), default=200, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def main(seeds: int, as_json: bool) -> None:  # noqa: FBT001 - click gives arguments
    """Recover planted facility effects."""
    found = [recover(world, seeds) for world in WORLDS]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1))
        return
    table = Table(box=None)
    for column in (
        "world",
        "coverage of 90 %",
        "small facilities",
        "error shrunk",
        "plain",
        "mean",
        "flagged truly above",
    ):
        table.add_column(column, justify="left" if column == "world" else "right")
    for one in found:
        errors = (f"{value:.3f}" for value in (one.error_shrunk, one.error_plain, one.error_mean))
        right = "-" if one.flagged_right is None else f"{one.flagged_right:.1%}"
        table.add_row(one.world, f"{one.coverage:.1%}", f"{one.coverage_small:.1%}", *errors, right)
    results.print(table)


if __name__ == "__main__":
    main()
