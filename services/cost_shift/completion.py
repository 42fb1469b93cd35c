"""How complete each month is, from the installation's own history of what came in when. As of any revision."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import asyncpg

from contracts.codes import Payer, ServiceCategory
from contracts.months import month_index
from services.cost_shift.estimate_policy import estimate_policy
from services.cost_shift.rules.chain_ladder import (
    Completeness,
    Development,
    completeness,
    developments,
    developments_among,
    unbegun,
)
from services.cost_shift.rules.county_panel import Series
from services.cost_shift.rules.own_history import Enough, own_history
from services.runtime.database import Connection

TOTAL = ""
Increments = Mapping[str, Mapping[str, int]]  # service month, then month known, to cents that came in
OwnSeries = tuple[str, Series]  # entity (empty: people of no entity) and series
# Whose history: the entity's, of everybody, or of all services of the payer because the category has too little of its own.
Level = Literal["entity", "pooled", "payer"]
# Where what came in is read from: the cells, what was published of them, or what of that may be shown to others.
Source = Literal["cells", "published", "released"]

# Moves between cohorts and counties cancel out: over everybody what is left is what came in.
_CAME_IN: Final = "cause IN ('claims', 'cancellations')"
_SUMS: Final = (
    f"coalesce(sum(cents), 0)::bigint AS cents, coalesce(sum(cents) FILTER (WHERE {_CAME_IN}), 0)::bigint AS received"
)
_KEY: Final = "state, entity, payer, category, month, to_char(dated, 'YYYY-MM') AS known"
_WANTED: Final = (
    f"($2::text[] IS NULL OR state = ANY($2)) AND category <> '{ServiceCategory.CAPITATION.value}' "
    "GROUP BY state, entity, payer, category, month, known"
)
_RECEIVED: Final[dict[Source, str]] = {
    "cells": f"""
        SELECT {_KEY}, {_SUMS} FROM cell_delta JOIN revision USING (sequence)
        WHERE sequence <= $1 AND basis IN ('services', 'both') AND {_WANTED}""",  # noqa: S608 - constants
    "published": f"""
        SELECT {_KEY}, {_SUMS} FROM restatement JOIN revision ON sequence = revision
        WHERE revision <= $1 AND {_WANTED}""",  # noqa: S608 - constants
    # Why a shown figure grew is told by names alone, so all of it is growth. What is shown only together with other categories
    # stands in no category of its own.
    "released": f"""
        SELECT {_KEY}, sum(step)::bigint AS cents, sum(step)::bigint AS received FROM (
            SELECT state, entity, payer, month, dated, cents - coalesce(previous_cents, 0) AS step,
                CASE WHEN category = '{ServiceCategory.CAPITATION.value}' OR NOT bool_or(group_name IS NOT NULL)
                    OVER (PARTITION BY state, entity, cohort, payer, category, month) THEN category ELSE $3 END AS category
            FROM released_measure JOIN revision ON sequence = revision WHERE revision <= $1
        ) AS shown WHERE {_WANTED}""",  # noqa: S608 - constants
}
_ARRIVED: Final = """
    SELECT DISTINCT source AS payer, to_char(dated, 'YYYY-MM') AS known FROM arrival JOIN revision USING (sequence)
    WHERE sequence <= $1 AND source = ANY($2) AND received > 0
