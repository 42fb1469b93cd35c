"""FHIR Coverage: months of versions 1 and 2, periods of version 3, the parts of one person together, contradictions."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contracts.codes import HealthPlan
from contracts.coverage import CoverageSource, MedicareCoverageStatedData
from contracts.delivery import DeliveryKind
from services.intake.readers import fhir_coverage, partitions
from services.intake.readers.fhir_coverage_spans import entitlement_spans
from services.intake.reading import Defect, PersonRecord, PersonReference, Reading, Source
from services.intake.rules.dual_type import contradicts

DATA = Path(__file__).parents[4] / "shared" / "data"
SAMPLES = DATA / "bfd" / "fhir-v3"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="public samples are not there")
BB = "https://bluebutton.cms.gov/resources/variables/"
V3 = "https://bluebutton.cms.gov/fhir/StructureDefinition/"


def source_of(*paths: Path) -> Source:
    return Source(DeliveryKind.FHIR_COVERAGE, "coverage", paths, date(2022, 6, 30), True, "OH")


def read(folder: Path, *resources: dict[str, Any] | bytes) -> list[Reading]:
    path = folder / "coverage.ndjson"
    lines = (one if isinstance(one, bytes) else json.dumps(one).encode() for one in resources)
    path.write_bytes(b"\n".join(lines) + b"\n")
    return list(fhir_coverage.read(source_of(path)))


def coded(url: str, code: str) -> dict[str, Any]:
    return {"url": url, "valueCoding": {"code": code}}


def part(name: str, *extensions: dict[str, Any], person: str = "-7", **changes: Any) -> dict[str, Any]:
    """One part of somebody's coverage, as versions 2 and 3 name it."""
    base: dict[str, Any] = {
        "resourceType": "Coverage",
        "id": f"{name}-{person}",
        "meta": {"lastUpdated": "2022-06-15T10:00:00+00:00"},
        "status": "active",
        "beneficiary": {"reference": f"Patient/{person}"},
        "class": [{"value": name}],
        "extension": list(extensions),
    }
    return {key: value for key, value in (base | changes).items() if value is not ...}


def year(value: str) -> dict[str, str]:
    return {"url": BB + "rfrnc_yr", "valueDate": value}


def stated(readings: list[Reading]) -> MedicareCoverageStatedData:
    (record,) = [one for one in readings if isinstance(one, PersonRecord)]
    assert isinstance(record.payload, MedicareCoverageStatedData)
    return record.payload


def said(readings: list[Reading]) -> list[tuple[object, ...]]:
    return [
        (one.first_month, one.last_month, *(value for value in told(one) if value is not None))
        for one in stated(readings).spans
    ]


def told(span: Any) -> Iterator[object]:
    yield from (span.dual_status_code, span.entitlement_buy_in_code, span.health_plan, span.medicare_status_code)


def faults(readings: list[Reading]) -> list[tuple[int, str, str | None]]:
    return [(one.line, one.reason, one.field) for one in readings if isinstance(one, Defect)]


def test_months_of_a_reference_year_join_where_they_are_equal(tmp_path: Path) -> None:
    months = [coded(f"{BB}dual_{number:02d}", "02" if number < 4 else "08") for number in range(1, 7)]
    readings = read(tmp_path, part("Part A", year("2021"), *months))
    assert said(readings) == [("2021-01", "2021-03", "02"), ("2021-04", "2021-06", "08")]
    assert stated(readings).source is CoverageSource.FHIR
    assert stated(readings).stated_on == date(2022, 6, 15)


