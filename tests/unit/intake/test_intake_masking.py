"""A shape says how many of what, and nothing of the text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.readers.masking import shape_of


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("", "nothing"),
        (b"", "nothing"),
        ("1", "1 character: 1 digit"),
        ("12345ABC", "8 characters: 5 digits, 3 letters"),
        ("2024-01-32", "10 characters: 8 digits, 2 other"),
        (" A\t", "3 characters: 1 letter, 2 spaces"),
        ("\x00", "1 character: 1 control character"),
        ("\x00\x01a", "3 characters: 1 letter, 2 control characters"),
        ("é", "1 character: 1 character outside of ASCII"),
        ("é€x", "3 characters: 1 letter, 2 characters outside of ASCII"),
        (b"1S00E00AA00", "11 characters: 7 digits, 4 letters"),
        (b"\xff", "1 character: 1 character outside of ASCII"),
        # Digits of other scripts are none of ours: a field of digits must not seem right where it is not.
        ("٣", "1 character: 1 character outside of ASCII"),
        ("x" * 10_000, "10000 characters: 10000 letters"),
        ("x" * 10_001, "10001 characters"),
    ],
)
def test_the_shape_counts_what_stands_there(text: str | bytes, shape: str) -> None:
    assert shape_of(text) == shape


@given(st.text(alphabet=st.characters(), min_size=1, max_size=60))
def test_texts_of_the_same_make_have_the_same_shape(text: str) -> None:
    another = "".join(_another(character) for character in text)
    assert shape_of(another) == shape_of(text)


def _another(character: str) -> str:
    if not character.isascii():
        return character
    if character.isdigit():
        return "7"
    return "q" if character.isalpha() else character


@given(st.text(max_size=200))
def test_the_counts_add_up_to_the_length(text: str) -> None:
    if text:
        total, counts = shape_of(text).split(": ")
        assert int(total.split()[0]) == len(text) == sum(int(part.split()[0]) for part in counts.split(", "))
