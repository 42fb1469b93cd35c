"""Pages of changes as they go out. A revision wakes all readers at once: those of one tenant at one place share one read."""

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import asyncpg
from fastapi import Request

from services.cost_shift import cursors
from services.cost_shift.changes_feed import ChangeFilters, cursor_secret, place_of
from services.cost_shift.cursors import Place
from services.cost_shift.freshness import LatestRevision
from services.cost_shift.states.answers import SUPPRESSED, Change, shown
from services.runtime.access.principal import Tenant
from services.runtime.asked_once import AskedOnce
from services.runtime.gateway import snapshot

# Of about 400 bytes a change: what is kept stays below a few megabytes.
_MOST_PAGES: Final = 32
_MOST_CHANGES_KEPT: Final = 1_000

_KEY = "state, entity, cohort, payer, category, month"

_CHANGES = f"""
    SELECT {_KEY}, moved.revision, cents, claims, group_name IS NOT NULL AS grouped, previous_revision, previous_cents, causes,
        known_at,
        (SELECT person_months FROM released_person_months AS counted
            WHERE (counted.state, counted.entity, counted.cohort, counted.month)
                = (moved.state, moved.entity, moved.cohort, moved.month) AND counted.revision <= moved.revision
            ORDER BY counted.revision DESC LIMIT 1) AS person_months
    FROM released_measure AS moved JOIN revision ON revision.sequence = moved.revision
    WHERE (moved.revision, {_KEY}) > ($1, $2, $3, $4, $5, $6, $7) AND moved.revision >= $1
        AND ($8::text IS NULL OR state = $8) AND ($9::text IS NULL OR entity = $9)
        AND ($10::text IS NULL OR cohort = $10) AND ($11::text IS NULL OR payer = $11)
        AND ($12::text IS NULL OR category = $12)
    ORDER BY moved.revision, {_KEY} LIMIT $13
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Reader:
    """Who follows which changes. A cursor of one tenant is none of another's, and those of operators are of neither."""

    tenant: Tenant
    filters: ChangeFilters
    secret: bytes = field(repr=False, compare=False)

    def cursor(self, place: Place) -> str:
        """The place as a text that only this reader can use."""
        return cursors.write(place, (str(self.tenant), *self.filters), self.secret)

    def place(self, cursor: str) -> Place:
        """Where a cursor stands. Raises :class:`~services.cost_shift.cursors.CursorError`."""
        return cursors.read(cursor, (str(self.tenant), *self.filters), self.secret)


class Told(NamedTuple):
    """One change as JSON, and the cursor behind it."""

    place: Place
    cursor: str
    text: str


class Page(NamedTuple):
    """Changes in their order; ``more``: there are others behind them."""

    told: tuple[Told, ...]
    more: bool


@dataclass(slots=True)
class SharedPages:
    """The pages of a process."""

    latest: LatestRevision
    _pages: AskedOnce[Page] = field(
        default_factory=lambda: AskedOnce(_MOST_PAGES, lambda page: len(page.told) <= _MOST_CHANGES_KEPT)
    )
    _secret: bytes | None = None

    async def reader(self, tenant: Tenant, filters: ChangeFilters) -> Reader:
        """A reader; the secret of this installation's cursors never changes."""
        if self._secret is None:
            async with self.latest.pool.acquire() as connection:
                self._secret = await cursor_secret(connection)  # type: ignore[arg-type] # a pool's connection
        return Reader(tenant, filters, self._secret)

    async def page(self, request: Request, reader: Reader, place: Place, limit: int) -> Page:
        """Changes behind a place. As long as no revision is published, the same question has the same answer."""

        async def find() -> Page:
            async with snapshot(request) as connection:
                rows = await connection.fetch(_CHANGES, place.revision, *place.key, *reader.filters, limit + 1)
            return Page(tuple(_told(row, reader) for row in rows[:limit]), len(rows) > limit)

        return await self._pages.get((reader, place, limit, await self.latest.known()), find)


def shared_pages_of(request: Request, latest: LatestRevision) -> SharedPages:
    """Those of this process."""
    state = request.app.state
    if not hasattr(state, "shared_pages"):
        state.shared_pages = SharedPages(latest)
    found: SharedPages = state.shared_pages
    return found


def _told(row: asyncpg.Record, reader: Reader) -> Told:
    place = place_of(row)
    return Told(place, reader.cursor(place), change_of(row).model_dump_json())


def change_of(row: asyncpg.Record) -> Change:
    """A row as it may be told."""
    values: dict[str, Any] = {name: value for name, value in row.items() if name not in {"grouped", "entity"}}
    previous = row["previous_cents"]
    return Change(
        **values
        | {
            "entity_id": row["entity"] or None,
            "cents": shown(row["cents"], hidden=row["grouped"]),
            "claims": shown(row["claims"], hidden=row["grouped"]),
            "previous_cents": None if previous is None else shown(previous, hidden=row["grouped"]),
            "person_months": SUPPRESSED if row["person_months"] is None else row["person_months"],
        }
    )
