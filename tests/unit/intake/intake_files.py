"""Small deliveries in the published layouts, made for one test each."""

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path

from contracts.delivery import DeliveryKind
from services.intake.readers.records import record_length
from services.intake.reading import Defect, EncodedClaims, PersonRecord, Reading, Source

ARCHIVE = "P.D9001.ACO.ZCY22.D220210.T1000000"
MEDICAID_ARCHIVE = "TMSIS.OH.D220215.T120000.zip"
MBI, OTHER_MBI, NEW_MBI = "1EG4TE5MK73", "6U50TE7GG18", "5F27TE6KM28"


@cache
def _layout(file: str) -> dict[str, tuple[int, int]]:
    with files("contracts.wire").joinpath("cclf_layouts.csv").open(encoding="utf-8") as rows:
        return {
            row["label"]: (int(row["start"]), int(row["end"])) for row in csv.DictReader(rows) if row["file"] == file
        }


def fixed(file: str, values: Mapping[str, str]) -> str:
    """A record with these elements, everything else blank."""
    line = [" "] * record_length(file)
    for label, value in values.items():
        start, end = _layout(file)[label]
        line[start - 1 : end] = value.ljust(end - start + 1)
    return "".join(line)


def part_a(**values: str) -> str:
    """A CCLF1 record."""
    return fixed(
        "CCLF1",
        {
            "CUR_CLM_UNIQ_ID": "1000000000001",
            "BENE_MBI_ID": MBI,
            "CLM_TYPE_CD": "60",
            "CLM_FROM_DT": "2022-01-03",
            "CLM_THRU_DT": "2022-01-07",
            "PRNCPL_DGNS_CD": "I5023",
            "ADMTG_DGNS_CD": "I509",
            "CLM_PMT_AMT": " 0000000011876.42",
            "CLM_ADJSMT_TYPE_CD": "0",
            "CLM_EFCTV_DT": "2022-01-20",
            "CLM_IDR_LD_DT": "2022-01-22",
            "DGNS_PRCDR_ICD_IND": "0",
        }
        | values,
    )


def part_b(**values: str) -> str:
    """A CCLF5 record."""
    return fixed(
        "CCLF5",
        {
            "CUR_CLM_UNIQ_ID": "5000000000001",
            "CLM_LINE_NUM": "0000000001",
            "BENE_MBI_ID": MBI,
            "CLM_TYPE_CD": "71",
            "CLM_FROM_DT": "2022-01-05",
            "CLM_THRU_DT": "2022-01-05",
            "CLM_LINE_FROM_DT": "2022-01-05",
            "CLM_LINE_THRU_DT": "2022-01-05",
            "CLM_LINE_HCPCS_CD": "99214",
            "CLM_LINE_CVRD_PD_AMT": " 00000000098.21",
            "CLM_LINE_DGNS_CD": "I10",
            "CLM_CARR_PMT_DNL_CD": "1",
            "CLM_PRCSG_IND_CD": "A",
            "CLM_ADJSMT_TYPE_CD": "0",
            "CLM_EFCTV_DT": "2022-01-20",
            "CLM_IDR_LD_DT": "2022-01-21",
            "CLM_DGNS_1_CD": "I10",
            "CLM_DGNS_2_CD": "E119",
            "DGNS_PRCDR_ICD_IND": "0",
        }
        | values,
    )


def beneficiary(**values: str) -> str:
    """A CCLF8 record."""
    return fixed(
        "CCLF8",
        {
            "BENE_MBI_ID": MBI,
            "BENE_FIPS_STATE_CD": "39",
            "BENE_FIPS_CNTY_CD": "049",
            "BENE_DOB": "1945-06-12",
            "BENE_SEX_CD": "2",
            "BENE_MDCR_STUS_CD": "10",
            "BENE_DUAL_STUS_CD": "2",
            "BENE_DEATH_DT": "9999-12-31",
            "BENE_ORGNL_ENTLMT_RSN_CD": "0",
            "BENE_ENTLMT_BUYIN_IND": "C",
            "BENE_PART_A_ENRLMT_BGN_DT": "2010-06-01",
            "BENE_PART_B_ENRLMT_BGN_DT": "2010-06-01",
        }
        | values,
    )


def mbi_change(current: str, previous: str, obsolete_on: str = "2021-12-31", indicator: str = "M") -> str:
    """A CCLF9 record."""
    return fixed(
        "CCLF9",
        {
            "HICN_MBI_XREF_IND": indicator,
            "CRNT_NUM": current,
            "PRVS_NUM": previous,
            "PRVS_ID_OBSLT_DT": obsolete_on,
        },
    )


def control(counts: Mapping[str, int], lengths: Mapping[str, int] | None = None) -> str:
    """A CCLF0 file."""
    rows = ["File Number  |File Description    |Total Records Count |Record Length"]
    for file, count in counts.items():
        length = (lengths or {}).get(file, record_length(file))
        rows.append(f"{file:<7}|{'Some File':<43}|{count:>11}|{length:>5} ")
    return "\n".join(rows) + "\n"


