"""Whole CCLF deliveries that are damaged, misnamed, of an older packet or of somebody else: each with its verdict."""

import shutil
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from intake_files import (
    ARCHIVE,
    MBI,
    NEW_MBI,
    beneficiary,
    cclf,
    control,
    defects,
    fixed,
    mbi_change,
    member_name,
    part_a,
    part_b,
    records,
    source,
    zipped,
)

from contracts.claims import MedicareClaim
from contracts.coverage import MedicareCoverageStatedData
from contracts.delivery import DeliveryKind
from services.intake.readers import archive
from services.intake.readers.cclf import read
from services.intake.reading import Demographics, Progress, Reading, RefusedDelivery
from services.intake.registry import delivery_id, recognise


def read_all(path: Path) -> list[Reading]:
    recognised = recognise(path, date(2022, 2, 10))
    assert recognised.kind is DeliveryKind.CCLF
    return list(read(source(DeliveryKind.CCLF, path)))


def verdict(path: Path) -> str:
    """The reason for which a delivery is refused, else of its first defect, else ``read``."""
    try:
        readings = read_all(path)
    except RefusedDelivery as refusal:
        told = str(refusal)
        reason = refusal.reason_code
    else:
        found = defects(readings)
        return found[0][2] if found else "read"
    assert MBI not in told
    return reason


def raw(folder: Path, changed: Callable[[str], bytes], records_: list[str] | None = None, name: str = ARCHIVE) -> Path:
    """A delivery whose CCLF1 is written as ``changed`` says."""
    lines = records_ or [part_a(), part_a(CUR_CLM_UNIQ_ID="1000000000002")]
    texts = dict.fromkeys(("CCLF5", "CCLF8", "CCLF9"), b"") | {"CCLF1": changed("".join(f"{o}\n" for o in lines))}
    counts = {"CCLF1": len(lines), "CCLF5": 0, "CCLF8": 0, "CCLF9": 0}
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(member_name("CCLF0", name), control(counts))
        for file, content in texts.items():
            made.writestr(member_name(file, name), content)
    return path


def with_member(folder: Path, name: str) -> Path:
    path = raw(folder, str.encode)
    with zipfile.ZipFile(path, "a") as made:
        made.writestr(name, b"x")
    return path


DEFECTS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "sound": (lambda f: raw(f, str.encode), "read"),
    "wrong length": (lambda f: cclf(f, {"CCLF1": [part_a(), part_a()[:-1], part_a()]}), "wrong_length"),
    "wrong count": (lambda f: cclf(f, {"CCLF1": [part_a()]}, counts={"CCLF1": 2}), "wrong_record_count"),
    "far more than announced": (
        lambda f: cclf(f, {"CCLF1": [part_a()] * 4000}, counts={"CCLF1": 2}), "wrong_record_count"),
    "bad date": (lambda f: cclf(f, {"CCLF1": [part_a(CLM_THRU_DT="2022-02-30")]}), "not_a_date"),
    "bad amount": (lambda f: cclf(f, {"CCLF1": [part_a(CLM_PMT_AMT="12,00")]}), "not_an_amount"),
    "unknown code": (lambda f: cclf(f, {"CCLF1": [part_a(CLM_ADJSMT_TYPE_CD="7")]}), "not_in_code_list"),
    "wrong entity": (lambda f: with_member(f, "P.D9002.ACO.ZC7Y22.D220210.T1000000"), "mislabelled_member"),
    "wrong period": (lambda f: raw(f, str.encode, name="P.D9001.ACO.ZCY22.D190210.T1000000"), "wrong_period"),
    "run-out": (lambda f: raw(f, str.encode, name="P.D9001.ACO.ZCR21.D220210.T1000000"), "read"),
    "older than the last": (lambda f: raw(f, str.encode, name="P.D9001.ACO.ZCY22.D220110.T1000000"), "read"),
    "path traversal": (lambda f: with_member(f, f"../{member_name('CCLF7')}"), "unexpected_member"),
    "absolute path": (lambda f: with_member(f, f"/etc/{member_name('CCLF7')}"), "unexpected_member"),
    "backslashes": (lambda f: with_member(f, f"..\\{member_name('CCLF7')}"), "unexpected_member"),
    "another encoding": (lambda f: raw(f, lambda text: text.encode("utf-16-be")), "wrong_record_length"),
    "no line ends": (lambda f: raw(f, lambda text: text.replace("\n", "").encode() * 200), "wrong_record_length"),
    "byte-order mark": (lambda f: raw(f, lambda text: b"\xef\xbb\xbf" + text.encode()), "read"),
    "line ends of another system": (lambda f: raw(f, lambda text: text.replace("\n", "\r\n").encode()), "read"),
    "both line ends": (lambda f: raw(f, lambda text: text.replace("\n", "\r\n", 1).encode()), "read"),
    "cut short": (lambda f: raw(f, lambda text: text.encode()[:-100]), "truncated_file"),
    "a character of no code": (
        lambda f: cclf(f, {"CCLF1": [part_a(DGNS_DRG_CD='0"29')]}), "unexpected_character"),
    "a part without a claim": (
        lambda f: cclf(f, {"CCLF4": [fixed("CCLF4", {"CUR_CLM_UNIQ_ID": "1", "BENE_MBI_ID": MBI,
                                                     "CLM_VAL_SQNC_NUM": "1", "CLM_DGNS_CD": "I10"})]}), "no_claim"),
}  # fmt: skip


