"""The ExplanationOfBenefit reader: every field of a claim, and every defect by its reason."""

import gzip
import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contracts.claims import Adjustment, ClaimsFeed, MedicareClaim
from contracts.delivery import DeliveryKind
from services.intake.readers import explanation_of_benefit as reader
from services.intake.readers import fhir_lines
from services.intake.reading import (
    Defect,
    EncodedClaims,
    PersonRecord,
    PersonReference,
    Reading,
    RefusedDelivery,
    Source,
)

VARIABLES = "https://bluebutton.cms.gov/resources/variables/"


def source_of(*paths: Path) -> Source:
    return Source(DeliveryKind.EXPLANATION_OF_BENEFIT, "eob", paths, date(2022, 1, 1), True, "OH")


def resource(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "resourceType": "ExplanationOfBenefit",
        "id": "carrier-77",
        "meta": {"lastUpdated": "2022-04-18T21:11:07.722+00:00"},
        "status": "active",
        "type": {"coding": [{"system": VARIABLES + "nch_clm_type_cd", "code": "71"}]},
        "patient": {"reference": "Patient/-1001"},
        "billablePeriod": {"start": "2021-03-01", "end": "2021-03-02"},
        "payment": {"amount": {"value": 199.99, "currency": "USD"}},
        "diagnosis": [
            {"diagnosisCodeableConcept": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "E11.9"}]}}
        ],
        "careTeam": [
            {
                "sequence": 2,
                "provider": {"identifier": {"value": "1497758544"}},
                "qualification": {"coding": [{"system": VARIABLES + "prvdr_spclty", "code": "08"}]},
            }
        ],
        "item": [
            {
                "sequence": 1,
                "careTeamSequence": [2],
                "servicedPeriod": {"start": "2021-03-01", "end": "2021-03-01"},
                "productOrService": {
                    "coding": [{"system": "https://bluebutton.cms.gov/resources/codesystem/hcpcs", "code": "99213"}]
                },
                "locationCodeableConcept": {"coding": [{"system": VARIABLES + "line_place_of_srvc_cd", "code": "11"}]},
                "adjudication": [
                    {"category": {"coding": [{"code": VARIABLES + "line_nch_pmt_amt"}]}, "amount": {"value": 37.5}},
                    {"category": {"coding": [{"code": VARIABLES + "line_alowd_chrg_amt"}]}, "amount": {"value": 50}},
                    {"reason": {"coding": [{"system": VARIABLES + "line_prcsg_ind_cd", "code": "A"}]}},
                ],
            }
        ],
    }
    return {key: value for key, value in (base | changes).items() if value is not ...}


CLAIM_TYPE = {"system": VARIABLES + "nch_clm_type_cd"}
MBI = "http://hl7.org/fhir/sid/us-mbi"
BACKWARDS = {"start": "2021-03-02", "end": "2021-03-01"}
PROCEDURE = {
    "date": "2021-03-02T00:00:00-06:00",
    "procedureCodeableConcept": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "0SG30AJ"}]},
}


def institutional(**changes: Any) -> dict[str, Any]:
    """An inpatient claim of version 2."""
    base = resource(
        id="inpatient-900",
        type={"coding": [CLAIM_TYPE | {"code": "60"}]},
        facility={
            "extension": [{"url": VARIABLES + "clm_fac_type_cd", "valueCoding": coding("clm_fac_type_cd", "1")}],
            "identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"},
        },
        provider={"identifier": {"system": VARIABLES + "prvdr_num", "value": "360001"}},
        extension=[
            {
                "url": VARIABLES + "clm_srvc_clsfctn_type_cd",
                "valueCoding": coding("clm_srvc_clsfctn_type_cd", "1"),
            },
            {"url": VARIABLES + "fi_doc_clm_cntl_num", "valueIdentifier": {"value": "DCN77"}},
        ],
        supportingInfo=[
            {"code": {"coding": [coding("clm_drg_cd", "470")]}},
            {"code": {"coding": [coding("ptnt_dschrg_stus_cd", "01")]}},
            {"code": {"coding": [coding("clm_ip_admsn_type_cd", "3")]}},
            {"code": {"coding": [coding("nch_prmry_pyr_cd", "A")]}},
            {
                "category": {"coding": [{"code": VARIABLES + "nch_wkly_proc_dt"}]},
                "timingDate": "2021-04-02",
            },
        ],
        procedure=[PROCEDURE],
    )
    return {key: value for key, value in (base | changes).items() if value is not ...}


