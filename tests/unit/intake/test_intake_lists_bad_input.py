"""Every list in every bad shape: one table of defects, each with the reason that is told."""

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intake_files import MBI, OTHER_MBI
from list_files import (
    ALIGNMENT,
    BOOKS,
    HEADERS,
    NPI,
    PROVIDERS,
    RESPONSES,
    ROSTER,
    ROWS,
    csv_list,
    delivered,
    outcome,
    table_of,
    text_file,
    workbook,
)

from contracts.identifiers import holds_an_mbi
from services.intake.reading import Defect, EntityRecord, PersonRecord, RefusedDelivery

LISTS = (ALIGNMENT, PROVIDERS, RESPONSES, ROSTER)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def lines_of(name: str) -> list[str]:
    return [HEADERS[name], ROWS[name], "TRL,1"]


def renamed(folder: Path, name: str, old: str, new: str) -> Path:
    return csv_list(folder, name, [ROWS[name]]).rename(folder / name.replace(old, new))


# What is wrong, how such a file is made, and why it is refused whole.
REFUSED: dict[str, tuple[Callable[[Path, str], Path], str]] = {
    "wrong count": (lambda f, n: text_file(f, n, [*lines_of(n)[:2], "TRL,2"]), "wrong_record_count"),
    "no trailer": (lambda f, n: text_file(f, n, lines_of(n)[:2]), "truncated_file"),
    "cut in the middle of a quoted text": (
        lambda f, n: text_file(f, n, [lines_of(n)[0], '"' + ROWS[n]]), "truncated_file",
    ),
    "rows behind the trailer": (lambda f, n: text_file(f, n, [*lines_of(n), ROWS[n]]), "truncated_file"),
    "wrong entity": (lambda f, n: csv_list(f, n, [ROWS[n].replace("D9001", "D9002")]), "mislabelled_file"),
    "renamed for another entity": (lambda f, n: renamed(f, n, "D9001", "D9002"), "mislabelled_file"),
    "UTF-16": (lambda f, n: text_file(f, n, lines_of(n), encoding="utf-16"), "wrong_encoding"),
    "UTF-16 without a mark": (lambda f, n: text_file(f, n, lines_of(n), encoding="utf-16-le"), "mislabelled_file"),
    "semicolons": (lambda f, n: text_file(f, n, [line.replace(",", ";") for line in lines_of(n)]), "wrong_delimiter"),
    "tabs": (lambda f, n: text_file(f, n, [line.replace(",", "\t") for line in lines_of(n)]), "wrong_delimiter"),
    "no header": (lambda f, n: text_file(f, n, lines_of(n)[1:]), "unknown_layout"),
    "another list's header": (lambda f, n: text_file(f, n, ["A,B,C", "TRL,0"]), "unknown_layout"),
    "a column twice": (
        lambda f, n: csv_list(f, n, [ROWS[n] + ",X"], header=f"{HEADERS[n]},DCE_ID"), "duplicate_column",
    ),
    "a column missing": (
        lambda f, n: csv_list(f, n, [], header=HEADERS[n].replace("DCE_ID", "ENTITY")), "missing_column",
    ),
    "empty": (lambda f, n: text_file(f, n, []), "empty_file"),
    "no line ends": (lambda f, n: text_file(f, n, ["x" * (2 << 20)]), "line_too_long"),
    "binary": (lambda f, n: _bytes(f, n, b"\x01\x00\x02" * 100), "mislabelled_file"),
    "a workbook named csv": (
        lambda f, n: workbook(f, BOOKS[n], table_of(n)).rename(f / n), "mislabelled_file",
    ),
    "an old workbook named csv": (lambda f, n: _bytes(f, n, OLE + b"\x00" * 600), "mislabelled_file"),
    "csv named xlsx": (lambda f, n: csv_list(f, n, [ROWS[n]]).rename(f / BOOKS[n]), "mislabelled_file"),
    "another archive named xlsx": (lambda f, n: _zip(f, BOOKS[n], {"report.csv": b"x"}), "mislabelled_file"),
    "an old workbook (xls)": (lambda f, n: _bytes(f, BOOKS[n], OLE + b"\x00" * 600), "old_workbook"),
    "a binary workbook (xlsb)": (
        lambda f, n: _zip(f, BOOKS[n], {"[Content_Types].xml": b"<x/>", "xl/workbook.bin": b""}), "old_workbook",
    ),
    "a workbook with a password": (
        lambda f, n: _bytes(f, BOOKS[n], OLE + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le")),
        "encrypted_workbook",
    ),
    "a zip with a password": (lambda f, n: _flagged(workbook(f, BOOKS[n], table_of(n))), "encrypted_workbook"),
    "macros": (
        lambda f, n: _with_member(workbook(f, BOOKS[n], table_of(n)), "xl/vbaProject.bin"), "workbook_with_macros",
    ),
    "a broken zip": (lambda f, n: _bytes(f, BOOKS[n], b"PK\x03\x04" + b"\x07" * 600), "corrupted_archive"),
    "half a workbook": (lambda f, n: _half(workbook(f, BOOKS[n], table_of(n))), "corrupted_archive"),
    "a zip bomb": (lambda f, n: _bomb(f, BOOKS[n]), "archive_too_large"),
    "many parts": (
        lambda f, n: _zip(f, BOOKS[n], {"[Content_Types].xml": b"", **{f"xl/{i}": b"" for i in range(1_001)}}),
        "archive_too_large",
    ),
    "a workbook of nothing": (
        lambda f, n: _zip(f, BOOKS[n], {"[Content_Types].xml": b"<Types/>"}), "damaged_workbook",
    ),
    "entities that grow": (lambda f, n: _laughing(workbook(f, BOOKS[n], table_of(n))), "damaged_workbook"),
    "no sheet that fits": (lambda f, n: workbook(f, BOOKS[n], [["A", "B"]], []), "unknown_layout"),
    "only a hidden sheet fits": (
        lambda f, n: workbook(f, BOOKS[n], [["A", "B"]], table_of(n), hidden=[2]), "hidden_sheet",
    ),
    "a wrong count in a workbook": (
        lambda f, n: workbook(f, BOOKS[n], [*table_of(n), ["TRL", 7]]), "wrong_record_count",
    ),
}  # fmt: skip


def _bytes(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def _zip(folder: Path, name: str, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return folder / name


def _with_member(path: Path, member: str, content: bytes = b"") -> Path:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(member, content)
    return path


def _flagged(path: Path) -> Path:
    """The general purpose flag of the first member says that it is encrypted."""
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\x01\x02") + 8
    content[place : place + 2] = struct.pack("<H", struct.unpack("<H", content[place : place + 2])[0] | 1)
    path.write_bytes(content)
    return path


def _half(path: Path) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def _bomb(folder: Path, name: str) -> Path:
    """A gigabyte and more, declared and not written: what a member declares is all that is ever read of it."""
    path = _zip(folder, name, {"[Content_Types].xml": b"<x/>", "xl/worksheets/sheet1.xml": b"0" * 1_000})
    content = bytearray(path.read_bytes())
    place = content.rindex(b"PK\x01\x02") + 24
    content[place : place + 4] = struct.pack("<I", (1 << 30) + 1)
    path.write_bytes(content)
    return path


def _laughing(path: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    bomb = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    for name, content in members.items():
        if name.startswith("xl/worksheets/"):
            head, _, rest = content.partition(b"?>")
            members[name] = head + b"?>" + bomb + rest if rest else bomb + content
    return _zip(path.parent, path.name, members)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("defect", REFUSED)
def test_what_is_refused_whole(tmp_path: Path, name: str, defect: str) -> None:
    make, reason = REFUSED[defect]
    path = make(tmp_path, name)
    assert outcome(path) == reason
    assert not _is_open(path)


def _is_open(path: Path) -> bool:
    """Whether this process still holds the file, as an inbox full of bad files would bring it to its limit."""
    held = Path("/proc/self/fd")
    return held.is_dir() and any(entry.is_symlink() and entry.readlink() == path for entry in held.iterdir())


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        (ALIGNMENT, ".202202.", ".202201.", "mislabelled_file"),
        (ALIGNMENT, "D220210", "D211130", "wrong_period"),
        (ALIGNMENT, "D220210", "D220231", "unrecognised_name"),
        (ALIGNMENT, ".202202.", ".202213.", "unrecognised_name"),
        (ALIGNMENT, "D220210", "D161210", "wrong_period"),
        (PROVIDERS, "2022Q1", "2022Q2", "mislabelled_file"),
        (PROVIDERS, "2022Q1", "2022", "mislabelled_file"),
        (PROVIDERS, "D220210", "D200210", "wrong_period"),
        (RESPONSES, "2022Q1", "2021Q4", "mislabelled_file"),
        (RESPONSES, "2022Q1", "2022Q5", "unrecognised_name"),
        (ROSTER, "D220105", "D169905", "unrecognised_name"),
        (ROSTER, "D220105", "D160105", "layout_not_in_force"),
    ],
)
def test_a_name_that_the_rows_do_not_bear_out(tmp_path: Path, name: str, old: str, new: str, reason: str) -> None:
    assert outcome(renamed(tmp_path, name, old, new)) == reason


# The list, what stands in it and what instead, the column that is told, why, and whether the row is read all the same.
ROW_DEFECTS = [
    (ALIGNMENT, MBI, "123", "BENE_MBI_ID", "not_an_mbi", 0),
    (ALIGNMENT, MBI, "", "BENE_MBI_ID", "missing", 0),
    (ALIGNMENT, "20210101", "20210230", "ALGNMT_EFCTV_DT", "not_a_date", 0),
    (ALIGNMENT, "20210101", "2021-01-01", "ALGNMT_EFCTV_DT", "not_a_date", 0),
    (ALIGNMENT, "20210101", "18400101", "ALGNMT_EFCTV_DT", "date_out_of_range", 0),
    (ALIGNMENT, "20210101", "18900101", "ALGNMT_EFCTV_DT", "invalid", 0),
    (ALIGNMENT, "20211231", "20201231", "ALGNMT_TERM_DT", "ends_before_it_begins", 0),
    (ALIGNMENT, "CLAIMS", "GUESS", "ALGNMT_TYPE_CD", "not_in_code_list", 0),
    (ALIGNMENT, ",2022,", ",2O22,", "PRFRMNC_YR", "not_a_whole_number", 0),
    (ALIGNMENT, ",2022,", ",1999,", "PRFRMNC_YR", "invalid", 0),
    (ALIGNMENT, "MOVED", MBI, "RMVL_RSN_CD", "invalid", 0),
    (ALIGNMENT, "MOVED", "M" * 41, "RMVL_RSN_CD", "invalid", 0),
    (ALIGNMENT, "202202,", "2022,", "REPORT_MONTH", "not_a_month", 0),
    (ALIGNMENT, ",Y", "", None, "wrong_number_of_columns", 0),
    (PROVIDERS, NPI, "199990001", "PRTCPNT_NPI", "not_an_npi", 0),
    (PROVIDERS, NPI, "", "PRTCPNT_NPI", "missing", 0),
    (PROVIDERS, NPI, "1999900017", "PRTCPNT_NPI", "npi_check_digit", 1),
    (PROVIDERS, f"{NPI}", f"{NPI};12", "PRTCPNT_NPI", "not_an_npi", 0),
    (PROVIDERS, "2022Q1,", "first,", "RPT_PRD", "not_a_period", 0),
    (PROVIDERS, MBI, NPI, "BENE_MBI_ID", "not_an_mbi", 0),
    (PROVIDERS, ",CLAIMS", ",PLAN", "ALGNMT_TYPE_CD", "not_in_code_list", 0),
    (RESPONSES, "20220301", "20220499", "SGNTR_DT", "not_a_date", 0),
    (RESPONSES, "20220301", "20220501", "SGNTR_DT", "after_the_file", 0),
    (RESPONSES, "20220301", "", "SGNTR_DT", "missing", 0),
    (RESPONSES, NPI, "x", "CLNCN_NPI", "not_an_npi", 0),
    (RESPONSES, NPI, "1999900017", "CLNCN_NPI", "npi_check_digit", 1),
    (RESPONSES, "REJECTED", "PENDING", "RSPNS_CD", "not_in_code_list", 0),
    (RESPONSES, "REJECTED", "ACCEPTED", "RJCT_RSN_CD", "reason_without_rejection", 0),
    (RESPONSES, "NOT_ON_LIST", OTHER_MBI, "RJCT_RSN_CD", "invalid", 0),
    (ROSTER, NPI, "12", "NPI", "not_an_npi", 0),
    (ROSTER, NPI, "1999900017", "NPI", "npi_check_digit", 1),
    (ROSTER, "39049", "49", "CNTY_FIPS_CD", "not_a_county", 0),
    (ROSTER, "39049", "03049", "CNTY_FIPS_CD", "not_a_county", 0),
    (ROSTER, ",11,", ",1111,", "SPCLTY_CD", "invalid", 0),
    (ROSTER, "20220101,", "20220101,20211231", "TERM_DT", "ends_before_it_begins", 0),
]


@pytest.mark.parametrize(("name", "old", "new", "field", "reason", "read"), ROW_DEFECTS)
def test_what_is_told_of_one_row(  # noqa: PLR0917
    tmp_path: Path, name: str, old: str, new: str, field: str | None, reason: str, read: int
) -> None:
    readings = delivered(csv_list(tmp_path, name, [ROWS[name].replace(old, new, 1)]))
    (defect,) = [reading for reading in readings if isinstance(reading, Defect)]
    assert (defect.file, defect.line, defect.field, defect.reason) == (name, 2, field, reason)
    assert defect.found
    assert defect.expected
    assert new not in {defect.found, defect.expected} or not new
    told = [*(r for r in readings if isinstance(r, PersonRecord))]
    told += [provider for r in readings if isinstance(r, EntityRecord) for provider in r.payload.providers]  # type: ignore[misc]
    assert len(told) == read


@pytest.mark.parametrize("name", LISTS)
def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path, name: str) -> None:
    plain = delivered(csv_list(tmp_path, name, [ROWS[name]]))
    text = "".join(f"{line}\r\n" for line in lines_of(name)).encode("utf-8-sig")
    assert delivered(_bytes(tmp_path, name, text)) == plain
    assert not [reading for reading in plain if isinstance(reading, Defect)]


def test_a_row_that_is_twice_in_a_roster_is_told_and_kept_once(tmp_path: Path) -> None:
    readings = delivered(csv_list(tmp_path, ROSTER, [ROWS[ROSTER], ROWS[ROSTER]]))
    assert [(r.line, r.field, r.reason) for r in readings if isinstance(r, Defect)] == [(3, "NPI", "duplicate_row")]
    (page,) = [reading for reading in readings if isinstance(reading, EntityRecord)]
    assert len(page.payload.providers) == 1


mutations = st.lists(
    st.tuples(st.integers(0, 5_000), st.sampled_from(["set", "cut", "insert"]), st.binary(max_size=3)), max_size=6
)


def mutated(content: bytes, changes: list[tuple[int, str, bytes]]) -> bytes:
    for place, how, new in changes:
        at = place % (len(content) + 1)
        behind = at + (len(new) if how == "set" else 7 if how == "cut" else 0)
        content = content[:at] + (b"" if how == "cut" else new) + content[behind:]
    return content


def speaks_or_says_why(path: Path) -> None:
    """A result or a reason: no other exception, and no identifier in what is told."""
    told: list[str] = []
    try:
        for reading in delivered(path, synthetic=True):
            if isinstance(reading, Defect):
                told += [reading.reason, reading.field or "", reading.found or "", reading.expected or ""]
    except RefusedDelivery as refusal:
        told.append(str(refusal))
    assert not any(holds_an_mbi(text) for text in told)


@pytest.mark.parametrize("name", LISTS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(changes=mutations)
def test_damaged_lists_speak_or_say_why(tmp_path: Path, name: str, changes: list[tuple[int, str, bytes]]) -> None:
    content = "".join(f"{line}\n" for line in [*lines_of(name)[:2], ROWS[name], "TRL,2"]).encode()
    speaks_or_says_why(_bytes(tmp_path, name, mutated(content, changes) or b"x"))


@pytest.mark.parametrize("name", LISTS)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(noise=st.binary(min_size=1, max_size=400))
def test_noise_speaks_or_says_why(tmp_path: Path, name: str, noise: bytes) -> None:
    speaks_or_says_why(_bytes(tmp_path, name, noise))
    speaks_or_says_why(_bytes(tmp_path, BOOKS[name], b"PK\x03\x04" + noise))


@pytest.fixture(scope="module")
def book() -> bytes:
    made = openpyxl.Workbook()
    for row in table_of(ALIGNMENT, *[ROWS[ALIGNMENT]] * 3):
        made["Sheet"].append(row)
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(changes=mutations)
def test_damaged_workbooks_speak_or_say_why(tmp_path: Path, book: bytes, changes: list[tuple[int, str, bytes]]) -> None:
    speaks_or_says_why(_bytes(tmp_path, BOOKS[ALIGNMENT], mutated(book, changes)))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(changes=mutations)
def test_damaged_sheets_speak_or_say_why(tmp_path: Path, book: bytes, changes: list[tuple[int, str, bytes]]) -> None:
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    speaks_or_says_why(_zip(tmp_path, BOOKS[ALIGNMENT], members | {sheet: mutated(members[sheet], changes)}))
