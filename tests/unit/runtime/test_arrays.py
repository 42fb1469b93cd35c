"""Arrays as texts: PostgreSQL's syntax, checked against a reader of it that was written from its documentation."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.arrays import Value, array_text, array_texts, unnested


def read_back(text: str) -> list[str | None]:
    """Read an array of one dimension, section 8.15.6 of PostgreSQL's documentation: quotes, and backslashes within."""
    assert (text[0], text[-1]) == ("{", "}")
    values: list[str | None] = []
    place = 1
    while place < len(text) - 1:
        if text[place] == '"':
            place, value = place + 1, ""
            while text[place] != '"':
                place += text[place] == "\\"
                value, place = value + text[place], place + 1
            values.append(value)
            place += 1
        else:
            assert text[place : place + 4] == "NULL"
            values.append(None)
            place += 4
        assert text[place] in ",}"
        place += 1
    return values


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((), "{}"),
        (("a", None, ""), '{"a",NULL,""}'),
        (("NULL", "{", ","), '{"NULL","{",","}'),
        (('a"b', "c\\d"), r'{"a\"b","c\\d"}'),
        ((1, -2, 2**62), "{1, -2, 4611686018427387904}"),
        ((1, None), '{"1",NULL}'),
        ((True, False), "{True, False}"),
        ((None, None), "{NULL,NULL}"),
        ((date(2022, 3, 1), None), '{"2022-03-01",NULL}'),
        ((datetime(2022, 3, 1, 4, 5, 6, 7, tzinfo=UTC),), '{"2022-03-01 04:05:06.000007+00:00"}'),
        ((Decimal("1.250"),), '{"1.250"}'),
        ((UUID(int=1),), '{"00000000-0000-0000-0000-000000000001"}'),
    ],
)
def test_the_text_of_an_array(values: tuple[Value, ...], text: str) -> None:
    assert array_text(values) == text


@given(st.lists(st.none() | st.text(alphabet=st.sampled_from('a"\\,{}N ') | st.characters(codec="utf-8"))))
def test_whatever_is_written_is_read(values: list[str | None]) -> None:
    assert read_back(array_text(values)) == values


def test_rows_become_columns_and_columns_are_named() -> None:
    assert array_texts([("a", 1), ("b", None)]) == ['{"a","b"}', '{"1",NULL}']
    assert unnested("text bigint", first=3) == "unnest($3::text::text[], $4::text::bigint[])"


def test_rows_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        array_texts([("a",), ("b", 1)])