@pytest.mark.parametrize(
    ("extensions", "expected"),
    [
        ([coded(BB + "dual_02", "NA")], [("2021-02", "2021-02", "NA")]),
        ([coded(BB + "dual_02", "2")], [("2021-02", "2021-02", "02")]),
        ([coded(BB + "dual_02", "**")], [("2021-02", "2021-02", "99")]),
        ([coded(BB + "dual_02/2019-2", "02")], [("2019-02", "2019-02", "02")]),
        ([coded(BB + "buyin11", "C")], [("2021-11", "2021-11", "C")]),
        ([coded(BB + "hmo_ind_01", "0")], [("2021-01", "2021-01", HealthPlan.NONE)]),
        ([coded(BB + "hmo_ind_01", "C")], [("2021-01", "2021-01", HealthPlan.MEDICARE_ADVANTAGE)]),
        ([coded(BB + "hmo_ind_01", "2")], [("2021-01", "2021-01", HealthPlan.COST)]),
        ([coded(BB + "ptc_cntrct_id_01", "H1234")], [("2021-01", "2021-01", HealthPlan.MEDICARE_ADVANTAGE)]),
        ([coded(BB + "ptc_cntrct_id_01", "N")], [("2021-01", "2021-01", HealthPlan.NONE)]),
        (
            [coded(BB + "hmo_ind_01", "1"), coded(BB + "ptc_cntrct_id_01", "H1234")],
            [("2021-01", "2021-01", HealthPlan.COST)],
        ),
        ([coded(BB + "ms_cd", "20")], [("2021-01", "2021-12", "20")]),
        (
            [coded(BB + "ms_cd", "20"), coded(BB + "dual_03", "02")],
            [("2021-03", "2021-03", "02", "20")],
        ),
    ],
)
def test_what_the_extensions_of_versions_1_and_2_say(
    tmp_path: Path, extensions: list[dict[str, Any]], expected: list[tuple[object, ...]]
) -> None:
    readings = read(tmp_path, part("Part C", year("2021"), *extensions))
    assert said(readings) == expected
    assert faults(readings) == []


def test_a_status_of_this_year_says_nothing_of_the_months_to_come(tmp_path: Path) -> None:
    assert said(read(tmp_path, part("Part A", year("2022"), coded(BB + "ms_cd", "10")))) == [
        ("2022-01", "2022-06", "10")
    ]


def test_stu3_names_the_part_in_its_grouping(tmp_path: Path) -> None:
    older = part("Part B", year("2021"), coded(BB + "ms_cd", "31"), grouping={"subPlan": "Part B"})
    del older["class"]
    assert said(read(tmp_path, older)) == [("2021-01", "2021-12", "31")]


def test_no_dual_status_anywhere_states_none(tmp_path: Path) -> None:
    readings = read(tmp_path, part("Part A", year("2021"), coded(BB + "ms_cd", "20"), coded(BB + "a_trm_cd", "0")))
    assert {span.dual_status_code for span in stated(readings).spans} == {None}


def test_a_resource_that_says_nothing_that_is_read_is_no_statement(tmp_path: Path) -> None:
    assert read(tmp_path, part("Part D", year("2021"), period={"start": "2021-01-01"})) == []


@pytest.mark.parametrize(
    ("extensions", "reason", "left"),
    [
        ([coded(BB + "dual_02", "07")], "dual_status_unknown", [("2021-02", "2021-02")]),
        ([coded(BB + "buyin02", "X")], "entitlement_unknown", [("2021-02", "2021-02")]),
        ([coded(BB + "hmo_ind_02", "X")], "health_plan_unknown", [("2021-02", "2021-02")]),
        (
            [coded(BB + "ms_cd", "77"), coded(BB + "dual_02", "02")],
            "medicare_status_unknown",
            [("2021-02", "2021-02", "02")],
        ),
        (
            [coded(BB + "hmo_ind_02", "0"), coded(BB + "ptc_cntrct_id_02", "H1234"), coded(BB + "dual_02", "02")],
            "health_plan_contradiction",
            [("2021-02", "2021-02", "02")],
        ),
    ],
)
def test_a_code_that_cannot_be_is_told_and_left_unsaid(
    tmp_path: Path, extensions: list[dict[str, Any]], reason: str, left: list[tuple[object, ...]]
) -> None:
    readings = read(tmp_path, part("Part A", year("2021"), *extensions))
    assert [fault[1] for fault in faults(readings)] == [reason]
    assert said(readings) == left


