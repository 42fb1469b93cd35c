"""``tandem demo``: the whole system on a made-up population, shown to people or told to machines."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from infra.command.delivering import Progress
from infra.command.demo_summary import show_differences, show_summary
from infra.command.gateways import open_gateways
from infra.command.output import json_option, people, print_json, progress
from infra.command.simulate import SHIFTS, simulate_with_progress
from infra.command.stack import BrokerKind, Stack, running
from infra.command.trial import Kills, Report, deliver_all, read_truth, report
from infra.command.up import show_addresses, stay_up, stop_on_signal
from infra.local.installation import Installation
from infra.simulator import (
    DEFAULT_SHIFT_MEDICAID_PBPM_CENTS,
    DEFAULT_SHIFT_MEDICARE_PBPM_CENTS,
    DEMO_MONTHS,
    DEMO_PEOPLE,
    Shift,
)


@dataclass(frozen=True, slots=True)
class Choices:
    """What was asked for on the command line."""

    population: int
    months: int
    seed: int
    shift: Shift
    broker: BrokerKind
    kills: int


@contextmanager
def fresh_folder(prefix: str) -> Iterator[Path]:
    """An empty folder that goes away again."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o711)  # as root, PostgreSQL runs as another account, which must be able to enter
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _simulate(folder: Path, choices: Choices) -> Path:
    simulation = folder / "simulation"
    made = simulate_with_progress(
        simulation,
        population=choices.population,
        months=choices.months,
        seed=choices.seed,
        shift=choices.shift,
        shift_channel="both",
        shift_month=None,
        medicare_pbpm_cents=DEFAULT_SHIFT_MEDICARE_PBPM_CENTS,
        medicaid_pbpm_cents=DEFAULT_SHIFT_MEDICAID_PBPM_CENTS,
    )
    people.print(
        f"{made.people:,} people, {made.claims:,} claims, {len(made.deliveries)} files of {choices.months} months"
    )
    return simulation


def _run(stack: Stack, simulation: Path, choices: Choices) -> Report:
    truth = read_truth(simulation)
    kills = Kills.planned(choices.kills, len(truth["deliveries"]), choices.seed, people.print)
    with progress() as bar:
        task = bar.add_task(
            "starting", total=len({one["path"] for one in truth["deliveries"] if not one["duplicate_of"]})
        )

        def tell(seen: Progress) -> None:
            bar.update(task, description="delivering, file by file", completed=seen.slowest)

        handed, seconds = deliver_all(stack, truth, simulation / "deliveries", kills, tell)
    gateways = open_gateways(stack.installation.addresses())
    with gateways.client:
        found = report(stack, gateways, truth, handed, kills, seconds)
        show_summary(found, gateways)
    return found


@click.command("demo")
@click.option("--exit", "leave", is_flag=True, help="Stop everything and end when it is done; 1 if anything differs.")
@json_option
@click.option(
    "--people",
    "population",
    type=click.IntRange(min=1),
    default=DEMO_PEOPLE,
    show_default=True,
    help="How many dual eligibles.",
)
@click.option(
    "--months", type=click.IntRange(1, 120), default=DEMO_MONTHS, show_default=True, help="Months of services."
)
@click.option("--seed", type=int, default=11, show_default=True, help="Same seed, same people, same kills.")
@click.option(
    "--shift", type=click.Choice(SHIFTS), default="medicare-to-medicaid", show_default=True, help="Which to plant."
)
@click.option(
    "--broker",
    type=click.Choice(["embedded", "kafka"]),
    default="embedded",
    show_default=True,
    help="Apache Kafka needs Java and Maven.",
)
@click.option("--kill", "kills", type=click.IntRange(min=0), default=0, help="How many random kill -9 on the way.")
@click.pass_context
def command(
    context: click.Context,
    leave: bool,
    as_json: bool,
    population: int,
    months: int,
    seed: int,
    shift: Shift,
    broker: BrokerKind,
    kills: int,
) -> None:
    """Start everything in a fresh folder, deliver a made-up population month by month, and compare with the truth.

    Every figure that the services publish is held against what the simulator knows to be true. With --json the last
    line of standard output is one JSON object. Without --exit it stays up and prints the addresses.
    """
    choices = Choices(population, months, seed, shift, broker, kills)
    stop_on_signal()
    with fresh_folder("tandem-demo-") as folder:
        simulation = _simulate(folder, choices)
        installation = Installation(folder / "installation")
        stack = Stack(installation, broker, durable=False, synthetic_identifiers=True, tell=people.print)
        with running(stack):
            found = _run(stack, simulation, choices)
            show_differences(found)
            if not leave:
                show_addresses(installation)
                stay_up(stack)
        if as_json:
            print_json(found.as_object())
    context.exit(0 if found.right else 1)
