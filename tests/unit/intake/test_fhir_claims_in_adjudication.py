"""FHIR Claim and ClaimResponse, and EOBs of claims still in adjudication: early signs of care that are never money."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from test_explanation_of_benefit import as_record, resource

from contracts.claims import Adjustment, ClaimsFeed, MedicareClaim
from contracts.delivery import DeliveryKind
from services.intake.readers import explanation_of_benefit, partially_adjudicated_claim
from services.intake.reading import Defect, PersonRecord, PersonReference, Reading, RefusedDelivery, Source
from services.intake.rules.bill_type import claim_type_of_bill, claim_type_of_phase, is_preliminary

DATA = Path(__file__).parents[4] / "shared" / "data"
needs_samples = pytest.mark.skipif(not DATA.exists(), reason="public samples are not there")
FISS = "https://bluebutton.cms.gov/resources/variables/fiss/"
MCS = "https://bluebutton.cms.gov/resources/variables/mcs/"
V3 = "https://bluebutton.cms.gov/fhir/CodeSystem/"


def coded(url: str, code: str) -> dict[str, Any]:
    return {"url": url, "valueCoding": {"system": url, "code": code}}


def contained(mbi: str = "1S00E00AM35") -> dict[str, Any]:
    identifier = {"system": "http://hl7.org/fhir/sid/us-mbi", "value": mbi}
    return {"resourceType": "Patient", "id": "patient", "identifier": [identifier]}


def claim(kind: str = "institutional", **changes: Any) -> dict[str, Any]:
    """A claim as FISS (institutional) or MCS (professional) hold it, in the form of CMS's partially adjudicated data."""
    fiss = kind == "institutional"
    base: dict[str, Any] = {
        "resourceType": "Claim",
        "id": "f--00b12c" if fiss else "m--c2d32f",
        "meta": {"lastUpdated": "2022-11-11T16:00:13.724-05:00"},
        "identifier": [{"system": (FISS + "dcn") if fiss else (MCS + "icn"), "value": "-00b12c"}],
        "status": "active",
        "use": "claim",
        "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": kind}]},
        "patient": {"reference": "#patient"},
        "contained": [contained()],
        "billablePeriod": {"start": "2020-12-19", "end": "2020-12-20"},
        "total": {"currency": "USD", "value": 15904.47},
        "diagnosis": [
            {"diagnosisCodeableConcept": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E669"}]}}
        ],
    }
    if fiss:
        base |= {
            "facility": {"extension": [coded(FISS + "lob-cd", "1")]},
            "extension": [coded(FISS + "serv-typ-cd", "1")],
            "supportingInfo": [{"code": {"coding": [{"system": FISS + "freq-cd", "code": "1"}]}}],
        }
    return {key: value for key, value in (base | changes).items() if value is not ...}


def response(identity: str = "f--00b12c", **changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "resourceType": "ClaimResponse",
        "id": identity,
        "status": "active",
        "outcome": "queued",
        "request": {"reference": f"Claim/{identity}"},
        "extension": [coded(FISS + "curr-status", "A")],
    }
    return base | changes


def read(folder: Path, *resources: dict[str, Any] | bytes) -> list[Reading]:
    path = folder / "claims.ndjson"
    lines = (one if isinstance(one, bytes) else json.dumps(one).encode() for one in resources)
    path.write_bytes(b"\n".join(lines) + b"\n")
    kind = DeliveryKind.PARTIALLY_ADJUDICATED_CLAIM
    return list(partially_adjudicated_claim.read(Source(kind, "claims", (path,), date(2022, 12, 1), True, "OH")))


def payload(reading: Reading) -> MedicareClaim:
    assert isinstance(reading, PersonRecord)
    assert isinstance(reading.payload, MedicareClaim)
    return reading.payload


