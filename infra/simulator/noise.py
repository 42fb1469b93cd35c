"""How well a planted shift can be seen: many populations held against their own truth, without any files.

``python -m infra.simulator.noise`` prints, for each seed, what was planted in the aligned months, what a difference
in differences of the true figures shows, and how many seeds show it in its direction and within a quarter.
"""

import argparse
import statistics
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple, get_args

from contracts.codes import Cohort, Payer
from infra.simulator.calibration import plan_shift
from infra.simulator.period import Period
from infra.simulator.person import draw_person
from infra.simulator.shift import ShiftPlan
from infra.simulator.simulation import (
    DEFAULT_SHIFT_MEDICAID_PBPM_CENTS,
    DEFAULT_SHIFT_MEDICARE_PBPM_CENTS,
    RUN_OUT_MONTHS,
    claims_of,
)
from infra.simulator.truth import Truth
from infra.simulator.world import DEMO_MONTHS, DEMO_PEOPLE, Shift

NEAR = Fraction(1, 4)


class Visibility(NamedTuple):
    """Cents a person-month of one payer in one population."""

    planted: Fraction
    seen: Fraction

    @property
    def near(self) -> bool:
        """In the planted direction, and within a quarter of what was planted."""
        return abs(self.seen - self.planted) <= NEAR * abs(self.planted)


def true_figures(seed: int, people: int, period: Period, plan: ShiftPlan) -> Truth:
    """The truth of a population, without writing what was delivered."""
    truth = Truth(period)
    for index in range(people):
        person = draw_person(seed, index, period, plan)
        truth.add_person(person, *claims_of(person))
    return truth


def difference_in_differences(
    measures: list[dict[str, Any]], person_months: list[dict[str, Any]], payer: Payer, begins: str
) -> Fraction:
    """(aligned after - before) - (comparison after - before), in cents a person-month of the services basis."""

    def level(cohort: Cohort, *, after: bool) -> Fraction:
        def inside(row: dict[str, Any]) -> bool:
            return row["cohort"] == cohort.value and (row["month"] >= begins) is after

        cents = sum(
            row["cents"]
            for row in measures
            if inside(row) and row["payer"] == payer.value and row["basis"] == "services"
        )
        return Fraction(cents, sum(row["count"] for row in person_months if inside(row)))

    def change(cohort: Cohort) -> Fraction:
        return level(cohort, after=True) - level(cohort, after=False)

    return change(Cohort.ALIGNED) - change(Cohort.COMPARISON)


def visibility(truth: Truth, begins: str) -> dict[Payer, Visibility]:
    """What was planted and what is seen, payer by payer."""
    planted, measures, person_months = truth.planted(), truth.measures(), truth.person_months()
    return {
        payer: Visibility(
            Fraction(planted[f"{payer.value}_cents"], planted[f"{payer.value}_person_months"] or 1),
            difference_in_differences(measures, person_months, payer, begins),
        )
        for payer in (Payer.MEDICARE, Payer.MEDICAID)
    }


def _populations(asked: argparse.Namespace) -> Iterator[tuple[int, dict[Payer, Visibility]]]:
    period = Period("2022-01", asked.months, RUN_OUT_MONTHS)
    begins = asked.months // 2
    for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
        plan = plan_shift(
            seed, period, direction=asked.shift, month=begins, medicare=asked.medicare, medicaid=asked.medicaid
        )
        yield seed, visibility(true_figures(seed, asked.people, period, plan), period.texts[begins])


def _asked(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.simulator.noise", description=__doc__)
    parser.add_argument("--people", type=int, default=DEMO_PEOPLE)
    parser.add_argument("--months", type=int, default=DEMO_MONTHS)
    parser.add_argument("--seeds", type=int, default=20, help="how many populations")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--shift", choices=get_args(Shift), default="medicare-to-medicaid")
    parser.add_argument("--medicare", type=int, default=DEFAULT_SHIFT_MEDICARE_PBPM_CENTS, help="cents a person-month")
    parser.add_argument("--medicaid", type=int, default=DEFAULT_SHIFT_MEDICAID_PBPM_CENTS, help="cents a person-month")
    return parser.parse_args(arguments)


def _dollars(cents: Fraction) -> str:
    return f"{round(cents / 100):+d}"


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    asked = _asked(arguments)
    errors: dict[Payer, list[float]] = {Payer.MEDICARE: [], Payer.MEDICAID: []}
    near = 0
    print("seed  Medicare planted, seen   Medicaid planted, seen   (dollars a person-month)")
    for seed, found in _populations(asked):
        both = all(one.near for one in found.values())
        near += both
        for payer, one in found.items():
            errors[payer].append(float(one.seen - one.planted) / 100)
        shown = "   ".join(f"{_dollars(one.planted):>16}, {_dollars(one.seen):>5}" for one in found.values())
        print(f"{seed:>4}  {shown}   {'' if both or asked.shift == 'none' else 'off'}", flush=True)
    for payer, apart in errors.items():
        deviation = statistics.stdev(apart) if len(apart) > 1 else 0.0
        print(f"{payer.value}: seen minus planted: mean {statistics.mean(apart):+.0f}, deviation {deviation:.0f}")
    if asked.shift != "none":
        print(f"both within a quarter of the planted: {near} of {asked.seeds}")


if __name__ == "__main__":
    main()
