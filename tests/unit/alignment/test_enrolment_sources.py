"""What several sources of Medicaid enrolment come to, and the lessons that agencies learnt the hard way."""

from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.alignment import Outcome
from contracts.coverage import CoverageSource, MedicareCoverageSpan, MedicareCoverageStated, MedicareCoverageStatedData
from contracts.medicaid import (
    EnrolmentSource,
    MedicaidEnrolmentSpan,
    MedicaidEnrolmentStated,
    MedicaidEnrolmentStatedData,
)
from contracts.months import first_day, month_index
from services.alignment.history import decision_history
from services.alignment.programme import POLICY, PolicyError, programme, read_programme
from services.alignment.rules.enrolment_resolution import Enrolment, EnrolmentStatements
from services.alignment.rules.full_dual import full_dual
from services.alignment.rules.knowledge import Knowledge
from services.alignment.statements import Fact, fact_of, restored

PERSON = "p" + "1" * 32
DELIVERY = "d" + "2" * 32
TMSIS, STATE_FILE, X12 = EnrolmentSource.TMSIS, EnrolmentSource.STATE_FILE, EnrolmentSource.ENROLMENT_834
SOURCES = (X12, STATE_FILE, TMSIS)


def span(first: str, last: str | None = None, **said: Any) -> MedicaidEnrolmentSpan:
    return MedicaidEnrolmentSpan(first_month=first, last_month=last, **said)


def stated(
    sequence: int,
    on: str,
    *spans: MedicaidEnrolmentSpan,
    source: EnrolmentSource = STATE_FILE,
    known_through: str | None = None,
) -> Fact:
    data = MedicaidEnrolmentStatedData(
        person_id=PERSON,
        state="OH",
        source=source,
        stated_on=date.fromisoformat(on),
        known_through=known_through,
        spans=spans,
    )
    event = MedicaidEnrolmentStated.of(
        service="intake", key=PERSON, version=str(sequence), time=first_instant(), delivery_id=DELIVERY,
        sequence=sequence, data=data,
    )  # fmt: skip
    return fact_of(event)


def first_instant() -> datetime:
    return datetime(2022, 1, 1, tzinfo=UTC)


def medicare(sequence: int, month: str, dual: str) -> Fact:
    data = MedicareCoverageStatedData(
        person_id=PERSON,
        state="OH",
        source=CoverageSource.CCLF8,
        stated_on=first_day(month),
        spans=(
            MedicareCoverageSpan(
                first_month=month, last_month=month, dual_status_code=dual, entitlement_buy_in_code="C"
            ),
        ),
    )
    return fact_of(
        MedicareCoverageStated.of(
            service="intake",
            key=PERSON,
            version=str(sequence),
            time=first_instant(),
            delivery_id=DELIVERY,
            sequence=sequence,
            data=data,
        )
    )


def resolved(month: str, *facts: Fact) -> Enrolment:
    statements = EnrolmentStatements(programme().enrolment_sources)
    for fact in facts:
        statements.add(fact)
    return statements.resolve(month_index(month))


def known(*facts: Fact) -> Knowledge:
    knowledge = Knowledge(programme())
    for fact in sorted(facts, key=lambda fact: (fact.sequence, fact.event_id)):
        knowledge.add(fact)
    return knowledge


def dual_of(month: str, *facts: Fact) -> Any:
    return full_dual(known(*facts).about(month_index(month)))


# A feed that ends early does not end anybody.


def test_a_feed_that_ends_early_does_not_make_a_dual_a_non_dual() -> None:
    whole = stated(1, "2022-06-15", span("2022-01", "2022-06", dual_status_code="02"), known_through="2022-06")
    short = stated(2, "2022-07-15", span("2022-01", "2022-03", dual_status_code="02"), known_through="2022-03")
    for month in ("2022-01", "2022-03", "2022-04", "2022-06"):
        assert dual_of(month, whole, short).outcome is Outcome.PASS, month
    assert dual_of("2022-07", whole, short).outcome is Outcome.UNKNOWN


def test_an_open_span_is_known_no_further_than_its_feed() -> None:
    fact = stated(1, "2022-06-15", span("2022-01", None, dual_status_code="02"), known_through="2022-03")
    assert fact.enrolment[0].last == month_index("2022-03")
    assert dual_of("2022-04", fact).outcome is Outcome.UNKNOWN


def test_what_is_stated_behind_the_horizon_is_not_heard() -> None:
    ends = span("2022-04", None, enrolled=False)
    fact = stated(1, "2022-06-15", span("2022-01", "2022-03", dual_status_code="02"), ends, known_through="2022-03")
    assert len(fact.enrolment) == 1
    assert resolved("2022-04", fact) == Enrolment()


