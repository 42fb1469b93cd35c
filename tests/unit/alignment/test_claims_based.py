"""Alignment by claims: a table of cases, exactness, and that the order of the lines is never seen."""

import random
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.alignment import Outcome
from contracts.months import month_index
from services.alignment.paths_policy import Pack, paths_policy
from services.alignment.rules.claims_based import Competitor, Participation, Visit, claims_based
from services.alignment.rules.retention import hangs_on

YEAR = month_index("2022-01")
PACK = paths_policy().pack("2022-01") or pytest.fail("no pack")
OURS, THEIRS, OTHERS = "1999900016", "1999900024", "1999900032"
PARTICIPANTS = {OURS: [Participation("D9001", month_index("2021-01"), None)]}
EARLIER, LATER = "2019-08-01", "2020-08-01"


def visit(npi: str | None = OURS, on: str = LATER, dollars: int = 100, code: str = "99213", **more: Any) -> Visit:
    values: dict[str, Any] = {"place": "11", "specialty": "11", "practice": None} | more
    day = date.fromisoformat(on).toordinal()
    return Visit(day, code, values["place"], values["specialty"], npi, values["practice"], dollars * 100)


def aligned(*visits: Visit, pack: Pack = PACK, **more: Any) -> tuple[str, str | None, str | None, str | None]:
    found = claims_based(visits, more.get("participants", PARTICIPANTS), pack, YEAR)
    return found.outcome.value, found.reason, found.entity_id, found.tie


