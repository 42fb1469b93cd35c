"""Same seed, same bytes; more people change nobody; the files have the names and lengths that intake expects."""

import hashlib
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from contracts.identifiers import SYNTHETIC_MBI_PATTERN
from infra.simulator import simulate

NAMES = {
    "cclf": r"P\.D\d{4}\.ACO\.ZCY\d\d\.D\d{6}\.T\d{7}",
    "enrolment_834": r"834\.[A-Z0-9]+\.D\d{6}\.T\d{6}\.txt",
    "medicaid_claims": r"TMSIS\.OH\.D\d{6}\.T\d{6}\.zip",
    "alignment_report": r"ALIGNMENT_REPORT\.D\d{4}\.\d{6}\.D\d{6}\.csv",
    "provider_roster": r"PROVIDER_ROSTER\.D\d{4}\.OH\.D\d{6}\.csv",
}


def _digests(directory: Path) -> dict[str, str]:
    return {
        path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def _truth(directory: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((directory / "truth.json").read_text())
    return document


def _lines(directory: Path) -> set[str]:
    """Every record of every file that is about a person, with the file that holds it."""
    found = set()
    for path in directory.glob("deliveries/*/*"):
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                found |= {
                    f"{path.name}:{name}:{line}"
                    for name in archive.namelist()
                    if "ZC0" not in name and "CONTROL" not in name
                    for line in archive.read(name).decode().splitlines()
                }
        elif path.name.startswith("ALIGNMENT"):
            found |= {f"{path.name}:{line}" for line in path.read_text().splitlines() if not line.startswith("TRL")}
        elif path.name.startswith("834"):
            members = path.read_text().split("INS*")[1:]
            found |= {f"{path.name}:{member.split('SE*')[0]}" for member in members}
    return found


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        simulate(tmp_path / name, people=60, months=5, seed=3, shift="medicaid-to-medicare")
    assert _digests(tmp_path / "one") == _digests(tmp_path / "two")


def test_another_seed_is_another_population(tmp_path: Path) -> None:
    simulate(tmp_path / "one", people=30, months=3, seed=3)
    simulate(tmp_path / "two", people=30, months=3, seed=4)
    assert _truth(tmp_path / "one")["totals"] != _truth(tmp_path / "two")["totals"]


def test_more_people_change_nobody(tmp_path: Path) -> None:
    simulate(tmp_path / "few", people=40, months=5, seed=3, shift="medicare-to-medicaid")
    simulate(tmp_path / "many", people=90, months=5, seed=3, shift="medicare-to-medicaid")
    assert _lines(tmp_path / "few") < _lines(tmp_path / "many")
    assert _truth(tmp_path / "many")["alignment"][:40] == _truth(tmp_path / "few")["alignment"]


def test_every_file_is_named_as_its_kind(tmp_path: Path) -> None:
    made = simulate(tmp_path / "made", people=30, months=3, seed=1)
    assert {delivery.kind.value for delivery in made.deliveries} == set(NAMES)
    for delivery in made.deliveries:
        folder, name = delivery.path.split("/")
        assert re.fullmatch(r"\d{3}-\d{4}-\d{2}", folder)
        assert re.fullmatch(NAMES[delivery.kind.value], name)


def test_archives_hold_what_their_kind_needs(tmp_path: Path) -> None:
    made = simulate(tmp_path / "made", people=30, months=2, seed=1)
    for delivery in made.deliveries:
        path = made.directory / "deliveries" / delivery.path
        if delivery.kind.value == "cclf":
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
            assert [name.replace(f"ZC{number}Y", "ZCY") for name, number in zip(names, "0125789", strict=True)] == [
                path.name
            ] * 7
        if delivery.kind.value == "medicaid_claims":
            with zipfile.ZipFile(path) as archive:
                assert len(archive.namelist()) == 9


def test_identifiers_can_never_be_real(tmp_path: Path) -> None:
    simulate(tmp_path / "made", people=50, months=4, seed=1)
    mbis = [mbi for row in _truth(tmp_path / "made")["alignment"] for mbi in row["mbis"]]
    assert len(set(mbis)) == len(mbis) >= 50
    assert all(SYNTHETIC_MBI_PATTERN.match(mbi) for mbi in mbis)


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    simulate(tmp_path / "made", people=5, months=2, seed=1)
    assert {path.name for path in (tmp_path / "made").iterdir()} == {"deliveries", "truth.json"}


def test_progress_ends_at_all_people(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    simulate(tmp_path / "made", people=230, months=1, seed=1, on_progress=lambda done, of: seen.append((done, of)))
    assert seen == [(100, 230), (200, 230), (230, 230)]


def test_months_may_begin_anywhere_in_a_year(tmp_path: Path) -> None:
    made = simulate(tmp_path / "made", people=20, months=4, seed=1, first_month="2023-11", shift="medicare-to-medicaid")
    folders = sorted({delivery.path.split("/")[0] for delivery in made.deliveries})
    assert folders == [f"{n:03d}-{m}" for n, m in enumerate(_SEVEN_MONTHS, start=1)]
    assert _truth(made.directory)["planted"]["month"] == "2024-01"


_SEVEN_MONTHS = ("2023-11", "2023-12", "2024-01", "2024-02", "2024-03", "2024-04", "2024-05")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"people": 0}, "at least one person"),
        ({"months": 0}, "at least one person"),
        ({"run_out_months": 1}, "run-out"),
        ({"shift_month": "2021-12"}, "within the service months"),
        ({"shift_month": "2022-03"}, "within the service months"),
    ],
)
def test_what_gives_no_truth_is_refused(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(tmp_path / "made", **{"people": 5, "months": 2, "seed": 1, **arguments})


def test_a_directory_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "something").write_text("")
    with pytest.raises(FileExistsError, match="not empty"):
        simulate(tmp_path, people=1, months=1, seed=1)
