"""``tandem simulate``: a made-up population in the real wire formats, with what is true about it beside the files."""

from decimal import Decimal
from pathlib import Path
from typing import get_args

import click

from infra.command.output import Failure, json_option, people, print_json, progress
from infra.simulator import (
    DEFAULT_SHIFT_MEDICAID_PBPM_CENTS,
    DEFAULT_SHIFT_MEDICARE_PBPM_CENTS,
    Channel,
    Eligibility,
    Feed,
    List,
    Shift,
    Simulation,
    simulate,
)

SHIFTS: tuple[Shift, ...] = get_args(Shift)
CHANNELS: tuple[Channel, ...] = get_args(Channel)
FEEDS: tuple[Feed, ...] = get_args(Feed)
LISTS: tuple[List, ...] = get_args(List)
ELIGIBILITY: tuple[Eligibility, ...] = get_args(Eligibility)


def cents(dollars: Decimal) -> int:
    """Dollars as an operator writes them, in cents.

    Raises:
        Failure: more than two decimals, or not a positive amount.
    """
    exact = dollars * 100
    if exact != int(exact) or exact <= 0:
        raise Failure(f"{dollars} is not a positive amount of dollars and cents.", exit_code=2)
    return int(exact)


def simulate_with_progress(
    directory: Path,
    *,
    population: int,
    months: int,
    seed: int,
    shift: Shift,
    shift_channel: Channel,
    shift_month: str | None,
    medicare_pbpm_cents: int,
    medicaid_pbpm_cents: int,
    feeds: tuple[Feed, ...] = ("cclf",),
    lists: tuple[List, ...] = (),
    eligibility: tuple[Eligibility, ...] = (),
    care: bool = False,
) -> Simulation:
    """Simulate under a progress bar.

    Raises:
        Failure: the arguments are impossible, or the folder is not empty.
    """
    with progress() as bar:
        task = bar.add_task("inventing people", total=population)
        try:
            return simulate(
                directory,
                people=population,
                months=months,
                seed=seed,
                shift=shift,
                shift_channel=shift_channel,
                shift_month=shift_month,
                shift_medicare_pbpm_cents=medicare_pbpm_cents,
                shift_medicaid_pbpm_cents=medicaid_pbpm_cents,
                feeds=feeds,
                lists=lists,
                eligibility=eligibility,
                care=care,
                on_progress=lambda done, _all: bar.update(task, completed=done),
            )
        except (ValueError, FileExistsError) as error:
            raise Failure(str(error), exit_code=2) from None


def _as_object(made: Simulation) -> dict[str, object]:
    return {
        "directory": str(made.directory),
        "people": made.people,
        "deliveries": len(made.deliveries),
        "claims": made.claims,
        "medicare_cents": made.medicare_cents,
        "medicaid_cents": made.medicaid_cents,
        "capitation_cents": made.capitation_cents,
    }


@click.command("simulate")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--people", "population", type=click.IntRange(min=1), required=True, help="How many dual eligibles.")
@click.option("--months", type=click.IntRange(min=1, max=120), required=True, help="How many months of services.")
@click.option("--seed", type=int, required=True, help="Same seed, same bytes.")
@click.option("--shift", type=click.Choice(SHIFTS), default="none", show_default=True, help="Which to plant.")
@click.option(
    "--shift-channel",
    type=click.Choice(CHANNELS),
    default="both",
    show_default=True,
    help="Medicaid care that hospital and skilled nursing stays are shifted to or from.",
)
@click.option("--shift-month", metavar="YYYY-MM", help="First month of the shift. [default: halfway]")
@click.option(
    "--shift-medicare-pbpm",
    type=Decimal,
    default=Decimal(DEFAULT_SHIFT_MEDICARE_PBPM_CENTS) / 100,
    show_default=True,
    help="Dollars a person-month.",
)
@click.option(
    "--shift-medicaid-pbpm",
    type=Decimal,
    default=Decimal(DEFAULT_SHIFT_MEDICAID_PBPM_CENTS) / 100,
    show_default=True,
    help="Dollars a person-month.",
)
@click.option(
    "--feeds",
    multiple=True,
    type=click.Choice(FEEDS),
    default=("cclf",),
    show_default=True,
    help="Layout of Medicare's claims and people, and x12-837 for plans' encounters; several allowed, the same claims.",
)
@click.option(
    "--lists",
    type=click.Choice(LISTS),
    multiple=True,
    help="A list of CMS besides the monthly report; may be repeated.",
)
@click.option(
    "--eligibility",
    type=click.Choice(ELIGIBILITY),
    multiple=True,
    help="A file of Medicaid's enrolment besides the 834; may be repeated.",
)
@click.option("--care", is_flag=True, help="Give everybody the care that is due, but for planted gaps.")
@json_option
def command(
    directory: Path,
    population: int,
    months: int,
    seed: int,
    shift: Shift,
    shift_channel: Channel,
    shift_month: str | None,
    shift_medicare_pbpm: Decimal,
    shift_medicaid_pbpm: Decimal,
    feeds: tuple[Feed, ...],
    lists: tuple[List, ...],
    eligibility: tuple[Eligibility, ...],
    care: bool,
    as_json: bool,
) -> None:
    """Write the files of a made-up population into DIRECTORY/deliveries, and the truth into DIRECTORY/truth.json.

    Everything is fictional; the identifiers are ones that no real person can have.
    """
    made = simulate_with_progress(
        directory,
        population=population,
        months=months,
        seed=seed,
        shift=shift,
        shift_channel=shift_channel,
        shift_month=shift_month,
        medicare_pbpm_cents=cents(shift_medicare_pbpm),
        medicaid_pbpm_cents=cents(shift_medicaid_pbpm),
        feeds=feeds,
        lists=lists,
        eligibility=eligibility,
        care=care,
    )
    if as_json:
        print_json(_as_object(made))
    else:
        people.print(
            f"{made.people:,} people, {made.claims:,} claims in {len(made.deliveries)} deliveries: {directory}"
        )
        people.print(
            f"Deliver them to an installation of 'tandem up --synthetic': tandem deliver {directory}/deliveries"
        )
