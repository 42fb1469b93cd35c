"""What lies in the inbox is taken once, in order, and not while it is still on its way in."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from services.intake.inbox import Inbox, deliverable_files

NOW = 1_700_000_000.0


def lying(folder: Path, name: str, *, age: float = 60.0, content: str = "x") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    os.utime(path, (NOW - age, NOW - age))
    return path


@pytest.fixture
def inbox_of(tmp_path: Path) -> Callable[[float], Inbox]:
    return lambda seconds: Inbox(tmp_path, seconds, lambda: NOW)


@pytest.mark.parametrize("name", [".hidden", "a.part", "a.tmp", ".uploads/x/a.csv", "month/.a.csv.swp"])
def test_what_is_hidden_or_unfinished_is_passed_over(tmp_path: Path, name: str) -> None:
    lying(tmp_path, name)
    whole = lying(tmp_path, "whole.csv")
    assert deliverable_files(tmp_path) == [whole]


def test_a_single_file_is_delivered_whatever_its_name(tmp_path: Path) -> None:
    assert deliverable_files(lying(tmp_path, "a.part")) == [tmp_path / "a.part"]


@pytest.mark.parametrize(
    ("age", "files"),
    [(0.0, 0), (1.9, 0), (2.0, 1), (3600.0, 1), (-0.5, 1), (-3600.0, 1)],
)
def test_a_file_is_taken_when_nobody_has_changed_it_for_a_while(
    tmp_path: Path, inbox_of: Callable[[float], Inbox], age: float, files: int
) -> None:
    path = lying(tmp_path, "a.csv", age=age)
    assert list(inbox_of(2.0).new_files()) == [path] * files
    assert list(inbox_of(0.0).new_files()) == [path]


def test_half_a_file_that_grows_is_new_again_when_it_is_whole(
    tmp_path: Path, inbox_of: Callable[[float], Inbox]
) -> None:
    inbox = inbox_of(2.0)
    half = lying(tmp_path, "a.csv", age=10.0, content="half")
    assert list(inbox.new_files()) == [half]
    inbox.remember(half)
    assert list(inbox.new_files()) == []
    lying(tmp_path, "a.csv", age=1.0, content="half and half")
    assert list(inbox.new_files()) == []
    lying(tmp_path, "a.csv", age=3.0, content="half and half")
    assert list(inbox.new_files()) == [half]


def test_what_is_removed_meanwhile_is_nothing_new(tmp_path: Path, inbox_of: Callable[[float], Inbox]) -> None:
    inbox = inbox_of(0.0)
    first, second = lying(tmp_path, "a.csv"), lying(tmp_path, "b.csv")
    found = inbox.new_files()
    assert next(found) == first
    second.unlink()
    assert list(found) == []
    inbox.remember(second)
    lying(tmp_path, "b.csv")
    assert list(inbox.new_files()) == [first, second]
