"""What may be asked of the gateway, what is read for it, and how its rows are shown; without a database."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, cast

import pytest
from pydantic import ValidationError

from contracts.codes import Cohort, ServiceCategory
from services.cost_shift import cut, gateway, reading
from services.cost_shift.completed_figures import FigureCompletion
from services.cost_shift.gateway import EffectFilters, MeasureFilters, PersonMonthFilters, RestatementFilters
from services.cost_shift.reading import MeasureQuery, PeopleQuery
from services.runtime.problems import Problem
from services.runtime.service import Cut

WINDOWS = {
    "entity": "D9001",
    "pre_from": "2022-01",
    "pre_to": "2022-03",
    "post_from": "2022-04",
    "post_to": "2022-06",
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("state", "Ohio"),
        ("state", "oh"),
        ("entity", "D901"),
        ("entity", "D90011"),
        ("entity", "nobody"),
        ("cohort", "everybody"),
        ("first_month", "2022-13"),
        ("last_month", "2022-1"),
        ("as_of", 0),
        ("as_of", 2**63),
        ("payer", "other"),
        ("category", "balloons"),
        ("limit", 0),
        ("limit", 10_001),
        ("offset", -1),
        ("offset", 10_000_001),
        ("basis", "both"),
        ("group_by", []),
        ("group_by", ["person_id"]),
        ("colour", "red"),
    ],
)
def test_what_makes_no_question_is_refused_by_its_name(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as raised:
        MeasureFilters(**{field: value})
    assert {error["loc"][0] for error in raised.value.errors()} == {field}


@pytest.mark.parametrize("dimension", ["payer", "category"])
def test_people_have_no_payer_and_no_category(dimension: str) -> None:
    with pytest.raises(ValidationError):
        PersonMonthFilters(group_by=[dimension])


@pytest.mark.parametrize("field", [*WINDOWS])
def test_an_effect_needs_an_entity_and_both_windows(field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        EffectFilters(**{name: value for name, value in WINDOWS.items() if name != field})
    with pytest.raises(ValidationError):
        EffectFilters(**WINDOWS | {field: "none"})


def test_a_question_without_words_is_for_all_services_without_counties() -> None:
    asked = MeasureFilters()
    assert asked.basis == "services"
    assert asked.group_by == ["state", "entity", "cohort", "payer", "category", "month"]
    assert RestatementFilters().since == 0


@pytest.mark.parametrize(("entity", "sought"), [(None, None), ("none", ""), ("D9001", "D9001")])
def test_people_of_no_entity_are_not_people_of_any(entity: str | None, sought: str | None) -> None:
    query = gateway._people(MeasureFilters(entity=entity), 7)
    assert query == PeopleQuery(7, entity=sought)


def test_every_filter_reaches_its_place_in_the_question() -> None:
    filters = MeasureFilters(
        state="OH",
        entity="D9001",
        cohort=Cohort.ALIGNED,
        first_month="2022-01",
        last_month="2022-05",
        payer="medicaid",
        category="drugs",
        basis="outlay",
        group_by=["month"],
    )
    query = gateway._costs(filters, 9, filters.basis, ("month",))
    assert query.parameters() == [
        9, "OH", "D9001", "aligned", "2022-01", "2022-05", "medicaid", "drugs", "outlay", False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("group_by", "category", "shown"),
    [
        (("category",), None, True),
        (("month",), None, False),
        (("month",), "capitation", True),
        (("month",), "drugs", False),
    ],
)
def test_capitation_stands_alone_or_not_at_all(group_by: Any, category: str | None, *, shown: bool) -> None:
    assert MeasureQuery(PeopleQuery(1), category=category, group_by=group_by).shows_capitation() is shown


@pytest.mark.parametrize(
    ("group_by", "cohort", "shown"),
    [
        (("cohort",), None, True),
        (("month",), None, False),
        (("month",), "unassigned", True),
        (("month",), "aligned", False),
    ],
)
def test_costs_without_a_decision_stand_alone_or_not_at_all(group_by: Any, cohort: str | None, *, shown: bool) -> None:
    assert MeasureQuery(PeopleQuery(1, cohort=cohort), group_by=group_by).shows_unassigned() is shown


@pytest.mark.parametrize(("offset", "found", "following"), [(0, 11, 10), (20, 11, 30), (0, 10, None), (0, 0, None)])
def test_there_is_a_next_page_only_if_one_row_more_was_found(offset: int, found: int, following: int | None) -> None:
    assert gateway._next_offset(MeasureFilters(limit=10, offset=offset), found) == following


def test_no_entity_and_an_unknown_county_are_shown_as_null() -> None:
    shown = gateway._dimensions(("state", "entity", "county", "month"), ("OH", "", "", "2022-01"))
    assert shown == {"state": "OH", "entity_id": None, "county_fips": None, "month": "2022-01"}


NOT_COMPLETED = FigureCompletion({}, {})
AMOUNTS = {"cents": 1000, "claims": 4, "crossover_cents": 100, "crossover_claims": 1}


@pytest.mark.parametrize(
    ("row", "category", "basis", "expected"),
    [
        ({"category": "drugs"}, None, "services", "services"),
        ({"category": "capitation"}, None, "services", "outlay"),
        ({"category": "drugs"}, None, "outlay", "outlay"),
        ({}, ServiceCategory.CAPITATION, "services", "outlay"),
    ],
)
def test_capitation_is_never_shown_as_services(row: dict[str, str], category: Any, basis: Any, expected: str) -> None:
    query = MeasureQuery(PeopleQuery(1), category=category, basis=basis, group_by=cast("Any", tuple(row)))
    shown = gateway._measure(query, cast("Any", row | AMOUNTS), 3, NOT_COMPLETED)
    assert shown.basis == expected
    assert shown.pbpm is not None
    assert (shown.pbpm.numerator, shown.pbpm.denominator, shown.pbpm.shown_cents) == (1000, 3, 333)


def test_cost_without_a_person_month_has_no_average() -> None:
    shown = gateway._measure(MeasureQuery(PeopleQuery(1), group_by=()), cast("Any", AMOUNTS), 0, NOT_COMPLETED)
    assert shown.pbpm is None
    assert (shown.cents, shown.claims, shown.crossover_cents, shown.crossover_claims) == (1000, 4, 100, 1)


class Published:
    """Published figures: cents and person-months by state, entity, cohort and whether in the later window."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, latest: int = 40) -> None:
        self.latest = latest
        self.asked: list[PeopleQuery] = []
        self.people = {"OH": 4, "TX": 0}
        monkeypatch.setattr(reading, "latest_revision", self._latest)
        monkeypatch.setattr(reading, "person_months", self._person_months)
        monkeypatch.setattr(reading, "measures", self._measures)

    async def _latest(self, _connection: Any) -> int:
        return self.latest

    async def _person_months(
        self, _connection: Any, query: PeopleQuery, group_by: Sequence[str]
    ) -> dict[tuple[str, ...], int]:
        self.asked.append(query)
        return {(state,): count for state, count in self.people.items()} if group_by else {(): 10}

    async def _measures(
        self, _connection: Any, query: MeasureQuery, limit: int, offset: int
    ) -> list[tuple[dict[str, Any], int]]:
        assert limit >= 2 * len(ServiceCategory)
        assert offset == 0
        after = query.people.first_month == "2022-04"
        aligned = query.people.cohort == "aligned"
        cents = {(False, False): 700, (True, False): 700, (False, True): 1000, (True, True): 400}[after, aligned]
        return [
            ({"payer": "medicare", "category": "inpatient", "cents": cents}, 10),
            ({"payer": "medicaid", "category": "nursing_facility", "cents": 900 if after and aligned else 500}, 10),
            ({"payer": "medicaid", "category": "capitation", "cents": 123_456 if after else 0}, 10),
        ]


