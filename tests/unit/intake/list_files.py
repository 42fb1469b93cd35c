"""Small lists, as CSV files and as workbooks, made for one test each."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
from intake_files import MBI

from contracts.delivery import DeliveryKind
from services.intake.reading import Reading, RefusedDelivery, Source
from services.intake.registry import reader_of, recognise

NPI, OTHER_NPI = "1999900016", "1999900024"
RECEIVED = date(2022, 3, 1)

ALIGNMENT, ALIGNMENT_BOOK = (f"ALIGNMENT_REPORT.D9001.202202.D220210.{suffix}" for suffix in ("csv", "xlsx"))
PROVIDERS, PROVIDERS_BOOK = (f"PROVIDER_ALIGNMENT_REPORT.D9001.2022Q1.D220210.{suffix}" for suffix in ("csv", "xlsx"))
RESPONSES, RESPONSES_BOOK = (f"VOLUNTARY_ALIGNMENT_RESPONSE.D9001.2022Q1.D220410.{s}" for s in ("csv", "xlsx"))
ROSTER, ROSTER_BOOK = (f"PROVIDER_ROSTER.D9001.OH.D220105.{suffix}" for suffix in ("csv", "xlsx"))

HEADERS = {
    ALIGNMENT: "REPORT_MONTH,DCE_ID,BENE_MBI_ID,ALGNMT_EFCTV_DT,ALGNMT_TERM_DT,RMVL_RSN_CD,ALGNMT_TYPE_CD,PRFRMNC_YR,"
    "DATA_SHRNG_OPT_OUT_IND",
    PROVIDERS: "RPT_PRD,DCE_ID,BENE_MBI_ID,PRTCPNT_NPI,ALGNMT_TYPE_CD",
    RESPONSES: "RSPNS_PRD,DCE_ID,BENE_MBI_ID,SGNTR_DT,CLNCN_NPI,RSPNS_CD,RJCT_RSN_CD",
    ROSTER: "DCE_ID,NPI,SPCLTY_CD,CNTY_FIPS_CD,EFCTV_DT,TERM_DT",
}
ROWS = {
    ALIGNMENT: f"202202,D9001,{MBI},20210101,20211231,MOVED,CLAIMS,2022,Y",
    PROVIDERS: f"2022Q1,D9001,{MBI},{NPI},CLAIMS",
    RESPONSES: f"2022Q1,D9001,{MBI},20220301,{NPI},REJECTED,NOT_ON_LIST",
    ROSTER: f"D9001,{NPI},11,39049,20220101,",
}
BOOKS = {ALIGNMENT: ALIGNMENT_BOOK, PROVIDERS: PROVIDERS_BOOK, RESPONSES: RESPONSES_BOOK, ROSTER: ROSTER_BOOK}

SECOND = {
    "REPORT MONTH": "02/2022",
    "ENTITY ID": "D9001",
    "MBI": MBI,
    "LAST NAME": "O'Neil",
    "FIRST NAME": "Ada",
    "DATE OF BIRTH": "06/12/1945",
    "SEX": "F",
    "STATE": "OH",
    "BENEFICIARY STATUS": "ALIGNED",
    "ALIGNMENT START DATE": "01/01/2022",
    "REMOVAL DATE": "",
    "REMOVAL REASON": "",
    "ALIGNMENT BASIS": "C",
    "ALIGNMENT YEAR": "2022",
    "PERFORMANCE YEAR": "2022",
    "HIGH NEEDS CRITERIA": "B;A",
    "PART D": "Y",
    "DATA SHARING": "N",
    "ADMINISTRATIVE OPT OUT": "N",
}


def text_file(folder: Path, name: str, lines: Sequence[str], *, encoding: str = "utf-8") -> Path:
    """A file of these lines."""
    path = folder / name
    path.write_bytes("".join(f"{line}\n" for line in lines).encode(encoding))
    return path


def csv_list(folder: Path, name: str, rows: Sequence[str], *, header: str | None = None) -> Path:
    """A list in its first layout with a trailer that holds."""
    return text_file(folder, name, [header or HEADERS[name], *rows, f"TRL,{len(rows)}"])


def second_layout(**values: str) -> str:
    """A row of the alignment report's second layout."""
    return ",".join((SECOND | {name.replace("_", " "): value for name, value in values.items()}).values())


def second_report(folder: Path, *rows: str, header: Sequence[str] = tuple(SECOND)) -> Path:
    """An alignment report in its second layout."""
    return csv_list(folder, ALIGNMENT, rows, header=",".join(header))


def workbook(folder: Path, name: str, *sheets: Sequence[Sequence[Any]], hidden: Sequence[int] = ()) -> Path:
    """A workbook of these rows; the sheets of these numbers, from 1, are hidden."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets, start=1):
        sheet = book.create_sheet(f"Sheet {number}")
        for row in rows:
            sheet.append(list(row))
        if number in hidden:
            sheet.sheet_state = "hidden"
    path = folder / name
    book.save(path)
    return path


def table_of(name: str, *rows: str) -> list[list[str]]:
    """Header and rows of a list in its first layout, as cells."""
    return [line.split(",") for line in (HEADERS[name], *(rows or (ROWS[name],)))]


def delivered(path: Path, *, synthetic: bool = False) -> list[Reading]:
    """What intake reads from a file, from its recognition on."""
    found = recognise(path, RECEIVED)
    return list(reader_of(found.kind)(Source(found.kind, path.name, (path,), found.dated, synthetic, "OH")))


def outcome(path: Path, *, synthetic: bool = False) -> str | list[Reading]:
    """The readings, or the reason of a refusal."""
    try:
        return delivered(path, synthetic=synthetic)
    except RefusedDelivery as refusal:
        return refusal.reason_code


def kind_of(path: Path) -> DeliveryKind:
    """As what a file is recognised."""
    return recognise(path, RECEIVED).kind
