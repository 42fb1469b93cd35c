"""Keeps, beside what is published, what of it may be shown to others: at every revision, in their order."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import asyncpg

from contracts.codes import ServiceCategory
from contracts.months import add_months, month_of
from services.cost_shift.claimants import forget_claimants, note_claimants, waiting_claimants
from services.cost_shift.disclosure_policy import DisclosurePolicy, disclosure_policy
from services.cost_shift.rules.disclosure import Cell, Claimants, Figure, Release, Standing, release
from services.runtime.database import Connection

_AMOUNTS = "cents, claims, crossover_cents, crossover_claims"
_KEY = "state, entity, cohort, payer, category, month"

_WAIT = f"""
    INSERT INTO waiting_measure AS waiting (state, payer, month, entity, cohort, category, {_AMOUNTS}, causes)
    SELECT state, payer, month, entity, cohort, category, sum(cents), sum(claims), sum(crossover_cents),
        sum(crossover_claims), array_agg(cause ORDER BY cause)
    FROM restatement WHERE revision = $1 GROUP BY state, payer, month, entity, cohort, category
    HAVING (sum(cents), sum(claims), sum(crossover_cents), sum(crossover_claims)) <> (0, 0, 0, 0)
    ON CONFLICT (state, payer, month, entity, cohort, category) DO UPDATE SET
        cents = waiting.cents + EXCLUDED.cents, claims = waiting.claims + EXCLUDED.claims,
        crossover_cents = waiting.crossover_cents + EXCLUDED.crossover_cents,
        crossover_claims = waiting.crossover_claims + EXCLUDED.crossover_claims,
        causes = ARRAY(SELECT unnest(waiting.causes) UNION SELECT unnest(EXCLUDED.causes) ORDER BY 1)
"""  # noqa: S608 - constants
_WAITING = f"""
    SELECT state, payer, month, entity, cohort, category, {_AMOUNTS}, causes FROM waiting_measure
    ORDER BY state, payer, month, entity, cohort, category
"""  # noqa: S608 - constants
_SHOWN = f"""
    SELECT state, payer, month, entity, cohort, category, revision, {_AMOUNTS}, group_name, split_hidden
    FROM released_measure JOIN (SELECT DISTINCT state, payer, month FROM waiting_measure) AS waiting
        USING (state, payer, month)
    WHERE revision < $1 ORDER BY revision
"""  # noqa: S608 - constants
_PEOPLE = """
    SELECT DISTINCT ON (state, entity, cohort, month) state, month, entity, cohort, person_months
    FROM published_person_months WHERE revision <= $1
    ORDER BY state, entity, cohort, month, revision DESC
"""
_PEOPLE_SHOWN = """
    SELECT state, month, entity, cohort, revision, person_months FROM released_person_months
    WHERE revision < $1 ORDER BY revision
"""
_RELEASE = f"""
WITH told AS (
    INSERT INTO released_measure
        ({_KEY}, revision, {_AMOUNTS}, group_name, split_hidden, causes, previous_revision, previous_cents)
    SELECT added.state, added.entity, added.cohort, added.payer, added.category, added.month, $1,
        added.cents + coalesce(before.cents, 0), added.claims + coalesce(before.claims, 0),
        added.crossover_cents + coalesce(before.crossover_cents, 0),
        added.crossover_claims + coalesce(before.crossover_claims, 0),
        added.group_name, added.split_hidden, string_to_array(added.causes, ' '), before.revision, before.cents
    FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[],
        $10::bigint[], $11::bigint[], $12::text[], $13::boolean[], $14::text[])
        AS added ({_KEY}, {_AMOUNTS}, group_name, split_hidden, causes)
    LEFT JOIN LATERAL (
        SELECT revision, {_AMOUNTS} FROM released_measure AS older
        WHERE (older.state, older.entity, older.cohort, older.payer, older.category, older.month)
            = (added.state, added.entity, added.cohort, added.payer, added.category, added.month)
        ORDER BY revision DESC LIMIT 1
    ) AS before ON true
    RETURNING {_KEY}, previous_revision
)
UPDATE released_measure AS older SET until = $1 FROM told
WHERE (older.state, older.entity, older.cohort, older.payer, older.category, older.month, older.revision)
    = (told.state, told.entity, told.cohort, told.payer, told.category, told.month, told.previous_revision)
"""  # noqa: S608 - constants
_SHOWN_NOW = f"""
    DELETE FROM waiting_measure USING unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
        AS shown ({_KEY})
    WHERE (waiting_measure.state, waiting_measure.entity, waiting_measure.cohort, waiting_measure.payer,
        waiting_measure.category, waiting_measure.month)
        = (shown.state, shown.entity, shown.cohort, shown.payer, shown.category, shown.month)
