"""Signs, denials, line months, categories and bases, case by case."""

from datetime import date
from typing import Any

import pytest

from contracts.claims import Adjustment, MedicaidClaim, MedicaidClaimLine, MedicareClaim, MedicareClaimLine
from services.cost_shift.category_policy import category_policy
from services.cost_shift.rules.claim_contribution import (
    Contribution,
    is_withdrawal,
    medicaid_contributions,
    medicare_contributions,
)

POLICY = category_policy()
JULY, AUGUST = date(2012, 7, 20), date(2012, 8, 29)


def medicare(**changed: Any) -> MedicareClaim:
    fields: dict[str, Any] = {
        "record_id": "1",
        "version": 1,
        "claim_type_code": "60",
        "adjustment": Adjustment.ORIGINAL,
        "service_from": date(2012, 6, 30),
        "service_through": JULY,
        "paid_cents": 10_000,
    }
    return MedicareClaim(**fields | changed)


def part_b_line(number: int, cents: int | None, through: date = JULY, *, denied: bool = False) -> MedicareClaimLine:
    return MedicareClaimLine(
        line_number=number, service_from=through, service_through=through, paid_cents=cents, denied=denied
    )


def medicaid(**changed: Any) -> MedicaidClaim:
    fields: dict[str, Any] = {
        "record_id": "1",
        "version": 1,
        "file_type": "OT",
        "claim_type_code": "1",
        "service_from": date(2012, 6, 30),
        "service_through": JULY,
        "paid_cents": 300,
    }
    return MedicaidClaim(**fields | changed)


def medicaid_line(
    cents: int, code: str | None = None, through: date = JULY, *, waiver: bool = False, denied: bool = False
) -> MedicaidClaimLine:
    return MedicaidClaimLine(
        line_number=1,
        service_from=through,
        service_through=through,
        type_of_service_code=code,
        waiver_benefit=waiver,
        paid_cents=cents,
        denied=denied,
    )


def medicare_sum(claim: MedicareClaim) -> tuple[int, int]:
    parts = medicare_contributions(claim, POLICY)
    return sum(part.cents for part in parts), sum(part.claims for part in parts)


@pytest.mark.parametrize(
    ("code", "category"),
    [
        ("60", "inpatient"),
        ("61", "inpatient"),
        ("40", "outpatient"),
        ("20", "skilled_nursing_facility"),
        ("30", "skilled_nursing_facility"),
        ("10", "home_health"),
        ("50", "hospice"),
        ("71", "physician"),
        ("72", "durable_medical_equipment"),
        ("81", "durable_medical_equipment"),
        ("82", "durable_medical_equipment"),
        ("99", "other"),
    ],
)
def test_medicare_category_follows_the_claim_type(code: str, category: str) -> None:
    (part,) = medicare_contributions(medicare(claim_type_code=code), POLICY)
    assert part == Contribution("medicare", category, False, "both", "2012-07", 10_000, 1)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, (10_000, 1)),
        ({"adjustment": Adjustment.ADJUSTMENT}, (10_000, 1)),
        ({"adjustment": Adjustment.CANCELLATION}, (-10_000, -1)),
        ({"denied": True}, (0, 0)),
        ({"denied": True, "adjustment": Adjustment.CANCELLATION}, (0, 0)),
        ({"paid_cents": -500}, (-500, 1)),
        ({"paid_cents": -500, "adjustment": Adjustment.CANCELLATION}, (500, -1)),
        ({"claim_type_code": "01"}, (0, 0)),
        ({"claim_type_code": "40", "lines": (part_b_line(1, 7),)}, (10_000, 1)),
        ({"claim_type_code": "71", "lines": (part_b_line(1, 7), part_b_line(2, 5))}, (12, 1)),
        ({"claim_type_code": "71", "lines": (part_b_line(1, 7), part_b_line(2, 5, denied=True))}, (7, 1)),
        ({"claim_type_code": "71", "lines": (part_b_line(1, 7), part_b_line(2, None))}, (7, 1)),
        ({"claim_type_code": "71", "lines": (part_b_line(1, None),)}, (10_000, 1)),
        ({"claim_type_code": "71", "lines": (part_b_line(1, 0),)}, (0, 1)),
        (
            {"claim_type_code": "82", "adjustment": Adjustment.CANCELLATION, "lines": (part_b_line(1, 7),)},
            (-7, -1),
        ),
    ],
)
def test_medicare_sign_and_source_of_the_amount(changed: dict[str, Any], expected: tuple[int, int]) -> None:
    assert medicare_sum(medicare(**changed)) == expected


