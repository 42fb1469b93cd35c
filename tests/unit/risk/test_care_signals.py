"""What claims show for care, and the policy that names the codes."""

from datetime import date
from typing import Any

import pytest

from contracts.claims import (
    Adjustment,
    InstitutionalProcedure,
    MedicaidClaim,
    MedicaidClaimLine,
    MedicareClaim,
    MedicareClaimLine,
)
from services.risk.care_policy import CarePolicyError, care_policy, care_policy_entries, codes_of
from services.risk.care_signals import medicaid_signals, medicare_signals, written

DAY = date(2022, 3, 4)
NPI = "1920000017"


def line(code: str | None, specialty: str | None = "11", **more: Any) -> MedicareClaimLine:
    values: dict[str, Any] = {
        "line_number": 1, "service_from": DAY, "service_through": DAY, "procedure_code": code, "paid_cents": 1,
        "provider_specialty_code": specialty, "rendering_npi": NPI,
    }  # fmt: skip
    return MedicareClaimLine(**(values | more))


def medicare(kind: str, *lines: MedicareClaimLine, diagnoses: tuple[str, ...] = (), **more: Any) -> MedicareClaim:
    return MedicareClaim(
        record_id="r", version=1, claim_type_code=kind, adjustment=Adjustment.ORIGINAL, service_from=DAY,
        service_through=DAY, paid_cents=1, diagnosis_codes=diagnoses, lines=lines, **more,
    )  # fmt: skip


MEDICARE: list[tuple[MedicareClaim, str]] = [
    (medicare("71", line("99213")), f"primary_care={DAY}={NPI}"),
    (medicare("71", line("99213", "06")), ""),
    (medicare("71", line("99213", None)), ""),
    (medicare("71", line("99213", denied=True)), ""),
    (medicare("71", line("99213"), denied=True), ""),
    (medicare("71", line("99213"), substance_use=True), ""),
    (medicare("71", line(None)), ""),
    (medicare("71", line("G0439")), f"primary_care={DAY}={NPI}|wellness_visit={DAY}=G0439"),
    (medicare("40", line("G0467")), f"primary_care={DAY}="),
    (medicare("40", line("90999")), f"dialysis={DAY}=90999"),
    (medicare("60"), f"admission={DAY}="),
    (medicare("60", diagnoses=("S72001A", "E1122")), f"admission={DAY}=|diabetes={DAY}=E1122|fall={DAY}=S72001A|frailty={DAY}=fracture of hip or vertebra|nutrition_condition={DAY}=E1122"),
    (medicare("71", diagnoses=("Z9181", "I10")), f"fall={DAY}=Z9181|frailty={DAY}=repeated falls"),
    (medicare("71", line("A0429"), diagnoses=("R32", "R2681")), f"frailty={DAY}=abnormality of gait|frailty={DAY}=ambulance|frailty={DAY}=incontinence"),
    (medicare("71", diagnoses=("R32",), substance_use=True), ""),
    (medicare("71", diagnoses=("R32",), denied=True), ""),
    (medicare("82", line("E0143")), f"frailty={DAY}=walker"),
    (medicare("82", line("90662"), diagnoses=("E119",)), ""),
    (medicare("20", diagnoses=("E119", "M6281")), f"frailty={DAY}=weakness"),
    (medicare("50", diagnoses=("E119",)), f"hospice={DAY}="),
    (medicare("50", diagnoses=("E119",), denied=True), ""),
    (medicare("71", line("77067"), diagnoses=("Z853",)), f"mammography={DAY}=77067|no_breast_screening={DAY}=Z853"),
    (medicare("71", line("45378"), line("82274"), line("81528")), f"colonoscopy={DAY}=45378|stool_blood={DAY}=82274|stool_dna={DAY}=81528"),
    (medicare("40", line("G0104"), line("74263")), f"ct_colonography={DAY}=74263|sigmoidoscopy={DAY}=G0104"),
    (medicare("71", diagnoses=("Z85038", "Z9012")), f"no_colorectal_screening={DAY}=Z85038|one_breast_absent={DAY}=Z9012"),
    (medicare("71", line("M1017"), diagnoses=("I5032", "Z515")),
     f"advanced_illness={DAY}=I5032|palliative_care={DAY}=M1017|palliative_care={DAY}=Z515"),
    (medicare("71", line("44150")), f"no_colorectal_screening={DAY}=44150"),
    (medicare("60", procedures=(InstitutionalProcedure(code="0HTV0ZZ", performed_on=date(2022, 3, 1)), InstitutionalProcedure(code="0DTE4ZZ"))),
     f"admission={DAY}=|no_breast_screening=2022-03-01=0HTV0ZZ|no_colorectal_screening={DAY}=0DTE4ZZ"),
    (medicare("71", diagnoses=("N1831",)), ""),
    (medicare("71", diagnoses=("N1832",)), f"nutrition_condition={DAY}=N1832"),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "expected"), MEDICARE)
def test_what_a_medicare_record_shows(claim: MedicareClaim, expected: str) -> None:
    assert written(medicare_signals(claim, care_policy())) == expected


def medicaid(*codes: str, **more: Any) -> MedicaidClaim:
    lines = tuple(
        MedicaidClaimLine(line_number=1, service_from=DAY, service_through=DAY, procedure_code=code, paid_cents=1)
        for code in codes
    )
    return MedicaidClaim(
        record_id="r", version=1, file_type="OT", claim_type_code="3", service_from=DAY, service_through=DAY,
        paid_cents=1, lines=lines, **more,
    )  # fmt: skip


MEDICAID: list[tuple[MedicaidClaim, str]] = [
    (medicaid("S5170"), f"nutrition_support={DAY}=S5170"),
    (medicaid("T1016", "99213"), f"care_management={DAY}=T1016"),
    (medicaid("T2042", "77067"), f"hospice={DAY}=T2042|mammography={DAY}=77067"),
    (medicaid("S5170", voided=True), ""),
    (medicaid("S5170", denied=True), ""),
    (medicaid("90662", substance_use=True), ""),
    (medicaid(diagnosis_codes=("E43",)), f"nutrition_condition={DAY}=E43"),
]


@pytest.mark.parametrize(("claim", "expected"), MEDICAID)
def test_what_a_medicaid_record_shows(claim: MedicaidClaim, expected: str) -> None:
    assert written(medicaid_signals(claim, care_policy())) == expected


@pytest.mark.parametrize(
    ("ranges", "codes"),
    [
        (["99202"], ["99202"]),
        (["99213-99215"], ["99213", "99214", "99215"]),
        (["G0099-G0101"], ["G0099", "G0100", "G0101"]),
        (["2022F-2024F"], ["2022F", "2023F", "2024F"]),
    ],
)
def test_a_range_stands_for_all_codes_between(ranges: list[str], codes: list[str]) -> None:
    assert list(codes_of(ranges)) == codes


@pytest.mark.parametrize("written_range", ["99215-99213", "G0001-Q0002", "2022F-2024T", "9921-99213"])
def test_what_is_no_range_is_refused(written_range: str) -> None:
    with pytest.raises(CarePolicyError):
        list(codes_of([written_range]))


def test_every_parameter_tells_its_source_and_whether_it_is_confirmed() -> None:
    assert {entry["status"] for entry in care_policy_entries().values()} == {"confirmed", "unconfirmed"}
    codes = [code for ranges in care_policy().procedures.values() for code in codes_of(ranges)]
    assert all(len(code) == 5 for code in codes)
    assert care_policy().signals_of_procedure["99214"] == ("primary_care",)
