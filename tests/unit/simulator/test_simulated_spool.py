"""Texts on disk come back whole, in order, once; and leave nothing behind."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.simulator import spool as spooling
from infra.simulator.spool import Spool


@pytest.mark.parametrize("most", [1, 7, 1_000])
def test_text_comes_back_in_order_however_little_is_buffered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(spooling, "MOST_BUFFERED_CHARACTERS", most)
    spool = Spool(tmp_path / "spool")
    for number in range(50):
        spool.append(("even", number % 2 == 0), f"{number}\n", records=2)
    assert spool.count(("even", True)) == spool.count(("even", False)) == 50
    assert "".join(spool.take(("even", True))) == "".join(f"{number}\n" for number in range(0, 50, 2))
    assert "".join(spool.take(("even", True))) == ""
    assert "".join(spool.take(("even", False))) == "".join(f"{number}\n" for number in range(1, 50, 2))
    spool.close()
    assert not (tmp_path / "spool").exists()


def test_a_key_that_was_never_used_is_empty(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    assert spool.count("nothing") == 0
    assert "".join(spool.take("nothing")) == ""


def test_little_is_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooling, "MOST_BUFFERED_CHARACTERS", 100)
    spool = Spool(tmp_path / "spool")
    for _ in range(1_000):
        spool.append("key", "0123456789")
    (path,) = (tmp_path / "spool").iterdir()
    assert path.stat().st_size >= 10_000 - 100


@given(st.lists(st.tuples(st.integers(0, 3), st.text("ab\n", max_size=9))))
def test_any_sequence_of_appends_is_kept_per_key(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[int, str]]
) -> None:
    spool = Spool(tmp_path_factory.mktemp("any") / "spool")
    for key, text in pieces:
        spool.append(key, text)
    for key in range(4):
        assert "".join(spool.take(key)) == "".join(text for of, text in pieces if of == key)
    spool.close()
