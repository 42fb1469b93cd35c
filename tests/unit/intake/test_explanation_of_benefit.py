"""The ExplanationOfBenefit reader: three generations, every defect by its reason, and the 500 public samples."""

import gzip
import json
import re
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from contracts.claims import Adjustment, MedicareClaim
from contracts.delivery import DeliveryKind
from services.intake.readers import explanation_of_benefit as reader
from services.intake.readers.fhir_path import PathError, parsed, texts, values
from services.intake.reading import Defect, PersonRecord, PersonReference, Reading, RefusedDelivery, Source

ROOT = Path(__file__).parents[3]
DATA = ROOT.parent / "shared" / "data"
SAMPLES = DATA / "ab2d" / "EOB-500.ndjson.gz"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="public samples are not there")
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


def written(folder: Path, *lines: bytes) -> Path:
    path = folder / "claims.ndjson"
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def read(folder: Path, *resources: dict[str, Any] | bytes) -> list[Reading]:
    lines = (one if isinstance(one, bytes) else json.dumps(one).encode() for one in resources)
    return list(reader.read(source_of(written(folder, *lines))))


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
    assert (found.record_id, found.claim_type_code, found.adjustment) == ("carrier-77", "71", Adjustment.ORIGINAL)
    assert found.version == 1650316267722
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
    assert claim(read(tmp_path, resource(meta=...))[0]).version == 1640995200000


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


DEFECTS: list[tuple[str, dict[str, Any] | bytes]] = [
    ("not_json", b"{"),
    ("not_json", b"\xff\xfe{}"),
    ("not_json", b'{"resourceType": NaN}'),
    ("duplicate_key", b'{"resourceType": "ExplanationOfBenefit", "id": "1", "id": "2"}'),
    ("nested_too_deeply", b"[" * 200_000),
    ("not_an_explanation_of_benefit", {"resourceType": "Patient"}),
    ("not_an_explanation_of_benefit", b"[]"),
    ("diagnosis_without_code", resource(diagnosis=[{"packageCode": {"coding": [{"code": "393"}]}}])),
    ("claim_id_missing", resource(id=...)),
    ("claim_type_missing", resource(type={"coding": []})),
    ("claim_not_final", resource(type={"coding": [{"system": VARIABLES + "nch_clm_type_cd", "code": "1800"}]})),
    ("claim_type_unknown", resource(type={"coding": [{"system": VARIABLES + "nch_clm_type_cd", "code": "99"}]})),
    ("patient_missing", resource(patient=...)),
    ("mbi_malformed", resource(patient={"identifier": {"system": "http://hl7.org/fhir/sid/us-mbi", "value": "1"}})),
    ("service_period_missing", resource(billablePeriod=...)),
    ("service_period_missing", resource(billablePeriod={"start": "2021-03-01"})),
    ("service_period_reversed", resource(billablePeriod={"start": "2021-03-02", "end": "2021-03-01"})),
    ("date_malformed", resource(billablePeriod={"start": "yesterday", "end": "2021-03-01"})),
    ("date_malformed", resource(meta={"lastUpdated": "soon"})),
    ("payment_missing", resource(payment=...)),
    ("amount_malformed", resource(payment={"amount": {"value": 1.005}})),
    ("amount_malformed", resource(payment={"amount": {"value": "12.00"}})),
    ("amount_malformed", resource(payment={"amount": {"value": True}})),
    ("amount_malformed", resource(payment={"amount": {"value": 1e30}})),
    ("status_unknown", resource(status="draft")),
    ("line_number_malformed", resource(item=[{"sequence": 0}])),
    ("outside_of_contract", resource(id="x" * 61)),
]


@pytest.mark.parametrize(("reason", "bad"), DEFECTS)
def test_each_defect_names_its_reason_and_the_rest_goes_on(
    tmp_path: Path, reason: str, bad: dict[str, Any] | bytes
) -> None:
    good, defect, after = read(tmp_path, resource(), bad, resource(id="next"))
    assert isinstance(defect, Defect)
    assert (defect.reason, defect.file, defect.line) == (reason, "claims.ndjson", 2)
    assert defect.raw
    assert [claim(good).record_id, claim(after).record_id] == ["carrier-77", "next"]


def test_an_overlong_line_fills_no_memory_and_is_one_defect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_LINE_BYTES", 10_000)
    defect, good = read(tmp_path, b"x" * 35_000, resource())
    assert isinstance(defect, Defect)
    assert (defect.reason, defect.line, len(defect.raw)) == ("line_too_long", 1, 4096)
    assert claim(good).record_id == "carrier-77"


def test_an_overlong_last_line_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_LINE_BYTES", 100)
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