def coding(variable: str, code: str) -> dict[str, str]:
    return {"system": VARIABLES + variable, "code": code}


def written(folder: Path, *lines: bytes) -> Path:
    path = folder / "claims.ndjson"
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def read(folder: Path, *resources: dict[str, Any] | bytes) -> list[Reading]:
    lines = (one if isinstance(one, bytes) else json.dumps(one).encode() for one in resources)
    return [as_record(one) for one in reader.read(source_of(written(folder, *lines)))]


def as_record(reading: Reading) -> Reading:
    """A claim that comes encoded as the record that it stands for: it must hold the contract, and be what the model writes."""
    if not isinstance(reading, EncodedClaims):
        return reading
    (encoded,) = reading.claims
    payload = MedicareClaim.model_validate_json(encoded)
    assert payload.model_dump_json(exclude_none=True).encode() == encoded
    return PersonRecord((reading.reference,), None, payload, reading.feed)


def claim(reading: Reading) -> MedicareClaim:
    assert isinstance(reading, PersonRecord)
    assert isinstance(reading.payload, MedicareClaim)
    return reading.payload


def test_every_field_of_a_carrier_claim(tmp_path: Path) -> None:
    (record,) = read(tmp_path, resource())
    found = claim(record)
    assert isinstance(record, PersonRecord)
    assert record.references == (PersonReference("fhir_patient", "-1001"),)
    assert record.state is None
    assert (found.record_id, found.claim_type_code, found.adjustment) == ("0000000000077", "71", Adjustment.ORIGINAL)
    assert found.version == 2022041820220418
    assert record.feed is ClaimsFeed.FHIR_R4
    assert (found.service_from, found.service_through) == (date(2021, 3, 1), date(2021, 3, 2))
    assert (found.paid_cents, found.denied, found.diagnosis_codes) == (19999, False, ("E119",))
    (line,) = found.lines
    assert (line.line_number, line.procedure_code, line.place_of_service_code) == (1, "99213", "11")
    assert (line.paid_cents, line.allowed_cents, line.denied) == (3750, 5000, False)
    assert (line.rendering_npi, line.provider_specialty_code) == ("1497758544", "08")


def test_stu3_names_the_service_differently(tmp_path: Path) -> None:
    item = resource()["item"][0]
    item["service"] = item.pop("productOrService")
    item["careTeamLinkId"] = item.pop("careTeamSequence")
    (line,) = claim(read(tmp_path, resource(item=[item]))[0]).lines
    assert (line.procedure_code, line.rendering_npi) == ("99213", "1497758544")


def test_a_cancelled_resource_counts_nothing_and_is_newer(tmp_path: Path) -> None:
    later = {"lastUpdated": "2022-05-01T00:00:00+00:00"}
    before, after = (claim(one) for one in read(tmp_path, resource(), resource(status="cancelled", meta=later)))
    assert (before.record_id, before.denied) == (after.record_id, False)
    assert after.denied
    assert after.version > before.version
    assert after.adjustment is Adjustment.ORIGINAL


def test_without_a_time_of_update_the_delivery_dates_the_version(tmp_path: Path) -> None:
    assert claim(read(tmp_path, resource(meta=...))[0]).version == 2022010120220101


@pytest.mark.parametrize(
    ("extension", "denied"),
    [
        (("clm_mdcr_non_pmt_rsn_cd", "N"), True),
        (("clm_mdcr_non_pmt_rsn_cd", " "), False),
        (("carr_clm_pmt_dnl_cd", "0"), True),
        (("carr_clm_pmt_dnl_cd", "1"), False),
    ],
)
def test_denials(tmp_path: Path, extension: tuple[str, str], *, denied: bool) -> None:
    coded = {"url": VARIABLES + extension[0], "valueCoding": {"code": extension[1]}}
    assert claim(read(tmp_path, resource(extension=[coded]))[0]).denied is denied