NO_CONNECTION = cast("Any", None)


@pytest.mark.parametrize(("as_of", "revision"), [(None, 40), (1, 1), (40, 40)])
async def test_an_answer_stands_on_the_revision_asked_for(
    monkeypatch: pytest.MonkeyPatch, as_of: int | None, revision: int
) -> None:
    Published(monkeypatch)
    assert await gateway.revision_of(NO_CONNECTION, as_of) == revision


async def test_a_revision_that_was_not_published_yet_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    Published(monkeypatch)
    with pytest.raises(Problem) as raised:
        await gateway.revision_of(NO_CONNECTION, 41)
    assert raised.value.status == 404


@pytest.mark.parametrize(
    "changed",
    [
        {"pre_from": "2022-04"},
        {"post_from": "2022-03"},
        {"post_from": "2022-07"},
        {"pre_to": "2022-12"},
        {"pre_from": "2022-02", "pre_to": "2022-01"},
    ],
)
async def test_windows_that_overlap_or_run_backwards_are_refused(changed: dict[str, str]) -> None:
    with pytest.raises(Problem) as raised:
        await gateway.list_descriptive_effects(NO_CONNECTION, EffectFilters(**WINDOWS | changed))
    assert raised.value.status == 422


async def test_an_entity_is_held_against_comparison_people_of_its_states_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    published = Published(monkeypatch)
    answer = await gateway.list_descriptive_effects(NO_CONNECTION, EffectFilters(**WINDOWS))
    assert answer.states == ["OH"]
    seen = {(one.state, one.entity, one.cohort, one.first_month, one.last_month) for one in published.asked[1:]}
    assert seen == {
        ("OH", "D9001", "aligned", "2022-01", "2022-03"),
        ("OH", "D9001", "aligned", "2022-04", "2022-06"),
        ("OH", None, "comparison", "2022-01", "2022-03"),
        ("OH", None, "comparison", "2022-04", "2022-06"),
    }


