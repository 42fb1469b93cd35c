"""Small state eligibility files, made for one test each."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

from contracts.delivery import DeliveryKind
from contracts.medicaid import MedicaidEnrolmentSpan, MedicaidEnrolmentStatedData
from services.intake.readers.state_eligibility import read
from services.intake.reading import Defect, Observation, PersonRecord, Reading, Source

GENERIC = (
    "MEDICAID_ID", "MEDICARE_ID", "LAST_NAME", "FIRST_NAME", "BIRTH_DATE", "DEATH_DATE", "SEX", "COUNTY_FIPS", "PROGRAMME",
    "DUAL_STATUS", "AID_CODE", "PLAN_ID", "PLAN_TYPE", "BEGIN_DATE", "END_DATE",
)  # fmt: skip
_PERSON = {
    "MEDICAID_ID": "M1", "MEDICARE_ID": "1EG4TE5MK73", "LAST_NAME": "DOE", "FIRST_NAME": "JO", "BIRTH_DATE": "19450612",
    "SEX": "F", "COUNTY_FIPS": "39049", "PROGRAMME": "QMB_PLUS", "BEGIN_DATE": "20220101", "END_DATE": "",
}  # fmt: skip
COUNTY_LIKE = (
    "MBR_H_SID", "MEDICAID_RECIPIENT_ID", "FIRST_NAME", "LAST_NAME", "BIRTH_DATE", "GENDER", "RAC_CODE", "RAC_NAME",
    "RAC_FROM_DATE", "RAC_TO_DATE", "COVERAGE_TYPE_IND", "MC_PRVDR_ID", "DUALELIGIBLE_INDICATOR", "RSDNTL_COUNTY_CODE",
)  # fmt: skip
_COUNTY_PERSON = {
    "MBR_H_SID": "77", "MEDICAID_RECIPIENT_ID": "W1", "FIRST_NAME": "JO", "LAST_NAME": "DOE", "BIRTH_DATE": "1945-06-12",
    "GENDER": "Female", "RAC_CODE": "1104", "RAC_NAME": "any", "RAC_FROM_DATE": "2022-01-01",
    "RAC_TO_DATE": "2022-03-31", "COVERAGE_TYPE_IND": "MC", "MC_PRVDR_ID": "P9", "DUALELIGIBLE_INDICATOR": "Full Dual",
    "RSDNTL_COUNTY_CODE": "033",
}  # fmt: skip
NAME = "STATE_ELIGIBILITY.OH.202206.D220715.csv"
DATED = date(2022, 7, 15)


def row(**values: str) -> dict[str, str]:
    """A row in the generic layout."""
    return {**dict.fromkeys(GENERIC, ""), **_PERSON, **values}


def county_row(**values: str) -> dict[str, str]:
    """A row in the layout of the county-like example."""
    return {**_COUNTY_PERSON, **values}


def text_of(rows: Sequence[dict[str, str]], header: Sequence[str], trailer: str | None) -> str:
    """A file of these rows."""
    lines = [",".join(header), *(",".join(one.get(label, "") for label in header) for one in rows)]
    return "\n".join([*lines, *([trailer] if trailer is not None else [])]) + "\n"


def generic(folder: Path, rows: Sequence[dict[str, str]], *, name: str = NAME, trailer: str | None = None) -> Path:
    """A file in the generic layout."""
    path = folder / name
    text = text_of(rows, GENERIC, f"TRL,{len(rows)}" if trailer is None else trailer)
    path.write_text(text, encoding="utf-8")
    return path


def county(folder: Path, rows: Sequence[dict[str, str]], header: Sequence[str] = COUNTY_LIKE) -> Path:
    """A file in the layout of the county-like example."""
    path = folder / "quarter.csv"
    path.write_text(text_of(rows, header, None), encoding="utf-8")
    return path


def read_all(path: Path, dated: date = DATED) -> list[Reading]:
    """Everything that the reader makes of a file."""
    return list(read(Source(DeliveryKind.STATE_ELIGIBILITY, path.name, (path,), dated, False, "OH")))


def statements(readings: Iterable[Reading]) -> list[MedicaidEnrolmentStatedData]:
    """What is stated about people."""
    found = [reading.payload for reading in readings if isinstance(reading, PersonRecord)]
    return [payload for payload in found if isinstance(payload, MedicaidEnrolmentStatedData)]


def told(readings: Iterable[Reading]) -> dict[str, int]:
    """What is told of the delivery as a whole."""
    return {reading.what: reading.count for reading in readings if isinstance(reading, Observation)}


def faults(readings: Iterable[Reading]) -> list[tuple[int, str | None, str]]:
    """Line, field and reason of every defect."""
    return [(found.line, found.field, found.reason) for found in readings if isinstance(found, Defect)]


def short(spans: Iterable[MedicaidEnrolmentSpan]) -> Iterator[tuple[str, str | None, bool, str | None, str | None]]:
    """Months, whether enrolled, programme and dual status of each span."""
    return ((span.first_month, span.last_month, span.enrolled, span.programme, span.dual_status_code) for span in spans)