def test_part_b_dollars_stand_in_the_lines_month_and_the_count_in_the_claims() -> None:
    lines = (part_b_line(1, 7, JULY), part_b_line(2, 5, AUGUST), part_b_line(3, 4, AUGUST))
    parts = medicare_contributions(medicare(claim_type_code="71", lines=lines), POLICY)
    assert [(part.month, part.cents, part.claims) for part in parts] == [("2012-07", 7, 1), ("2012-08", 9, 0)]


# CCLF Information Packet v36.0, 5.3.2, table 4: payment in dollars and adjustment type, unsigned as delivered.
PACKET_PART_A = ((200, "0"), (0, "2"), (200, "1"), (210, "2"), (0, "2"), (0, "1"), (50, "0"))
# Table 6: claim, line payments in dollars, adjustment type.
PACKET_PART_B = (("1", (0, 380, 227), "1"), ("2", (380, 227, 100), "0"), ("3", (0, 380, 227), "0"))
ADJUSTMENTS = {"0": Adjustment.ORIGINAL, "1": Adjustment.CANCELLATION, "2": Adjustment.ADJUSTMENT}


def test_worked_example_of_the_packet() -> None:
    part_a = [medicare(paid_cents=dollars * 100, adjustment=ADJUSTMENTS[kind]) for dollars, kind in PACKET_PART_A]
    part_b = [
        medicare(
            claim_type_code="71",
            paid_cents=0,
            adjustment=ADJUSTMENTS[kind],
            lines=tuple(part_b_line(number, dollars * 100) for number, dollars in enumerate(amounts, 1)),
        )
        for _, amounts, kind in PACKET_PART_B
    ]
    sum_a = sum(medicare_sum(claim)[0] for claim in part_a)
    sum_b = sum(medicare_sum(claim)[0] for claim in part_b)
    assert (sum_a, sum_b, sum_a + sum_b) == (260_00, 707_00, 967_00)
    assert sum(medicare_sum(claim)[1] for claim in part_a) == 3
    assert sum(medicare_sum(claim)[1] for claim in part_b) == 1


@pytest.mark.parametrize(
    ("code", "category"),
    [
        ("002", "outpatient"),
        ("012", "physician"),
        ("016", "home_health"),
        ("017", "home_health"),
        ("018", "home_health"),
        ("051", "home_and_community"),
        ("053", "behavioural_health"),
        ("056", "other"),
        ("029", "other"),
        ("777", "other"),
        (None, "other"),
    ],
)
def test_medicaid_category_follows_the_type_of_service(code: str | None, category: str) -> None:
    by_line = medicaid_contributions(medicaid(lines=(medicaid_line(300, code),)), POLICY)
    by_header = medicaid_contributions(medicaid(type_of_service_code=code), POLICY)
    assert by_line == by_header == (Contribution("medicaid", category, False, "both", "2012-07", 300, 1),)


@pytest.mark.parametrize(("file_type", "category"), [("IP", "inpatient"), ("LT", "nursing_facility"), ("RX", "drugs")])
def test_medicaid_category_follows_the_file(file_type: str, category: str) -> None:
    claim = medicaid(file_type=file_type, lines=(medicaid_line(300, "012", waiver=True),))
    assert medicaid_contributions(claim, POLICY) == (
        Contribution("medicaid", category, False, "both", "2012-07", 300, 1),
    )


