"""When a delivery is held before anything of it is published: a table of cases, and what holds whatever the numbers."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.rules.holding import Before, HoldingPolicy, Read, hold_of, holding_policy, policy_of

POLICY = HoldingPolicy(
    most_quarantined_percent=5,
    most_quarantined_lines=100,
    fewest_people_percent=50,
    fewest_people_of=100,
    full_lists=frozenset({"cclf"}),
    holds_older=True,
    most_days_ahead=92,
    unnamed_sources=frozenset({"unnamed"}),
    partial_sources=frozenset({"bcda"}),
)
DAY = date(2024, 3, 10)
GOOD = Read("cclf", "D9001", DAY, date(2024, 3, 12), 10_000, 0, 1_000, Before(date(2024, 2, 10), 1_000))


@pytest.mark.parametrize(
    ("read", "reason"),
    [
        (GOOD, None),
        (replace(GOOD, before=None, people=0, records=0), None),
        # More than one line in twenty, and more than a hundred.
        (replace(GOOD, records=1_900, quarantined=100), None),
        (replace(GOOD, records=1_919, quarantined=101), None),
        (replace(GOOD, records=1_918, quarantined=101), "too_many_quarantined"),
        (replace(GOOD, records=0, quarantined=100), None),
        (replace(GOOD, records=0, quarantined=101), "too_many_quarantined"),
        # Less than half of at least a hundred people.
        (replace(GOOD, people=500), None),
        (replace(GOOD, people=499), "fewer_people_than_before"),
        (replace(GOOD, people=0, before=Before(DAY, 100)), "fewer_people_than_before"),
        (replace(GOOD, people=0, before=Before(DAY, 99)), None),
        # An 834 may hold changes alone, between two full ones.
        (replace(GOOD, kind="enrolment_834", people=1), None),
        # Older than the newest of its kind and source.
        (replace(GOOD, dated=date(2024, 2, 10)), None),
        (replace(GOOD, dated=date(2024, 2, 9)), "older_than_the_last"),
        # Nobody knows whether two files of an unnamed source are of one sender.
        (replace(GOOD, source="unnamed", dated=date(2024, 1, 1), people=1), None),
        # The last file of an export names few; that it is older is told all the same.
        (replace(GOOD, source="bcda.V3.ALL", people=1), None),
        (replace(GOOD, source="bcda", people=1), None),
        (replace(GOOD, source="bcda.V3.ALL", dated=date(2024, 2, 9)), "older_than_the_last"),
        (replace(GOOD, source="D9001.bcda", people=1), "fewer_people_than_before"),
        # Dated ahead, whoever sent it.
        (replace(GOOD, dated=date(2024, 6, 12)), None),
        (replace(GOOD, dated=date(2024, 6, 13)), "dated_ahead"),
        (replace(GOOD, dated=date(2024, 6, 13), source="unnamed", before=None), "dated_ahead"),
        # Several reasons: the date first, which explains the others.
        (replace(GOOD, dated=date(2024, 1, 1), people=1, quarantined=9_999), "older_than_the_last"),
    ],
)
def test_a_delivery_is_held_for_the_first_reason_there_is(read: Read, reason: str | None) -> None:
    held = hold_of(read, POLICY)
    assert (held and held.reason_code) == reason


def test_the_reason_says_what_was_found_and_what_was_there_before() -> None:
    held = hold_of(replace(GOOD, people=3), POLICY)
    assert held is not None
    assert held.detail == "it names 3 people, the last one named 1000"
    older = hold_of(replace(GOOD, dated=date(2023, 12, 31)), POLICY)
    assert older is not None
    assert older.detail == "it is dated 2023-12-31, one of 2024-02-10 was taken before"


def test_older_deliveries_are_let_through_where_the_policy_says_so() -> None:
    assert hold_of(replace(GOOD, dated=date(2020, 1, 1)), replace(POLICY, holds_older=False)) is None


def test_the_policy_in_force_is_generous_and_says_where_its_values_come_from() -> None:
    policy = holding_policy()
    named = ("unnamed_sources", "partial_sources", "full_lists")
    own = {name: getattr(policy, name) for name in named}
    assert "enrolment_834" not in policy.full_lists
    assert policy == replace(POLICY, **own)
    assert "unnamed" in policy.unnamed_sources
    assert "bcda" in policy.partial_sources


@pytest.mark.parametrize(
    "missing", ["most_quarantined", "fewest_people", "older_than_the_last", "dated_ahead", "partial_sources"]
)
def test_a_policy_that_leaves_something_out_is_none(missing: str) -> None:
    tables = {
        "most_quarantined": "share_percent = 5\nlines = 100",
        "fewest_people": "share_percent = 50\nof_at_least = 100\nkinds = []",
        "older_than_the_last": "hold = true",
        "dated_ahead": "most_days = 92",
        "unnamed_sources": "value = []",
        "partial_sources": "value = []",
    }
    text = "\n".join(f"[{name}]\n{values}" for name, values in tables.items() if name != missing)
    with pytest.raises(KeyError, match=missing):
        policy_of(text)


counts = st.integers(0, 10**7)


@given(counts, counts, counts, st.integers(0, 3650))
def test_what_follows_and_is_whole_is_never_held(records: int, quarantined: int, people: int, days: int) -> None:
    """No more than a twentieth in quarantine, no fewer people, no older date: nobody need look at it."""
    read = Read(
        "cclf",
        "D9001",
        DAY + timedelta(days=days),
        DAY + timedelta(days=days),
        records,
        min(quarantined, records // 20),
        people,
        Before(DAY, people),
    )
    assert hold_of(read, POLICY) is None


@given(counts, counts, counts, counts)
def test_fewer_defects_and_more_people_hold_no_more(records: int, quarantined: int, people: int, before: int) -> None:
    read = replace(GOOD, records=records, quarantined=quarantined, people=people, before=Before(GOOD.dated, before))
    better = replace(read, quarantined=quarantined // 2, people=people + 1)
    if hold_of(read, POLICY) is None:
        assert hold_of(better, POLICY) is None
