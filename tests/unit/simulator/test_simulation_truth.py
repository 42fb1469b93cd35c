"""The truth beside the files equals a separate recount of the files, and the files hold what is hard."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from definitions_recounted import aligned, measures, person_months
from recount_of_files import Recount, months, recount

from infra.simulator import Simulation, simulate

PEOPLE, MONTHS = 500, 14


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    directory = tmp_path_factory.mktemp("simulation")
    return simulate(directory, people=PEOPLE, months=MONTHS, seed=7, shift="medicare-to-medicaid")


@pytest.fixture(scope="module")
def truth(made: Simulation) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((made.directory / "truth.json").read_text())
    return document


@pytest.fixture(scope="module")
def found(made: Simulation) -> Recount:
    return recount(made.directory / "deliveries")


def test_measures_equal_a_recount_of_the_files(truth: dict[str, Any], found: Recount) -> None:
    cells, outlay = measures(found)
    stated = {
        (row["payer"], row["category"], row["month"], row["cohort"]): [
            row["cents"],
            row["claims"],
            row["crossover_cents"],
            row["crossover_claims"],
        ]
        for row in truth["measures"]
    }
    assert {key: cell for key, cell in cells.items() if any(cell)} == {k: c for k, c in stated.items() if any(c)}
    assert {
        (row["payer"], row["category"], row["month"], row["cohort"]): row["outlay_cents"]
        for row in truth["measures"]
        if row["outlay_cents"]
    } == {key: spent for key, spent in outlay.items() if spent}


def test_person_months_equal_a_recount(truth: dict[str, Any], found: Recount) -> None:
    first, last = truth["parameters"]["first_month"], truth["parameters"]["last_month"]
    stated = {(row["cohort"], row["month"]): row["count"] for row in truth["person_months"]}
    assert person_months(found, first, last) == stated


def test_alignment_equals_a_recount(truth: dict[str, Any], found: Recount) -> None:
    first, last = truth["parameters"]["first_month"], truth["parameters"]["last_month"]
    assert len(truth["alignment"]) == PEOPLE == len(found.people)
    for row in truth["alignment"]:
        person = found.people[found.by_mbi[row["mbis"][0]]]
        assert person.mbis == set(row["mbis"])
        assert [month for month in months(first, last) if aligned(person, month)] == row["aligned_months"]


def test_claims_in_all_are_the_distinct_records(truth: dict[str, Any], made: Simulation, found: Recount) -> None:
    versions = sum(len(adjudications) for adjudications in found.medicaid.values())
    assert truth["totals"]["medicare_records"] == len(found.medicare)
    assert truth["totals"]["medicaid_versions"] == versions
    assert truth["totals"]["medicaid_claims"] == len(found.medicaid)
    assert truth["totals"]["claims"] == made.claims == len(found.medicare) + versions


def test_cents_in_all_are_the_sum_of_measures(truth: dict[str, Any]) -> None:
    sums: Counter[str] = Counter()
    for row in truth["measures"]:
        sums["capitation" if row["basis"] == "capitation" else row["payer"]] += row["cents"]
    assert sums == {key: truth["totals"][f"{key}_cents"] for key in ("medicare", "medicaid", "capitation")}


def test_deliveries_are_listed_in_order_of_their_paths(truth: dict[str, Any], made: Simulation) -> None:
    root = made.directory / "deliveries"
    paths = [delivery["path"] for delivery in truth["deliveries"]]
    assert paths == sorted(paths)
    assert paths == sorted(path.relative_to(root).as_posix() for path in root.glob("*/*"))


def test_a_repeated_file_has_the_bytes_of_the_first(truth: dict[str, Any], made: Simulation, found: Recount) -> None:
    root = made.directory / "deliveries"
    repeated = [delivery for delivery in truth["deliveries"] if delivery["duplicate_of"]]
    assert len(repeated) == found.repeated_files > 0
    for delivery in repeated:
        assert (root / delivery["path"]).read_bytes() == (root / delivery["duplicate_of"]).read_bytes()


def _medicaid_headers(found: Recount) -> list[dict[str, str]]:
    return [header for versions in found.medicaid.values() for _, header, _ in versions.values()]


@pytest.mark.parametrize(
    "event",
    [
        "cross_reference",
        "voided_month",
        "restated_month",
        "termination",
        "opted_out",
        "alignment_changed_after_the_fact",
    ],
)
def test_every_change_of_enrolment_that_is_hard_occurs(found: Recount, event: str) -> None:
    assert found.seen[event] > 0


def test_every_kind_of_medicare_record_occurs(found: Recount) -> None:
    part_a = [lines[0] for unique, lines in found.medicare.items() if found.medicare_type[unique] == "1"]
    part_b = [lines[0] for unique, lines in found.medicare.items() if found.medicare_type[unique] == "5"]
    assert {line[148] for line in part_a} == {line[149] for line in part_b} == {"0", "1", "2"}
    assert {line[41:43] for line in part_a} == {"60", "20", "10", "40", "50"}
    assert {line[45:47] for line in part_b} == {"71", "72"}
    assert any(line[79:81].strip() for line in part_a)
    assert any(line[145] == "0" for line in part_b)
    assert found.repeated_records > 0


def test_part_b_lines_reach_into_the_next_month(found: Recount) -> None:
    claims = [lines for unique, lines in found.medicare.items() if found.medicare_type[unique] == "5"]
    assert any(len({line[87:94] for line in lines}) > 1 for lines in claims)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("ADJSTMT_IND", {"0", "1", "4"}),
        ("CLM_TYPE_CD", {"1", "2", "3"}),
        ("XOVR_IND", {"0", "1"}),
        ("CLM_DND_IND", {"0", "1"}),
        ("MC_PLAN_ID", {"", "MCO9001", "MCO9002"}),
    ],
)
def test_every_kind_of_medicaid_record_occurs(found: Recount, field: str, values: set[str]) -> None:
    assert {header[field] for header in _medicaid_headers(found)} == values


def test_capitation_is_taken_back(found: Recount) -> None:
    standing = [versions[max(versions)][1] for versions in found.medicaid.values()]
    assert any(header["CLM_TYPE_CD"] == "2" and header["ADJSTMT_IND"] == "1" for header in standing)


def test_claims_lag_up_to_four_months(found: Recount) -> None:
    def lag(header: dict[str, str]) -> int:
        paid, served = header["ADJDCTN_DT"], header["SRVC_ENDG_DT"]
        return (int(paid[:4]) - int(served[:4])) * 12 + int(paid[4:6]) - int(served[4:6])

    originals = [header for header in _medicaid_headers(found) if header["ADJSTMT_IND"] == "0"]
    assert {lag(header) for header in originals} == {0, 1, 2, 3, 4, 5}


def test_people_move_die_and_join_health_plans(found: Recount) -> None:
    people = list(found.people.values())
    assert any(person.death for person in people)
    assert any(len({row["county"] for row in person.snapshots.values()}) > 1 for person in people)
    assert any(len({span.health_plan for span in person.spans if span.enrolled}) > 1 for person in people)
    assert {row["dual"] for person in people for row in person.snapshots.values()} >= {"02", "04", "08", "01", "NA"}


def test_both_sides_of_the_comparison_are_there(truth: dict[str, Any]) -> None:
    counts: Counter[str] = Counter()
    for row in truth["person_months"]:
        counts[row["cohort"]] += row["count"]
    assert counts["aligned"] > PEOPLE * MONTHS // 5
    assert counts["comparison"] > PEOPLE * MONTHS // 5
    assert counts["excluded"] > 0


def test_costs_are_heavy_tailed(found: Recount) -> None:
    paid: Counter[str] = Counter()
    for unique, lines in found.medicare.items():
        if found.medicare_type[unique] == "1" and lines[0][148] == "0":
            paid[lines[0][19:30]] += int(lines[0][81:98].strip().replace(".", ""))
    ordered = sorted(paid.values(), reverse=True)
    assert sum(ordered[: PEOPLE // 20]) > 0.25 * sum(ordered)


def test_the_planted_shift_is_realised(truth: dict[str, Any]) -> None:
    planted = truth["planted"]
    medicare = planted["medicare_cents"] / planted["medicare_person_months"]
    medicaid = planted["medicaid_cents"] / planted["medicaid_person_months"]
    assert planted["month"] == "2022-08"
    assert medicare == pytest.approx(-planted["medicare_pbpm_cents"], rel=0.4)
    assert medicaid == pytest.approx(planted["medicaid_pbpm_cents"], rel=0.25)


def test_nothing_but_the_planted_cells_differs_without_the_shift(truth: dict[str, Any], tmp_path: Path) -> None:
    simulate(tmp_path / "none", people=PEOPLE, months=MONTHS, seed=7)
    without = json.loads((tmp_path / "none" / "truth.json").read_text())
    before = {_key(row): row for row in without["measures"]}
    differing = [row for row in truth["measures"] if row != before[_key(row)]]
    assert {row["cohort"] for row in differing} == {"aligned"}
    assert {(row["payer"], row["category"]) for row in differing} == {
        ("medicare", "inpatient"),
        ("medicare", "skilled_nursing_facility"),
        ("medicaid", "nursing_facility"),
        ("medicaid", "home_and_community"),
    }
    assert min(row["month"] for row in differing) == truth["planted"]["month"]
    for payer in ("medicare", "medicaid"):
        change = sum(row["cents"] - before[_key(row)]["cents"] for row in differing if row["payer"] == payer)
        assert change == truth["planted"][f"{payer}_cents"]
    assert without["planted"]["medicare_cents"] == without["planted"]["medicaid_cents"] == 0


def _key(row: dict[str, Any]) -> tuple[str, str, str, str]:
    return (row["payer"], row["category"], row["month"], row["cohort"])
