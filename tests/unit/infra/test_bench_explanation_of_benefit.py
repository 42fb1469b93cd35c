"""The benchmark of FHIR claims: its samples, its file, and what it prints."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from infra.bench import explanation_of_benefit as bench

VARIABLES = "https://bluebutton.cms.gov/resources/variables/"


def claim(identity: str) -> dict[str, Any]:
    return {
        "resourceType": "ExplanationOfBenefit",
        "id": identity,
        "type": {"coding": [{"system": VARIABLES + "nch_clm_type_cd", "code": "71"}]},
        "patient": {"reference": "Patient/-1"},
        "billablePeriod": {"start": "2021-03-01", "end": "2021-03-02"},
        "payment": {"amount": {"value": 1.5}},
    }


def test_samples_are_resources_wherever_they_stand(tmp_path: Path) -> None:
    lines = tmp_path / "a.ndjson.gz"
    lines.write_bytes(gzip.compress(json.dumps(claim("1")).encode() + b"\n\n" + json.dumps(claim("2")).encode()))
    bundle = tmp_path / "b.json"
    bundle.write_text(json.dumps({"resourceType": "Bundle", "entry": [{"resource": claim("3")}]}, indent=2))
    single = tmp_path / "c.json"
    single.write_text(json.dumps(claim("4")))
    found = [json.loads(one)["id"] for path in (lines, bundle, single) for one in bench.resources_of(path)]
    assert found == ["1", "2", "3", "4"]


def test_the_file_repeats_the_samples_and_both_read_it(tmp_path: Path) -> None:
    path = tmp_path / "many.ndjson"
    size = bench.write(path, [json.dumps(claim("1")).encode(), b"{}"], 5)
    assert (size, len(path.read_bytes().splitlines())) == (path.stat().st_size, 5)
    assert bench.parse_only(path) > 0
    seconds, claims, defects = bench.read_all(path)
    assert seconds > 0
    assert (claims, defects) == (3, 2)


def test_what_was_measured_is_printed_for_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(json.dumps(claim("1")))
    assert bench.main([str(path), "--resources", "20", "--rounds", "1", "--json"]) == 0
    (told,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (told["name"], told["resources"], told["claims"]) == ("version 1", 20, 20)
    assert told["ratio"] > 0
    assert told["peak_megabytes"] > 1


def test_nothing_that_can_be_read_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text('{"resourceType": "ExplanationOfBenefit"}')
    assert bench.main([str(path), "--resources", "2", "--rounds", "1"]) == 1
    assert "no claim was read" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        bench.main([])
