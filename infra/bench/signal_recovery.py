"""``python -m infra.bench.signal_recovery``: what signals are worth, against planted truth and against people who change instead.

Of two numbers the first is Medicare's. ``notify``: share of worlds in which the channel came to that level, which is power where something was
planted and a false alarm where not; ``review`` and ``watch`` likewise, each level counted once. ``delay``: months from the planted
start until the first notify of those that came to it. ``people``: share in which a composition test failed. The same seeds give the same table.
"""

import json
from dataclasses import asdict, dataclass, replace

import click
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from contracts.months import add_months, months_between
from infra.bench.recovery import holds
from infra.bench.study_worlds import PAIR, StudyWorld
from infra.command.output import people, results
from services.cost_shift.chart_policy import chart_policy
from services.cost_shift.signal_answers import SignalShown, StudyShown
from services.cost_shift.signalling import Situation, estimated, signals
from services.cost_shift.study_charts import charted
from services.cost_shift.studying import Study, until

_WIDTH = 120
_WORLD = StudyWorld(0, effects=(0.0, 0.0))
STAGGERED = (
    _WORLD,
    replace(_WORLD, effects=(-3000.0, 2250.0)),
    replace(_WORLD, effects=(-6000.0, 4500.0)),
    replace(_WORLD, effects=(-6000.0, 0.0)),
    replace(_WORLD, effects=(-3000.0, 2250.0), grows=0.1),
    replace(_WORLD, change="heavy_leave"),
    replace(_WORLD, change="light_join"),
    replace(_WORLD, change="young_leave"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """One world: what was estimated and told."""

    medicare: float
    medicaid: float
    covered_medicare: bool
    covered_medicaid: bool
    level: str
    delay: int | None
    people_changed: bool
    detectable: float
    detectable_ratio: float


@dataclass(frozen=True, slots=True)
class Row:
    """Many worlds of one kind."""

    planted: tuple[float, float]
    grows: float
    change: str
    seeds: int
    bias: tuple[float, float]
    covered: tuple[float, float]
    notify: float
    review: float
    watch: float
    delay: float | None
    people_changed: float
    detectable: float
    detectable_ratio: float


def signal_of(study: Study) -> SignalShown:
    """The channel's signal as of the study's last month."""
    shown = StudyShown(
        entity_id="D9001", revision=1, states=["OH"], first_month=study.months[0], baseline_last=study.baseline_last,
        last_month=study.months[-1], months_left_out=[], confidence_level=study.estimating.confidence_level, policy={},
    )  # fmt: skip
    charts = chart_policy()
    situation = Situation(shown, study, estimated(study), charted(study, charts), {}, charts, 0)
    return next(one for one in signals(situation) if one.channel == PAIR.channel)


def true_effect(world: StudyWorld, study: Study) -> tuple[float, float]:
    """What was planted, on average over the treated person-months."""
    months = world.calendar()
    sizes = [
        (1 + world.grows * (months.index(key.month) - months.index(key.start)), count)
        for key, count in study.cells.people.items()
        if key.treated
    ]
    mean = sum(size * count for size, count in sizes) / sum(count for _, count in sizes)
    return world.effects[0] * mean, world.effects[1] * mean


def _delay(study: Study, last: SignalShown) -> int | None:
    """Months from the start until the signal was first told, had it been worked out every month."""
    if last.level != "notify":
        return None
    start = add_months(study.baseline_last, 1)
    first = add_months(start, study.policy.fewest_months_after - 1)
    for month in months_between(first, study.months[-1]):
        if signal_of(until(study, month)).level == "notify":
            return len(list(months_between(start, month)))
    return None


def found_in(world: StudyWorld, *, delays: bool) -> Found:
    """Work out one world."""
    study = world.study()
    signal = signal_of(study)
    if signal.evidence is None:
        raise AssertionError(signal)
    truth, one = true_effect(world, study), signal.evidence
    limits = [
        None if shown.lower_cents is None or shown.upper_cents is None else (shown.lower_cents, shown.upper_cents)
        for shown in (one.medicare, one.medicaid)
    ]
    return Found(
        one.medicare.effect_cents - truth[0], one.medicaid.effect_cents - truth[1], holds(limits[0], truth[0]),
        holds(limits[1], truth[1]), signal.level, _delay(study, signal) if delays else None, "people_changed" in signal.lacking,
        one.medicare.detectable_cents, one.detectable_ratio or 1.0,
    )  # fmt: skip


def row_of(world: StudyWorld, found: list[Found]) -> Row:
    """What many worlds come to."""
    delays = [one.delay for one in found if one.delay is not None]
    level = {name: sum(one.level == name for one in found) / len(found) for name in ("notify", "review", "watch")}
    return Row(
        planted=world.effects, grows=world.grows, change=world.change, seeds=len(found),
        bias=(float(np.mean([one.medicare for one in found])), float(np.mean([one.medicaid for one in found]))),
        covered=(
            float(np.mean([one.covered_medicare for one in found])), float(np.mean([one.covered_medicaid for one in found])),
        ),
        notify=level["notify"], review=level["review"], watch=level["watch"],
        delay=float(np.median(delays)) if delays else None,
        people_changed=float(np.mean([one.people_changed for one in found])),
        detectable=float(np.mean([one.detectable for one in found])),
        detectable_ratio=float(np.mean([one.detectable_ratio for one in found])),
    )  # fmt: skip


def _show(rows: list[Row]) -> None:
    table = Table(box=None)
    for column in (
        "planted $", "people", "bias $", "covered", "notify", "review", "watch", "delay", "changed", "MDE $", "ratio",
    ):  # fmt: skip
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        grows = f" +{row.grows:.0%}/m" if row.grows else ""
        table.add_row(
            f"{row.planted[0] / 100:+.1f}/{row.planted[1] / 100:+.1f}{grows}",
            row.change.replace("_", " ") if row.change != "none" else "same",
            f"{row.bias[0] / 100:+.2f}/{row.bias[1] / 100:+.2f}",
            f"{row.covered[0]:.3f}/{row.covered[1]:.3f}",
            *(f"{share:.3f}" for share in (row.notify, row.review, row.watch)),
            "-" if row.delay is None else f"{row.delay:.0f}",
            f"{row.people_changed:.3f}",
            f"{row.detectable / 100:.2f}",
            f"{row.detectable_ratio:.3f}",
        )
    # A table of numbers is of no use in pieces, however narrow the terminal.
    Console(width=_WIDTH).print(table)


@click.command("signal-recovery")
@click.option("--seeds", type=click.IntRange(1), default=200, show_default=True, help="Worlds a row.")
@click.option("--first-seed", type=int, default=1, show_default=True)
@click.option(
    "--delays",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Worlds a row whose every month is worked out.",
)
@click.option(
    "--row", "rows_wanted", type=click.IntRange(1, len(STAGGERED)), multiple=True, help="Only this row; again for more."
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def main(seeds: int, first_seed: int, delays: int, rows_wanted: tuple[int, ...], as_json: bool) -> None:  # noqa: FBT001 - click's own way
    """Plant shifts and changes of people in made-up counties, and say what signals come to."""
    rows = []
    chosen = [world for number, world in enumerate(STAGGERED, start=1) if not rows_wanted or number in rows_wanted]
    for world in track(chosen, "working out signals", console=people, transient=True):
        worlds = [replace(world, seed=seed) for seed in range(first_seed, first_seed + seeds)]
        rows.append(row_of(world, [found_in(one, delays=number < delays) for number, one in enumerate(worlds)]))
    results.print_json(json.dumps([asdict(row) for row in rows])) if as_json else _show(rows)


if __name__ == "__main__":
    main()
