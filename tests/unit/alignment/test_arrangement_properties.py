"""Whatever is stated in whatever order: one arrangement of a group at most, and answers once given stay."""

from typing import Any

from arrangement_facts import POLICIES, arranged, enrolment, found, report, snapshot, span
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from services.alignment.arranging import changes
from services.alignment.statements import Fact

# Facts are small already, and shrinking them takes minutes.
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
MONTHS = tuple(f"2022-{month:02d}" for month in range(1, 7))
month = st.sampled_from(MONTHS)


@st.composite
def spans(draw: Any) -> Any:
    first = draw(month)
    last = draw(st.sampled_from([None, *[text for text in MONTHS if text >= first]]))
    return span(
        first, last,
        enrolled=draw(st.sampled_from([True, True, True, False])),
        plan=draw(st.sampled_from([None, "MCO9001", "MCO9002", "MFFS9001", "SSM9001", "MLTSS9001", "X1"])),
        dual=draw(st.sampled_from([None, "01", "02", "08", "99"])),
        health_plan=draw(st.sampled_from([None, "none", "medicare_advantage", "pace"])),
        plan_type_code=draw(st.sampled_from([None, "01", "02", "07", "17", "70", "80"])),
        contract=draw(st.sampled_from([None, "H9080", "H9030-001", "H9030-003", "H0001"])),
        level_of_care=draw(st.sampled_from([None, "none", "nursing_facility"])),
        safe_in_community=draw(st.sampled_from([None, True, False])),
        enrolment_basis=draw(st.sampled_from([None, "voluntary", "passive", "opted_out"])),
        demonstration=draw(st.sampled_from([None, True])),
    )  # fmt: skip


@st.composite
def facts_of_a_person(draw: Any) -> list[Fact]:
    facts: list[Fact] = []
    for sequence in range(1, draw(st.integers(2, 7))):
        kind = draw(st.sampled_from(["snapshot", "enrolment", "enrolment", "report"]))
        if kind == "snapshot":
            said = {
                "code": draw(st.sampled_from(["C", "1", "B"])), "plan": draw(st.sampled_from(["none", "pace", None])),
                "death": draw(st.sampled_from([None, None, "2022-04-02"])), "county": draw(st.sampled_from(["39001", "39049"])),
                "born": draw(st.sampled_from(["1940-06-15", "1990-01-01", None])),
            }  # fmt: skip
            facts.append(snapshot(sequence, draw(month), **said))
        elif kind == "enrolment":
            source = draw(st.sampled_from(["834", "T-MSIS"]))
            listed = draw(st.lists(spans(), min_size=1, max_size=3))
            facts.append(enrolment(sequence, f"{draw(month)}-10", *listed, source=source, born="1950-01-01"))
        else:
            last = draw(st.sampled_from([None, "2022-02"]))
            facts.append(report(sequence, draw(month), ("2022-01", last, "LEFT_MCO" if last else None)))
    return facts


@settings(max_examples=150, deadline=None, phases=NO_SHRINKING)
@given(facts_of_a_person())
def test_of_every_exclusive_group_a_person_is_in_one_arrangement_at_most(facts: list[Fact]) -> None:
    for now in arranged(facts).values():
        members = {one.arrangement for one in now.standings if one.standing == "member"}
        for group in POLICIES.arrangements.groups:
            assert len(members.intersection(*[frozenset().union(*group.tiers)])) <= 1, group.name


@settings(max_examples=60, deadline=None, phases=NO_SHRINKING)
@given(facts_of_a_person(), st.randoms(use_true_random=False))
def test_the_order_in_which_facts_arrive_never_matters(facts: list[Fact], random: Any) -> None:
    shuffled = list(facts)
    random.shuffle(shuffled)
    assert found(*shuffled) == found(*facts)


@settings(max_examples=60, deadline=None, phases=NO_SHRINKING)
@given(facts_of_a_person())
def test_what_was_known_at_a_delivery_never_changes(facts: list[Fact]) -> None:
    for sequence in range(1, len(facts)):
        then = [fact for fact in facts if fact.sequence <= sequence]
        assert [one for one in found(*facts) if one.sequence <= sequence] == found(*then)
        assert arranged(facts, as_of=sequence) == arranged(then)


@settings(max_examples=60, deadline=None, phases=NO_SHRINKING)
@given(facts_of_a_person(), st.integers(1, 6))
def test_a_replay_from_any_delivery_finds_the_same(facts: list[Fact], since: int) -> None:
    """What a worker finds when it hears of one delivery more is what a rebuild finds."""
    whole = [one for one in found(*facts) if one.sequence >= since]
    assert list(changes(facts, POLICIES, since)) == whole
