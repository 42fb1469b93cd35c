"""FHIR Patient: who somebody is, under which numbers, in three generations; what cannot be read is told beside it."""

import json
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import pytest

from contracts.coverage import MedicareCoverageStatedData
from contracts.delivery import DeliveryKind
from services.intake.readers import fhir_patient
from services.intake.reading import (
    Defect,
    Demographics,
    MbiChange,
    PersonRecord,
    PersonReference,
    Reading,
    Source,
)
from services.intake.states import USPS_OF_FIPS, USPS_OF_SOCIAL_SECURITY, usps_state_of_social_security

DATA = Path(__file__).parents[4] / "shared" / "data"
needs_samples = pytest.mark.skipif(not DATA.exists(), reason="public samples are not there")
MBI = "http://hl7.org/fhir/sid/us-mbi"
CURRENCY = "https://bluebutton.cms.gov/resources/codesystem/identifier-currency"
Kind = TypeVar("Kind")
OLD, NEW, OLDER = "1S00E00AA11", "1S00E00AA22", "1S00E00AA33"


def source_of(path: Path) -> Source:
    return Source(DeliveryKind.FHIR_PATIENT, "patient", (path,), date(2022, 6, 30), True, "OH")


def read(folder: Path, *resources: dict[str, Any] | bytes) -> list[Reading]:
    path = folder / "patient.ndjson"
    lines = (one if isinstance(one, bytes) else json.dumps(one).encode() for one in resources)
    path.write_bytes(b"\n".join(lines) + b"\n")
    return list(fhir_patient.read(source_of(path)))


def patient(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "resourceType": "Patient",
        "id": "-101",
        "meta": {"lastUpdated": "2022-06-15T10:00:00+00:00"},
        "identifier": [{"system": MBI, "value": NEW, "period": {"start": "2019-01-01T00:00:00+00:00"}}],
        "name": [{"family": "Erdapfel", "given": ["Kartoffel", "K"]}],
        "gender": "female",
        "birthDate": "1936-11-26",
        "address": [{"state": "TX", "postalCode": "77550"}],
    }
    return {key: value for key, value in (base | changes).items() if value is not ...}


def number(value: str, currency: str | None = None, **period: str) -> dict[str, Any]:
    found: dict[str, Any] = {"system": MBI, "value": value}
    if currency is not None:
        found["extension"] = [{"url": CURRENCY, "valueCoding": {"system": CURRENCY, "code": currency}}]
    return found | ({"period": period} if period else {})


def only(readings: list[Reading], kind: type[Kind]) -> list[Kind]:
    return [one for one in readings if isinstance(one, kind)]


def test_everything_that_a_patient_says(tmp_path: Path) -> None:
    readings = read(tmp_path, patient(deceasedDateTime="2023-04-19"))
    (record,), (who,) = only(readings, PersonRecord), only(readings, Demographics)
    assert record.references == (PersonReference("mbi", NEW), PersonReference("fhir_patient", "-101"))
    assert record.state == "TX"
    stated = record.payload
    assert isinstance(stated, MedicareCoverageStatedData)
    assert (stated.source, stated.stated_on, stated.state) == ("fhir", date(2022, 6, 15), "TX")
    assert (stated.birth_date, stated.sex_code, stated.death_date) == (date(1936, 11, 26), "2", date(2023, 4, 19))
    assert [(one.first_month, one.last_month, one.in_united_states) for one in stated.spans] == [
        ("2022-06", "2022-06", True)
    ]
    assert who == Demographics(record.references[0], "Erdapfel", "Kartoffel", date(1936, 11, 26), "2", "TX")


@pytest.mark.parametrize(
    ("numbers", "current", "changes"),
    [
        ([number(NEW)], NEW, []),
        ([number(NEW, "current"), number(OLD, "historic")], NEW, [(OLD, None)]),
        (
            [number(OLD, end="2018-12-31"), number(NEW, start="2019-01-01")],
            NEW,
            [(OLD, date(2018, 12, 31))],
        ),
        (
            [number(NEW), number(OLD, end="2018-12-31"), number(OLDER, end="2017-01-31")],
            NEW,
            [(OLD, date(2018, 12, 31)), (OLDER, date(2017, 1, 31))],
        ),
        ([number(OLD, end="2018-12-31")], OLD, []),
        ([number(NEW), number(NEW, end="2018-12-31")], NEW, []),
        ([number(NEW, end="9999-12-31")], NEW, []),
    ],
)
def test_former_numbers_lead_to_the_one_in_use(
    tmp_path: Path, numbers: list[dict[str, Any]], current: str, changes: list[tuple[str, date | None]]
) -> None:
    readings = read(tmp_path, patient(identifier=numbers))
    assert only(readings, PersonRecord)[0].references[0] == PersonReference("mbi", current)
    assert only(readings, MbiChange) == [MbiChange(current, previous, on) for previous, on in changes]


