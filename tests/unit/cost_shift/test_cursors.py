"""Cursors: read as written, refused where anything about them is not ours."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cost_shift import cursors
from services.cost_shift.cursors import CursorError, Place

SECRET, OTHER = b"s" * 32, b"t" * 32
FILTERS = ("OH", None, "aligned", None, None)
PLACE = Place(42, ("OH", "D9001", "aligned", "medicare", "inpatient", "2022-03"))

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
PLACES = st.builds(Place, st.integers(0, 2**62), st.tuples(TEXT, TEXT, TEXT, TEXT, TEXT, TEXT))


@given(PLACES, st.lists(st.none() | TEXT, max_size=5))
def test_a_cursor_is_read_as_it_was_written(place: Place, filters: list[str | None]) -> None:
    written = cursors.write(place, filters, SECRET)
    assert cursors.read(written, filters, SECRET) == place
    assert written == cursors.write(place, filters, SECRET)
    assert set(written) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def _signed(content: Any) -> str:
    raw = json.dumps(content).encode()
    return base64.urlsafe_b64encode(cursors._signature(raw, SECRET) + raw).decode().rstrip("=")


WRITTEN = cursors.write(PLACE, FILTERS, SECRET)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a cursor"),
        ("hello", "not a cursor"),
        ("%%%%", "not a cursor"),
        ("é" * 8, "not a cursor"),
        ("A" * 5000, "not a cursor"),
        (WRITTEN[:-4], "not a cursor"),
        (WRITTEN[::-1], "not a cursor"),
        (cursors.write(PLACE, FILTERS, OTHER), "not a cursor"),
        (cursors.write(PLACE, ("CA", *FILTERS[1:]), SECRET), "other filters"),
        (cursors.write(PLACE, (), SECRET), "other filters"),
        (_signed([0, 42, list(PLACE.key), list(FILTERS)]), "another version"),
    ],
)
def test_what_is_no_cursor_of_these_changes_is_refused(text: str, reason: str) -> None:
    with pytest.raises(CursorError, match=reason):
        cursors.read(text, FILTERS, SECRET)


@given(st.integers(0, len(WRITTEN) - 1), st.sampled_from("AbcZ09-_"))
def test_a_cursor_in_which_anything_is_changed_is_refused(place: int, letter: str) -> None:
    changed = WRITTEN[:place] + letter + WRITTEN[place + 1 :]
    try:
        # The last letter may hold bits that mean nothing.
        assert cursors.read(changed, FILTERS, SECRET) == PLACE
        assert changed == WRITTEN or place == len(WRITTEN) - 1
    except CursorError:
        assert changed != WRITTEN