def test_codes_of_another_system_or_shape_are_no_diagnoses(tmp_path: Path) -> None:
    codings = [
        ("http://hl7.org/fhir/sid/icd-9-cm", "25000"),
        ("http://hl7.org/fhir/sid/icd-10", "7840"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "i50.9"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "I509"),
    ]
    diagnosis = [
        {"diagnosisCodeableConcept": {"coding": [{"system": system, "code": code}]}} for system, code in codings
    ]
    assert claim(read(tmp_path, resource(diagnosis=diagnosis))[0]).diagnosis_codes == ("I509",)


@pytest.mark.parametrize(("code", "marked"), [("F10.20", True), ("I50.9", False)])
def test_claims_about_substance_use_are_marked(tmp_path: Path, code: str, *, marked: bool) -> None:
    coding = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code}
    diagnosis = [{"diagnosisCodeableConcept": {"coding": [coding]}}]
    assert claim(read(tmp_path, resource(diagnosis=diagnosis))[0]).substance_use is marked


def test_the_mbi_comes_first_where_it_is_carried(tmp_path: Path) -> None:
    patient = {
        "reference": "Patient/9",
        "identifier": {"system": "http://hl7.org/fhir/sid/us-mbi", "value": "1S00-E00-AA00"},
    }
    (record,) = read(tmp_path, resource(patient=patient))
    assert isinstance(record, PersonRecord)
    assert record.references == (PersonReference("mbi", "1S00E00AA00"), PersonReference("fhir_patient", "9"))


# Everything that makes a resource defective: reason, field, and the resource.
DEFECTS: list[tuple[str, str | None, dict[str, Any] | bytes]] = [
    ("not_json", None, b"{"),
    ("not_json", None, json.dumps(resource()).encode()[:-40]),
    ("not_json", None, b"\xff\xfe{}"),
    ("not_json", None, b'{"resourceType": NaN}'),
    ("not_json", None, b'{"resourceType": "ExplanationOfBenefit"} {}'),
    ("not_utf8", None, json.dumps(resource(id="#")).encode().replace(b"#", b"\xe9")),
    ("not_json", None, json.dumps(resource(id="\ud800")).encode()),
    ("duplicate_key", None, json.dumps(resource()).encode()[:-1] + b', "payment": {"amount": {"value": 1}}}'),
    ("duplicate_key", None, json.dumps(resource()).encode()[:-1] + b', "patient": {"reference": "Patient/2"}}'),
    ("nested_too_deeply", None, b'{"extension": ' + b"[" * 200_000),
    ("not_a_resource", None, b"[]"),
    ("resource_type_missing", "resourceType", {"id": "1"}),
    ("resource_type_not_read", "resourceType", {"resourceType": "OperationOutcome"}),
    ("wrong_type", "item.sequence", resource(item=[{"sequence": "1"}])),
    ("wrong_type", "item", resource(item={"sequence": 1})),
    ("wrong_type", "diagnosis", resource(diagnosis=None)),
    ("claim_id_missing", "id", resource(id=...)),
    ("claim_id_malformed", "id", resource(id="x" * 61)),
    ("claim_id_malformed", "id", resource(id="a b")),
    ("claim_id_malformed", "id", resource(id="1S00-E00-AA00")),
    ("claim_id_malformed", "id", resource(id="a\x00b")),
    ("claim_type_missing", "type", resource(type={"coding": []})),
    ("claim_type_unknown", "type", resource(type={"coding": [CLAIM_TYPE | {"code": "99"}]})),
    ("claim_type_unknown", "type", resource(type={"coding": [CLAIM_TYPE | {"code": "1099"}]})),
    ("claim_type_missing", "type", resource(type={"coding": [{"system": "http://other.example/type", "code": "71"}]})),
    ("patient_missing", "patient.reference", resource(patient=...)),
    ("patient_missing", "patient.reference", resource(patient={"reference": "#patient"})),
    ("mbi_malformed", "patient.identifier", resource(patient={"identifier": {"system": MBI, "value": "1"}})),
    ("service_period_missing", "billablePeriod", resource(billablePeriod=...)),
    ("service_period_missing", "billablePeriod", resource(billablePeriod={"start": "2021-03-01"})),
    ("service_period_missing", "billablePeriod", resource(billablePeriod={"start": "1000-01-01", "end": "2021-03-01"})),
    (
        "service_period_reversed",
        "billablePeriod",
        resource(billablePeriod={"start": "2021-03-02", "end": "2021-03-01"}),
    ),
    ("date_malformed", "billablePeriod.start", resource(billablePeriod={"start": "yesterday", "end": "2021-03-01"})),
    ("date_malformed", "billablePeriod.end", resource(billablePeriod={"start": "2021-02-01", "end": "2021-02-30"})),
    ("date_malformed", "billablePeriod.start", resource(billablePeriod={"start": "1850-01-01", "end": "2021-03-01"})),
    ("date_malformed", "meta.lastUpdated", resource(meta={"lastUpdated": "soon"})),
    ("date_malformed", "procedure.date", institutional(procedure=[PROCEDURE | {"date": "2021-13-01"}])),
    ("payment_missing", "payment.amount", resource(payment=...)),
    ("payment_missing", "payment.amount", resource(payment={"date": "2021-03-01"})),
    ("amount_malformed", "payment.amount", resource(payment={"amount": {"value": 1.005}})),
    ("amount_malformed", "payment.amount", resource(payment={"amount": {"value": "12.00"}})),
    ("amount_malformed", "payment.amount", resource(payment={"amount": {"value": True}})),
    ("amount_malformed", "payment.amount", resource(payment={"amount": {"value": 1e30}})),
    ("amount_malformed", "payment.amount", resource(payment={"amount": {"value": 10**400}})),
    ("status_unknown", "status", resource(status="draft")),
    ("line_number_malformed", "item.sequence", resource(item=[{"sequence": 0}])),
    ("line_number_malformed", "item.sequence", resource(item=[{}])),
    ("service_period_reversed", "item.servicedPeriod", resource(item=[{"sequence": 1, "servicedPeriod": BACKWARDS}])),
    ("outside_of_contract", "lines", resource(item=[{"sequence": number} for number in range(1, 1002)])),
    ("outside_of_contract", "lines", resource(item=[{"sequence": 2**40}])),
]