@pytest.mark.parametrize("defect", DEFECTS)
def test_every_defect_has_its_verdict(tmp_path: Path, defect: str) -> None:
    build, expected = DEFECTS[defect]
    assert verdict(build(tmp_path)) == expected


def test_a_damaged_archive_is_told_by_its_first_bytes_or_while_it_is_read(tmp_path: Path) -> None:
    path = raw(tmp_path, str.encode)
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], b"not a zip", content[:40] + bytes(60) + content[100:]):
        path.write_bytes(damaged)
        assert verdict(path) == "corrupted_archive"


def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = raw(tmp_path, str.encode)
    monkeypatch.setattr(archive, "MOST_UNPACKED_BYTES", 500)
    assert verdict(path) == "archive_too_large"
    monkeypatch.undo()
    monkeypatch.setattr(archive, "_SMALL_BYTES", 100)
    monkeypatch.setattr(archive, "MOST_TIMES_SMALLER", 2)
    assert verdict(path) == "archive_too_large"


def test_the_same_content_under_another_name_is_the_same_delivery(tmp_path: Path) -> None:
    path = raw(tmp_path, str.encode)
    copy = tmp_path / "P.D9001.ACO.ZCY22.D220211.T1000000"
    shutil.copyfile(path, copy)
    assert delivery_id(DeliveryKind.CCLF, path) == delivery_id(DeliveryKind.CCLF, copy)


def test_records_of_an_older_packet_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    """Before the amounts at its end, CCLF1 had 292 characters, and CCLF8 ended behind the county in one of the samples."""
    lines = {"CCLF1": [part_a(CLM_CNTL_NUM="C1")[:292]], "CCLF8": [beneficiary()[:27]]}
    found = records(read_all(cclf(tmp_path, lines, lengths={"CCLF1": 292, "CCLF8": 27})))
    by_type = {type(record.payload): record.payload for record in found}
    stated, claim = by_type[MedicareCoverageStatedData], by_type[MedicareClaim]
    assert isinstance(stated, MedicareCoverageStatedData)
    assert isinstance(claim, MedicareClaim)
    assert (stated.spans[0].county_fips, stated.spans[0].dual_status_code, stated.birth_date) == ("39049", None, None)
    assert (claim.paid_cents, claim.claim_control_number) == (1_187_642, None)


@pytest.mark.parametrize(
    ("file", "length"), [("CCLF1", 100), ("CCLF1", 291), ("CCLF1", 500), ("CCLF5", 97), ("CCLF8", 37), ("CCLF9", 12)]
)
def test_a_length_that_ends_inside_an_element_or_before_what_is_needed_is_refused(
    tmp_path: Path, file: str, length: int
) -> None:
    assert verdict(cclf(tmp_path, {}, lengths={file: length})) == "wrong_record_length"


def test_old_identifiers_are_told_line_by_line(tmp_path: Path) -> None:
    changes = [mbi_change(NEW_MBI, MBI), mbi_change("203031402B", "203031401M", indicator="H")]
    found = defects(read_all(cclf(tmp_path, {"CCLF9": [*changes, mbi_change(NEW_MBI, MBI)[:43], changes[0]]})))
    assert found == [(2, "HICN_MBI_XREF_IND", "legacy_identifier"), (3, None, "wrong_length")]


