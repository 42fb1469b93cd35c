"""Days in facilities and admissions from them, case by case."""

from datetime import date

import pytest

from services.risk.rules.facility_residents import Residence, Stay, age_band, residences, score_bands

FIRST, LAST = date(2022, 1, 1), date(2022, 12, 31)


def may(first: int, last: int, facility: str = "f") -> Stay:
    return Stay(facility, date(2022, 5, first), date(2022, 5, last))


CASES: list[tuple[list[Stay], list[date], list[Residence]]] = [
    ([], [], []),
    ([may(1, 31)], [], [Residence("f", 31, 0)]),
    ([may(1, 31), may(1, 31)], [], [Residence("f", 31, 0)]),
    ([may(1, 10), may(8, 20)], [date(2022, 5, 9), date(2022, 5, 9)], [Residence("f", 20, 1)]),
    ([may(1, 10)], [date(2022, 5, 11)], [Residence("f", 10, 1)]),
    ([may(1, 10)], [date(2022, 5, 12), date(2022, 4, 30)], [Residence("f", 10, 0)]),
    ([may(1, 10), may(21, 31, "g")], [date(2022, 5, 22)], [Residence("f", 10, 0), Residence("g", 11, 1)]),
    ([Stay("f", date(2021, 12, 20), date(2022, 1, 5))], [date(2021, 12, 25)], [Residence("f", 5, 0)]),
    ([Stay("f", date(2021, 11, 1), date(2021, 12, 31))], [], []),
]


@pytest.mark.parametrize(("stays", "admitted", "expected"), CASES)
def test_days_count_once_and_admissions_where_the_person_lived(
    stays: list[Stay], admitted: list[date], expected: list[Residence]
) -> None:
    assert residences(stays, admitted, FIRST, LAST) == expected


@pytest.mark.parametrize(
    ("birth", "band"),
    [
        (None, "age unknown"),
        (date(1957, 1, 2), "0-64"),
        (date(1957, 1, 1), "65-74"),
        (date(1940, 6, 1), "75-84"),
        (date(1920, 6, 1), "85 and over"),
    ],
)
def test_bands_of_age(birth: date | None, band: str) -> None:
    assert age_band(birth, FIRST) == band


def test_thirds_by_score() -> None:
    bands = score_bands({"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": None})
    assert [bands[one] for one in "abcdefg"] == [
        "third 1", "third 1", "third 2", "third 2", "third 3", "third 3", "score unknown",
    ]  # fmt: skip
    assert score_bands({"a": None}) == {"a": "score unknown"}