def test_an_institutional_claim_in_adjudication(tmp_path: Path) -> None:
    (record,) = read(tmp_path, claim())
    found = payload(record)
    assert isinstance(record, PersonRecord)
    assert record.preliminary
    assert record.references == (PersonReference("mbi", "1S00E00AM35"),)
    assert record.feed is ClaimsFeed.FHIR_R4
    assert (found.record_id, found.claim_type_code, found.adjustment) == ("f--00b12c", "60", Adjustment.ORIGINAL)
    assert (found.service_from, found.service_through) == (date(2020, 12, 19), date(2020, 12, 20))
    # What was charged is not what Medicare will pay.
    assert (found.paid_cents, found.denied, found.diagnosis_codes) == (0, False, ("E669",))
    assert (found.facility_type_code, found.classification_code) == ("1", "1")
    assert found.version == 1668200413724


def test_a_professional_claim_in_adjudication(tmp_path: Path) -> None:
    found = payload(read(tmp_path, claim("professional"))[0])
    assert (found.record_id, found.claim_type_code, found.facility_type_code) == ("m--c2d32f", "71", None)


@pytest.mark.parametrize(
    ("changes", "denied", "adjustment"),
    [
        ({}, False, Adjustment.ORIGINAL),
        ({"status": "cancelled"}, True, Adjustment.ORIGINAL),
        (
            {"supportingInfo": [{"code": {"coding": [{"system": FISS + "freq-cd", "code": "8"}]}}]},
            False,
            Adjustment.CANCELLATION,
        ),
        (
            {"supportingInfo": [{"code": {"coding": [{"system": FISS + "freq-cd", "code": "7"}]}}]},
            False,
            Adjustment.ADJUSTMENT,
        ),
    ],
)
def test_what_became_of_a_claim_by_itself(
    tmp_path: Path, changes: dict[str, Any], *, denied: bool, adjustment: Adjustment
) -> None:
    found = payload(read(tmp_path, claim(**changes))[0])
    assert (found.denied, found.adjustment) == (denied, adjustment)


@pytest.mark.parametrize(
    ("changes", "denied"),
    [
        ({}, False),
        ({"status": "cancelled"}, True),
        ({"extension": [coded(FISS + "curr-status", "D")]}, True),
        ({"extension": [coded(FISS + "curr-status", "R")]}, True),
        ({"extension": [coded(FISS + "curr-status", "P")]}, False),
        ({"extension": [coded(MCS + "status-code", "D")]}, False),
    ],
)
@pytest.mark.parametrize("first", ["claim", "response"])
def test_the_response_tells_how_far_it_has_come_wherever_it_stands(
    tmp_path: Path, changes: dict[str, Any], first: str, *, denied: bool
) -> None:
    pair = [claim(), response(**changes)]
    others = [claim(id="f-2"), response("f-2")]
    readings = read(tmp_path, *(pair if first == "claim" else reversed(pair)), *others)
    assert {payload(one).record_id: payload(one).denied for one in readings} == {"f--00b12c": denied, "f-2": False}


def test_a_response_without_its_claim_is_told(tmp_path: Path) -> None:
    defect, record = read(tmp_path, response("f-9"), claim())
    assert isinstance(defect, Defect)
    assert (defect.reason, defect.field, defect.line) == ("response_without_claim", "request", 1)
    assert payload(record).record_id == "f--00b12c"


def test_responses_alone_refuse_the_delivery(tmp_path: Path) -> None:
    with pytest.raises(RefusedDelivery, match="claim_responses_alone"):
        read(tmp_path, response(), response("f-2"))


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (claim(id=...), ("claim_id_missing", "id")),
        (claim(contained=[]), ("patient_missing", "patient.reference")),
        (claim(contained=[contained("AB")]), ("mbi_malformed", "patient.identifier")),
        (claim(billablePeriod=...), ("service_period_missing", "billablePeriod")),
        (claim(facility=...), ("claim_type_unknown", "facility.extension")),
        (claim(extension=[coded(FISS + "serv-typ-cd", "9")]), ("claim_type_unknown", "facility.extension")),
        (claim(status="draft"), ("status_unknown", "status")),
        (claim(item=[{"sequence": 0}]), ("line_number_malformed", "item.sequence")),
        (claim(total=..., patient=[]), ("wrong_type", "patient")),
        (b"{", ("not_json", None)),
    ],
)
def test_each_defect_and_the_rest_goes_on(
    tmp_path: Path, bad: dict[str, Any] | bytes, fault: tuple[str, str | None]
) -> None:
    readings = read(tmp_path, claim(id="f-1"), bad, claim(id="f-3"))
    assert [(one.line, one.reason, one.field) for one in readings if isinstance(one, Defect)] == [(2, *fault)]
    assert [payload(one).record_id for one in readings if isinstance(one, PersonRecord)] == ["f-1", "f-3"]


