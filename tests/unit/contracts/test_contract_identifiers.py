"""The MBI by its published vectors, and the patterns of every other identifier."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.identifiers import MBI_PATTERN, CountyFips, DeliveryId, EntityId, MbiError, Npi, PersonId, StateCode
from contracts.identifiers import normalise_mbi as normalise


@pytest.mark.parametrize("mbi", ["1EG4TE5MK73", "6U50TE7GG18", "5F27TE6KM28"])
def test_published_numbers_are_valid(mbi: str) -> None:
    assert normalise(mbi) == mbi


@pytest.mark.parametrize(
    "text", ["1EG4-TE5-MK73", "1eg4te5mk73", "  1EG4TE5MK73 ", "1EG4 TE5 MK73", "1eg4-te5-mk73\n", "1EG4TE5MK73-\n"]
)
def test_writings_of_one_number(text: str) -> None:
    assert MBI_PATTERN.fullmatch(text) is None
    assert normalise(text) == "1EG4TE5MK73"


INVALID = {
    "ten characters": "1EG4TE5MK7",
    "twelve characters": "1EG4TE5MK733",
    "leading zero": "0EG4TE5MK73",
    "letter where a digit belongs": "1EGATE5MK73",
    "digit where a letter belongs": "1EG4TE5M173",
    "letter at the end": "1EG4TE5MK7A",
    "digits of another script": "1EG4TE5MK7٣",
    "a line break inside": "1EG4TE5MK73\n-",
    "empty": "",
}


@pytest.mark.parametrize("text", INVALID.values(), ids=INVALID)
@pytest.mark.parametrize("synthetic", [False, True])
def test_what_is_no_number(text: str, synthetic: bool) -> None:  # noqa: FBT001 - a parameter of the test
    with pytest.raises(MbiError) as caught:
        normalise(text, synthetic=synthetic)
    assert "EG4" not in str(caught.value)


@pytest.mark.parametrize("letter", "SLOIBZ")
@pytest.mark.parametrize("position", [1, 2, 4, 5, 7, 8])
def test_letters_that_read_like_digits_are_excluded(letter: str, position: int) -> None:
    with pytest.raises(MbiError):
        normalise("1EG4TE5MK73"[:position] + letter + "1EG4TE5MK73"[position + 1 :])


def test_synthetic_numbers_need_the_synthetic_mode() -> None:
    for text in ("1S00E00AA00", "1SG4TE5MK73"):
        assert normalise(text, synthetic=True) == text
        with pytest.raises(MbiError):
            normalise(text)


@given(st.from_regex(MBI_PATTERN.pattern.replace("$", r"\Z"), fullmatch=True))
def test_normalising_twice_is_normalising_once(mbi: str) -> None:
    dashed = f"{mbi[:4]}-{mbi[4:7]}-{mbi[7:]}".lower()
    assert normalise(dashed) == normalise(normalise(dashed)) == mbi


PATTERNS: list[tuple[Any, list[str], list[str]]] = [
    (PersonId, ["p" + "0f" * 16], ["p" + "0F" * 16, "0f" * 16, "p" + "0f" * 15, "1EG4TE5MK73"]),
    (DeliveryId, ["d" + "0f" * 16], ["p" + "0f" * 16, "d" + "0f" * 17]),
    (EntityId, ["D9001"], ["A9001", "D900", "D90011", "D\u0669001"]),
    (StateCode, ["OH"], ["oh", "39", "OHI", "OH\n"]),
    (CountyFips, ["39049"], ["3949", "39049 ", "390490"]),
    (Npi, ["1234567893"], ["123456789", "12345678931", "123456789\u0663"]),
]


@pytest.mark.parametrize(("identifier", "valid", "invalid"), PATTERNS, ids=lambda value: str(value)[:0])
def test_pattern(identifier: Any, valid: list[str], invalid: list[str]) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(identifier)
    for text in valid:
        assert adapter.validate_python(text) == text
    for text in invalid:
        with pytest.raises(ValidationError):
            adapter.validate_python(text)
