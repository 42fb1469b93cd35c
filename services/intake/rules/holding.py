"""Whether a delivery that was read is held back until somebody has looked at it (``policy/holding.toml``).

Own rules: nothing that is published says later that half of its people were missing from a file.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

_PERCENT = 100


@dataclass(frozen=True, slots=True)
class HoldingPolicy:
    """See the comments in the file."""

    most_quarantined_percent: int
    most_quarantined_lines: int
    fewest_people_percent: int
    fewest_people_of: int
    full_lists: frozenset[str]
    holds_older: bool
    most_days_ahead: int
    unnamed_sources: frozenset[str]
    # The first part of a source's name, up to a dot.
    partial_sources: frozenset[str]


@dataclass(frozen=True, slots=True)
class Before:
    """The deliveries of the same kind from the same source: the newest date, and how many people the last one named."""

    newest: date
    people: int


@dataclass(frozen=True, slots=True)
class Read:
    """What is known of a delivery once it was read. ``before`` is ``None`` for the first of its kind and source."""

    kind: str
    source: str
    dated: date
    received_on: date
    records: int
    quarantined: int
    people: int
    before: Before | None


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a delivery is held: a code, and a sentence without anything about a person."""

    reason_code: str
    detail: str


@cache
def holding_policy() -> HoldingPolicy:
    """The policy in force."""
    return policy_of(files("services.intake.policy").joinpath("holding.toml").read_text(encoding="utf-8"))


def policy_of(text: str) -> HoldingPolicy:
    """A policy as it is written down."""
    said: dict[str, Any] = tomllib.loads(text)
    return HoldingPolicy(
        most_quarantined_percent=said["most_quarantined"]["share_percent"],
        most_quarantined_lines=said["most_quarantined"]["lines"],
        fewest_people_percent=said["fewest_people"]["share_percent"],
        fewest_people_of=said["fewest_people"]["of_at_least"],
        full_lists=frozenset(said["fewest_people"]["kinds"]),
        holds_older=said["older_than_the_last"]["hold"],
        most_days_ahead=said["dated_ahead"]["most_days"],
        unnamed_sources=frozenset(said["unnamed_sources"]["value"]),
        partial_sources=frozenset(said["partial_sources"]["value"]),
    )


def hold_of(read: Read, policy: HoldingPolicy) -> Hold | None:
    """The first reason to hold a delivery, if there is any."""
    return next(_holds(read, policy), None)


def _holds(read: Read, policy: HoldingPolicy) -> Iterator[Hold]:
    if (read.dated - read.received_on).days > policy.most_days_ahead:
        yield Hold("dated_ahead", f"it is dated {read.dated}, and was received on {read.received_on}")
    yield from _against_former(read, policy)
    lines = read.records + read.quarantined
    if (
        read.quarantined > policy.most_quarantined_lines
        and read.quarantined * _PERCENT > lines * policy.most_quarantined_percent
    ):
        yield Hold("too_many_quarantined", f"{read.quarantined} of {lines} records cannot be read")


def _against_former(read: Read, policy: HoldingPolicy) -> Iterator[Hold]:
    before = read.before
    if before is None or read.source in policy.unnamed_sources:
        return
    if policy.holds_older and read.dated < before.newest:
        yield Hold("older_than_the_last", f"it is dated {read.dated}, one of {before.newest} was taken before")
    if (
        read.kind in policy.full_lists
        and read.source.partition(".")[0] not in policy.partial_sources
        and before.people >= policy.fewest_people_of
        and read.people * _PERCENT < before.people * policy.fewest_people_percent
    ):
        yield Hold("fewer_people_than_before", f"it names {read.people} people, the last one named {before.people}")
