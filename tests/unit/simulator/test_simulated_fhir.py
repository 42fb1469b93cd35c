"""FHIR of the simulator: the structure of CMS's published samples, the facts of the claims, and the order of delivery."""

import gzip
import json
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest
from people_of_simulation import PERIOD, life, person

from infra.simulator import simulate
from infra.simulator.claims import Line, MedicareClaim, Version
from infra.simulator.fhir import RESOURCE_TYPES, file_name, key_of, spool_fhir
from infra.simulator.fhir_coverage import Generation, coverages, patient
from infra.simulator.fhir_elements import Record, line_of_text, money
from infra.simulator.fhir_v1_v2 import explanation as older
from infra.simulator.fhir_v3 import explanation as newer
from infra.simulator.life import Change
from infra.simulator.person import Person
from infra.simulator.spool import Spool

SAMPLES: dict[Generation, tuple[str, ...]] = {
    "v1": ("ab2d/eobdata/*-Claims.json", "ab2d/EOB-500.ndjson.gz", "dpc/*.json"),
    "v2": ("ab2d/eobdata/*-R4.json", "ab2d/r4-eobbundle.json"),
    "v3": ("bfd/fhir-v3/*.json", "ab2d/eobdata/*-R4[vV]3.json"),
}
Json = dict[str, Any]


def _claim(claim_type: str, *, denied: bool = False) -> MedicareClaim:
    first, last = date(2022, 3, 4), date(2022, 3, 9)
    line = Line(first, last, "" if claim_type in {"60", "40", "20", "10", "50"} else "99213", 12345, 12345)
    claim = MedicareClaim(4, claim_type, first, last, ("I10", "E119"), "1900010004", [line], denied=denied)
    claim.versions += [Version("0", 3, 1), Version("1", 5, 2), Version("2", 5, 3, 850)]
    return claim


def _record(claim: MedicareClaim, version: int = 0, withdrawn_on: date | None = None) -> Record:
    return Record(person(), claim, claim.versions[version], withdrawn_on)


def _explanation(generation: Generation, record: Record) -> Json:
    made = newer(record) if generation == "v3" else older(record, generation)
    found: Json = json.loads(line_of_text(made))
    return found


# -- the structure of the samples


def _paths(element: object, path: str = "") -> Iterator[str]:
    """Every path of names in a resource, lists walked through."""
    if isinstance(element, dict):
        for name, value in element.items():
            yield f"{path}.{name}"
            yield from _paths(value, f"{path}.{name}")
    elif isinstance(element, list):
        for one in element:
            yield from _paths(one, path)


def _systems(element: object) -> Iterator[str]:
    if isinstance(element, dict):
        if isinstance(element.get("system"), str):
            yield element["system"]
        yield from (system for value in element.values() for system in _systems(value))
    elif isinstance(element, list):
        yield from (system for one in element for system in _systems(one))


def _resources(document: Json) -> Iterator[Json]:
    if document["resourceType"] == "Bundle":
        yield from (entry["resource"] for entry in document["entry"])
    else:
        yield document


@cache
def _samples(folder: Path, generation: Generation) -> tuple[frozenset[str], frozenset[str]]:
    """Paths (with the type of resource in front) and code systems of the published samples."""
    paths, systems = set[str](), set[str]()
    for pattern in SAMPLES[generation]:
        for file in sorted(folder.glob(pattern)):
            text = gzip.decompress(file.read_bytes()).decode() if file.suffix == ".gz" else file.read_text()
            texts = text.splitlines() if file.suffix == ".gz" else [text]
            for resource in (one for text in texts for one in _resources(json.loads(text))):
                paths |= set(_paths(resource, resource["resourceType"]))
                systems |= set(_systems(resource))
    return frozenset(paths), frozenset(systems)


# What the samples happen not to hold, though CMS documents it: FI Document Claim Control Number (Blue Button data
# dictionary), of institutional claims. Carriers' own number is in the samples.
NOT_IN_THE_SAMPLES = {"https://bluebutton.cms.gov/resources/variables/fi_doc_clm_cntl_num"}


@pytest.mark.parametrize("generation", SAMPLES)
@pytest.mark.parametrize("claim_type", ["60", "20", "10", "40", "50", "71", "72"])
def test_every_element_stands_where_the_samples_have_it(
    shared_data: Path, generation: Generation, claim_type: str
) -> None:
    paths, systems = _samples(shared_data, generation)
    made = _explanation(generation, _record(_claim(claim_type, denied=claim_type in {"60", "71"})))
    assert set(_paths(made, "ExplanationOfBenefit")) - paths == set()
    assert set(_systems(made)) - systems - NOT_IN_THE_SAMPLES == set()


