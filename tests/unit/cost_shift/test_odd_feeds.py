"""What odd feeds of states do to measures: a feed that ends early, codes that are renamed, somebody in another programme.

Cases as they were met in King County's public enrolment files (docs/feeds.md), carried on to dollars.
"""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from contracts.claims import MedicaidClaim
from contracts.codes import BenefitLevel, Payer, benefit_level
from infra.bench.signal_recovery import signal_of
from infra.bench.study_worlds import SERIES, StudyWorld
from services.cost_shift.category_policy import category_pairs, category_policy
from services.cost_shift.completion import Completion
from services.cost_shift.rules.cell_change import Assignment, cell_changes
from services.cost_shift.rules.claim_contribution import medicaid_contributions
from services.cost_shift.rules.move_cause import Place
from services.cost_shift.rules.standing_version import CostChange
from services.cost_shift.signals import study_calendar

COUNTED = [f"2021-{month:02}" for month in range(1, 13)]


@pytest.mark.parametrize(
    ("known", "last"),
    [
        ({"medicare": ["2021-11", "2021-12"], "medicaid": ["2021-12"]}, "2021-12"),
        ({"medicare": ["2021-12"], "medicaid": ["2021-08"]}, "2021-08"),
        ({"medicare": ["2021-06"], "medicaid": ["2022-03"]}, "2021-06"),
        ({"medicare": ["2021-12"]}, None),
        ({}, None),
    ],
)
def test_a_feed_that_ends_early_ends_the_months_that_are_studied(known: dict[str, list[str]], last: str | None) -> None:
    calendar = study_calendar(COUNTED, Completion(known=known), 36)
    assert (calendar[-1] if calendar else None) == last
    assert study_calendar(COUNTED, Completion(known=known), 3) == calendar[-3:]


def test_months_in_which_one_payer_said_nothing_would_look_like_a_shift() -> None:
    """Why the months end: the aligned's Medicaid feed stops, Medicare's goes on, and a saving appears that nobody made."""
    study = StudyWorld(5, counties=8, people=30, months=24, effects=(0.0, 0.0)).study()
    silent = {key for key in study.cells.people if key.start and key.month >= "2021-06"}
    for key in silent:
        study.cells.cents[key] = {SERIES[0]: study.cells.cents[key][SERIES[0]]}
    told = signal_of(study).evidence
    assert told is not None
    assert told.medicaid.upper_cents is not None
    assert told.medicaid.upper_cents < -10_000
    ended = [month for month in study.months if month < "2021-06"]
    kept = signal_of(replace(study, cells=study.cells.of_months(ended), months=tuple(ended))).evidence
    assert kept is not None
    assert abs(kept.medicaid.effect_cents) < 8_000


def _claim(code: str) -> MedicaidClaim:
    values: dict[str, Any] = {
        "record_id": "d1", "version": 1, "file_type": "OT", "claim_type_code": "3", "service_from": date(2022, 3, 1),
        "service_through": date(2022, 3, 1), "paid_cents": 4500, "type_of_service_code": code,
    }  # fmt: skip
    return MedicaidClaim(**values)


def test_a_code_that_is_renamed_leaves_its_category_and_no_total() -> None:
    """Personal care under a code that the policy does not know: the channel loses it, all services keep every cent."""
    known, renamed = (medicaid_contributions(_claim(code), category_policy())[0] for code in ("051", "Z51"))
    assert (known.category, renamed.category) == ("home_and_community", "other")
    assert known.cents == renamed.cents == 4500
    assert (known.payer, known.basis, known.month) == (renamed.payer, renamed.basis, renamed.month)
    linked = {pair.medicaid for pair in category_pairs()}
    assert "home_and_community" in linked
    assert "other" not in linked


@pytest.mark.parametrize(
    ("status", "cohort", "moved"), [("02", "comparison", 0), ("03", "excluded", 700), ("NA", "excluded", 700)]
)
def test_somebody_in_another_programme_leaves_the_comparison_with_every_cent(
    status: str, cohort: str, moved: int
) -> None:
    """A later file says that only premiums were covered: the months are no full dual's any more, and say why."""
    before, after = Place("WA", "53033", "", "comparison"), Place("WA", "53033", "", cohort)
    cost = CostChange(1, "claims", "WA", ("medicaid", "drugs", False, "both"), "2022-03", 700, 1)
    changes = cell_changes([cost], [Assignment(1, before, "02"), Assignment(4, after, status)])
    assert sum(change.cents for change in changes) == 700
    assert sum(change.cents for change in changes if change.place.cohort == "excluded") == moved
    assert {change.cause for change in changes if change.sequence == 4} == ({"dual_status"} if moved else set())
    assert (benefit_level(status) is BenefitLevel.FULL) == (not moved)
    assert Payer.MEDICAID.value == cost.series[0]