@pytest.mark.parametrize(
    ("facility", "classification", "expected"),
    [
        ("1", "1", "60"), ("4", "1", "60"), ("1", "8", "30"), ("2", "1", "20"), ("2", "2", "40"), ("3", "2", "10"),
        ("3", "3", "10"), ("3", "4", "40"), ("7", "2", "40"), ("8", "1", "50"), ("8", "2", "50"), ("8", "5", "40"),
        ("1", "3", "40"), ("9", "9", None), (None, "1", None), ("1", None, None),
    ],
)  # fmt: skip
def test_the_claim_type_of_a_bill(facility: str | None, classification: str | None, expected: str | None) -> None:
    assert claim_type_of_bill(facility, classification) == expected


@pytest.mark.parametrize(
    ("code", "preliminary", "expected"),
    [
        ("1011", True, "60"), ("2011", True, "60"), ("1021", True, "20"), ("2032", True, "10"), ("1081", True, "50"),
        ("1700", True, "71"), ("2700", True, "71"), ("1800", True, "82"), ("2800", True, "82"), ("1099", True, None),
        ("2900", True, None),
    ],
)  # fmt: skip
def test_the_claim_type_of_a_phase(code: str, expected: str | None, *, preliminary: bool) -> None:
    assert is_preliminary(code) is preliminary
    assert claim_type_of_phase(code) == expected


@pytest.mark.parametrize("code", ["71", "4011", "1", "", "20a1"])
def test_what_is_no_code_of_a_phase(code: str) -> None:
    assert not is_preliminary(code)


def phased(code: str, **changes: Any) -> dict[str, Any]:
    return resource(type={"coding": [{"system": V3 + "CLM-TYPE-CD", "code": code}]}, **changes)


def explained(folder: Path, *resources: dict[str, Any]) -> list[Reading]:
    path = folder / "explained.ndjson"
    path.write_bytes(b"\n".join(json.dumps(one).encode() for one in resources))
    kind = DeliveryKind.EXPLANATION_OF_BENEFIT
    readings = explanation_of_benefit.read(Source(kind, "eob", (path,), date(2022, 12, 1), True, "OH"))
    return [as_record(one) for one in readings]


def test_an_explanation_of_a_claim_in_adjudication_is_preliminary_and_never_the_final_one(tmp_path: Path) -> None:
    preliminary, final = explained(tmp_path, phased("2700", id="123"), phased("71", id="123"))
    assert isinstance(preliminary, PersonRecord)
    assert isinstance(final, PersonRecord)
    assert (preliminary.preliminary, final.preliminary) == (True, False)
    assert (payload(preliminary).record_id, payload(final).record_id) == ("preliminary:0000000000123", "0000000000123")
    assert payload(preliminary).claim_type_code == payload(final).claim_type_code == "71"


def test_a_notice_of_election_is_no_claim(tmp_path: Path) -> None:
    assert explained(tmp_path, phased("1900"), phased("2900")) == []


@needs_samples
@pytest.mark.parametrize(
    ("name", "claim_type"),
    [("bfd/fhir-v3/ExplanationOfBenefit-MCS.json", "71"), ("ab2d/eobdata/EOB-for-Carrier-R4v3.json", "82")],
)
def test_the_public_samples_of_claims_in_adjudication(name: str, claim_type: str) -> None:
    path = DATA / name
    source = Source(DeliveryKind.EXPLANATION_OF_BENEFIT, "eob", (path,), date(2026, 1, 1), True, "OH")
    (record,) = [one for one in explanation_of_benefit.read(source) if isinstance(one, PersonRecord)]
    assert record.preliminary
    assert payload(record).claim_type_code == claim_type
