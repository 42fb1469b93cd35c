"""What slipped into another column is put into quarantine; what names a person in its own name is not taken."""

from datetime import date
from pathlib import Path

import pytest

from services.intake.readers.fields import Unreadable, digits, number_of_a_claim
from services.intake.reading import RefusedDelivery
from services.intake.registry import recognise

MBI = "1S000000042"


@pytest.mark.parametrize(("text", "value"), [(" 051 ", "051"), ("", None), ("~", None)])
def test_a_code_of_digits(text: str, value: str | None) -> None:
    assert digits(3, 3)(text) == value


@pytest.mark.parametrize("text", ["GIVEN2", "51", "0511", "05A", "\u0660\u0665\u0661", MBI])
def test_what_is_no_code_of_digits_is_refused_without_its_text(text: str) -> None:
    with pytest.raises(Unreadable) as refused:
        digits(3, 3)(text)
    assert str(refused.value) == "not_a_code"


@pytest.mark.parametrize(("text", "value"), [(" 2022A77 ", "2022A77"), ("", None)])
def test_a_claim_has_a_number_of_its_own(text: str, value: str | None) -> None:
    assert number_of_a_claim(text) == value


@pytest.mark.parametrize("text", [MBI, f"{MBI}-01", f"A {MBI}"])
def test_a_person_is_no_number_of_a_claim(text: str) -> None:
    with pytest.raises(Unreadable, match="identifier"):
        number_of_a_claim(text)


@pytest.mark.parametrize("name", [f"834.{MBI}.D220710.T060000.txt", f"{MBI}.ndjson", "1S00-000-0042 claims.ndjson"])
@pytest.mark.parametrize("folder", ["", MBI])
def test_a_file_that_is_named_after_a_person_is_refused(tmp_path: Path, name: str, folder: str) -> None:
    path = tmp_path / folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text('{"resourceType": "ExplanationOfBenefit"}\n')
    with pytest.raises(RefusedDelivery) as refused:
        recognise(path, date(2022, 7, 10))
    assert refused.value.reason_code == "identifier_in_name"
    assert MBI not in str(refused.value)