CASES = {
    "the participants' visits are worth most": ((visit(dollars=101), visit(THEIRS)), ("pass", None, "D9001", None)),
    "another practice's are": ((visit(), visit(THEIRS, dollars=101)), ("fail", "OTHER_PRACTICE", None, None)),
    "the later year counts twice": (
        (visit(on=LATER, dollars=50), visit(THEIRS, EARLIER, 99)),
        ("pass", None, "D9001", None),
    ),
    "and twice the earlier is a tie, which the later visit decides": (
        (visit(on=LATER, dollars=50), visit(THEIRS, EARLIER, 100)),
        ("pass", None, "D9001", "latest_service"),
    ),
    "a tie to the day goes to the lower number": (
        (visit(OTHERS), visit(THEIRS)),
        ("fail", "OTHER_PRACTICE", None, "lowest_identifier"),
    ),
    "a day before the years is no visit": ((visit(on="2019-06-30"),), ("unknown", "NO_CLAIMS_SEEN", None, None)),
    "the first day of them is": ((visit(on="2019-07-01"),), ("pass", None, "D9001", None)),
    "the last day of them is": ((visit(on="2021-06-30"),), ("pass", None, "D9001", None)),
    "a day after them is none": ((visit(on="2021-07-01"),), ("unknown", "NO_CLAIMS_SEEN", None, None)),
    "a code that does not qualify is none": ((visit(code="36415"),), ("fail", "NO_QUALIFIED_SERVICE", None, None)),
    "a code counts as long as it is in force": ((visit(code="99201", on="2020-12-31"),), ("pass", None, "D9001", None)),
    "and no longer": ((visit(code="99201", on="2021-01-01"),), ("fail", "NO_QUALIFIED_SERVICE", None, None)),
    "a nursing-facility visit aligns": ((visit(code="99308", place="32"),), ("pass", None, "D9001", None)),
    "in a skilled stay it does not": (
        (visit(code="99308", place="31"),),
        ("fail", "NO_QUALIFIED_SERVICE", None, None),
    ),
    "a cancelled visit is worth nothing": (
        (visit(), visit(dollars=-100)),
        ("fail", "NO_QUALIFIED_SERVICE", None, None),
    ),
    "a cancellation without its visit takes away": (
        (visit(dollars=150), visit(dollars=-100, on="2020-09-01"), visit(THEIRS, dollars=60)),
        ("fail", "OTHER_PRACTICE", None, None),
    ),
    "primary care decides from a tenth on": (
        (visit(dollars=10), visit(THEIRS, dollars=90, specialty="06")),
        ("pass", None, "D9001", None),
    ),
    "below a tenth specialists decide": (
        (visit(dollars=10), visit(THEIRS, dollars=91, specialty="06")),
        ("fail", "OTHER_PRACTICE", None, None),
    ),
    "a specialty that never counts aligns nobody": (
        (visit(specialty="02"),),
        ("fail", "NO_QUALIFIED_SERVICE", None, None),
    ),
    "but it weighs against primary care": (
        (visit(dollars=5), visit(THEIRS, dollars=95, specialty="02"), visit(OTHERS, dollars=1, specialty="06")),
        ("fail", "OTHER_PRACTICE", None, None),
    ),
    "clinicians of a practice compete together": (
        (visit(dollars=150), visit(THEIRS, practice="310000001"), visit(OTHERS, practice="310000001")),
        ("fail", "OTHER_PRACTICE", None, None),
    ),
    "a line that names nobody can win, and then nothing is said": (
        (visit(), visit(None, dollars=101)),
        ("unknown", "CLINICIAN_NOT_NAMED", None, None),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("visits", "expected"), CASES.values(), ids=CASES)
def test_a_person_is_aligned_by_claims(
    visits: tuple[Visit, ...], expected: tuple[str, str | None, str | None, str | None]
) -> None:
    assert aligned(*visits) == expected
    assert aligned(*reversed(visits)) == expected


def test_who_has_no_claim_that_we_have_seen_is_unknown() -> None:
    unseen, seen = (Outcome.UNKNOWN, "NO_CLAIMS_SEEN"), (Outcome.FAIL, "NO_QUALIFIED_SERVICE")
    assert claims_based((), PARTICIPANTS, PACK, YEAR)[:2] == unseen
    # Claims of another time say nothing of the alignment years.
    assert claims_based((visit(on="2021-07-01"),), PARTICIPANTS, PACK, YEAR)[:2] == unseen
    assert claims_based((visit(code=""),), PARTICIPANTS, PACK, YEAR)[:2] == seen


def test_participants_are_pooled_or_compete_alone() -> None:
    both = PARTICIPANTS | {OTHERS: PARTICIPANTS[OURS]}
    visits = (visit(dollars=60), visit(OTHERS, dollars=60), visit(THEIRS, dollars=100))
    assert aligned(*visits, participants=both)[0] == "pass"
    alone = replace(PACK, participants_pooled=False)
    assert aligned(*visits, participants=both, pack=alone) == ("fail", "OTHER_PRACTICE", None, None)


def test_clinicians_compete_where_the_pack_says_so() -> None:
    visits = (visit(dollars=150), visit(THEIRS, practice="310000001"), visit(OTHERS, practice="310000001"))
    assert aligned(*visits, pack=replace(PACK, competitors="clinician"))[0] == "pass"


def test_a_participant_counts_by_the_year_or_by_the_day_of_the_service() -> None:
    left = {OURS: [Participation("D9001", month_index("2019-01"), month_index("2021-06"))]}
    assert aligned(visit(), participants=left)[:2] == ("fail", "OTHER_PRACTICE")
    by_service = replace(PACK, participants_as_of="service")
    assert aligned(visit(), participants=left, pack=by_service)[0] == "pass"


def test_a_tie_that_nothing_may_decide_is_unknown() -> None:
    undecided = replace(PACK, last_tie_break="none")
    assert aligned(visit(), visit(THEIRS), pack=undecided) == ("unknown", "TIED", None, "undecided")
    assert aligned(visit(), visit(THEIRS, "2020-08-02"), pack=undecided)[3] == "latest_service"


def test_a_date_decides_a_tie_only_if_its_visit_stands() -> None:
    cancelled = (visit(THEIRS, "2021-01-01", 7), visit(THEIRS, "2021-01-01", -7))
    assert aligned(visit(on="2020-08-02"), visit(THEIRS), *cancelled) == ("pass", None, "D9001", "latest_service")


def test_thirds_are_exact_where_binary_fractions_are_not() -> None:
    # A third of a cent more is more, however large the sums.
    visits = [visit(on=EARLIER, dollars=10**10), Visit(*visit(THEIRS, LATER, 5 * 10**9)[:6], 5 * 10**11 - 1)]
    found = claims_based([*visits, Visit(*visit(THEIRS, EARLIER)[:6], 1)], PARTICIPANTS, PACK, YEAR)
    assert [score.thirds for score in found.scores] == [10**12, 10**12 - 1]


def test_no_tax_number_is_shown() -> None:
    found = claims_based([visit(THEIRS, practice="310000001")], PARTICIPANTS, PACK, YEAR)
    assert found.scores[0].competitor == Competitor(None, "310000001")
    assert found.scores[0].competitor.shown() == "another practice"


def test_a_result_hangs_on_the_latest_visit_without_which_it_would_be_another() -> None:
    visits = [visit(on="2020-08-01", dollars=60), visit(on="2020-11-03", dollars=60), visit(THEIRS, dollars=100)]
    found = claims_based(visits, PARTICIPANTS, PACK, YEAR)
    hanging = hangs_on(visits, PARTICIPANTS, PACK, YEAR, found)
    assert hanging is not None
    assert (date.fromordinal(hanging.day), hanging.npi, hanging.thirds, hanging.would_be) == (
        date(2020, 11, 3), OURS, 12_000, THEIRS,
    )  # fmt: skip


def test_a_clear_result_hangs_on_no_single_visit() -> None:
    visits = [visit(on="2020-08-01"), visit(on="2020-11-03"), visit(THEIRS, dollars=50)]
    assert hangs_on(visits, PARTICIPANTS, PACK, YEAR, claims_based(visits, PARTICIPANTS, PACK, YEAR)) is None
    alone = [visit()]
    hanging = hangs_on(alone, PARTICIPANTS, PACK, YEAR, claims_based(alone, PARTICIPANTS, PACK, YEAR))
    assert hanging is not None
    assert hanging.would_be is None


lines = st.builds(
    Visit,
    day=st.integers(date(2019, 6, 1).toordinal(), date(2021, 8, 1).toordinal()),
    code=st.sampled_from(["99213", "99308", "36415", "99201"]),
    place=st.sampled_from(["11", "31", "32", None]),
    specialty=st.sampled_from(["11", "06", "02", None]),
    npi=st.sampled_from([OURS, THEIRS, OTHERS, None]),
    practice=st.sampled_from(["310000001", None]),
    cents=st.integers(-500, 500),
)


@given(st.lists(lines, max_size=12), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_the_order_of_the_lines_is_never_seen(visits: list[Visit], shuffled: random.Random) -> None:
    other = visits[:]
    shuffled.shuffle(other)
    assert claims_based(visits, PARTICIPANTS, PACK, YEAR) == claims_based(other, PARTICIPANTS, PACK, YEAR)


@given(st.lists(lines, min_size=1, max_size=8))
@settings(max_examples=100, deadline=None)
def test_without_the_visit_that_it_hangs_on_another_decision_is_made(visits: list[Visit]) -> None:
    found = claims_based(visits, PARTICIPANTS, PACK, YEAR)
    hanging = hangs_on(visits, PARTICIPANTS, PACK, YEAR, found)
    if hanging is not None:
        left = [one for one in visits if (one.day, one.npi) != (hanging.day, hanging.npi)]
        otherwise = claims_based(left, PARTICIPANTS, PACK, YEAR)
        winner = found.scores[0].competitor
        # The visits of a day to one clinician may be of two competitors, of whom only the winner's are taken away.
        if all(one.practice == winner.practice or winner.entity_id for one in visits):
            assert (otherwise.outcome, otherwise.entity_id) != (found.outcome, found.entity_id)
