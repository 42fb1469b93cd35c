"""``python -m infra.bench.full_recovery``: planted shifts found again through files, Apache Kafka and every service.

Each population is simulated, delivered file by file to an installation of its own, and held against its truth; then ``/v1/studies`` and
``/v1/signals`` are asked what they make of it. Of two numbers the first is Medicare's. ``treated``: treated person-months of the study, and those
of the truth where they differ; ``held``: whether the 95 % intervals held what was planted; ``told``: the highest level of a channel and how many came to it.
"""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from contracts.months import months_between
from infra.bench.study_truth import Population, StudyTruth, study_truth
from infra.command.demo import fresh_folder
from infra.command.gateways import Gateways, open_gateways
from infra.command.output import people, results
from infra.command.simulate import SHIFTS
from infra.command.stack import BrokerKind, Stack, running
from infra.command.trial import Kills, deliver_all, read_truth, report
from infra.local.installation import Installation
from infra.simulator import Shift, simulate
from infra.simulator.world import ENTITY
from services.cost_shift.signal_policy import signal_policy

_ALL: Final = "all_services"
_WIDTH: Final = 130
_LEVELS: Final = ("notify", "review", "watch", "cleared", "none")
Pair = tuple[float, float]


class Told(Protocol):
    """What a run of the whole system says of itself."""

    @property
    def claims_applied(self) -> int:
        """Each once."""
        ...

    @property
    def right(self) -> bool:
        """Whether every figure is that of the truth."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """One population: what was planted, and what the installation said. Cents per treated person-month."""

    seed: int
    claims: int
    exact: bool
    months: int
    treated_person_months: int
    true_person_months: int
    planted: Pair
    effect: Pair
    held: tuple[bool, bool]
    detectable: Pair
    levels: dict[str, int]

    @property
    def told(self) -> str:
        """The highest level of a channel, and how many channels came to it."""
        level = next(name for name in _LEVELS if self.levels.get(name))
        return f"{level} ({self.levels[level]})"


def _inside(shown: dict[str, Any], truth: float) -> bool:
    lower, upper = shown["lower_cents"], shown["upper_cents"]
    return (lower is None or lower <= truth) and (upper is None or truth <= upper)


def read_found(population: Population, told: Told, study: dict[str, Any], signals: list[dict[str, Any]]) -> Found:
    """Hold what the gateways said against the truth."""
    of, seed = study["study"], population.seed
    few = set(of["months_left_out"])
    months = [month for month in months_between(of["first_month"], of["last_month"]) if month not in few]
    truth: StudyTruth = study_truth(population, months)
    evidence = next(one["evidence"] for one in study["pairs"] if one["channel"] == _ALL)
    payers = (evidence["medicare"], evidence["medicaid"])
    return Found(
        seed, told.claims_applied, told.right, len(months), of["treated_person_months"], truth.person_months, truth.effects,
        (payers[0]["effect_cents"], payers[1]["effect_cents"]),
        (_inside(payers[0], truth.effects[0]), _inside(payers[1], truth.effects[1])),
        (payers[0]["detectable_cents"], payers[1]["detectable_cents"]), dict(Counter(one["level"] for one in signals)),
    )  # fmt: skip


def _asked(gateways: Gateways, population: Population, told: Told) -> Found:
    study = gateways.get("cost-shift", "/v1/studies", entity=ENTITY)
    signals = gateways.get("cost-shift", "/v1/signals", entity=ENTITY)
    return read_found(population, told, study, signals["signals"])


def found_in(population: Population, broker: BrokerKind) -> Found:
    """Deliver a population to an installation of its own, and ask."""
    with fresh_folder("tandem-recovery-") as folder:
        simulate(
            folder / "simulation", people=population.people, months=population.months, seed=population.seed, shift=population.shift,
            first_month=population.period.first_month, shift_month=population.start,
            shift_medicare_pbpm_cents=population.medicare, shift_medicaid_pbpm_cents=population.medicaid,
        )  # fmt: skip
        truth = read_truth(folder / "simulation")
        stack = Stack(
            Installation(folder / "installation"), broker, durable=False, synthetic_identifiers=True, tell=people.print
        )
        with running(stack):
            kills = Kills.planned(0, len(truth["deliveries"]), population.seed, people.print)
            files = folder / "simulation" / "deliveries"
            handed, seconds = deliver_all(stack, truth, files, kills, lambda _: None)
            gateways = open_gateways(stack.installation.addresses())
            with gateways.client:
                return _asked(gateways, population, report(stack, gateways, truth, handed, kills, seconds))


def _dollars(pair: Pair) -> str:
    return f"{pair[0] / 100:+.1f}/{pair[1] / 100:+.1f}"


def _show(rows: list[Found]) -> None:
    table = Table(box=None)
    for column in ("seed", "claims", "exact", "treated", "planted $", "found $", "held", "detectable $", "told"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        held = "/".join("yes" if one else "no" for one in row.held)
        treated = f"{row.treated_person_months:,}"
        if row.treated_person_months != row.true_person_months:
            treated += f" (true: {row.true_person_months:,})"
        table.add_row(
            str(row.seed), f"{row.claims:,}", "yes" if row.exact else "NO", treated, _dollars(row.planted), _dollars(row.effect),
            held, _dollars(row.detectable), row.told,
        )  # fmt: skip
    Console(width=_WIDTH).print(table)


@click.command("full-recovery")
@click.option("--seeds", type=click.IntRange(1), default=5, show_default=True, help="Populations.")
@click.option("--first-seed", type=int, default=1, show_default=True)
@click.option("--people", "population", type=click.IntRange(1), default=600, show_default=True)
@click.option(
    "--months", type=click.IntRange(18), default=24, show_default=True, help="Twelve of them are the baseline."
)
@click.option("--shift", type=click.Choice(SHIFTS), default="medicare-to-medicaid", show_default=True)
@click.option("--medicare", type=click.IntRange(0), default=40_000, show_default=True, help="Cents a person-month.")
@click.option("--medicaid", type=click.IntRange(0), default=30_000, show_default=True, help="Cents a person-month.")
@click.option("--broker", type=click.Choice(["embedded", "kafka"]), default="kafka", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_context
def main(  # noqa: PLR0913, PLR0917 - one for each choice
    context: click.Context, seeds: int, first_seed: int, population: int, months: int, shift: Shift, medicare: int, medicaid: int,
    broker: BrokerKind, as_json: bool,  # noqa: FBT001 - click's own way
) -> None:  # fmt: skip
    """Plant a shift in whole populations and find it again through files and Kafka. Ends with 1 if a published figure differs from the truth."""
    baseline = signal_policy().baseline_months
    worlds = [
        Population(seed, population, months, baseline, shift, medicare, medicaid)
        for seed in range(first_seed, first_seed + seeds)
    ]
    rows = []
    for world in track(worlds, "delivering populations", console=people, transient=True):
        rows.append(found_in(world, broker))
        people.print(f"seed {world.seed}: planted {_dollars(rows[-1].planted)}, found {_dollars(rows[-1].effect)}")
    results.print_json(json.dumps([asdict(row) for row in rows])) if as_json else _show(rows)
    context.exit(0 if all(row.exact for row in rows) else 1)


if __name__ == "__main__":
    main()