@pytest.mark.parametrize(("reason", "field", "bad"), DEFECTS)
def test_each_defect_names_its_reason_and_the_rest_goes_on(
    tmp_path: Path, reason: str, field: str | None, bad: dict[str, Any] | bytes
) -> None:
    good, defect, after = read(tmp_path, resource(), bad, resource(id="next"))
    assert isinstance(defect, Defect)
    assert (defect.reason, defect.field, defect.file, defect.line) == (reason, field, "claims.ndjson", 2)
    assert defect.raw
    assert [claim(good).record_id, claim(after).record_id] == ["0000000000077", "next"]


def test_an_overlong_line_fills_no_memory_and_is_one_defect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir_lines, "MOST_LINE_BYTES", 10_000)
    defect, good = read(tmp_path, b"x" * 35_000, resource())
    assert isinstance(defect, Defect)
    assert (defect.reason, defect.line, len(defect.raw)) == ("line_too_long", 1, 4096)
    assert claim(good).record_id == "0000000000077"


def test_an_overlong_last_line_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir_lines, "MOST_LINE_BYTES", 100)
    path = tmp_path / "claims.ndjson"
    path.write_bytes(b"y" * 250)
    (defect,) = reader.read(source_of(path))
    assert isinstance(defect, Defect)
    assert defect.reason == "line_too_long"


def test_a_damaged_archive_is_refused_whole(tmp_path: Path) -> None:
    whole = gzip.compress(json.dumps(resource()).encode() * 50)
    for name, content in (("cut", whole[:-20]), ("other", b"not gzip at all")):
        path = tmp_path / f"{name}.ndjson.gz"
        path.write_bytes(content)
        with pytest.raises(RefusedDelivery, match="archive_damaged"):
            list(reader.read(source_of(path)))


def test_an_empty_delivery_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedDelivery, match="delivery_empty"):
        read(tmp_path, b"", b"   ")


def test_every_field_of_an_institutional_claim(tmp_path: Path) -> None:
    found = claim(read(tmp_path, institutional())[0])
    assert (found.claim_type_code, found.claim_control_number) == ("60", "DCN77")
    assert (found.facility_type_code, found.classification_code) == ("1", "1")
    assert (found.facility_number, found.facility_npi) == ("360001", "1234567893")
    assert (found.diagnosis_related_group_code, found.discharge_status_code) == ("470", "01")
    assert (found.admission_type_code, found.primary_payer_code) == ("3", "A")
    assert [(one.code, one.performed_on) for one in found.procedures] == [("0SG30AJ", date(2021, 3, 2))]
    # Processed in the week of 2 April, loaded on the day of the last update.
    assert found.version == 2021040220220418


