"""A CCLF delivery of any size, for measuring only: every file, joined as they are in life, lines in no order.

Made of arrays of bytes in blocks, so that twenty million lines take minutes and no memory. The same seed gives the
same files. Nothing in them is meant to be plausible but their shape: how many lines a claim and a person have.
"""

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from services.intake.readers.records import layout, record_length

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]

ARCHIVE: Final = "P.D9001.ACO.ZCY22.D220210.T1000000"
_BLOCK_LINES = 100_000
# Lines of each file among a hundred, and how many lines one claim has in it.
_SHARES: Final = {
    "CCLF1": (4, 1),
    "CCLF2": (20, 5),
    "CCLF3": (4, 1),
    "CCLF4": (20, 5),
    "CCLF5": (36, 3),
    "CCLF6": (4, 2),
    "CCLF7": (6, 1),
    "CCLFA": (4, 1),
    "CCLFB": (2, 1),
}
_LINES_A_PERSON = 400
# Prime, and far larger than any number of lines: multiplying by it puts them into an order that looks like none.
_STRIDE = 1_000_000_007
_LETTERS = np.frombuffer(b"ACDEFGHJKMNPQRTUVWXY", dtype=np.uint8)
_LETTER_PLACES = (1, 4, 7, 8)
_FIRST_NUMBER = {"A": 1 * 10**12, "B": 5 * 10**12, "DME": 6 * 10**12, "D": 7 * 10**12}
_CODES = ("I10", "E119", "E785", "N179", "F1020", "Z0000", "I5023", "J449", "M6281", "R0789")


def _texts(*texts: str) -> Bytes:
    width = max(map(len, texts))
    return np.frombuffer("".join(text.ljust(width) for text in texts).encode(), dtype=np.uint8).reshape(-1, width)


_DAYS = _texts(*(str(np.datetime64("2022-01-01") + day) for day in range(365)))
_DIAGNOSES = _texts(*_CODES)


def _digits(numbers: Numbers, width: int) -> Bytes:
    found = np.empty((len(numbers), width), dtype=np.uint8)
    for place in range(width):
        found[:, place] = 48 + numbers // 10 ** (width - 1 - place) % 10
    return found


def _mbis(people: Numbers) -> Bytes:
    found = np.full((len(people), 11), ord("1"), dtype=np.uint8)
    left = people.copy()
    for place in range(1, 11):
        base = len(_LETTERS) if place in _LETTER_PLACES else 10
        found[:, place] = _LETTERS[left % base] if base != 10 else 48 + left % 10  # noqa: PLR2004 - a digit's base
        left //= base
    return found


def _dollars(cents: Numbers, width: int) -> Bytes:
    digits = _digits(cents, width - 2)
    found = np.full((len(cents), width), ord(" "), dtype=np.uint8)
    found[:, 1 : width - 3] = digits[:, :-2]
    found[:, width - 3] = ord(".")
    found[:, width - 2 :] = digits[:, -2:]
    return found


