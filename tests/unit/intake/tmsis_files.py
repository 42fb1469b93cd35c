"""Small T-MSIS eligibility deliveries, as CSV or as Parquet, made for one test each."""

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Literal

import duckdb

from contracts.delivery import DeliveryKind
from contracts.medicaid import MedicaidEnrolmentStatedData
from services.intake.readers.medicaid_eligibility import read
from services.intake.reading import Observation, PersonRecord, Reading, Source

Form = Literal["csv", "parquet"]
Rows = Sequence[Mapping[str, str]]
NAME = "TMSIS.OH.ELIGIBILITY.D220715.T120000.zip"
DATED = date(2022, 7, 15)
MONTHS = [f"{month:02d}" for month in range(1, 13)]


def base_row(months: Mapping[int, str | None] | None = None, **values: str) -> dict[str, str]:
    """An annual row: for each month that is enrolled the dual status (``None``: enrolled without one)."""
    duals = dict.fromkeys(range(1, 7), "02") if months is None else months
    row = {
        "SUBMTG_STATE_CD": "39", "MSIS_IDENT_NUM": "M1", "DE_FIL_DT": "2022", "MDCR_BENE_ID": "1EG4TE5MK73",
        "BIRTH_DT": "19450612", "DEATH_DT": "", "SEX_CD": "F", "ELGBL_CNTY_CD": "049", "ELGBL_STATE_CD": "39",
    }  # fmt: skip
    for number, month in enumerate(MONTHS, start=1):
        row[f"MDCD_ENRLMT_DAYS_{month}"] = "28" if number in duals else "0"
        row[f"CHIP_ENRLMT_DAYS_{month}"] = "0"
        row[f"DUAL_ELGBL_CD_{month}"] = duals.get(number) or ""
        row[f"ELGBLTY_GRP_CD_{month}"] = "11" if number in duals else ""
        row[f"RSTRCTD_BNFTS_CD_{month}"] = "1" if number in duals else ""
    return row | values


def pairs_row(names: tuple[str, str], places: int, given: Mapping[tuple[int, int], tuple[str, str]]) -> dict[str, str]:
    """An annual row of plans or waivers: ``(month, place)`` to number and type."""
    row = {"SUBMTG_STATE_CD": "39", "MSIS_IDENT_NUM": "M1", "DE_FIL_DT": "2022"}
    for number, month in enumerate(MONTHS, start=1):
        for place in range(1, places + 1):
            identifier, kind = given.get((number, place), ("", ""))
            row[f"{names[0]}{place}_{month}"], row[f"{names[1]}{place}_{month}"] = identifier, kind
    return row


def care_row(given: Mapping[tuple[int, int], tuple[str, str]], places: int = 16) -> dict[str, str]:
    """An annual row of managed care."""
    return pairs_row(("MC_PLAN_ID", "MC_PLAN_TYPE_CD"), places, given)


def waiver_row(given: Mapping[tuple[int, int], tuple[str, str]], places: int = 10) -> dict[str, str]:
    """An annual row of waivers."""
    return pairs_row(("WVR_ID", "WVR_TYPE_CD"), places, given)


def monthly_row(period: str = "202206", **values: str) -> dict[str, str]:
    """A monthly row."""
    row = {
        "SUBMTG_STATE_CD": "OH", "MSIS_IDENT_NUM": "M1", "BSF_FIL_DT": period, "MDCR_BENE_ID": "1EG4TE5MK73",
        "ELGBL_1ST_NAME": "JO", "ELGBL_LAST_NAME": "DOE", "BIRTH_DT": "1945-06-12", "DEATH_DT": "", "SEX_CD": "F",
        "ELGBL_CNTY_CD_HOME": "049", "ELGBL_STATE_CD_HOME": "39", "PRMRY_ELGBLTY_GRP_IND": "1",
        "DAYS_ELIG_IN_MO_CNT": "30", "CHIP_CD": "1", "DUAL_ELGBL_CD": "02", "ELGBLTY_GRP_CD": "11",
        "RSTRCTD_BNFTS_CD": "1", "MC_PLAN_ID1": "MCO1", "MC_PLAN_TYPE_CD1": "01", "MC_PLAN_ID2": "",
        "MC_PLAN_TYPE_CD2": "", "WVR_ID1": "", "WVR_TYPE_CD1": "",
    }  # fmt: skip
    return row | values


def csv_of(rows: Rows) -> bytes:
    """Rows as CSV; the header is that of the first."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def parquet_of(rows: Rows, folder: Path, types: Mapping[str, str] | None = None) -> bytes:
    """Rows as Parquet, texts where ``types`` says nothing else; blank is null."""
    source, target = folder / "rows.csv", folder / "rows.parquet"
    source.write_bytes(csv_of(rows))
    cells = ", ".join(
        f'CAST(nullif("{label}", \'\') AS {(types or {}).get(label, "VARCHAR")}) AS "{label}"' for label in rows[0]
    )
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT {cells} FROM read_csv('{source}', header=true, all_varchar=true, delim=',', nullstr='\x01'))"
            f" TO '{target}' (FORMAT parquet)"
        )
    return target.read_bytes()


def delivery(
    folder: Path,
    tables: Mapping[str, Rows | bytes],
    *,
    form: Form = "csv",
    name: str = NAME,
    counts: Mapping[str, int] | None = None,
    inside: str = "",
) -> Path:
    """An archive of tables by name without ending; bytes are put in as they are."""
    path = folder / name
    control = ["FILE_NAME,RECORD_COUNT"]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for table, rows in tables.items():
            if isinstance(rows, bytes):
                content, count = rows, (counts or {}).get(table, 1)
            else:
                content = csv_of(rows) if form == "csv" else parquet_of(rows, folder)
                count = (counts or {}).get(table, len(rows))
            archive.writestr(f"{inside}{table}.{form}", content)
            control.append(f"{table}.{form},{count}")
        archive.writestr(f"{inside}TMSIS_CONTROL.csv", "\n".join(control) + "\n")
    return path


def read_all(path: Path, dated: date = DATED) -> list[Reading]:
    """Everything that the reader makes of a delivery."""
    return list(read(Source(DeliveryKind.MEDICAID_ELIGIBILITY, path.name, (path,), dated, False, "OH")))


def statements(readings: Iterable[Reading]) -> list[MedicaidEnrolmentStatedData]:
    """What is stated about people."""
    found = [reading.payload for reading in readings if isinstance(reading, PersonRecord)]
    return [payload for payload in found if isinstance(payload, MedicaidEnrolmentStatedData)]


def told(readings: Iterable[Reading]) -> dict[str, int]:
    """What is told of the delivery as a whole."""
    return {reading.what: reading.count for reading in readings if isinstance(reading, Observation)}