def test_a_patient_that_replaces_another_is_the_same_person(tmp_path: Path) -> None:
    links = [
        {"other": {"reference": "Patient/-55"}, "type": "replaces"},
        {"other": {"reference": "Patient/-66"}, "type": "seealso"},
    ]
    (record,) = only(read(tmp_path, patient(link=links)), PersonRecord)
    assert [one.value for one in record.references] == [NEW, "-101", "-55"]


@pytest.mark.parametrize(
    ("state", "letters"),
    [("05", "CA"), ("TX", "TX"), ("36", "OH"), ("53", "WY"), ("40", "PR"), ("99", None), ("XX", None), ("", None)],
)
def test_a_state_is_a_number_of_social_security_or_letters(state: str, letters: str | None, tmp_path: Path) -> None:
    assert usps_state_of_social_security(state) == letters
    (record,) = only(read(tmp_path, patient(address=[{"state": state}])), PersonRecord)
    assert record.state == letters
    assert isinstance(record.payload, MedicareCoverageStatedData)
    assert [one.in_united_states for one in record.payload.spans] == ([True] if letters else [])


def test_the_numbers_of_states_name_states() -> None:
    assert len(USPS_OF_SOCIAL_SECURITY) == 53
    assert set(USPS_OF_SOCIAL_SECURITY.values()) == set(USPS_OF_FIPS.values()) - {"AS", "GU", "MP"}


def test_versions_1_and_2_tell_the_dual_status_of_months_here_too(tmp_path: Path) -> None:
    bb = "https://bluebutton.cms.gov/resources/variables/"
    extensions = [
        {"url": bb + "rfrnc_yr", "valueDate": "2021"},
        {"url": bb + "dual_01", "valueCoding": {"code": "NA"}},
        {"url": bb + "dual_02", "valueCoding": {"code": "07"}},
    ]
    readings = read(tmp_path, patient(extension=extensions, address=...))
    stated = only(readings, PersonRecord)[0].payload
    assert isinstance(stated, MedicareCoverageStatedData)
    assert [(one.first_month, one.dual_status_code) for one in stated.spans] == [("2021-01", "NA"), ("2021-02", None)]
    assert [(one.reason, one.line) for one in only(readings, Defect)] == [("dual_status_unknown", 1)]


@pytest.mark.parametrize(
    ("bad", "reason", "field"),
    [
        (b'{"resourceType": "Patient"', "not_json", None),
        (patient(identifier={}), "wrong_type", "identifier"),
        (patient(id=..., identifier=[]), "patient_missing", "id"),
        (patient(birthDate="1936"), "date_malformed", "birthDate"),
        (patient(birthDate="1836-01-01"), "date_malformed", "birthDate"),
        (patient(deceasedDateTime="dead"), "date_malformed", "deceasedDateTime"),
        (patient(meta={"lastUpdated": "x"}), "date_malformed", "meta.lastUpdated"),
        ({"resourceType": "AuditEvent"}, "resource_type_not_read", "resourceType"),
    ],
)
def test_each_defect_and_the_rest_goes_on(
    tmp_path: Path, bad: dict[str, Any] | bytes, reason: str, field: str | None
) -> None:
    readings = read(tmp_path, patient(), bad, patient(id="next"))
    assert [(one.line, one.reason, one.field) for one in only(readings, Defect)] == [(2, reason, field)]
    assert [one.references[-1].value for one in only(readings, PersonRecord)] == ["-101", "next"]


def test_a_number_that_is_none_is_told_and_the_patient_is_read_by_the_others(tmp_path: Path) -> None:
    readings = read(tmp_path, patient(identifier=[number("AAA1AA0AA11"), number(NEW)]))
    (defect,) = only(readings, Defect)
    assert (defect.reason, defect.field, defect.found) == (
        "mbi_malformed",
        "identifier",
        "11 characters: 4 digits, 7 letters",
    )
    assert [one.value for one in only(readings, PersonRecord)[0].references] == [NEW, "-101"]


@needs_samples
def test_the_public_sample_of_version_3_is_read_by_its_patient_id() -> None:
    readings = list(fhir_patient.read(source_of(DATA / "bfd" / "fhir-v3" / "Patient.json")))
    (record,) = only(readings, PersonRecord)
    assert record.references == (PersonReference("fhir_patient", "123456789"),)
    assert [one.reason for one in only(readings, Defect)] == ["mbi_malformed", "mbi_malformed"]
    assert isinstance(record.payload, MedicareCoverageStatedData)
    assert (record.state, record.payload.death_date) == ("TX", date(2024, 3, 11))


@needs_samples
def test_the_public_sample_of_version_1_has_a_former_number_and_months() -> None:
    readings = list(fhir_patient.read(source_of(DATA / "dpc" / "patient-19990000000001.json")))
    (record,), (change,) = only(readings, PersonRecord), only(readings, MbiChange)
    assert (change.current, change.previous) == ("9S99EU8XY92", "1S00EU8FE91")
    assert record.state == "CA"
    assert isinstance(record.payload, MedicareCoverageStatedData)
    assert [(one.first_month, one.last_month) for one in record.payload.spans] == [
        ("2023-01", "2023-05"),
        ("2023-04", "2023-04"),
    ]
    assert record.payload.spans[0].dual_status_code == "NA"
