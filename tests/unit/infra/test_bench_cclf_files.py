"""The benchmark's CCLF files are deliveries that are read whole, the same for the same seed."""

from pathlib import Path

import pytest

from infra.bench import cclf
from infra.bench.cclf_contestant import bare, reader
from infra.bench.cclf_files import ARCHIVE, Size, write


def test_both_contestants_read_every_line(tmp_path: Path) -> None:
    size = Size(3_000)
    told: list[str] = []
    archive, plain = write(tmp_path, size, told.append)
    assert archive.name == ARCHIVE
    assert len(told) == len(plain) == 9
    counts = reader(tmp_path)
    assert counts["defects"] == 0
    # One claim for each of CCLF1 and CCLF7, for three lines of CCLF5, and for two of CCLF6.
    assert counts["claims"] == 120 + 180 + 360 + 60
    assert bare(tmp_path) == {"lines": sum(path.read_bytes().count(b"\n") for path in plain.values())}


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    contents = []
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / folder).mkdir()
        _, plain = write(tmp_path / folder, Size(500, seed), lambda _: None)
        contents.append({file: path.read_bytes() for file, path in plain.items()})
    assert contents[0] == contents[1] != contents[2]


def measured(seconds: float, cpu: float, **counts: float) -> dict[str, float]:
    return {"seconds": seconds, "cpu_seconds": cpu, "peak_megabytes": 300.0, "lines": 100.0, **counts}


def test_ratios_are_taken_within_a_round_and_medians_over_them() -> None:
    counts = {"claims": 10.0, "rows": 5.0, "defects": 0.0}
    pairs = [(measured(seconds, 4, **counts), measured(1, 1)) for seconds in (2.0, 4.0, 8.0)]
    outcome = cclf._outcome(pairs, 50)
    assert (outcome.ratio, outcome.cpu_ratio, outcome.lines_per_second) == (0.25, 0.25, 25)
    assert (outcome.megabytes_per_second, outcome.staged_rows, outcome.peak_megabytes) == (12.5, 5, 300)


def test_a_reader_that_read_nothing_is_no_measurement() -> None:
    nothing = measured(1, 1, claims=0.0, rows=0.0, defects=0.0)
    with pytest.raises(RuntimeError, match="did not read"):
        cclf._outcome([(nothing, measured(1, 1))], 1)


def test_senseless_sizes_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cclf.main(["--lines", "0"])
    assert "at least 1" in capsys.readouterr().err
