"""Actions over time: whatever repeats, of a kind one is open, of an occasion there is one ever, and every end has a reason."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.risk.care_facts import CareFacts, Days, Need, Service
from services.risk.care_history import Closed, OpenAction, Raised, Standing, action_id, needs, revise_actions
from services.risk.care_policy import care_policy
from services.risk.care_rules import CARE_RULES

PERSON = "p" + "1" * 32
START = date(2021, 6, 1)
NAMES = (
    "primary_care",
    "flu_vaccine",
    "wellness_visit",
    "diabetes",
    "a1c",
    "fall",
    "falls_service",
    "dialysis",
    "admission",
)
SERVICES = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(-500, 700), st.integers(0, 700)), max_size=25
)  # name, day of service, day on which it becomes known

# Rules take their time on a busy machine; what is drawn is small.
PATIENT = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def known_on(told: list[tuple[str, int, int]], day: int, barrier: str | None) -> CareFacts:
    services: dict[str, list[Service]] = {}
    for number, (name, on, known) in enumerate(told):
        if known <= day and on <= day:
            services.setdefault(name, []).append(Service(START + timedelta(days=on), "", f"r{number}"))
    ordered = {name: tuple(sorted(found)) for name, found in services.items()}
    return CareFacts(PERSON, "OH", ordered, START - timedelta(days=500), "D9001", barrier=barrier)


def advance(standing: Standing, raised: tuple[Raised, ...], closed: tuple[Closed, ...]) -> Standing:
    ended = {one.action.action_id for one in closed}
    still = tuple(one for one in standing.open if one.action_id not in ended)
    begun = tuple(OpenAction(one.action_id, one.kind, one.raised_on, one.lapses_on) for one in raised)
    return Standing((*still, *begun), standing.occasions | {(one.kind, one.need.occasion) for one in raised})


@PATIENT
@given(SERVICES, st.lists(st.integers(0, 750), min_size=1, max_size=12), st.integers(0, 900))
def test_nothing_is_raised_twice_and_nothing_stays_open_for_ever(
    told: list[tuple[str, int, int]], days: list[int], dies: int
) -> None:
    standing, ids = Standing(), set()
    for day in sorted(days):
        facts = known_on(told, day, "The person has died" if day >= dies else None)
        today = START + timedelta(days=day)
        raised, closed = revise_actions(facts, standing, today, care_policy())
        assert not ids & {one.action_id for one in raised}
        ids |= {one.action_id for one in raised}
        standing = advance(standing, raised, closed)
        assert len({one.kind for one in standing.open}) == len(standing.open)
        assert all(today <= one.lapses_on for one in standing.open)
        assert all(one.reason and (one.done_on is not None) == (one.outcome == "done") for one in closed)
        # The same once more: nothing.
        assert revise_actions(facts, standing, today, care_policy()) == ((), ())
        if facts.barrier is not None:
            assert not raised
            assert not standing.open


@PATIENT
@given(SERVICES, st.integers(0, 750))
def test_what_is_raised_says_what_is_needed_that_day(told: list[tuple[str, int, int]], day: int) -> None:
    facts, today = known_on(told, day, None), START + timedelta(days=day)
    raised, _ = revise_actions(facts, Standing(), today, care_policy())
    assert [(one.kind, one.need) for one in raised] == list(needs(facts, today, care_policy()))
    for one in raised:
        assert one.raised_on == today < one.due_on < one.lapses_on
        assert isinstance(CARE_RULES[one.kind].rule(facts, Days(today, today), care_policy()), Need)


def test_an_id_is_of_person_kind_and_occasion() -> None:
    ids = {
        action_id(person, kind, occasion)
        for person in (PERSON, "p" + "2" * 32)
        for kind in ("flu_vaccine", "wellness_visit")
        for occasion in ("2021", "2022")
    }
    assert len(ids) == 8
    assert action_id(PERSON, "flu_vaccine", "2021-2022") == "ae2bee6af43bc50eb80621f5873807746"


def test_an_end_and_a_new_beginning_of_a_kind_may_fall_on_one_day() -> None:
    """The year is over and nothing came: the action lapses, and that of the new year is raised."""
    opened = OpenAction("a1", "wellness_visit", date(2021, 12, 1), date(2022, 8, 1))
    facts = replace(known_on([], 0, None), observed_from=date(2020, 1, 1))
    raised, closed = revise_actions(
        facts, Standing((opened,), frozenset({("wellness_visit", "2021")})), date(2022, 8, 2), care_policy()
    )
    assert [(one.outcome, one.action.action_id) for one in closed] == [("lapsed", "a1")]
    assert ("wellness_visit", "2022") in {(one.kind, one.need.occasion) for one in raised}