def test_who_somebody_is_comes_before_what_is_stated(tmp_path: Path) -> None:
    line = beneficiary(BENE_1ST_NAME="ANNA", BENE_LAST_NAME="EXAMPLE")
    named, stated, *_ = read_all(cclf(tmp_path, {"CCLF8": [line]}))
    assert isinstance(named, Demographics)
    assert (named.family_name, named.given_name, named.birth_date) == ("EXAMPLE", "ANNA", date(1945, 6, 12))
    assert len(records([stated])) == 1


def test_progress_grows_to_the_whole(tmp_path: Path) -> None:
    told = [
        reading
        for reading in read_all(cclf(tmp_path, {"CCLF1": [part_a()], "CCLF5": [part_b()]}))
        if isinstance(reading, Progress)
    ]
    assert [one.read_bytes for one in told] == sorted(one.read_bytes for one in told)
    assert told[-1].read_bytes == told[-1].total_bytes == len(part_a()) + len(part_b()) + 2


def packages(shared_data: Path) -> Path:
    return shared_data / "bcda" / "cclf" / "archives"


def test_packages_of_another_programme_are_not_taken_for_ours(shared_data: Path) -> None:
    """All belong to accountable care organisations (A0001 …), to test systems (T.) or to newer models."""
    paths = [path for path in packages(shared_data).rglob("*") if path.is_file()]
    assert len(paths) == 29
    for path in paths:
        with pytest.raises(RefusedDelivery) as refused:
            recognise(path, date(2022, 2, 10))
        assert refused.value.reason_code == "unrecognised_name"


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        ("valid/T.BCD.A0001.ZCY18.D181120.T1000000", "missing_member"),
        ("valid/T.BCD.A9988.ZCY18.D181120.T1000000", "missing_member"),
        ("8/valid/T.BCD.A0001.ZCY18.D181121.T1000000", "missing_member"),
        ("8/invalid/T.BCD.A0001.ZCY18.D181125.T1000087", "missing_member"),
        ("0/missing_data/T.BCD.A0001.ZCY18.D181120.T1000000", "missing_member"),
        ("0/missing_data/T.BCD.ACO.ZC0Y18.D181120.T0001000", "unexpected_member"),
        ("0/missing_data/T.BCD.ACO.ZC0Y18.D181120.T0001098", "unexpected_member"),
        ("corrupted/T.BCD.A0001.ZCY18.D181120.T1000000", "corrupted_archive"),
    ],
)
def test_what_their_content_would_be_told_under_our_names(
    tmp_path: Path, shared_data: Path, package: str, expected: str
) -> None:
    path = tmp_path / "P.D9001.ACO.ZCY18.D181120.T1000000"
    try:
        with zipfile.ZipFile(packages(shared_data) / package) as given:
            texts = {info.filename: given.read(info).decode("latin-1") for info in given.infolist()}
    except zipfile.BadZipFile:
        shutil.copyfile(packages(shared_data) / package, path)
    else:
        numbered = {
            (member_name(f"CCLF{name.split('.ZC')[1][0]}", path.name) if name.startswith("T.") else name): text
            for name, text in texts.items()
        }
        zipped(tmp_path, path.name, numbered)
    assert verdict(path) == expected


@pytest.mark.parametrize("size", ["dev", "small"])
def test_public_files_whose_records_are_not_as_long_as_announced_are_refused(
    tmp_path: Path, shared_data: Path, size: str
) -> None:
    """CCLF0 says 549 and the lines of CCLF8 have 37 characters, which end inside of an element."""
    folder = shared_data / "bcda" / "cclf" / "synthetic" / "test" / size
    lines = (folder / "ZC8").read_text(encoding="latin-1").splitlines()
    assert {len(line) for line in lines} == {37}
    assert verdict(cclf(tmp_path, {"CCLF8": lines}, lengths={"CCLF8": 549})) == "wrong_record_length"
    assert verdict(cclf(tmp_path, {"CCLF8": lines}, lengths={"CCLF8": 37})) == "wrong_record_length"