def test_people_of_version_3_stand_as_in_the_samples(shared_data: Path) -> None:
    paths, systems = _samples(shared_data, "v3")
    for made in (patient(person(), 4, "v3"), *coverages(person(), 4, "v3")):
        found = json.loads(line_of_text(made))
        assert set(_paths(found, found["resourceType"])) - paths - {"Patient.name.use"} == set()
        assert set(_systems(found)) - systems == set()


# -- the facts


@pytest.mark.parametrize("generation", SAMPLES)
def test_amounts_are_exact_decimals(generation: Generation) -> None:
    record = _record(_claim("71"), version=2)
    text = line_of_text(newer(record) if generation == "v3" else older(record, generation))
    # 85 % of $123.45, in whole cents, and what is allowed where four fifths are paid.
    assert '"value":104.93' in text
    assert '"value":131.16' in text
    assert json.dumps(json.loads(text)["payment"]["amount"]["value"]) == "104.93"


@pytest.mark.parametrize(
    ("cents", "text"), [(0, "0.00"), (1, "0.01"), (100, "1.00"), (123456789012, "1234567890.12"), (-5, "-0.05")]
)
def test_money_is_written_to_the_cent(cents: int, text: str) -> None:
    assert line_of_text(money(cents)) == f'{{"value":{text},"currency":"USD"}}\n'


@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_a_cancelled_claim_comes_again_withdrawn(tmp_path: Path, generation: Generation) -> None:
    spool, claim = Spool(tmp_path / "spool"), _claim("60")
    spool_fhir(spool, person(), [claim], generation)
    told = {month: _spooled(spool, generation, month) for month in (3, 5)}
    assert [(one["identifier"][0]["value"], one["status"]) for one in told[3]] == [("1000000700001", "active")]
    assert [(one["identifier"][0]["value"], one["status"]) for one in told[5]] == [
        ("1000000700001", "cancelled"), ("1000000700003", "active"),
    ]  # fmt: skip
    first, again = told[3][0], told[5][0]
    assert (first["meta"]["lastUpdated"][:10], again["meta"]["lastUpdated"][:10]) == ("2022-04-02", "2022-06-03")
    # Nothing else of it changed.
    assert {**again, "meta": None, "status": None} == {**first, "meta": None, "status": None}


def _spooled(spool: Spool, generation: Generation, month: int) -> list[Json]:
    return [
        json.loads(line)
        for feed in ("D9001", "D9900")
        for text in spool.take(key_of(generation, feed, "ExplanationOfBenefit", month))
        for line in text.splitlines()
    ]


