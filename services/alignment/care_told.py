"""What a Medicaid span tells of care arrangements beside enrolment and dual status, as alignment keeps it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from contracts.medicaid import MedicaidEnrolmentSpan


class CareTold(NamedTuple):
    """``None`` is no information. ``contract``: of the Medicare health plan, with its package where that is told."""

    plan_type_code: str | None = None
    contract: str | None = None
    level_of_care: str | None = None
    safe_in_community: bool | None = None
    enrolment_basis: str | None = None
    demonstration: bool | None = None
    waiver_type_codes: tuple[str, ...] = ()


NOTHING_TOLD = CareTold()


def care_told(span: MedicaidEnrolmentSpan) -> CareTold | None:
    """What the span tells; ``None`` where that is nothing, which most spans do."""
    contract, package = span.health_plan_contract, span.health_plan_package
    told = CareTold(
        span.plan_type_code,
        f"{contract}-{package}" if contract and package else contract,
        span.level_of_care,
        span.safe_in_community,
        span.enrolment_basis,
        span.demonstration,
        span.waiver_type_codes,
    )
    return None if told == NOTHING_TOLD else told


def care_again(stored: Sequence[Any] | None) -> CareTold | None:
    """The inverse of writing it as a JSON array."""
    if stored is None:
        return None
    told = CareTold(*stored)
    return told._replace(waiver_type_codes=tuple(told.waiver_type_codes))
