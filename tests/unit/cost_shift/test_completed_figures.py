"""By whose history, and of which series, a figure is completed; and what is said of it."""

from collections import Counter
from typing import Any, cast

import pytest

from services.cost_shift.completed_figures import (
    Completed,
    FigureCompletion,
    asked_for,
    figure_completion,
    place_of,
)
from services.cost_shift.completion import Come, Completion
from services.cost_shift.histories import TenantHistories
from services.cost_shift.reading import PeopleQuery
from services.cost_shift.rules.chain_ladder import Completeness
from services.cost_shift.rules.completed_amount import CompletedAmount
from services.cost_shift.states.answers import CompletedShown

FULL = {
    "state": "OH", "entity": "D9001", "cohort": "aligned", "payer": "medicare", "category": "inpatient", "month": "2022-03",
}  # fmt: skip


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in FULL.items() if name not in names}


@pytest.mark.parametrize(
    ("about", "asked", "place"),
    [
        (FULL, {}, ("OH", "D9001", "medicare", "inpatient", "2022-03")),
        (FULL | {"entity": ""}, {}, ("OH", "", "medicare", "inpatient", "2022-03")),
        (without("state", "entity"), {}, (None, None, "medicare", "inpatient", "2022-03")),
        (without("category"), {}, ("OH", "D9001", "medicare", "", "2022-03")),
        (without("category"), {"category": "drugs"}, ("OH", "D9001", "medicare", "drugs", "2022-03")),
        (without("month"), {"month": "2022-04"}, ("OH", "D9001", "medicare", "inpatient", "2022-04")),
        (without("month"), {"month": None}, None),
        (without("payer"), {}, None),
        (without("payer"), {"payer": "medicaid"}, ("OH", "D9001", "medicaid", "inpatient", "2022-03")),
        (FULL | {"category": "capitation"}, {}, None),
        (without("category"), {"category": "capitation"}, None),
        (FULL | {"cohort": "unassigned"}, {}, None),
        (without("cohort"), {"cohort": "unassigned"}, None),
        (without("entity"), {"entity": ""}, ("OH", "", "medicare", "inpatient", "2022-03")),
        (FULL | {"county": "39049"}, {}, ("OH", "D9001", "medicare", "inpatient", "2022-03")),
    ],
)
def test_places(about: dict[str, str], asked: dict[str, str | None], place: Any) -> None:
    assert place_of(about, asked) == place


@pytest.mark.parametrize(
    ("first", "last", "month"),
    [("2022-03", "2022-03", "2022-03"), ("2022-03", "2022-04", None), (None, None, None), ("2022-03", None, None)],
)
def test_a_month_is_asked_for_where_it_is_the_first_and_the_last(first: Any, last: Any, month: str | None) -> None:
    people = PeopleQuery(7, "OH", "", "aligned", first, last)
    assert asked_for(people, "medicare", None) == {
        "state": "OH", "entity": "", "cohort": "aligned", "payer": "medicare", "category": None, "month": month,
    }  # fmt: skip


class Counting(Completion):
    """Counts how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[Any] = Counter()

    def told(self, series: Any, month: str, entity: str | None = None) -> Come | None:
        self.asked[series, month, entity] += 1
        return None if month > "2022-03" else Come(Completeness(0.5, 0.0), "entity")


def test_a_history_is_asked_once_for_all_figures_of_a_series() -> None:
    history = Counting()
    completion = FigureCompletion({"OH": history}, {})
    found = [completion.of(FULL | {"cohort": cohort}, cents) for cohort, cents in (("aligned", 100), ("excluded", 50))]
    assert [one and one.cents for one in found] == [200, 100]
    assert completion.of(FULL | {"month": "2022-04"}, 100) is None
    assert completion.of(FULL | {"month": "2022-04"}, 200) is None
    assert set(history.asked.values()) == {1}


@pytest.mark.parametrize(("share", "enough"), [(0.9, True), (0.899, False), (1.02, True)])
def test_months_of_which_too_little_has_come_in_are_marked(share: float, *, enough: bool) -> None:
    shown = Completed.of(Come(Completeness(share, 0.0), "pooled"), CompletedAmount(5, None), 0.9)
    assert (shown.share, shown.enough, shown.lower_cents, shown.upper_cents) == (share, enough, None, None)


@pytest.mark.parametrize("limits", [None, (1, 9), (0, 0)])
def test_amounts_are_as_hidden_as_the_cents_that_they_are_of(limits: tuple[int, int] | None) -> None:
    found = Completed.of(Come(Completeness(0.5, 0.1), "payer"), CompletedAmount(5, limits), 0.9)
    hidden, told = (CompletedShown.of(found, hidden=hidden) for hidden in (True, False))
    assert hidden is not None
    assert told is not None
    nothing = None if limits is None else "suppressed"
    assert (hidden.share, hidden.cents, hidden.lower_cents, hidden.upper_cents) == (0.5, "suppressed", nothing, nothing)
    assert (told.cents, told.lower_cents, told.upper_cents) == (5, *(limits or (None, None)))
    assert CompletedShown.of(None, hidden=True) is None


class Histories:
    """Of nothing; which were read."""

    def __init__(self) -> None:
        self.read: list[Any] = []

    async def of(self, *asked: Any) -> Any:
        self.read.append(asked[1:])
        return {}


@pytest.mark.parametrize(
    ("group_by", "people", "payer", "read"),
    [
        (("payer", "month"), PeopleQuery(7), None, True),
        (("month",), PeopleQuery(7), "medicaid", True),
        (("category",), PeopleQuery(7, first_month="2022-03", last_month="2022-03"), "medicaid", True),
        (("payer",), PeopleQuery(7), None, False),
        (("month",), PeopleQuery(7), None, False),
    ],
)
async def test_no_history_is_read_for_figures_that_have_no_completion(
    group_by: tuple[str, ...], people: PeopleQuery, payer: str | None, *, read: bool
) -> None:
    known = Histories()
    asked = asked_for(people, payer, None)
    tenant = TenantHistories(cast("Any", known), "OH")
    await figure_completion(cast("Any", None), tenant, ("published", 7), group_by, asked)
    assert known.read == ([("OH", "published", 7)] if read else [])