@dataclass(frozen=True, slots=True)
class Size:
    """So many lines about claims, in all files together."""

    lines: int
    seed: int = 11

    def of(self, file: str) -> int:
        """Lines of one file; as many as make whole claims."""
        share, each = _SHARES[file]
        return max(1, self.lines * share // 100 // each) * each

    @property
    def people(self) -> int:
        """People whom the lines are about."""
        return max(1, self.lines // _LINES_A_PERSON)


def _block(file: str, size: Size, places: Numbers) -> Bytes:
    """The records at these places of a file."""
    each = _SHARES[file][1]
    lines = (places * _STRIDE + size.seed) % size.of(file)
    claims, numbers = lines // each, lines % each + 1
    family = {"CCLF5": "B", "CCLF6": "DME", "CCLF7": "D", "CCLFB": "B"}.get(file, "A")
    people = (claims * 7919 + ord(family[0])) % size.people
    records = np.full((len(places), record_length(file) + 1), ord(" "), dtype=np.uint8)
    records[:, -1] = ord("\n")
    elements = {element.label: slice(element.start - 1, element.end) for element in layout(file)}
    values = _values(file, claims, numbers)
    values["CUR_CLM_UNIQ_ID"] = lambda width: _digits(claims + _FIRST_NUMBER[family], width)
    values["BENE_MBI_ID"] = lambda _: _mbis(people)
    for label, value in values.items():
        if label in elements:
            field = elements[label]
            text = value(field.stop - field.start)
            records[:, field.start : field.start + text.shape[1]] = text
    return records


def _values(file: str, claims: Numbers, numbers: Numbers) -> dict[str, Callable[[int], Bytes]]:
    """What stands in which element, given its width."""
    days = _DAYS[claims * 31 % len(_DAYS)]
    dated = {label: (lambda _: days) for label in (
        "CLM_FROM_DT", "CLM_THRU_DT", "CLM_LINE_FROM_DT", "CLM_LINE_THRU_DT", "CLM_EFCTV_DT", "CLM_IDR_LD_DT",
        "CLM_PRCDR_PRFRM_DT",
    )}  # fmt: skip
    kind = {"CCLF5": "71", "CCLF6": "82", "CCLF7": "01"}.get(file, "60")
    same = {
        "CLM_TYPE_CD": kind, "CLM_ADJSMT_TYPE_CD": "0", "DGNS_PRCDR_ICD_IND": "0", "CLM_POS_CD": "11",
        "CLM_PRVDR_SPCLTY_CD": "06", "CLM_CARR_PMT_DNL_CD": "1", "CLM_PRCSG_IND_CD": "A", "PRVDR_OSCAR_NUM": "360001",
        "CLM_LINE_PROD_REV_CTR_CD": "0450", "CLM_PRCDR_CD": "0DTJ4ZZ", "DGNS_DRG_CD": "0291",
        "CLM_LINE_NDC_CD": "00003089421", "CLM_LINE_SRVC_UNIT_QTY": "000000000000000030.0000",
        "CLM_LINE_DAYS_SUPLY_QTY": "000000030", "CLM_LINE_RX_FILL_NUM": "000000001", "BENE_PTNT_STUS_CD": "01",
        **{f"CLM_DGNS_{place}_CD": "~" for place in range(5, 13)},
    }  # fmt: skip
    fixed = {label: (lambda _, text=text: _texts(text)) for label, text in same.items()}
    amounts = {label: (lambda width: _dollars(claims * 977 % 500_000 + numbers, width)) for label in (
        "CLM_PMT_AMT", "CLM_LINE_CVRD_PD_AMT", "CLM_LINE_ALOWD_CHRG_AMT", "CLM_LINE_BENE_PMT_AMT",
        "CLM_PBP_INCLSN_AMT", "CLM_PBP_RDCTN_AMT",
    )}  # fmt: skip
    providers = {label: (lambda _: _digits(1_000_000_000 + claims % 4_999, 10)) for label in (
        "RNDRG_PRVDR_NPI_NUM", "FAC_PRVDR_NPI_NUM", "PAYTO_PRVDR_NPI_NUM",
    )}  # fmt: skip
    codes = {label: (lambda _, place=place: _DIAGNOSES[(claims + place) % len(_DIAGNOSES)]) for place, label in enumerate(
        ("CLM_DGNS_1_CD", "CLM_DGNS_2_CD", "CLM_DGNS_3_CD", "CLM_DGNS_4_CD", "PRNCPL_DGNS_CD", "ADMTG_DGNS_CD"))
    }  # fmt: skip
    return {
        **dated, **fixed, **amounts, **providers, **codes,
        "CLM_LINE_NUM": lambda width: _digits(numbers, width),
        "CLM_VAL_SQNC_NUM": lambda width: _digits(numbers, width),
        "CLM_DGNS_CD": lambda _: _DIAGNOSES[(claims + numbers) % len(_DIAGNOSES)],
        "CLM_LINE_DGNS_CD": lambda _: _DIAGNOSES[(claims + numbers % 4) % len(_DIAGNOSES)],
        "CLM_LINE_HCPCS_CD": lambda _: _digits(99_000 + claims % 900, 5),
        "CLM_CNTL_NUM": lambda _: _digits(claims + 10**14, 15),
    }  # fmt: skip


def blocks(file: str, size: Size) -> Iterator[bytes]:
    """The records of a file, in blocks."""
    count = size.of(file)
    for start in range(0, count, _BLOCK_LINES):
        yield _block(file, size, np.arange(start, min(start + _BLOCK_LINES, count))).tobytes()


def _member(file: str) -> str:
    return ARCHIVE.replace("ZCY", f"ZC{file[-1]}Y")


def _control(size: Size) -> str:
    counts = {**{file: size.of(file) for file in _SHARES}, "CCLF8": 0, "CCLF9": 0}
    rows = (f"{file:<7}|{'':<43}|{count:>11}|{record_length(file):>5} " for file, count in counts.items())
    return "\n".join(("File Number  |File Description    |Total Records Count |Record Length", *rows)) + "\n"


def write(folder: Path, size: Size, tell: Callable[[str], None]) -> tuple[Path, dict[str, Path]]:
    """Write the archive, and beside it each file as it is. Gives both."""
    plain = {file: folder / f"{file}.txt" for file in _SHARES}
    with zipfile.ZipFile(folder / ARCHIVE, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(_member("CCLF0"), _control(size))
        for file in ("CCLF8", "CCLF9"):
            archive.writestr(_member(file), "")
        for file, path in plain.items():
            tell(f"writing {size.of(file):,} lines of {file}")
            with path.open("wb") as lines, archive.open(_member(file), "w", force_zip64=True) as member:
                for block in blocks(file, size):
                    lines.write(block)
                    member.write(block)
    return folder / ARCHIVE, plain