def test_months_without_a_year_are_no_months(tmp_path: Path) -> None:
    assert faults(read(tmp_path, part("Part A", coded(BB + "dual_02", "02")))) == [
        (1, "reference_year_missing", "dual_02")
    ]


def dual(code: str, kind: str | None, **changes: Any) -> dict[str, Any]:
    extensions = [coded(V3 + "BENE-DUAL-STUS-CD", code), coded(V3 + "MEDICAID-STATE-CD", "TX")]
    if kind is not None:
        extensions.append(coded(V3 + "BENE-DUAL-TYPE-CD", kind))
    return part("Dual Medicare/Medicaid", *extensions, **({"period": {"start": "2018-04-11"}} | changes))


def test_version_3_states_the_dual_status_of_a_period_and_its_state(tmp_path: Path) -> None:
    (record,) = read(tmp_path, dual("02", "F", period={"start": "2018-04-11", "end": "2019-02-28"}))
    assert isinstance(record, PersonRecord)
    assert record.state == "TX"
    assert said([record]) == [("2018-04", "2019-02", "02")]


@pytest.mark.parametrize(
    ("code", "kind", "contradictory"),
    [
        ("01", "P", False), ("01", "F", True), ("02", "F", False), ("02", "P", True), ("08", "N", True),
        ("03", "N", True), ("09", "F", True), ("09", "P", False), ("10", "N", False), ("NA", "F", True),
        ("00", "N", False), ("99", "F", False), ("02", "U", False), ("02", None, False), (None, "F", False),
    ],
)  # fmt: skip
def test_which_type_contradicts_which_code(code: str | None, kind: str | None, *, contradictory: bool) -> None:
    assert contradicts(code, kind) is contradictory


def test_a_contradicted_dual_status_is_quarantined_and_not_stated(tmp_path: Path) -> None:
    readings = read(tmp_path, dual("08", "N"))
    assert faults(readings) == [(1, "dual_code_contradicts_type", "BENE-DUAL-TYPE-CD")]
    assert [one for one in readings if isinstance(one, PersonRecord)] == []


def test_parts_a_and_b_of_one_person_make_entitlement(tmp_path: Path) -> None:
    readings = read(
        tmp_path,
        part("Part A", coded(V3 + "BENE-MDCR-STUS-CD", "10"), period={"start": "2018-04-11"}),
        part("Part A", person="-8", period={"start": "2000-01-01"}),
        part("Part B", period={"start": "2019-01-01", "end": "2020-12-31"}, status="cancelled"),
        part("Part C", period={"start": "2020-03-01", "end": "2020-05-31"}),
    )
    first, second = [one.payload for one in readings if isinstance(one, PersonRecord)]
    assert isinstance(first, MedicareCoverageStatedData)
    assert isinstance(second, MedicareCoverageStatedData)
    assert (first.part_a_began, first.part_b_began) == (date(2018, 4, 11), date(2019, 1, 1))
    assert [(one.first_month, one.last_month, *filter(None, told(one))) for one in first.spans] == [
        ("2018-04", "2018-12", "1"),
        ("2019-01", "2020-12", "3"),
        ("2021-01", None, "1"),
        ("2022-06", "2022-06", "10"),
        ("2020-03", "2020-05", HealthPlan.MEDICARE_ADVANTAGE),
    ]
    # Of the other person only Part A is told, which leaves open whether there is a Part B.
    assert (second.part_a_began, second.spans) == (date(2000, 1, 1), ())


def test_what_a_month_says_itself_stands_over_what_follows_from_periods(tmp_path: Path) -> None:
    readings = read(
        tmp_path,
        part("Part A", year("2021"), coded(BB + "buyin01", "C"), period={"start": "2018-01-01"}),
        part("Part B", period={"start": "2018-01-01"}),
    )
    assert said(readings) == [("2018-01", None, "3"), ("2021-01", "2021-01", "C")]