def test_part_d_and_authorisations_are_left_out_and_counted(tmp_path: Path) -> None:
    kind = {"system": "https://bluebutton.cms.gov/resources/codesystem/eob-type", "code": "PDE"}
    path = written(
        tmp_path,
        json.dumps(resource(type={"coding": [kind]})).encode(),
        json.dumps(resource(use="preauthorization")).encode(),
        b"{",
    )
    assert [type(one) for one in reader.read(source_of(path))] == [Defect]
    counted = reader.tally(source_of(path))
    assert counted["PDE"].skipped == Counter(part_d=1)
    assert counted["71"].skipped == Counter(not_a_claim=1)
    assert counted["unknown"].defects == Counter(not_json=1)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.b", ["1", "2"]),
        ("a[c=x].b", ["1"]),
        ("a[c=x|y].b", ["1", "2"]),
        ("a[d.e=deep].b", ["2"]),
        ("a.n", []),
        ("missing.b", []),
    ],
)
def test_paths(path: str, expected: list[str]) -> None:
    element: Any = {"a": [{"b": "1", "c": "x", "n": 7}, {"b": "2", "c": "y", "d": [{"e": "deep"}]}]}
    assert texts(element, path) == expected


def test_paths_read_values_of_any_type_and_refuse_nonsense() -> None:
    assert values({"a": [{"n": 7}, {"n": True}]}, "a.n") == [7, True]
    with pytest.raises(PathError):
        parsed("a..b")


@needs_samples
def test_the_500_public_samples_by_kind() -> None:
    counted = reader.tally(source_of(SAMPLES))
    lines = {kind: one.read + sum(one.skipped.values()) + sum(one.defects.values()) for kind, one in counted.items()}
    assert lines == {
        "CARRIER": 171, "DME": 7, "HHA": 30, "HOSPICE": 2, "INPATIENT": 39, "OUTPATIENT": 179, "PDE": 72,
    }  # fmt: skip
    assert counted["PDE"].skipped == Counter(part_d=72)
    assert sum(one.read for one in counted.values()) == 426


@needs_samples
def test_the_two_malformed_samples_are_defects_with_line_and_reason() -> None:
    defects = [one for one in reader.read(source_of(SAMPLES)) if isinstance(one, Defect)]
    assert [(one.line, one.reason) for one in defects] == [
        (316, "diagnosis_without_code"),
        (317, "diagnosis_without_code"),
    ]


@needs_samples
def test_payments_of_the_samples_equal_those_found_by_text_search() -> None:
    """An oracle that parses no FHIR: the payment object's text, in every line that is read."""
    expected = Decimal(0)
    for number, line in enumerate(gzip.decompress(SAMPLES.read_bytes()).decode().splitlines(), 1):
        found = re.findall(r'"payment":\{"amount":\{[^}]*"value":(-?[\d.]+)', line)
        if '"PDE"' not in line and number not in (316, 317):
            (amount,) = found
            expected += Decimal(amount)
    read_claims = [claim(one) for one in reader.read(source_of(SAMPLES)) if isinstance(one, PersonRecord)]
    assert sum(one.paid_cents for one in read_claims) == expected * 100
    assert expected == Decimal("1070069.63")


@needs_samples
def test_the_documented_table_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    reader.main([str(SAMPLES)])
    assert capsys.readouterr().out in (ROOT / "docs" / "explanation-of-benefit.md").read_text()


GENERATIONS = [
    ("EOB-for-Carrier-Claims.json", "71", 19999, "92999"),
    ("EOB-for-Carrier-R4.json", "71", 19999, "92999"),
    ("EOB-for-3-R4v3.json", "71", 629385, "99213"),
    ("EOB-for-1-R4v3.json", "60", 1483765, "J2270"),
    ("EOB-for-HHA-Claims.json", "10", 18800, "2GGGG"),
    ("EOB-for-HHA-R4.json", "10", 18800, "2GGGG"),
    ("EOB-for-Hospice-R4.json", "50", 13032, None),
    ("EOB-for-SNF-R4.json", "20", 333333, None),
    ("EOB-for-DME-R4.json", "82", 77775, None),
]


@needs_samples
@pytest.mark.parametrize(("name", "claim_type", "paid_cents", "procedure"), GENERATIONS)
def test_one_reader_for_three_generations(
    tmp_path: Path, name: str, claim_type: str, paid_cents: int, procedure: str | None
) -> None:
    found = claim(read(tmp_path, json.loads((DATA / "ab2d" / "eobdata" / name).read_text(), parse_float=float))[0])
    assert (found.claim_type_code, found.paid_cents) == (claim_type, paid_cents)
    assert found.lines[0].procedure_code == procedure


@needs_samples
def test_the_same_claim_in_stu3_and_r4_differs_only_in_its_version(tmp_path: Path) -> None:
    folder = DATA / "ab2d" / "eobdata"
    first, second = (
        claim(read(tmp_path, json.loads((folder / f"EOB-for-HHA-{name}.json").read_text()))[0])
        for name in ("Claims", "R4")
    )
    assert first.model_copy(update={"version": second.version}) == second