def test_version_3_delivers_every_record(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool_fhir(spool, person(), [_claim("60")], "v3")
    told = [one for month in (3, 5) for one in _spooled(spool, "v3", month)]
    assert [(one["status"], _coded(one, "CLM-ADJSTMT-TYPE-CD")) for one in told] == [
        ("active", "0"), ("active", "1"), ("active", "2"),
    ]  # fmt: skip
    assert len({one["id"] for one in told}) == 3


def _coded(resource: Json, system: str) -> str:
    codings = (coding for one in resource["supportingInfo"] for coding in one.get("code", {}).get("coding", ()))
    found: str = next(coding["code"] for coding in codings if coding["system"].endswith(system))
    return found


def test_only_hospital_stays_have_a_related_group_and_it_is_never_alone() -> None:
    for claim_type, expected in (("60", 1), ("20", 0), ("40", 0)):
        made = _explanation("v1", _record(_claim(claim_type)))
        packages = [one for one in made["diagnosis"] if "packageCode" in one]
        assert len(packages) == expected
        assert all("diagnosisCodeableConcept" in one for one in packages)


def _with(**course: Any) -> Person:
    return person(life(**course))


def test_numbers_of_a_person_are_current_or_historic() -> None:
    changed = _with(mbi_changes=(3,))
    before, after = patient(changed, 2, "v2"), patient(changed, 3, "v2")
    assert [one["value"] for one in before["identifier"][1:]] == ["1S000000007"]
    told = [(one["value"], one["extension"][0]["valueCoding"]["code"]) for one in after["identifier"][1:]]
    assert told == [("1S010000007", "current"), ("1S000000007", "historic")]


def test_numbers_of_a_person_have_their_time_in_version_3() -> None:
    told = patient(_with(mbi_changes=(3,)), 4, "v3")["identifier"]
    assert [(one["value"], one["period"]) for one in told] == [
        ("1S000000007", {"start": "2015-06-01", "end": "2022-04-01"}),
        ("1S010000007", {"start": "2022-04-01"}),
    ]


@pytest.mark.parametrize("generation", SAMPLES)
def test_a_death_is_told_when_it_is_known(generation: Generation) -> None:
    dead = _with(death=date(2022, 3, 15), last_stated=4)
    assert "deceasedDateTime" not in patient(dead, 3, generation)
    assert patient(dead, 4, generation)["deceasedDateTime"] == "2022-03-15"


def _with_change(name: Literal["dual", "health_plan"], value: str | None, first: int, last: int) -> Person:
    return _with(changes=[Change(name, value, first, last, first)])


def test_months_of_the_year_are_told_one_by_one_in_version_2() -> None:
    gap = _with_change("dual", None, 1, 2)
    part_a = coverages(gap, 3, "v2")[0]
    told = {one["url"].rpartition("/")[2]: one["valueCoding"]["code"] for one in part_a["extension"][1:]}
    assert [told[f"dual_0{number}"] for number in (1, 2, 3, 4)] == ["02", "NA", "NA", "02"]
    assert told["ptc_cntrct_id_01"] == "N"
    assert "dual_05" not in told


def test_the_year_before_is_not_told_again_in_version_2() -> None:
    part_a = coverages(person(), 13, "v2")[0]
    assert part_a["extension"][0]["valueDate"] == "2023"
    assert sum("/dual_" in one["url"] for one in part_a["extension"]) == 2


def test_periods_are_told_with_their_end_in_version_3() -> None:
    gap = _with_change("dual", None, 1, 2)
    duals = [one for one in coverages(gap, 3, "v3") if one["class"][0]["value"].startswith("Dual")]
    assert [(one["status"], one["period"]) for one in duals] == [
        ("cancelled", {"start": "2022-01-01", "end": "2022-01-31"}),
        ("active", {"start": "2022-04-01"}),
    ]


@pytest.mark.parametrize(
    ("lost", "periods"),
    [
        ((), [("active", {"start": "2015-06-01"})]),
        ((2,), [("cancelled", {"start": "2015-06-01", "end": "2022-02-28"}), ("active", {"start": "2022-04-01"})]),
        ((2, 3), [("cancelled", {"start": "2015-06-01", "end": "2022-02-28"})]),
        ((0,), [("cancelled", {"start": "2015-06-01", "end": "2021-12-31"}), ("active", {"start": "2022-02-01"})]),
    ],
)
def test_months_without_part_b_are_left_out_in_version_3(
    lost: tuple[int, ...], periods: list[tuple[str, Json]]
) -> None:
    codes = ["1" if month in lost else "C" for month in range(PERIOD.last_delivery + 1)]
    told = [one for one in coverages(_with(buy_ins=codes), 3, "v3") if one["class"][0]["value"] == "Part B"]
    assert [(one["status"], one["period"]) for one in told] == periods


def test_a_health_plan_is_part_c_in_version_3() -> None:
    member = _with_change("health_plan", "H9001", 1, 9)
    plans = [one for one in coverages(member, 2, "v3") if one["class"][0]["value"] == "Part C"]
    assert [(one["extension"][0]["valueString"], one["period"]) for one in plans] == [
        ("H9001", {"start": "2022-02-01"})
    ]


# -- files


def test_files_sort_as_they_are_to_be_taken() -> None:
    names = [file_name("v3", "D9001", kind, PERIOD, 1) for kind in RESOURCE_TYPES]
    assert names == sorted(names)
    assert names[0] == "D9001.BULK-V3.1-Patient.D220210.ndjson"


def test_cclf_alone_stays_what_it_was(tmp_path: Path) -> None:
    simulate(tmp_path / "usual", people=20, months=3, seed=4)
    simulate(tmp_path / "both", people=20, months=3, seed=4, feeds=("cclf", "fhir-v2"))
    usual, both = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).glob("deliveries/*/P.*")}
        for name in ("usual", "both")
    )
    assert usual == both
    assert not list((tmp_path / "usual").glob("deliveries/*/*.ndjson"))
    assert (tmp_path / "usual" / "truth.json").read_text().split('"totals"')[1] == (
        (tmp_path / "both" / "truth.json").read_text().split('"totals"')[1]
    )


def test_fhir_can_come_without_cclf_and_is_the_same_every_time(tmp_path: Path) -> None:
    made = [simulate(tmp_path / name, people=20, months=3, seed=4, feeds=("fhir-v3",)) for name in ("one", "two")]
    kinds = {delivery.kind.value for delivery in made[0].deliveries}
    assert {"fhir_patient", "fhir_coverage", "explanation_of_benefit"} <= kinds
    assert "cclf" not in kinds
    contents = [[path.read_bytes() for path in sorted(one.directory.rglob("*.ndjson"))] for one in made]
    assert contents[0] == contents[1]
    assert all(contents[0])


@pytest.mark.parametrize("feeds", [(), ("cclf", "cclf")])
def test_feeds_that_make_no_sense_are_refused(tmp_path: Path, feeds: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="at least one feed"):
        simulate(tmp_path / "none", people=1, months=1, seed=1, feeds=feeds)
