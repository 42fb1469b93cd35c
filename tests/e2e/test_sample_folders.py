"""``tandem deliver`` on every folder of public samples: what came of each file is what somebody has looked at."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from sample_folders import FOLDERS, PAGE, Installation, Row, delivered, expected, page_with, running

NO_FEEDS = ("bfd/rif-static", "bfd/rif-synthea", "bfd/samhsa", "tuva", "goldens")


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    with running() as started:
        yield started


# In the order of the folders: what was delivered before is known, and people are.
@pytest.mark.e2e
@pytest.mark.broker
@pytest.mark.timeout(400)
@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_of_a_folder_becomes_what_is_written_down(
    installation: Installation, shared_data: Path, folder: str
) -> None:
    found = delivered(installation, shared_data, folder)
    assert [asdict(row) for row in found] == [asdict(row) for row in expected() if row.folder == folder]


def test_every_folder_of_samples_is_delivered(shared_data: Path) -> None:
    files = {path.relative_to(shared_data) for path in shared_data.rglob("*") if path.is_file()}
    inside = {path for path in files if any(path.is_relative_to(folder) for folder in FOLDERS)}
    assert {str(path) for path in files - inside} == {"MANIFEST.md", "SHA256SUMS"}
    assert len(expected()) == len(inside)


def test_the_page_shows_what_is_written_down() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page_with(text, expected()) == text


@pytest.mark.parametrize("folder", NO_FEEDS)
def test_what_is_no_feed_is_refused_with_a_reason(folder: str) -> None:
    rows = [row for row in expected() if row.folder == folder]
    assert rows
    for row in rows:
        assert (row.status, row.contents) == ("refused", {}), row.file
        assert row.reasons, row.file


def test_no_reason_names_anybody() -> None:
    told = " ".join(reason for row in expected() for reason in row.reasons)
    # Numbers of people in the samples: their Medicare numbers, and those of their Medicaid.
    for number in ("1S00E00AA00", "9TT0FK0XX", "randomMember", "randomDoB"):
        assert number not in told


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (
            Row("a", "b.csv", "cclf", "completed", repeated=False, contents={"medicare_claims": 1200}, claims=1200,
                quarantined=3, reasons=["3 X not_a_date"]),
            "| a | b.csv | 1,200 medicare claims | 3 | 3 X not_a_date |",
        ),
        (
            Row("a", "b.csv", None, "refused", repeated=False, contents={}, claims=0, quarantined=0,
                reasons=["unrecognised_name: a|b"]),
            "| a | b.csv | refused | 0 | unrecognised_name: a\\|b |",
        ),
        (
            Row("a", "b.csv", None, "completed", repeated=True, contents={"x": 1}, claims=0, quarantined=0, reasons=[]),
            "| a | b.csv | delivered before | 0 |  |",
        ),
    ],
)  # fmt: skip
def test_a_row_of_the_page_says_what_became_of_a_file(row: Row, line: str) -> None:
    page = page_with(PAGE.read_text(encoding="utf-8"), [row])
    assert line in page.splitlines()
