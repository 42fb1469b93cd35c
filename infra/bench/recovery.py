"""``python -m infra.bench.recovery``: what the estimates of effects are worth, against planted truth.

Of two numbers the first is Medicare's. ``covered``: the 95 % interval held what was planted. ``found``: it excluded zero, which is
power where something was planted and a false alarm where not; ``both``: with opposite signs. ``bounded``: the offset ratio had an
interval with both ends; ``offset``: of these, the share that held the truth. The same seeds give the same table.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial

import click
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from infra.bench.county_worlds import MEDICAID, MEDICARE, CountyWorld
from infra.command.output import people, results
from services.cost_shift.category_policy import CategoryPair
from services.cost_shift.estimate_policy import estimate_policy
from services.cost_shift.estimating import Estimator, Limits, PairEstimate

_ALL = CategoryPair("all_services", "", "")
EFFECTS = ((0.0, 0.0), (-3000.0, 2250.0), (-6000.0, 4500.0), (-6000.0, 0.0))
COUNTIES = (6, 12, 30)
_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Recovery:
    """One planted effect in so many counties. Shares are of all seeds, but for the offset's coverage."""

    counties: int
    medicare: float
    medicaid: float
    seeds: int
    bias_medicare: float
    bias_medicaid: float
    coverage_medicare: float
    coverage_medicaid: float
    found_medicare: float
    found_medicaid: float
    found_opposite: float
    offset_bounded: float
    offset_coverage: float | None
    detectable: float


def holds(limits: Limits, truth: float) -> bool:
    """Whether an interval holds the truth; one without end holds everything."""
    return limits is None or limits[0] <= truth <= limits[1]


def estimated(world: CountyWorld) -> PairEstimate:
    """Both payers' totals."""
    effects = Estimator(world.panel(), world.windows, estimate_policy()).effects()
    return effects.pairs([_ALL], (MEDICARE[0], MEDICAID[0]))[0]


def recovery(world: CountyWorld, found: list[PairEstimate]) -> Recovery:
    """What many estimates of one planted effect come to."""
    medicare, medicaid = world.effects
    bounded = [
        one.offset_limits for one in found if one.offset_limits is not None and medicare < 0 > one.medicare.effect
    ]
    share = partial(_share, len(found))
    return Recovery(
        counties=world.counties,
        medicare=medicare,
        medicaid=medicaid,
        seeds=len(found),
        bias_medicare=float(np.mean([one.medicare.effect - medicare for one in found])),
        bias_medicaid=float(np.mean([one.medicaid.effect - medicaid for one in found])),
        coverage_medicare=share(holds(one.medicare.limits, medicare) for one in found),
        coverage_medicaid=share(holds(one.medicaid.limits, medicaid) for one in found),
        found_medicare=share(one.medicare.excludes_zero for one in found),
        found_medicaid=share(one.medicaid.excludes_zero for one in found),
        found_opposite=share(
            one.medicare.excludes_zero and one.medicaid.excludes_zero and one.shifted > 0 for one in found
        ),
        offset_bounded=len(bounded) / len(found),
        offset_coverage=_share(len(bounded), (holds(one, -medicaid / medicare) for one in bounded))
        if bounded
        else None,
        detectable=float(np.mean([one.medicare.detectable for one in found])),
    )


def _share(count: int, answers: Iterator[bool]) -> float:
    return sum(answers) / count


def _both(medicare: float, medicaid: float, form: str, scale: float = 1.0) -> str:
    return f"{medicare / scale:{form}}/{medicaid / scale:{form}}"


def _show(rows: list[Recovery]) -> None:
    table = Table(box=None)
    for column in ("counties", "planted $", "bias $", "covered", "found", "both", "bounded", "offset", "MDE $"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            str(row.counties),
            _both(row.medicare, row.medicaid, "+.1f", 100),
            _both(row.bias_medicare, row.bias_medicaid, "+.2f", 100),
            _both(row.coverage_medicare, row.coverage_medicaid, ".3f"),
            _both(row.found_medicare, row.found_medicaid, ".3f"),
            f"{row.found_opposite:.3f}",
            f"{row.offset_bounded:.3f}",
            "-" if row.offset_coverage is None else f"{row.offset_coverage:.3f}",
            f"{row.detectable / 100:.2f}",
        )
    # A table of numbers is of no use in pieces, however narrow the terminal.
    Console(width=_WIDTH).print(table)


@click.command("recovery")
@click.option("--seeds", type=click.IntRange(1), default=200, show_default=True, help="Worlds a row.")
@click.option("--first-seed", type=int, default=1, show_default=True)
@click.option("--drift", type=float, default=0.0, show_default=True, help="Cents a month that the aligned drift away.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def main(seeds: int, first_seed: int, drift: float, as_json: bool) -> None:  # noqa: FBT001 - click's own way
    """Plant effects in made-up counties, estimate them, and say how often the estimates are right."""
    worlds = [
        CountyWorld(0, counties=counties, effects=effects, drift=drift) for counties in COUNTIES for effects in EFFECTS
    ]
    rows = []
    for world in track(worlds, "estimating", console=people, transient=True):
        found = [estimated(replace(world, seed=seed)) for seed in range(first_seed, first_seed + seeds)]
        rows.append(recovery(world, found))
    results.print_json(json.dumps([asdict(row) for row in rows])) if as_json else _show(rows)


if __name__ == "__main__":
    main()