def test_a_prior_authorisation_is_left_out_and_counted(tmp_path: Path) -> None:
    path = written(tmp_path, json.dumps(resource(use="preauthorization")).encode(), b"{")
    assert [type(one) for one in reader.read(source_of(path))] == [Defect]
    counted = reader.tally(source_of(path))
    assert counted["71"].skipped == Counter(not_a_claim=1)
    assert counted["unknown"].defects == Counter(not_json=1)


def test_a_diagnosis_without_a_code_is_noted_and_the_rest_of_the_claim_is_read(tmp_path: Path) -> None:
    group = {"packageCode": {"coding": [coding("clm_drg_cd", "393")]}}
    record, note = read(tmp_path, institutional(diagnosis=[group, *resource()["diagnosis"]], supportingInfo=...))
    found = claim(record)
    assert (found.diagnosis_codes, found.diagnosis_related_group_code) == (("E119",), "393")
    assert isinstance(note, Defect)
    assert (note.reason, note.field, note.line) == ("diagnosis_without_code", "diagnosis", 1)


def test_the_principal_and_the_admitting_diagnosis_come_first(tmp_path: Path) -> None:
    def diagnosis(code: str, *kinds: str) -> dict[str, Any]:
        concept = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code}]}
        return {"diagnosisCodeableConcept": concept, "type": [{"coding": [{"code": kind}]} for kind in kinds]}

    listed = [diagnosis("Z00.1"), diagnosis("R55", "admitting"), diagnosis("I10", "principal"), diagnosis("I10")]
    assert claim(read(tmp_path, resource(diagnosis=listed))[0]).diagnosis_codes == ("I10", "R55", "Z001")


@pytest.mark.parametrize(
    ("text", "cents"),
    [("12", 1200), ("-12.5", -1250), ("0.30", 30), ("1.9E2", 19000), ("37.500000", 3750), ("99999999.99", 9999999999)],
)
def test_money_is_read_from_the_number_as_it_is_written(tmp_path: Path, text: str, cents: int) -> None:
    line = json.dumps(resource(payment={"amount": {"value": "#"}})).replace('"#"', text).encode()
    assert claim(read(tmp_path, line)[0]).paid_cents == cents


@pytest.mark.parametrize(
    ("identifiers", "identity", "expected"),
    [
        ([{"system": VARIABLES + "clm_id", "value": "9991831999"}], "carrier-1", "0009991831999"),
        ([{"system": VARIABLES + "clm_id", "value": "-10000931498648"}], "carrier-1", "-10000931498648"),
        ([{"type": {"coding": [{"code": "uc"}]}, "value": "1000000000017"}], "x", "1000000000017"),
        (
            [{"system": VARIABLES + "claim-group", "type": {"coding": [{"code": "uc"}]}, "value": "900"}],
            "snf-5",
            "0" * 12 + "5",
        ),
        ([], "hha--77", "-77"),
        ([], "free-form", "free-form"),
    ],
)
def test_the_number_of_a_claim_is_that_of_cclf(
    tmp_path: Path, identifiers: list[dict[str, Any]], identity: str, expected: str
) -> None:
    assert claim(read(tmp_path, resource(identifier=identifiers, id=identity))[0]).record_id == expected


def test_a_byte_order_mark_is_no_part_of_the_first_resource(tmp_path: Path) -> None:
    (record,) = read(tmp_path, b"\xef\xbb\xbf" + json.dumps(resource()).encode())
    assert claim(record).record_id == "0000000000077"


def test_the_shape_of_what_was_found_is_told_and_never_the_text(tmp_path: Path) -> None:
    (defect,) = read(tmp_path, resource(patient={"identifier": {"system": MBI, "value": "1EG4TE5MK7"}}))
    assert isinstance(defect, Defect)
    assert defect.found == "10 characters: 4 digits, 6 letters"
    assert defect.expected is not None
    assert "1EG4" not in f"{defect.field}{defect.reason}{defect.found}{defect.expected}"
