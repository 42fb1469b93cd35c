"""Cents are read exactly or not at all."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.money import LARGEST_CENTS, AmountError, cents_from_text, dollars_text, per_month, shown_cents

AMOUNTS = [
    ("123.40", 12340),
    (" 00000123.40", 12340),
    ("-0000000000012.05", -1205),
    ("+1", 100),
    ("0", 0),
    ("-0.00", 0),
    ("7.", 700),
    (".5", 50),
    ("-.05", -5),
    ("1.5", 150),
    ("1.2300", 123),
    ("1000000000000.00", LARGEST_CENTS),
]


@pytest.mark.parametrize(("text", "cents"), AMOUNTS)
def test_reads(text: str, cents: int) -> None:
    assert cents_from_text(text) == cents


REFUSED = [
    ("", "not a dollar"),
    (".", "not a dollar"),
    ("-", "not a dollar"),
    ("1,000.00", "not a dollar"),
    ("$5", "not a dollar"),
    ("1e3", "not a dollar"),
    ("NaN", "not a dollar"),
    ("--1", "not a dollar"),
    ("1 2", "not a dollar"),
    ("1.23456", "not a dollar"),
    ("١٢", "not a dollar"),
    ("9" * 5000, "not a dollar"),
    ("1.234", "fraction of a cent"),
    ("0.0001", "fraction of a cent"),
    ("1000000000000.01", "larger than any claim"),
    ("9" * 40, "larger than any claim"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=range(len(REFUSED)))
def test_refuses(text: str, message: str) -> None:
    with pytest.raises(AmountError, match=message):
        cents_from_text(text)


@given(st.integers(-LARGEST_CENTS, LARGEST_CENTS))
def test_written_and_read_is_the_same(cents: int) -> None:
    assert cents_from_text(dollars_text(cents)) == cents


@pytest.mark.parametrize(
    ("value", "shown"),
    [(Fraction(1, 2), 1), (Fraction(-1, 2), -1), (Fraction(49, 100), 0), (Fraction(5, 2), 3), (Fraction(-7, 3), -2)],
)
def test_shows_half_away_from_zero(value: Fraction, shown: int) -> None:
    assert shown_cents(value) == shown


@given(st.fractions())
def test_shown_is_within_half_a_cent(value: Fraction) -> None:
    assert abs(shown_cents(value) - value) <= Fraction(1, 2)


def test_per_month_is_exact_and_has_no_value_without_months() -> None:
    assert per_month(100, 3) == Fraction(100, 3)
    assert per_month(100, 0) is None
