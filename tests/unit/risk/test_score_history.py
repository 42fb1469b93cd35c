"""The history of scores does not depend on the order in which topics are read, and nothing is scored twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from services.risk.facts import ClaimRecord, FacilityStay, PersonFacts, Statement
from services.risk.hcc_tables import MODELS
from services.risk.risk_policy import risk_policy
from services.risk.rules.scoring_input import scoring_inputs
from services.risk.score_history import Standing, revise, scores_of

POLICY = risk_policy()
SEQUENCES = st.integers(1, 6)

STATEMENTS = st.builds(
    lambda sequence, payer, dual, sex, month: Statement(
        sequence, "OH", "medicaid" if payer else "medicare", date(2022, month, 20), date(1950, 1, 1), sex, "0",
        first_month=f"2022-{month:02d}", last_month=f"2022-{month:02d}", dual_status_code=dual,
    ),
    SEQUENCES, st.booleans(), st.sampled_from((None, "02", "03", "NA")), st.sampled_from((None, "0", "2")), st.integers(1, 12),
)  # fmt: skip
CLAIMS = st.builds(
    lambda sequence, name, version, cancels, year, codes: ClaimRecord(
        sequence, "OH", name, version, name[:1], cancels, date(year, 5, 1), date(year, 5, 1), codes
    ),
    SEQUENCES, st.sampled_from(("a1", "a2", "b1")), st.integers(1, 3), st.booleans(), st.sampled_from((2020, 2021)),
    st.sampled_from(((), ("I509",), ("E119", "I509"))),
)  # fmt: skip
STAYS = st.builds(
    lambda sequence, version, counts: FacilityStay(
        sequence, "OH", "s", version, date(2022, 1, 1), date(2022, 12, 31), counts
    ),
    SEQUENCES, st.integers(1, 3), st.booleans(),
)  # fmt: skip
FACTS = st.builds(
    lambda statements, claims, stays: PersonFacts(tuple(statements), tuple(claims), tuple(stays)),
    st.lists(STATEMENTS, max_size=5), st.lists(CLAIMS, max_size=5), st.lists(STAYS, max_size=2),
)  # fmt: skip


def applied(standing: Standing, facts: PersonFacts, since: int) -> dict[tuple[int, int], bytes]:
    revision = revise(facts, standing, since, POLICY)
    kept = {key: value for key, value in standing.items() if key not in revision.withdrawn}
    added = {(one.scored.payment_year, one.sequence): one.fingerprint for one in revision.added}
    assert not kept.keys() & added.keys()
    return kept | added


@settings(max_examples=60, deadline=None)
@given(FACTS)
def test_topic_after_topic_gives_what_all_at_once_gives(facts: PersonFacts) -> None:
    standing: dict[tuple[int, int], bytes] = {}
    seen = PersonFacts()
    for part in (PersonFacts((), facts.claims, ()), PersonFacts(facts.statements), PersonFacts((), (), facts.stays)):
        seen = PersonFacts(seen.statements + part.statements, seen.claims + part.claims, seen.stays + part.stays)
        if part.sequences():
            standing = applied(standing, seen, min(part.sequences()))
    assert standing == applied({}, facts, 1)


@settings(max_examples=60, deadline=None)
@given(FACTS)
def test_looking_again_changes_nothing(facts: PersonFacts) -> None:
    standing = applied({}, facts, 1)
    again = revise(facts, standing, 1, POLICY)
    assert (again.withdrawn, again.added) == ((), ())


@settings(max_examples=60, deadline=None)
@given(FACTS, SEQUENCES)
def test_what_stands_at_a_sequence_is_the_input_as_known_then(facts: PersonFacts, sequence: int) -> None:
    known = facts.known_at(sequence)
    rows = sorted(
        (number, year, value) for (year, number), value in applied({}, facts, 1).items() if number <= sequence
    )
    newest = {year: value for _, year, value in rows}
    if known.sequences():
        expected = {one.payment_year: one.fingerprint() for one in scoring_inputs(known, POLICY)}
        assert expected.items() <= newest.items()


def test_a_diagnosis_that_was_cancelled_leaves_a_score_without_it() -> None:
    day = date(2021, 5, 1)
    claim = ClaimRecord(
        1, "OH", "a", 1, "k", cancellation=False, service_from=day, service_through=day, diagnosis_codes=("I509",)
    )
    cancels = ClaimRecord(2, "OH", "x", 1, "k", cancellation=True, service_from=day, service_through=day)
    first, second = revise(PersonFacts((), (claim, cancels)), {}, 1, POLICY).added
    assert [(one.sequence, one.scored.payment_year) for one in (first, second)] == [(1, 2022), (2, 2022)]
    assert [score.score.raw_score for score in scores_of(first.scored, POLICY)] == [Decimal("0.331"), Decimal("0.360")]
    assert [score.score.raw_score for score in scores_of(second.scored, POLICY)] == [0, 0]


def test_threads_share_the_tables() -> None:
    day = date(2021, 5, 1)
    claim = ClaimRecord(
        1, "OH", "a", 1, "k", cancellation=False, service_from=day, service_through=day, diagnosis_codes=("I509",)
    )
    (scored,) = scoring_inputs(PersonFacts((), (claim,)), POLICY)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: scores_of(scored, POLICY), range(200)))
    assert len(set(found)) == 1
    assert tuple(score.score.model for score in found[0]) == MODELS
