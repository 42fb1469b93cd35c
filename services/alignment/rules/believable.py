"""What cannot be so, whoever says it: a dead letter with its reason, to be looked at, and never a guess.

Sources: the monthly report is an entity's own and speaks of its month and those before it (GPDC participation agreement,
"Beneficiary Alignment Data"); nobody dies before they are born (CCLF8 BENE_DOB and BENE_DEATH_DT; 834 DMG03 and DTP*435).
"""

from collections.abc import Collection
from typing import NamedTuple

from contracts.alignment import AlignmentReported
from contracts.coverage import MedicareCoverageStated
from contracts.medicaid import MedicaidEnrolmentStated
from contracts.months import add_months, month_of
from services.alignment.statements import PersonEvent


class Unbelievable(NamedTuple):
    """Why an event is not applied. ``detail`` holds nothing personal."""

    reason: str
    detail: str


def unbelievable(event: PersonEvent, entities: Collection[str]) -> Unbelievable | None:
    """Say what is wrong with an event; ``None`` for what can be so. ``entities``: those of this installation."""
    if isinstance(event, AlignmentReported):
        return _report(event, entities)
    if isinstance(event, MedicareCoverageStated | MedicaidEnrolmentStated):
        birth, death = event.data.birth_date, event.data.death_date
        if birth is not None and death is not None and death < birth:
            return Unbelievable("died_before_birth", "the death date is before the birth date")
    return None


def _report(event: AlignmentReported, entities: Collection[str]) -> Unbelievable | None:
    data = event.data
    if data.entity_id not in entities:
        return Unbelievable("report_of_another_entity", f"{data.entity_id} is no entity of this installation")
    if data.report_month > add_months(month_of(data.stated_on), 1):
        said = f"a report for {data.report_month} stated on {data.stated_on}"
        return Unbelievable("report_of_a_month_to_come", said)
    if any(span.last_month is not None and span.last_month < span.first_month for span in data.spans):
        return Unbelievable("span_ends_before_it_begins", f"in the report for {data.report_month}")
    return None
