"""The benchmark of the 834 reader: everybody reads all members of a file that intake takes without a complaint."""

import json
from datetime import date
from pathlib import Path

import pytest

from contracts.delivery import DeliveryKind
from infra.bench import enrolment_834 as bench
from services.intake.readers.enrolment_834 import read
from services.intake.reading import Demographics, PersonRecord, Source


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    path = tmp_path / "834.txt"
    bench.write_file(path, 300)
    return path


def test_the_file_is_read_without_a_complaint(roster: Path) -> None:
    source = Source(DeliveryKind.ENROLMENT_834, roster.name, (roster,), date(2022, 1, 10), True, "OH")
    readings = list(read(source))
    assert {type(reading) for reading in readings} == {PersonRecord, Demographics}
    people = {reading.references for reading in readings if isinstance(reading, PersonRecord)}
    assert len(people) == 300
    assert {tuple(one.kind for one in references) for references in people} == {("mbi", "medicaid")}


@pytest.mark.parametrize("contestant", ["split", "segments", "reader"])
def test_every_contestant_counts_every_member(roster: Path, contestant: str) -> None:
    run = bench.run_here(contestant, roster)
    assert run.members == 300
    assert run.rate > 0
    assert run.peak_megabytes > 1


def test_one_contestant_says_its_figures(roster: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--only", "segments", "--file", str(roster)]) == 0
    assert json.loads(capsys.readouterr().out)["members"] == 300


def test_medians_ratios_and_peaks() -> None:
    runs = [
        (name, size, bench.Run(size, seconds, seconds / 2, peak))
        for size in (100, 200)
        for name, times in (("split", (1.0, 2.0, 4.0)), ("segments", (2.0, 2.0, 2.0)), ("reader", (10.0, 10.0, 20.0)))
        for seconds, peak in zip(times, (50.0, 70.0, 60.0), strict=True)
    ]
    found = bench.summary(runs)
    assert found["members"] == [100, 200]
    assert found["rounds"] == 3
    assert found["members_per_second"] == {
        "split": {100: 50, 200: 100},
        "segments": {100: 50, 200: 100},
        "reader": {100: 10, 200: 20},
    }
    assert found["members_per_cpu_second"]["reader"] == {100: 20, 200: 40}
    assert found["reader_to_split"] == found["reader_to_split_cpu"] == {100: 0.2, 200: 0.2}
    assert found["peak_megabytes"] == {name: {100: 70, 200: 70} for name in ("split", "segments", "reader")}


@pytest.mark.perf
def test_the_whole_of_it_on_small_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--few", "20", "--many", "40", "--rounds", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["members"] == [20, 40]


def test_the_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    names = ("split", "segments", "reader")
    bench._show(
        bench.summary([(name, size, bench.Run(size, 1.0, 0.5, 50.0)) for name in names for size in (1_000, 2_000)])
    )
    shown = capsys.readouterr().out
    assert "{1000: 1.0, 2000: 1.0} in CPU" in shown
    assert "2,000" in shown


@pytest.mark.parametrize(
    "arguments", [["--only", "split"], ["--few", "0"], ["--few", "5", "--many", "5"], ["--rounds", "0"]]
)
def test_impossible_arguments(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        bench.main(arguments)
    assert ended.value.code == 2