def test_an_end_within_the_horizon_is_an_end() -> None:
    fact = stated(
        1,
        "2022-06-15",
        span("2022-01", "2022-03", dual_status_code="02"),
        span("2022-04", "2022-05", enrolled=False),
        known_through="2022-05",
    )
    plans = resolved("2022-04", fact).plans
    assert plans is not None
    assert plans.value == ()
    assert resolved("2022-06", fact) == Enrolment()


def test_behind_the_horizon_medicare_still_speaks() -> None:
    state = stated(1, "2022-06-15", span("2022-01", "2022-03", dual_status_code="02"), known_through="2022-03")
    answer = dual_of("2022-05", state, medicare(2, "2022-05", "08"))
    assert answer.outcome is Outcome.PASS
    assert answer.evidence is not None
    assert answer.evidence.startswith("CCLF8")


def test_an_older_file_that_arrives_later_changes_nothing() -> None:
    newer = stated(1, "2022-06-15", span("2022-01", "2022-05", dual_status_code="02"), known_through="2022-05")
    older = stated(
        2,
        "2022-03-15",
        span("2022-01", "2022-01", dual_status_code="02"),
        span("2022-02", "2022-02", enrolled=False),
        known_through="2022-02",
    )
    assert dual_of("2022-02", newer, older).outcome is Outcome.PASS
    assert decision_history([newer, older], programme()) == decision_history([newer], programme())


# Sources side by side.

OPEN = ("2022-01", "2022-12")


@pytest.mark.parametrize(
    ("case", "said", "plans", "dual", "source"),
    [
        (
            "the 834 goes before the state's file",
            [(STATE_FILE, span(*OPEN, plan_id="B", dual_status_code="08")), (X12, span(*OPEN, plan_id="A", dual_status_code="02"))],
            ("A",), "02", "834",
        ),
        (
            "the state's file goes before T-MSIS, though T-MSIS is newer",
            [(STATE_FILE, span(*OPEN, plan_id="B", dual_status_code="08")), (TMSIS, span(*OPEN, plan_id="A", dual_status_code="00"))],
            ("B",), "08", "STATE FILE",
        ),
        (
            "what the first leaves out is the next one's to say",
            [(X12, span(*OPEN, plan_id="A")), (TMSIS, span(*OPEN, plan_id="B", dual_status_code="04"))],
            ("A",), "04", "T-MSIS",
        ),
        (
            "a plan that the first does not name is the next one's to name",
            [(STATE_FILE, span(*OPEN, dual_status_code="02")), (TMSIS, span(*OPEN, plan_id="B"))],
            ("B",), "02", "STATE FILE",
        ),
        (
            "enrolled without a plan's name stays so where the next says not enrolled",
            [(STATE_FILE, span(*OPEN, dual_status_code="02")), (TMSIS, span(*OPEN, enrolled=False))],
            ("",), "02", "STATE FILE",
        ),
        (
            "not enrolled by the first",
            [(X12, span(*OPEN, enrolled=False)), (TMSIS, span(*OPEN, plan_id="B"))],
            (), None, None,
        ),
        (
            "an older void takes back nothing of another source",
            [(TMSIS, span(*OPEN, plan_id="B", dual_status_code="02")), (STATE_FILE, span("2023-01", None, enrolled=False))],
            ("B",), "02", "T-MSIS",
        ),
    ],
)  # fmt: skip
def test_which_source_speaks(
    case: str,
    said: list[tuple[EnrolmentSource, MedicaidEnrolmentSpan]],
    plans: tuple[str, ...],
    dual: str | None,
    source: str | None,
) -> None:
    facts = [stated(number, f"2022-0{number}-15", one, source=of) for number, (of, one) in enumerate(said, start=1)]
    for order in (facts, facts[::-1]):
        found = resolved("2022-06", *order)
        assert found.plans is not None
        assert found.plans.value == plans, case
        assert (found.dual_status_code and (found.dual_status_code.value, found.dual_status_code.source)) == (
            dual and (dual, source)
        ), case


def test_within_one_source_the_newest_statement_stands() -> None:
    old = stated(1, "2022-02-15", span("2022-01", None, plan_id="A", dual_status_code="02"), source=TMSIS)
    new = stated(2, "2022-03-15", span("2022-01", None, plan_id="B", dual_status_code="01"), source=TMSIS)
    found = resolved("2022-01", old, new)
    assert found.plans is not None
    assert found.dual_status_code is not None
    assert (found.plans.value, found.dual_status_code.value) == (("B",), "01")


def test_not_dual_by_tmsis_keeps_the_name_of_its_source() -> None:
    """T-MSIS writes 00 for no dual, Medicare's files write NA: each is shown as its source wrote it."""
    answer = dual_of("2022-02", stated(1, "2022-06-15", span(*OPEN, dual_status_code="00"), source=TMSIS))
    assert (answer.outcome, answer.reason, answer.evidence) == (Outcome.FAIL, "DUAL_LOST", "T-MSIS 2022-06-15")
    medicares = dual_of("2022-02", medicare(1, "2022-02", "NA"))
    assert (medicares.outcome, medicares.evidence) == (Outcome.FAIL, "CCLF8 2022-02-01")