"""
_TOGETHER: Final = "together"  # stands in the payer's whole alone


@dataclass(frozen=True, slots=True)
class Come:
    """How much of a month has come in, and whose history says so."""

    in_so_far: Completeness
    level: Level


@dataclass(slots=True)
class Completion:
    """Developments of every series; ``known`` are the months as of which each payer's claims came in, in order.

    All is filled in before anything is asked. ``own``: those of an entity, and the lags at which they are its own. An entity that is ``None`` is everybody.
    ``unbegun``: the lags at which nothing of a payer's had ever come in yet.
    """

    known: dict[str, list[str]] = field(default_factory=dict)
    found: dict[Series, tuple[Development, ...]] = field(default_factory=dict)
    own: dict[OwnSeries, tuple[tuple[Development, ...], frozenset[int]]] = field(default_factory=dict)
    unbegun: dict[str, frozenset[int]] = field(default_factory=dict)
    # Cells of many counties ask the same of one month: a ladder is climbed once.
    _climbed: dict[tuple[Series, int, str | None], Come | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def lag(self, payer: str, month: str) -> int | None:
        """Months between a service month and the last delivery of a payer's claims."""
        known = self.known.get(payer)
        return month_index(known[-1]) - month_index(month) if known else None

    def of(self, series: Series, month: str, entity: str | None = None) -> Completeness | None:
        """Of a month of a series; see :meth:`told`."""
        told = self.told(series, month, entity)
        return None if told is None else told.in_so_far

    def told(self, series: Series, month: str, entity: str | None = None) -> Come | None:
        """By the entity's own history where there is enough of it, else by everybody's; the payer's whole where that is too little."""
        lag = self.lag(series[0], month)
        if lag is None:
            return None
        asked = (series, lag, entity)
        if asked not in self._climbed:
            self._climbed[asked] = self._climb(series, lag, entity)
        return self._climbed[asked]

    def has_begun(self, payer: str, month: str) -> bool:
        """Whether anything of a month could have come in by now: else that it is empty says nothing of it."""
        return self.lag(payer, month) not in self.unbegun.get(payer, frozenset())

    def _climb(self, series: Series, lag: int, entity: str | None) -> Come | None:
        ladders: list[tuple[Level, tuple[Development, ...]]] = [
            ("pooled", self.found.get(series, ())),
            ("payer", self.found.get((series[0], TOTAL), ())),
        ]
        chosen, alone = self.own.get((entity, series), ((), frozenset())) if entity is not None else ((), frozenset())
        if lag in alone:
            ladders.insert(0, ("entity", chosen))
        for level, ladder in ladders:
            come_in = completeness(ladder, lag)
            if come_in is not None:
                return Come(come_in, level)
        return None

    def incomplete(
        self, months: Iterable[str], least: float, entities: Iterable[str | None] = (None,)
    ) -> tuple[list[str], list[str]]:
        """Months of which too little of either payer's cost has come in, and those of which nobody can tell.

        ``entities``: whose months must have come in; ``None`` is everybody.
        """
        few, unknown = [], []
        whose = list(entities)
        for month in months:
            shares = [self.of((payer.value, TOTAL), month, entity) for payer in Payer for entity in whose]
            begun = all(self.has_begun(payer.value, month) for payer in Payer)
            if not begun or any(one is not None and one.share < least for one in shares):
                few.append(month)
            elif None in shares:
                unknown.append(month)
        return few, unknown


def cumulated(increments: Increments, known: Iterable[str]) -> dict[str, dict[str, int]]:
    """What each service month had come to as of each month known, from its own month on."""
    triangle: dict[str, dict[str, int]] = {}
    months = sorted(known)
    for service, came_in in increments.items():
        steps, so_far = sorted(came_in.items(), reverse=True), 0
        triangle[service] = {}
        for month in months:
            while steps and steps[-1][0] <= month:
                so_far += steps.pop()[1]
            if month >= service:
                triangle[service][month] = so_far
    return triangle


@dataclass(slots=True)
class _Receipts:
    """By service month and month known: what a figure changed by, and what of that came in."""

    changed: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    received: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))

    def add(self, row: asyncpg.Record) -> None:
        self.changed[row["month"]][row["known"]] += row["cents"]
        self.received[row["month"]][row["known"]] += row["received"]


def completion_of(known: dict[str, list[str]], rows: Iterable[asyncpg.Record]) -> Completion:
    """The ladders of everybody and of each entity, from rows of one or more states."""
    pooled: dict[Series, _Receipts] = defaultdict(_Receipts)
    own: dict[OwnSeries, _Receipts] = defaultdict(_Receipts)
    for row in rows:
        for category in {row["category"], TOTAL} - {_TOGETHER}:
            series = (row["payer"], category)
            pooled[series].add(row)
            own[row["entity"], series].add(row)
    result = Completion(known)
    for series, receipts in pooled.items():
        triangle = cumulated(receipts.changed, known.get(series[0], ()))
        result.found[series] = developments(triangle)
        if series[1] == TOTAL:
            result.unbegun[series[0]] = unbegun(triangle)
    policy = estimate_policy()
    enough = Enough(policy.fewest_own_months, policy.largest_own_error)
    for (entity, series), receipts in own.items():
        standing = cumulated(receipts.changed, known.get(series[0], ()))
        found = developments_among(standing, receipts.received)
        result.own[entity, series] = own_history(found, result.found[series], enough)
    return result


async def receipts(
    connection: Connection, revision: int, states: list[str] | None, source: Source = "cells"
) -> list[asyncpg.Record]:
    """What each delivery changed of figures, by state, entity, series, service month and month known; of all states for ``None``."""
    parameters = (revision, states, _TOGETHER) if source == "released" else (revision, states)
    return await connection.fetch(_RECEIVED[source], *parameters)


async def months_known(connection: Connection, revision: int) -> dict[str, list[str]]:
    """The months in which each payer's claims came in, in order."""
    known: dict[str, list[str]] = {}
    for row in await connection.fetch(_ARRIVED, revision, [payer.value for payer in Payer]):
        known.setdefault(row["payer"], []).append(row["known"])
    return {payer: sorted(months) for payer, months in known.items()}


async def completion(connection: Connection, revision: int, states: list[str], source: Source = "cells") -> Completion:
    """The history of receipts of some states."""
    known = await months_known(connection, revision)
    return completion_of(known, await receipts(connection, revision, states, source))
