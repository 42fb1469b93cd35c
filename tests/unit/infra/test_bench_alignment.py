"""The benchmark of alignment: its two ways agree, its counters are counted, and its tables say what was measured."""

from io import StringIO

import pytest
from rich.console import Console

from infra.bench.alignment import MONTHS, Claimed, Decided, by_rule, claimed, decided, facts_of, records_of, shown
from services.alignment.paths_policy import paths_policy


def test_the_rule_and_the_query_align_everybody_alike() -> None:
    found = claimed(8_000)
    assert found.people == len({person for person, _ in records_of(8_000, 7)}) == 200
    assert found.stored_bytes > 0


def test_people_whom_the_two_align_otherwise_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    pack = paths_policy().pack("2022-01")
    assert pack is not None
    wrong = by_rule(list(records_of(800, 7)), pack) | {3: ("D9001", 1, 1)}
    monkeypatch.setattr("infra.bench.alignment.by_rule", lambda *_: wrong)
    with pytest.raises(SystemExit, match="1 of 20 people are aligned otherwise"):
        claimed(800)


def test_one_more_file_about_everybody_writes_few_rows() -> None:
    found = decided(4)
    assert len(facts_of(1)) == MONTHS * 3
    assert 0 < found.rows_of_a_day <= 2 * found.people
    assert found.rows_in_all > found.people * MONTHS


def test_the_tables_say_what_was_measured() -> None:
    console = Console(file=StringIO(), width=200)
    one = Decided(10, 1.0, 0.5, 6, 1038, 63.0)
    for table in shown(one, Decided(1000, 36.0, 1.0, 60, 103_800, 63.0), Claimed(100, 5, 3.0, 1.0, 5800, 200.0)):
        console.print(table)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "1,000" in text
    assert "a million people x 36 months in 10.0 hours of one core" in text
    assert "3.0" in text
    assert "58" in text