@pytest.mark.parametrize(
    ("kind", "category", "basis"),
    [
        ("1", "other", "both"),
        ("A", "other", "both"),
        ("3", "other", "services"),
        ("C", "other", "services"),
        *((kind, "capitation", "outlay") for kind in "2BV"),
        *((kind, "other", "outlay") for kind in "4DX5EY"),
        ("Z", "other", "neither"),
    ],
)
def test_medicaid_basis_follows_the_claim_type(kind: str, category: str, basis: str) -> None:
    for lines in ((), (medicaid_line(300, "056"),)):
        (part,) = medicaid_contributions(medicaid(claim_type_code=kind, lines=lines), POLICY)
        assert part == Contribution("medicaid", category, False, basis, "2012-07", 300, 1)


def test_a_waiver_flag_leads_to_home_and_community_services() -> None:
    (part,) = medicaid_contributions(medicaid(lines=(medicaid_line(300, "012", waiver=True),)), POLICY)
    assert part.category == "home_and_community"


def test_capitation_stays_capitation_whatever_its_lines_say() -> None:
    claim = medicaid(claim_type_code="2", lines=(medicaid_line(300, "119", AUGUST),))
    count, dollars = medicaid_contributions(claim, POLICY)
    assert (count.category, count.month, count.claims) == ("capitation", "2012-07", 1)
    assert (dollars.category, dollars.month, dollars.cents) == ("capitation", "2012-08", 300)


def test_medicaid_lines_share_dollars_out_and_the_first_line_takes_the_count() -> None:
    lines = (medicaid_line(100, "016", AUGUST), medicaid_line(150, "012", JULY), medicaid_line(50, "012", JULY))
    parts = medicaid_contributions(medicaid(crossover=True, lines=lines), POLICY)
    assert parts == (
        Contribution("medicaid", "home_health", True, "both", "2012-07", 0, 1),
        Contribution("medicaid", "home_health", True, "both", "2012-08", 100, 0),
        Contribution("medicaid", "physician", True, "both", "2012-07", 200, 0),
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"lines": (medicaid_line(100, "016"), medicaid_line(100, "016"))}, (300, 1)),
        ({"lines": (medicaid_line(300, "016"), medicaid_line(50, "016", denied=True))}, (300, 1)),
        ({"lines": (medicaid_line(300, "016", denied=True),)}, (300, 1)),
        ({"paid_cents": 0}, (0, 1)),
        ({"voided": True}, (0, 0)),
        ({"denied": True}, (0, 0)),
        ({"voided": True, "lines": (medicaid_line(300),)}, (0, 0)),
        ({"medicare_paid_cents": 9_999, "medicare_coinsurance_cents": 8_888, "crossover": True}, (300, 1)),
    ],
)
def test_medicaid_amounts(changed: dict[str, Any], expected: tuple[int, int]) -> None:
    parts = medicaid_contributions(medicaid(**changed), POLICY)
    assert (sum(part.cents for part in parts), sum(part.claims for part in parts)) == expected


def test_dollars_stand_with_the_header_where_lines_do_not_sum_to_it() -> None:
    lines = (medicaid_line(100, "016", AUGUST), medicaid_line(100, "012", AUGUST))
    assert medicaid_contributions(medicaid(lines=lines), POLICY) == (
        Contribution("medicaid", "home_health", False, "both", "2012-07", 300, 1),
    )


@pytest.mark.parametrize(
    ("claim", "withdraws"),
    [
        (medicare(), False),
        (medicare(adjustment=Adjustment.ADJUSTMENT), False),
        (medicare(adjustment=Adjustment.CANCELLATION), True),
        (medicaid(), False),
        (medicaid(denied=True), False),
        (medicaid(voided=True), True),
    ],
)
def test_what_takes_something_back(claim: MedicareClaim | MedicaidClaim, withdraws: bool) -> None:  # noqa: FBT001
    assert is_withdrawal(claim) is withdraws
