"""How much use each kind of claim is."""

from datetime import date
from typing import Any

import pytest

from contracts.claims import Adjustment, MedicaidClaim, MedicaidClaimLine, MedicareClaim, MedicareClaimLine
from services.cost_shift.category_policy import category_policy
from services.cost_shift.rules.claim_contribution import medicaid_contributions
from services.cost_shift.rules.use_of_services import medicaid_use, medicare_use
from services.cost_shift.use_gateway import CATEGORY_OF_USE, Rate
from services.cost_shift.use_policy import use_policy


def _day(number: int) -> date:
    return date(2022, 3, number)


def _medicare(code: str, **changed: Any) -> MedicareClaim:
    values: dict[str, Any] = {
        "record_id": "m1", "version": 1, "claim_type_code": code, "adjustment": Adjustment.ORIGINAL,
        "service_from": _day(1), "service_through": _day(6), "paid_cents": 100,
    }  # fmt: skip
    return MedicareClaim(**values | changed)


def _line(revenue: str | None, *, denied: bool = False) -> MedicareClaimLine:
    return MedicareClaimLine(
        line_number=1, service_from=_day(1), service_through=_day(1), revenue_center_code=revenue, denied=denied
    )


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (_medicare("60"), ("admissions", 1)),
        (_medicare("61", adjustment=Adjustment.CANCELLATION), ("admissions", -1)),
        (_medicare("60", adjustment=Adjustment.ADJUSTMENT), ("admissions", 1)),
        (_medicare("60", denied=True), None),
        # The day of discharge is no day of stay; whoever is still there was there that day.
        (_medicare("20"), ("skilled_nursing_days", 5)),
        (_medicare("30", discharge_status_code="30"), ("skilled_nursing_days", 6)),
        (_medicare("20", adjustment=Adjustment.CANCELLATION), ("skilled_nursing_days", -5)),
        (_medicare("20", service_from=_day(6)), None),
        (_medicare("10"), ("home_health_periods", 1)),
        (_medicare("40", lines=(_line("0450"),)), ("emergency_visits", 1)),
        (_medicare("40", lines=(_line("450"), _line("0450"))), ("emergency_visits", 1)),
        (_medicare("40", lines=(_line("0450", denied=True),)), None),
        (_medicare("40", lines=(_line("0510"), _line(None))), None),
        (_medicare("40"), None),
        (_medicare("50"), None),
        (_medicare("71", lines=(_line("0450"),)), None),
    ],
)
def test_use_of_a_medicare_claim(claim: MedicareClaim, expected: tuple[str, int] | None) -> None:
    found = medicare_use(claim, use_policy())
    assert [(one.category, one.claims) for one in found] == ([] if expected is None else [expected])
    assert all((one.payer, one.basis, one.cents, one.month) == ("medicare", "use", 0, "2022-03") for one in found)


def _care(procedure: str, first: int, last: int, **changed: Any) -> MedicaidClaimLine:
    return MedicaidClaimLine(
        line_number=1,
        service_from=_day(first),
        service_through=_day(last),
        procedure_code=procedure,
        paid_cents=0,
        **changed,
    )


def _medicaid(file_type: str, **changed: Any) -> MedicaidClaim:
    values: dict[str, Any] = {
        "record_id": "d1", "version": 1, "file_type": file_type, "claim_type_code": "1", "service_from": _day(1),
        "service_through": _day(31), "paid_cents": 100,
    }  # fmt: skip
    return MedicaidClaim(**values | changed)


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (_medicaid("LT"), {"nursing_facility_days": 31}),
        (_medicaid("LT", claim_type_code="3"), {"nursing_facility_days": 31}),
        (_medicaid("LT", claim_type_code="2"), {}),  # capitation is no use
        (_medicaid("LT", claim_type_code="5"), {}),
        (_medicaid("LT", voided=True), {}),
        (_medicaid("LT", denied=True), {}),
        (_medicaid("IP"), {"admissions": 1}),
        (_medicaid("RX"), {}),
        (_medicaid("OT", type_of_service_code="016"), {"home_health_periods": 1}),
        (_medicaid("OT", lines=(_care("T1019", 1, 3), _care("T1019", 3, 4))), {"personal_care_days": 4}),
        (_medicaid("OT", lines=(_care("T1019", 1, 3, denied=True), _care("99213", 3, 4))), {}),
        (_medicaid("OT", lines=(_care("99281", 2, 2, revenue_code="0450"),)), {"emergency_visits": 1}),
        (
            _medicaid("OT", lines=(_care("S5125", 2, 2, type_of_service_code="018"),)),
            {"home_health_periods": 1, "personal_care_days": 1},
        ),
    ],
)
def test_use_of_a_medicaid_claim(claim: MedicaidClaim, expected: dict[str, int]) -> None:
    basis = medicaid_contributions(claim, category_policy())[0].basis
    found = medicaid_use(claim, basis, use_policy())
    assert {one.category: one.claims for one in found} == expected
    assert all((one.payer, one.basis, one.cents, one.crossover) == ("medicaid", "use", 0, False) for one in found)
    assert {("medicaid", one.category) for one in found} <= CATEGORY_OF_USE.keys()


def test_medicaids_share_of_a_medicare_admission_is_marked() -> None:
    (found,) = medicaid_use(_medicaid("IP", crossover=True), "both", use_policy())
    assert found.crossover


def test_a_rate_is_exact_and_has_people() -> None:
    rate = Rate.of(7, 3000)
    assert rate is not None
    assert (rate.numerator, rate.denominator, rate.shown) == (7, 3, 2.333)
    assert Rate.of(7, 0) is None