"""  # noqa: S608 - constants

# State, payer, month; capitation by itself, because it is in no sum of services.
Place = tuple[str, str, str, bool]
PeoplePlace = tuple[str, str]  # state, month


@dataclass(slots=True)
class _Shown:
    """What was shown of one place, while it is read."""

    timelines: dict[Cell, list[tuple[int, Figure]]] = field(default_factory=lambda: defaultdict(list))
    groups: dict[Cell, str] = field(default_factory=dict)
    hidden: set[Cell] = field(default_factory=set)

    def standing(self, claimants: Mapping[Cell, Claimants]) -> Standing:
        return Standing(self.timelines, self.groups, frozenset(self.hidden), claimants)


async def release_published(connection: Connection) -> None:
    """Look at every published revision that was not looked at yet, the oldest first."""
    rows = await connection.fetch(
        "SELECT sequence, dated FROM revision WHERE sequence > "
        "(SELECT coalesce(max(revision), 0) FROM released_revision) ORDER BY sequence"
    )
    for row in rows:
        await _release_revision(connection, row["sequence"], month_of(row["dated"]))


async def _release_revision(connection: Connection, revision: int, dated: str) -> None:
    policy = disclosure_policy()
    await connection.execute("INSERT INTO released_revision VALUES ($1)", revision)
    await connection.execute(_WAIT, revision)
    await note_claimants(connection, revision, policy.smallest_shown)
    people = await _people(connection, revision)
    await _release_people(connection, revision, people, policy)
    await _release_measures(connection, revision, dated, people, policy)


async def _people(connection: Connection, revision: int) -> dict[PeoplePlace, dict[tuple[str, str], int]]:
    found: dict[PeoplePlace, dict[tuple[str, str], int]] = defaultdict(dict)
    for row in await connection.fetch(_PEOPLE, revision):
        found[row["state"], row["month"]][row["entity"], row["cohort"]] = row["person_months"]
    return found


async def _release_people(
    connection: Connection,
    revision: int,
    people: Mapping[PeoplePlace, Mapping[tuple[str, str], int]],
    policy: DisclosurePolicy,
) -> None:
    """Counts of people are held to the same rule, as cells without categories."""
    shown: dict[PeoplePlace, dict[Cell, list[tuple[int, Figure]]]] = defaultdict(lambda: defaultdict(list))
    for row in await connection.fetch(_PEOPLE_SHOWN, revision):
        cell = Cell(row["entity"], row["cohort"], "")
        shown[row["state"], row["month"]][cell].append((row["revision"], Figure(claims=row["person_months"])))
    rows = []
    for place, counts in sorted(people.items()):
        latest = {cell: figures[-1][1].claims for cell, figures in shown[place].items()}
        waiting = {
            cell: Figure(claims=count - latest.get(cell, 0))
            for cell, count in ((Cell(*node, ""), count) for node, count in counts.items())
            if count != latest.get(cell, 0)
        }
        if waiting:
            told = release(Standing(shown[place]), waiting, counts, mature=False, threshold=policy.smallest_shown)
            rows += [
                (place[0], cell.entity, cell.cohort, place[1], revision, counts[cell[:2]]) for cell in told.increments
            ]
    await connection.executemany("INSERT INTO released_person_months VALUES ($1, $2, $3, $4, $5, $6)", rows)


async def _release_measures(
    connection: Connection,
    revision: int,
    dated: str,
    people: Mapping[PeoplePlace, Mapping[tuple[str, str], int]],
    policy: DisclosurePolicy,
) -> None:
    waiting: dict[Place, dict[Cell, Figure]] = defaultdict(dict)
    causes: dict[tuple[Place, Cell], str] = {}
    for row in await connection.fetch(_WAITING):
        place, cell = _place(row), Cell(*tuple(row)[3:6])
        waiting[place][cell] = Figure(*tuple(row)[6:10])
        causes[place, cell] = " ".join(row["causes"])
    shown, claimants = await _shown(connection, revision), await waiting_claimants(connection)
    told: dict[Place, Release] = {}
    for place, cells in waiting.items():
        state, _, month, _ = place
        told[place] = release(
            shown[place].standing(claimants[place]),
            cells,
            people.get((state, month), {}),
            mature=add_months(month, policy.group_after_months) <= dated,
            threshold=policy.smallest_shown,
        )
    await _write(connection, revision, told, causes)


def _place(row: asyncpg.Record) -> Place:
    return row["state"], row["payer"], row["month"], row["category"] == ServiceCategory.CAPITATION


async def _shown(connection: Connection, revision: int) -> dict[Place, _Shown]:
    found: dict[Place, _Shown] = defaultdict(_Shown)
    for row in await connection.fetch(_SHOWN, revision):
        place, cell = found[_place(row)], Cell(*tuple(row)[3:6])
        place.timelines[cell].append((row["revision"], Figure(*tuple(row)[7:11])))
        if row["group_name"] is not None:
            place.groups[cell] = row["group_name"]
        if row["split_hidden"]:
            place.hidden.add(cell)
    return found


async def _write(
    connection: Connection, revision: int, told: Mapping[Place, Release], causes: Mapping[tuple[Place, Cell], str]
) -> None:
    rows = [
        (
            *(place[0], cell.entity, cell.cohort, place[1], cell.category, place[2]),
            *(*figure, one.groups.get(cell), cell in one.split_hidden, causes[place, cell]),
        )
        for place, one in told.items()
        for cell, figure in one.increments.items()
    ]
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        await connection.execute(_RELEASE, revision, *columns)
        await connection.execute(_SHOWN_NOW, *columns[:6])
        await forget_claimants(connection, columns[:6])