def zipped(folder: Path, name: str, members: Mapping[str, str]) -> Path:
    """An archive of texts."""
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in members.items():
            archive.writestr(member, text.encode("latin-1"))
    return path


def member_name(file: str, archive: str = ARCHIVE) -> str:
    """How a CCLF file is named inside its archive."""
    return archive.replace("ZCY", f"ZC{file[-1]}Y").replace("ZCR", f"ZC{file[-1]}R")


def cclf(
    folder: Path,
    records: Mapping[str, Sequence[str]],
    *,
    counts: Mapping[str, int] | None = None,
    lengths: Mapping[str, int] | None = None,
    name: str = ARCHIVE,
) -> Path:
    """A CCLF delivery of these records; the four files that must be there are, empty where nothing is given."""
    given = {file: list(records.get(file, ())) for file in ("CCLF1", "CCLF5", "CCLF8", "CCLF9", *records)}
    members = {member_name(file, name): "".join(f"{line}\n" for line in lines) for file, lines in given.items()}
    announced = {file: len(lines) for file, lines in given.items()} | dict(counts or {})
    return zipped(folder, name, {member_name("CCLF0", name): control(announced, lengths), **members})


HEADER = (
    "SUBMTG_STATE_CD,MSIS_IDENT_NUM,ICN_ORIG,ICN_ADJ,ADJSTMT_IND,CLM_TYPE_CD,ADJDCTN_DT,SRVC_BGNNG_DT,SRVC_ENDG_DT,"
    "MC_PLAN_ID,BLG_PRVDR_NPI_NUM,XOVR_IND,TOT_MDCD_PD_AMT,MDCR_PD_AMT,TOT_MDCR_DDCTBL_AMT,TOT_MDCR_COINSRNC_AMT,"
    "CLM_DND_IND,DGNS_1_CD,DGNS_2_CD,DGNS_3_CD,DGNS_4_CD,DGNS_5_CD"
)
LINE = (
    "SUBMTG_STATE_CD,MSIS_IDENT_NUM,ICN_ORIG,ICN_ADJ,LINE_NUM,LINE_SRVC_BGNNG_DT,LINE_SRVC_ENDG_DT,TOS_CD,PRCDR_CD,"
    "REV_CD,WVR_BNFT_IND,MDCD_PD_AMT,LINE_DND_IND"
)
HEADER_ROW = "39,M1,C1,,0,1,20220120,20220103,20220107,,1999999999,0,120.00,,,,1,I10,E119,,,"
LINE_ROW = "39,M1,C1,,1,20220103,20220107,012,99213,,0,120.00,1"


def medicaid(
    folder: Path,
    headers: Iterable[str],
    lines: Iterable[str],
    *,
    file_type: str = "OT",
    counts: tuple[int, int] | None = None,
    header: str = HEADER,
) -> Path:
    """A T-MSIS delivery of one file type."""
    headers, lines = list(headers), list(lines)
    announced = counts or (len(headers), len(lines))
    names = tuple(f"TMSIS_{file_type}_{part}.csv" for part in ("HEADER", "LINE"))
    table = "FILE_NAME,RECORD_COUNT\n" + "".join(f"{n},{c}\n" for n, c in zip(names, announced, strict=True))
    texts = {
        "TMSIS_CONTROL.csv": table,
        names[0]: "\n".join((header, *headers)) + "\n",
        names[1]: "\n".join((LINE, *lines)) + "\n",
    }
    return zipped(folder, MEDICAID_ARCHIVE, texts)


def listed(folder: Path, name: str, header: str, rows: Sequence[str], trailer: str | None = None) -> Path:
    """A CSV file with a trailer."""
    path = folder / name
    text = io.StringIO()
    text.write("\n".join((header, *rows, trailer if trailer is not None else f"TRL,{len(rows)}")) + "\n")
    path.write_text(text.getvalue(), encoding="latin-1")
    return path


def source(kind: DeliveryKind, path: Path, *, synthetic: bool = False) -> Source:
    """What a reader gets."""
    return Source(kind, path.name, (path,), date(2022, 2, 10), synthetic, "OH")


def records(readings: Iterable[Reading]) -> list[PersonRecord]:
    """The records about people; claims that were read together stand one by one."""
    found: list[PersonRecord] = []
    for reading in readings:
        if isinstance(reading, PersonRecord):
            found.append(reading)
        elif isinstance(reading, EncodedClaims):
            found += (
                PersonRecord((reading.reference,), None, reading.payload.model_validate_json(claim), reading.feed)
                for claim in reading.claims
            )
    return found


def defects(readings: Iterable[Reading]) -> list[tuple[int, str | None, str]]:
    """Line, field and reason of every defect."""
    return [(found.line, found.field, found.reason) for found in readings if isinstance(found, Defect)]
