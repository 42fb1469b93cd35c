"""A text of the source that is published verbatim is never somebody's Medicare number."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.alignment import ReportedSpan
from contracts.claims import Adjustment, MedicaidClaim, MedicareClaim
from contracts.identifiers import MBI_PATTERN, holds_an_mbi
from contracts.medicaid import MedicaidEnrolmentSpan

REAL, SYNTHETIC = "1EG4TE5MK73", "1S00E00AA00"


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (REAL, True),
        (REAL.lower(), True),
        (SYNTHETIC, True),
        ("1EG4-TE5-MK73", True),
        (f"letter about {REAL}.txt", True),
        (f"/inbox/{REAL}/834.txt", True),
        ("claims_1EG4-TE5-MK73.ndjson", True),
        (f"X{REAL}", False),
        (f"{REAL}9", False),
        ("1EG4TE5MK7", False),
        ("12345678901", False),
        ("TMSIS.OH.D220112.T120000.zip", False),
        ("P.D9001.ACO.ZCY22.D220110.T1000000", False),
        ("834.MCO9001.D220110.T060000.txt", False),
        ("", False),
    ],
)
def test_a_number_is_seen_wherever_it_stands_as_a_word(text: str, holds: bool) -> None:  # noqa: FBT001 - a table's column
    assert holds_an_mbi(text) is holds


@given(st.from_regex(MBI_PATTERN, fullmatch=True), st.sampled_from(["", " ", "/", ".", "_", "("]))
def test_every_mbi_is_seen_beside_any_mark(mbi: str, mark: str) -> None:
    assert holds_an_mbi(f"a{mark or ' '}{mbi}{mark}")


DAY = date(2022, 1, 2)
MEDICARE = {
    "record_id": "4711",
    "version": 1,
    "claim_type_code": "60",
    "adjustment": Adjustment.ORIGINAL,
    "service_from": DAY,
    "service_through": DAY,
    "paid_cents": 1,
}
MEDICAID = {
    "record_id": "OH:4711",
    "version": 1,
    "file_type": "OT",
    "claim_type_code": "1",
    "service_from": DAY,
    "service_through": DAY,
    "paid_cents": 1,
}


@pytest.mark.parametrize(
    ("model", "values", "field"),
    [
        (MedicareClaim, MEDICARE, "record_id"),
        (MedicareClaim, MEDICARE, "claim_control_number"),
        (MedicareClaim, MEDICARE, "facility_number"),
        (MedicaidClaim, MEDICAID, "record_id"),
        (MedicaidClaim, MEDICAID, "plan_id"),
        (MedicaidEnrolmentSpan, {"first_month": "2022-01"}, "plan_id"),
        (ReportedSpan, {"first_month": "2022-01"}, "removal_reason"),
    ],
)
@pytest.mark.parametrize("number", [REAL, SYNTHETIC, "1EG4-TE5-MK73", REAL.lower()])
def test_it_cannot_be_sent_in_a_field_of_free_text(model: Any, values: dict[str, Any], field: str, number: str) -> None:
    assert getattr(model(**values, **({} if field in values else {field: "MCO9001"})), field)
    with pytest.raises(ValidationError) as refused:
        model(**values | {field: number})
    told = refused.value.errors(include_input=False, include_url=False, include_context=False)
    assert [fault["loc"] for fault in told] == [(field,)]
    assert number not in str(told)
