"""Lines with a category of their own: by code and from a month on, and every dollar and claim in one place."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.claims import Adjustment, MedicaidClaim, MedicaidClaimLine, MedicareClaim, MedicareClaimLine
from services.cost_shift.category_policy import category_policy
from services.cost_shift.rules.category_split import LineCodes, Split, Splits, split_category
from services.cost_shift.rules.claim_contribution import medicaid_contributions, medicare_contributions

POLICY = category_policy()
SPLITS = Splits(
    revenue={"0650": Split("hospice", "2022-01")},
    procedure={"J": Split("drugs", "2022-01"), "E0": Split("durable_medical_equipment", "2022-03")},
    specialty={"26": Split("behavioural_health", "2022-01")},
)


@pytest.mark.parametrize(
    ("line", "category"),
    [
        (LineCodes("2022-01", revenue="0650"), "hospice"),
        (LineCodes("2022-01", revenue="650"), "hospice"),
        (LineCodes("2021-12", revenue="0650"), None),
        (LineCodes("2022-01", procedure="J1100"), "drugs"),
        (LineCodes("2022-02", procedure="E0601"), None),
        (LineCodes("2022-03", procedure="E0601"), "durable_medical_equipment"),
        (LineCodes("2022-03", procedure="E1390"), None),
        (LineCodes("2022-01", specialty="26"), "behavioural_health"),
        (LineCodes("2022-01", procedure="J1100", specialty="26"), "drugs"),
        (LineCodes("2022-01", procedure="99213", specialty="11"), None),
        (LineCodes("2022-01"), None),
        (LineCodes("2022-01", procedure="", revenue="", specialty=""), None),
    ],
)
def test_lines(line: LineCodes, category: str | None) -> None:
    assert split_category(line, SPLITS) == category


def medicare(kind: str, *lines: tuple[str, str, int], day: date = date(2022, 3, 4), **changed: Any) -> MedicareClaim:
    fields: dict[str, Any] = {
        "record_id": "1", "version": 1, "claim_type_code": kind, "adjustment": Adjustment.ORIGINAL, "service_from": day,
        "service_through": day, "paid_cents": sum(cents for *_, cents in lines),
        "lines": tuple(
            MedicareClaimLine(line_number=number, service_from=day, service_through=day, procedure_code=procedure,
                              provider_specialty_code=specialty, paid_cents=cents)
            for number, (procedure, specialty, cents) in enumerate(lines, 1)
        ),
    }  # fmt: skip
    return MedicareClaim(**fields | changed)


def medicaid(*lines: tuple[str | None, str | None, int, bool], file: str = "OT", code: str = "012") -> MedicaidClaim:
    day = date(2022, 3, 4)
    return MedicaidClaim(
        record_id="1", version=1, file_type=file, claim_type_code="1", service_from=day, service_through=day,  # type: ignore[arg-type]
        paid_cents=sum(cents for *_, cents, _ in lines), type_of_service_code=code,
        lines=tuple(
            MedicaidClaimLine(line_number=number, service_from=day, service_through=day, procedure_code=procedure,
                              revenue_code=revenue, paid_cents=cents, waiver_benefit=waiver)
            for number, (procedure, revenue, cents, waiver) in enumerate(lines, 1)
        ),
    )  # fmt: skip


def sums(parts: Any) -> dict[str, tuple[int, int]]:
    return {part.category: (part.cents, part.claims) for part in parts}


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (medicare("71", ("90834", "68", 500)), {"behavioural_health": (500, 1)}),
        (medicare("71", ("99213", "11", 500)), {"physician": (500, 1)}),
        (medicare("71", ("99213", "11", 500), ("J1100", "11", 70)), {"physician": (500, 1), "drugs": (70, 0)}),
        (medicare("71", ("J1100", "11", 70), ("99213", "11", 500)), {"drugs": (70, 1), "physician": (500, 0)}),
        (medicare("72", ("J1100", "54", 70)), {"durable_medical_equipment": (70, 1)}),
        (medicare("71", ("90834", "68", 500), day=date(2021, 12, 31)), {"physician": (500, 1)}),
        (medicare("71", ("90834", "26", 500), denied=True), {"behavioural_health": (0, 0)}),
        (
            medicare("71", ("90834", "26", 500), adjustment=Adjustment.CANCELLATION),
            {"behavioural_health": (-500, -1)},
        ),
        (medicare("40", ("90834", "26", 500)), {"outpatient": (500, 1)}),
    ],
)
def test_medicare(claim: MedicareClaim, expected: dict[str, tuple[int, int]]) -> None:
    assert sums(medicare_contributions(claim, POLICY)) == expected


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (medicaid(("E0601", None, 90, False)), {"durable_medical_equipment": (90, 1)}),
        (medicaid((None, "0658", 900, False)), {"hospice": (900, 1)}),
        (medicaid((None, "658", 900, False), ("A4253", None, 9, False)), {"hospice": (900, 1), "durable_medical_equipment": (9, 0)}),
        (medicaid(("E0601", None, 90, True)), {"home_and_community": (90, 1)}),
        (medicaid(("99213", None, 90, False)), {"physician": (90, 1)}),
        (medicaid(("T1019", None, 90, False), code="051"), {"home_and_community": (90, 1)}),
        (medicaid((None, "0658", 900, False), file="LT"), {"nursing_facility": (900, 1)}),
        (medicaid(("H2017", None, 90, False), code="053"), {"behavioural_health": (90, 1)}),
    ],
)  # fmt: skip
def test_medicaid(claim: MedicaidClaim, expected: dict[str, tuple[int, int]]) -> None:
    assert sums(medicaid_contributions(claim, POLICY)) == expected


LINES = st.lists(
    st.tuples(st.sampled_from(["J1100", "99213", "90834"]), st.sampled_from(["11", "26", "68"]), st.integers(-900, 900)),
    min_size=1, max_size=6,
)  # fmt: skip


@given(LINES, st.sampled_from([date(2021, 12, 31), date(2022, 1, 1)]))
def test_no_dollar_and_no_claim_is_lost_or_doubled(lines: list[tuple[str, str, int]], day: date) -> None:
    parts = medicare_contributions(medicare("71", *lines, day=day), POLICY)
    assert sum(part.cents for part in parts) == sum(cents for *_, cents in lines)
    assert sum(part.claims for part in parts) == 1
