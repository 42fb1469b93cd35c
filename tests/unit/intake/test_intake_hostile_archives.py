"""Archives that were made to do harm, or that nobody meant to send: each is refused with a reason, and nothing is written.

One table: what is wrong with the archive, how it is made, and why it is refused, for each kind that comes as a zip.
"""

import stat
import sys
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "fuzz"))

from fuzz_seeds import seeds
from fuzzing import Seed, examine

from services.intake.registry import recognise

TODAY = date(2026, 3, 1)
MEGABYTE = 1 << 20
Members = list[tuple[zipfile.ZipInfo, bytes]]
Damage = Callable[[Members], Members]


def member(name: str, content: bytes = b"x", *, mode: int = 0o644) -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = mode << 16
    return info, content


def chief(members: Members) -> zipfile.ZipInfo:
    """The member that surely is read: the sheet of a workbook, else the largest."""
    return max(members, key=lambda one: ("sheet1" in one[0].filename, len(one[1])))[0]


def with_bomb(members: Members) -> Members:
    """Where the chief member should be: 80 MB that are packed a thousand times."""
    bombed = chief(members)
    return [member(info.filename, b" " * 80 * MEGABYTE if info is bombed else text) for info, text in members]


def with_link(members: Members) -> Members:
    """The chief member is a link to a file of the machine that reads it."""
    linked = chief(members)
    return [
        member(info.filename, b"/etc/passwd", mode=stat.S_IFLNK | 0o777) if info is linked else (info, text)
        for info, text in members
    ]


def also(name: str, content: bytes = b"x", *, times: int = 1) -> Damage:
    return lambda members: [
        *members,
        *(member(name.replace("#", str(number)), content) for number in range(times)),
    ]


def nested(members: Members) -> Members:
    return [*members, member("inner.zip", b"PK\x03\x04" + b"\x00" * 40)]


def twice(members: Members) -> Members:
    return [*members, members[0]]


def empty(_: Members) -> Members:
    return []


DAMAGES: dict[str, Damage] = {
    "zip_bomb": with_bomb,
    "path_above": also("../../../tmp/evil.csv"),
    "path_absolute": also("/etc/cron.d/evil"),
    "path_of_windows": also("..\\..\\evil.csv"),
    "folder": also("folder/"),
    "nested_zip": nested,
    "link": with_link,
    "thousands_of_members": also("member-#.txt", times=5_000),
    "member_twice": twice,
    "nothing_inside": empty,
}
# A workbook may hold parts that nobody reads, under names with folders: they are never written anywhere.
REASONS: dict[str, dict[str, str]] = {
    "cclf": {
        "zip_bomb": "archive_too_large",
        "link": "truncated_file",
        "nothing_inside": "missing_member",
    },
    # Its folders are passed over: some programs that make archives write them.
    "medicaid_claims": {
        "zip_bomb": "archive_too_large",
        "link": "missing_column",
        "nothing_inside": "missing_member",
        "folder": "",
    },
}
USUAL = "unexpected_member"


def archived(folder: Path, seed: Seed, damage: Damage) -> Path:
    whole = folder / "whole"
    whole.write_bytes(seed.content)
    with zipfile.ZipFile(whole) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    path = folder / seed.name
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")
        for info, text in damage(members):
            archive.writestr(info, text)
    return path


@pytest.fixture(scope="module")
def archives() -> dict[str, Seed]:
    known = seeds(with_samples=False)
    workbook = next(seed for seed in known["alignment_report"] if seed.name.endswith(".xlsx"))
    return {"cclf": known["cclf"][0], "medicaid_claims": known["medicaid_claims"][0], "workbook": workbook}


def files_below(folder: Path) -> Iterator[str]:
    return (str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("kind", REASONS)
@pytest.mark.parametrize("defect", DAMAGES)
def test_a_hostile_archive_is_refused_and_writes_nothing(
    tmp_path: Path, archives: dict[str, Seed], kind: str, defect: str
) -> None:
    path = archived(tmp_path, archives[kind], DAMAGES[defect])
    before = sorted(files_below(tmp_path))
    began = time.monotonic()
    reason = REASONS[kind].get(defect, USUAL)
    assert examine(path) == (f"refused {reason}" if reason else "readings")
    assert time.monotonic() - began < 5
    assert sorted(files_below(tmp_path)) == before


@pytest.mark.parametrize("defect", DAMAGES)
def test_a_hostile_workbook_is_refused_or_read_without_its_harm(
    tmp_path: Path, archives: dict[str, Seed], defect: str
) -> None:
    path = archived(tmp_path, archives["workbook"], DAMAGES[defect])
    before = sorted(files_below(tmp_path))
    began = time.monotonic()
    outcome = examine(path)
    assert time.monotonic() - began < 5
    assert outcome == "readings" or outcome.startswith("refused ")
    assert outcome.startswith("refused ") or defect not in {"zip_bomb", "link", "nothing_inside"}
    assert sorted(files_below(tmp_path)) == before


@pytest.mark.parametrize("kind", ["cclf", "medicaid_claims", "workbook"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_half_an_archive_is_refused(tmp_path: Path, archives: dict[str, Seed], kind: str, share: float) -> None:
    seed = archives[kind]
    path = tmp_path / seed.name
    path.write_bytes(seed.content[: int(len(seed.content) * share)])
    assert examine(path) in {"refused corrupted_archive", "refused damaged_workbook", "refused not_a_workbook"}


@pytest.mark.parametrize("kind", ["cclf", "medicaid_claims", "workbook"])
def test_an_encrypted_archive_is_refused(tmp_path: Path, archives: dict[str, Seed], kind: str) -> None:
    seed = archives[kind]
    content = bytearray(seed.content)
    # The flag that says so, in every local header and in the directory.
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.find(mark)
        while start >= 0:
            content[start + place] |= 1
            start = content.find(mark, start + 4)
    path = tmp_path / seed.name
    path.write_bytes(content)
    assert examine(path).startswith("refused ")


@pytest.mark.parametrize("kind", ["cclf", "medicaid_claims"])
def test_an_archive_behind_something_else_is_none(tmp_path: Path, archives: dict[str, Seed], kind: str) -> None:
    """As a program that unpacks itself is: the directory at the end would still be found."""
    seed = archives[kind]
    path = tmp_path / seed.name
    path.write_bytes(b"#!/bin/sh\n" + seed.content)
    assert examine(path) == "refused corrupted_archive"


def test_a_link_in_the_inbox_is_followed_to_a_file_and_not_to_a_folder(tmp_path: Path) -> None:
    """Whoever may write into the inbox may link; what is read is a file of a known kind, or refused."""
    target = tmp_path / "secret"
    target.write_text("root:x:0:0", encoding="utf-8")
    link = tmp_path / "834.MCO9001.D220110.T060000.txt"
    link.symlink_to(target)
    assert examine(link) == "refused mislabelled_file"
    folder = tmp_path / "PROVIDER_ROSTER.D9001.OH.D220105.csv"
    folder.symlink_to(tmp_path)
    assert examine(folder) == "refused not_a_file"


def test_the_archives_are_whole_before_they_are_damaged(tmp_path: Path, archives: dict[str, Seed]) -> None:
    for seed in archives.values():
        path = archived(tmp_path, seed, lambda members: members)
        assert recognise(path, TODAY)
        assert "readings" in examine(path)