def test_periods_that_never_meet() -> None:
    spans = entitlement_spans([("2018-01", "2018-03")], [("2018-06", None)])
    assert [(one.first_month, one.last_month, one.entitlement_buy_in_code) for one in spans] == [
        ("2018-01", "2018-03", "1"),
        ("2018-06", None, "2"),
    ]


def test_the_number_and_the_patient_are_both_named_the_number_first(tmp_path: Path) -> None:
    number = [{"system": "http://hl7.org/fhir/sid/us-mbi", "value": "1S00E00AA71"}]
    (record,) = read(tmp_path, part("Part A", identifier=number, period={"start": "2018-01-01"}))
    assert isinstance(record, PersonRecord)
    assert record.references == (PersonReference("mbi", "1S00E00AA71"), PersonReference("fhir_patient", "-7"))


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (b"{", ("not_json", None)),
        ({"resourceType": "Coverage", "class": "A"}, ("wrong_type", "class")),
        (part("Part A", beneficiary=...), ("patient_missing", "beneficiary.reference")),
        (part("Part Z"), ("coverage_part_unknown", "class")),
        (part("Part A", status="entered-in-error"), ("coverage_void", "status")),
        (part("Part A", status="cancelled", period={"start": "2018-01-01"}), ("coverage_without_end", "period.end")),
        (part("Part A", period={"start": "2018-01-02", "end": "2018-01-01"}), ("service_period_reversed", "period")),
        (part("Part A", period={"start": "2018-13-02"}), ("date_malformed", "period.start")),
        (
            part("Part D", identifier=[{"system": "http://hl7.org/fhir/sid/us-mbi", "value": "AB"}]),
            ("mbi_malformed", "identifier"),
        ),
        ({"resourceType": "Observation"}, ("resource_type_not_read", "resourceType")),
    ],
)
def test_each_defect_and_the_rest_goes_on(
    tmp_path: Path, bad: dict[str, Any] | bytes, fault: tuple[str, str | None]
) -> None:
    good = part("Part A", person="-9", period={"start": "2018-01-01"})
    readings = read(tmp_path, good, bad, part("Part B", person="-9", period={"start": "2018-01-01"}))
    assert faults(readings) == [(2, *fault)]
    assert said(readings) == [("2018-01", None, "3")]


def test_people_come_together_from_files_larger_than_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions.grouped, "__defaults__", (600,))
    people = [str(-number) for number in range(1, 40)]
    parts = [part(f"Part {name}", person=one, period={"start": "2018-01-01"}) for name in "AB" for one in people]
    records = [one for one in read(tmp_path, *parts) if isinstance(one, PersonRecord)]
    assert {one.references[0].value for one in records} == set(people)
    assert len(records) == len(people)
    for one in records:
        assert isinstance(one.payload, MedicareCoverageStatedData)
        assert [span.entitlement_buy_in_code for span in one.payload.spans] == ["3"]


@needs_samples
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Coverage-Dual.json", [("2018-04", None, "01")]),
        ("Coverage-FFS.json", [("2020-01", "2020-01", "31")]),
        ("Coverage-FFS-PartB.json", [("2020-01", "2020-01", "31")]),
        ("Coverage-PartC.json", [("2018-04", None, HealthPlan.MEDICARE_ADVANTAGE)]),
    ],
)
def test_the_public_samples_of_version_3(name: str, expected: list[tuple[object, ...]]) -> None:
    readings = list(fhir_coverage.read(source_of(SAMPLES / name)))
    assert said(readings) == expected
    # The number in the samples breaks the format of an MBI on purpose: told, and the patient is named all the same.
    assert {fault[1] for fault in faults(readings)} <= {"mbi_malformed"}


@needs_samples
def test_parts_a_and_b_of_the_public_samples_together() -> None:
    readings = list(fhir_coverage.read(source_of(*(SAMPLES / f"Coverage-FFS{name}.json" for name in ("", "-PartB")))))
    assert ("2018-04", None, "3") in said(readings)
    assert stated(readings).part_b_began == date(2018, 4, 11)
