"""Which records arrive when, and in whose feed: the entity's or that of everybody else."""

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

from infra.simulator.person import Person
from infra.simulator.world import COMPARISON_FEED, ENTITY

Record = TypeVar("Record")


class Arrival(NamedTuple):
    """One month of one person. ``entered``: the person is new to the entity's feed, and the whole history comes again."""

    month: int
    feed: str
    entered: bool


def arrivals(person: Person, by_month: list[list[Record]]) -> Iterator[tuple[Arrival, list[Record]]]:
    """Each month's records to the feed that the person is in; the whole history to a feed newly entered."""
    life = person.life
    outside: list[Record] = []
    for month in range(life.entry, person.period.last_delivery + 1):
        feed = ENTITY if life.in_entity_feed(month) else COMPARISON_FEED
        entered = feed == ENTITY and month > life.entry and not life.in_entity_feed(month - 1)
        records = by_month[month]
        if entered:
            records, outside = outside + records, []
        if feed == COMPARISON_FEED:
            outside += by_month[month]
        yield Arrival(month, feed, entered), records