def test_one_programme_covers_a_person_in_a_month_and_its_source_is_told() -> None:
    by_file = span(*OPEN, programme="qmb_plus", programme_basis="row 2: Q2 before row 3: ABD")
    found = resolved("2022-04", stated(1, "2022-02-15", by_file), stated(2, "2022-03-15", span(*OPEN), source=TMSIS))
    assert found.programme is not None
    assert (found.programme.value, found.programme.source) == ("qmb_plus", "STATE FILE")


def test_facts_kept_before_programmes_were_read_can_still_be_restored() -> None:
    body = '[null,null,null,[],[[24264,null,true,"P","02",null,null]],null,[],null]'
    fact = restored("e", 1, "enrolment", "OH", "834", 738000, None, body)
    assert fact.enrolment[0].programme is None
    new = stated(1, "2022-02-15", span(*OPEN, programme="qmb_plus", programme_basis="row 2"))
    again = restored(new.event_id, 1, "enrolment", "OH", new.source, new.stated_on, None, new.body())
    assert again == new


# The ranking is policy.


def test_another_ranking_from_another_month_on() -> None:
    ranking = ((0, ("834", "STATE FILE", "T-MSIS")), (month_index("2022-06"), ("T-MSIS", "STATE FILE", "834")))
    statements = EnrolmentStatements(ranking)
    statements.add(stated(1, "2022-02-15", span("2022-01", None, plan_id="A"), source=X12))
    statements.add(stated(2, "2022-02-15", span("2022-01", None, plan_id="T"), source=TMSIS))
    found = [statements.resolve(month_index(month)).plans for month in ("2022-05", "2022-06")]
    assert [plans and plans.value for plans in found] == [("A",), ("T",)]


@pytest.mark.parametrize(
    "value",
    [
        '[["2017-01", ["enrolment_834", "state_file"]]]',
        '[["2017-01", ["enrolment_834", "state_file", "tmsis", "tmsis"]]]',
        "[]",
    ],
)
def test_every_source_is_ranked_once(tmp_path: Path, value: str) -> None:
    said = POLICY.read_text(encoding="utf-8")
    mine = '[["2017-01", ["enrolment_834", "state_file", "tmsis"]]]'
    assert mine in said
    path = tmp_path / "policy.toml"
    path.write_text(said.replace(mine, value), encoding="utf-8")
    with pytest.raises(PolicyError, match="enrolment_sources"):
        read_programme(path)


# What must hold whatever is stated.

numbers = count(1)
months = st.sampled_from(["2022-01", "2022-02", "2022-03", "2022-04", "2022-05"])
spans = st.builds(
    lambda first, length, enrolled, plan, dual: span(
        first,
        None if length is None else f"2022-{int(first[5:]) + length:02d}",
        enrolled=enrolled,
        plan_id=plan if enrolled else None,
        dual_status_code=dual if enrolled else None,
    ),
    months,
    st.none() | st.integers(0, 3),
    st.booleans(),
    st.sampled_from([None, "A", "B"]),
    st.sampled_from([None, "00", "02", "08"]),
)
statements_of_sources = st.lists(
    st.builds(
        lambda number, day, source, horizon, said: stated(
            number, f"2022-0{day}-15", *said, source=source, known_through=horizon
        ),
        st.integers(1, 6),
        st.integers(1, 6),
        st.sampled_from(SOURCES),
        st.none() | months,
        st.lists(spans, max_size=3),
    ),
    max_size=6,
    unique_by=lambda fact: fact.sequence,
)


@given(statements_of_sources, months, st.randoms(use_true_random=False))
def test_the_order_of_arrival_is_never_seen(facts: list[Fact], month: str, random: Any) -> None:
    shuffled = list(facts)
    random.shuffle(shuffled)
    assert resolved(month, *facts) == resolved(month, *shuffled)


@given(statements_of_sources, months)
def test_a_month_changes_only_where_reach_said_so(facts: list[Fact], month: str) -> None:
    statements = EnrolmentStatements(programme().enrolment_sources)
    for fact in facts:
        before = statements.resolve(month_index(month))
        reach = statements.reach_of(fact, month_index("2022-01"), month_index("2022-12"))
        statements.add(fact)
        after = statements.resolve(month_index(month))
        changed = [a and (a.value, a.reach) for a in before] != [a and (a.value, a.reach) for a in after]
        assert changed == (month_index(month) in reach)


@given(statements_of_sources)
def test_nothing_is_ever_known_behind_the_horizon(facts: list[Fact]) -> None:
    for fact in facts:
        assert all(one.last is None or one.first <= one.last for one in fact.enrolment)
