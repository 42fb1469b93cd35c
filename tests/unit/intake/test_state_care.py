"""A state's own file that also tells of care arrangements: a row for each plan, and what the rows of a person say together."""

from pathlib import Path
from typing import Any

import pytest
from state_files import GENERIC, faults, read_all, row, statements, text_of

from contracts.codes import HealthPlan
from contracts.medicaid import MedicaidEnrolmentStatedData
from services.intake.readers.state_mapping import MappingError, read_mapping

CARE = (
    *GENERIC, "LEVEL_OF_CARE", "SAFE_IN_COMMUNITY", "ENROLMENT_BASIS", "DEMONSTRATION", "MEDICARE_CONTRACT",
    "MEDICARE_PACKAGE",
)  # fmt: skip
MAPPING = Path("services/intake/policy/state_eligibility/generic_care.toml")


def care(folder: Path, *rows: dict[str, str]) -> Path:
    path = folder / "STATE_CARE.OH.202206.D220715.csv"
    path.write_text(text_of(rows, CARE, f"TRL,{len(rows)}"), encoding="utf-8")
    return path


def the_one(folder: Path, *rows: dict[str, str]) -> MedicaidEnrolmentStatedData:
    (statement,) = statements(read_all(care(folder, *rows)))
    return statement


def test_every_plan_of_a_month_with_what_the_rows_say_together(tmp_path: Path) -> None:
    told = {"LEVEL_OF_CARE": "NURSING_FACILITY", "SAFE_IN_COMMUNITY": "Y", "DEMONSTRATION": "N"}
    statement = the_one(
        tmp_path,
        row(PLAN_ID="MCO9001", PLAN_TYPE="01", **told),
        row(PLAN_ID="HH01", PLAN_TYPE="70", ENROLMENT_BASIS="VOLUNTARY", **told),
    )
    assert [(one.plan_id, one.plan_type_code) for one in statement.spans] == [("HH01", "70"), ("MCO9001", "01")]
    for one in statement.spans:
        assert (one.level_of_care, one.safe_in_community, one.demonstration) == ("nursing_facility", True, False)
        assert (one.enrolment_basis, one.health_plan) == ("voluntary", None)


def test_rows_that_contradict_each_other_say_nothing_of_it(tmp_path: Path) -> None:
    statement = the_one(
        tmp_path,
        row(PLAN_ID="MCO9001", SAFE_IN_COMMUNITY="Y"),
        row(PLAN_ID="HH01", SAFE_IN_COMMUNITY="N"),
    )
    assert {one.safe_in_community for one in statement.spans} == {None}


def test_a_medicare_contract_is_a_health_plan(tmp_path: Path) -> None:
    (one,) = the_one(tmp_path, row(MEDICARE_CONTRACT="H9030", MEDICARE_PACKAGE="003")).spans
    assert (one.health_plan, one.health_plan_contract, one.health_plan_package) == (
        HealthPlan.MEDICARE_ADVANTAGE, "H9030", "003",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"LEVEL_OF_CARE": "NF"}, "not_in_code_list"),
        ({"SAFE_IN_COMMUNITY": "yes"}, "not_in_code_list"),
        ({"ENROLMENT_BASIS": "OPT"}, "not_in_code_list"),
        ({"MEDICARE_CONTRACT": "9030"}, "not_a_contract"),
        ({"MEDICARE_PACKAGE": "3"}, "not_a_code"),
    ],
)
def test_a_value_that_is_none_withholds_the_person(tmp_path: Path, values: dict[str, str], fault: str) -> None:
    readings = read_all(care(tmp_path, row(**values), row(MEDICAID_ID="M2", MEDICARE_ID="")))
    assert len(statements(readings)) == 1
    assert faults(readings) == [(2, next(iter(values)), fault)]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("[codes.level_of_care]", "[codes.ignored_table]"), "codes.ignored_table is not known"),
        (('NONE = "none"', 'NONE = "nothing"'), "codes.level_of_care gives a level that is not known"),
        (('PASSIVE = "passive"', 'PASSIVE = "sent"'), "codes.enrolment_basis gives something else"),
    ],
)
def test_a_mapping_with_codes_that_are_none_is_refused(change: Any, fault: str) -> None:
    with pytest.raises(MappingError, match=fault):
        read_mapping("changed.toml", MAPPING.read_text(encoding="utf-8").replace(*change))
