"""What is told of arrangements and differences: in parts where there are many months, and what it replaces."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from arrangement_facts import POLICIES, enrolment, report, snapshot, span

from contracts.arrangements import ArrangementsDecided
from contracts.months import month_at, month_index
from contracts.reconciliation import ReconciliationDiffered
from services.alignment.arrangement_events import Telling
from services.alignment.arrangement_store import Rows, rows_of
from services.alignment.arranging import changes
from services.alignment.statements import Fact
from services.alignment.store import Delivery

PERSON = "p" + "7" * 32
DELIVERIES = {number: Delivery(f"d{number:032x}", datetime(2022, 1, number, tzinfo=UTC)) for number in range(1, 10)}


class Published:
    """Where the outbox would be."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def publish(self, event: Any) -> None:
        self.events.append(event)


def telling(since: int, published: Published) -> Telling:
    return Telling(PERSON, "OH", since, DELIVERIES, published)  # type: ignore[arg-type]


def rows(*facts: Fact) -> Rows:
    return rows_of(PERSON, changes(facts, POLICIES))


def test_many_months_are_told_in_parts_and_only_the_first_replaces() -> None:
    last = month_at(month_index("2011-01") + 299)
    policies = POLICIES._replace(programme=replace(POLICIES.programme, first_decided_month=month_index("2011-01")))
    told = changes([enrolment(3, f"{last}-10", span("2011-01", last, plan="H", plan_type_code="70"))], policies)
    published = Published()
    assert telling(3, published).arrangements(rows_of(PERSON, told).arrangements, 4, restates=False) == 6
    first, second = published.events
    assert isinstance(first, ArrangementsDecided)
    assert [(one.data.revision, one.data.continues, len(one.data.months)) for one in published.events] == [
        (5, False, 240), (6, True, 60),
    ]  # fmt: skip
    assert {one.data.known_from for one in published.events} == {3}
    assert (first.deliveryseq, first.deliveryid, second.deliveryseq) == (3, f"d{3:032x}", 3)
    assert first.data.months[0].standings[0].arrangement == "health_home"


def test_several_deliveries_at_once_are_told_with_the_delivery_of_each_month() -> None:
    found = rows(snapshot(1, "2022-01"), enrolment(2, "2022-01-10", span("2022-01", plan="H", plan_type_code="70")))
    published = Published()
    telling(1, published).arrangements(found.arrangements, 0, restates=False)
    (event,) = published.events
    assert (event.data.known_from, event.deliveryseq) == (1, 2)
    assert [(month.month, month.known_since) for month in event.data.months] == [("2022-01", 1), ("2022-01", 2)]


def test_what_is_no_difference_any_more_is_told_by_saying_nothing() -> None:
    """Somebody was told of a difference since delivery 5; a fact that came late shows that there never was one."""
    published = Published()
    assert telling(5, published).differences([], 1, restates=True) == 2
    (event,) = published.events
    assert isinstance(event, ReconciliationDiffered)
    assert (event.data.known_from, event.data.months, event.deliveryseq) == (5, (), 5)
    # Nobody was ever told anything: there is nothing to take back.
    assert telling(5, published).differences([], 0, restates=False) == 0
    assert len(published.events) == 1


def test_both_sides_of_a_difference_are_told() -> None:
    found = rows(
        snapshot(1, "2022-01"),
        report(2, "2022-01", ("2022-01", None, None)),
        snapshot(3, "2022-02", code="1"),
        report(4, "2022-02", ("2022-01", None, None)),
    )
    published = Published()
    telling(1, published).differences(found.differences, 0, restates=False)
    (month,) = published.events[0].data.months
    assert (month.outcome, month.theirs.aligned, month.ours.aligned) == ("only_theirs", True, False)
    assert (month.ours.reasons, month.ours.evidence) == (("LOST_PART_B",), ("CCLF8 2022-02-20",))
    assert month.forecast == "not_aligned"