async def test_effects_of_published_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    Published(monkeypatch)
    answer = await gateway.list_descriptive_effects(NO_CONNECTION, EffectFilters(**WINDOWS))
    whole = answer.pairs[0]
    assert whole.medicare_effect is not None
    assert whole.medicaid_effect is not None
    assert (whole.medicare_effect.shown_cents, whole.medicaid_effect.shown_cents) == (-60, 40)
    assert whole.direction == "medicare_to_medicaid"
    assert (whole.shifted_cents, whole.net_cents) == (400, -200)
    assert (answer.revision, answer.pre, answer.post) == (40, ("2022-01", "2022-03"), ("2022-04", "2022-06"))


async def test_people_of_two_states_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    published = Published(monkeypatch)
    published.people = {"TX": 2, "OH": 4}
    answer = await gateway.list_descriptive_effects(NO_CONNECTION, EffectFilters(**WINDOWS))
    assert answer.states == ["OH", "TX"]
    assert answer.pairs[0].aligned_person_months == 20
    inpatient = next(one for one in answer.effects if one.category == "inpatient")
    assert (inpatient.aligned_after.cents, inpatient.comparison_after.cents) == (800, 1400)


_CUT = Cut(sequence=43, delivery_id="d" + "1" * 32, time=datetime(2022, 7, 15, tzinfo=UTC), dated=date(2022, 7, 10))
_ROW: dict[str, Any] = {
    "state": "OH",
    "entity": "",
    "cohort": "comparison",
    "payer": "medicare",
    "category": "inpatient",
    "month": "2022-03",
    "cents": 500,
    "claims": 2,
    "crossover_cents": 50,
    "crossover_claims": 1,
    "person_months": 7,
    "previous_revision": 42,
    "previous_cents": 900,
    "causes": ["alignment", "cancellations"],
}


def test_a_restated_figure_says_its_value_the_one_before_and_why() -> None:
    event = cut._event(cast("Any", _ROW), _CUT)
    said = event.data
    assert (said.revision, said.cents, said.previous_revision, said.previous_cents) == (43, 500, 42, 900)
    assert (said.claims, said.crossover_cents, said.crossover_claims, said.person_months) == (2, 50, 1, 7)
    assert said.causes == ("alignment", "cancellations")
    assert said.key.entity_id is None


def test_a_figure_is_one_event_a_revision_and_its_key_tells_it_from_every_other() -> None:
    events = [
        cut._event(cast("Any", _ROW | changed), _CUT)
        for changed in (
            {}, {"state": "TX"}, {"entity": "D9001"}, {"cohort": "aligned"}, {"payer": "medicaid"},
            {"category": "drugs"}, {"month": "2022-04"},
        )
    ]  # fmt: skip
    assert len({event.subject for event in events}) == len({event.id for event in events}) == 7
    again = cut._event(cast("Any", _ROW), _CUT)
    later = cut._event(
        cast("Any", _ROW), Cut(sequence=44, delivery_id=_CUT.delivery_id, time=_CUT.time, dated=_CUT.dated)
    )
    assert again.id == events[0].id
    assert (later.subject, later.id == events[0].id) == (events[0].subject, False)


class Opened:
    """A connection that only knows its last revision, of the same month."""

    def __init__(self, previous: int) -> None:
        self.previous = previous
        self.executed: list[tuple[Any, ...]] = []

    async def fetchval(self, _statement: str, *values: Any) -> int:
        return 0 if _CUT.dated in values else self.previous

    async def fetch(self, _statement: str, *values: Any) -> list[dict[str, Any]]:
        # Which revisions others may look at is asked without values, and there is none.
        assert values in ((), (_CUT.sequence,))
        return [_ROW] if values else []

    async def execute(self, _statement: str, *values: Any) -> None:
        self.executed.append(values)


class Said:
    """A transaction that keeps what is published."""

    def __init__(self, connection: Opened) -> None:
        self.connection = connection
        self.events: list[Any] = []

    def publish(self, event: Any) -> None:
        self.events.append(event)


@pytest.mark.parametrize(("previous", "published"), [(0, 1), (42, 1), (43, 0), (44, 0)])
async def test_a_revision_is_published_once(previous: int, published: int) -> None:
    said = Said(Opened(previous))
    await cut.at_cut(_CUT, cast("Any", said))
    assert len(said.events) == published
    if published:
        assert said.connection.executed[1:] == [(previous, 43)] * 2
    else:
        assert said.connection.executed == []
