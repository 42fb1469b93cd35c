"""The queries behind the gateway's answers about arrangements and work items, as known at a delivery."""

from collections.abc import Sequence
from typing import NamedTuple

from asyncpg import Record

from services.runtime.database import Connection
from services.runtime.person_moves import is_gone


async def arrangements_of(connection: Connection, person_id: str, as_of: int) -> Sequence[Record]:
    """Every month of a person."""
    return await connection.fetch(
        "SELECT DISTINCT ON (month) * FROM arrangement_month WHERE person_id = $1 AND sequence <= $2 AND NOT "  # noqa: S608 - a fixed condition
        + is_gone("$1", "$2")
        + " ORDER BY month, sequence DESC",
        person_id,
        as_of,
    )


class Members(NamedTuple):
    """Whom to list of one arrangement's month, and where the page begins."""

    month: str
    as_of: int
    arrangement: str
    after: str
    limit: int


async def members_of(connection: Connection, page: Members) -> Sequence[Record]:
    """Who stands to an arrangement in a month, by person."""
    return await connection.fetch(
        """
        SELECT known.* FROM (
            SELECT DISTINCT ON (person_id) * FROM arrangement_month
            WHERE month = $1 AND sequence <= $2 AND person_id > $4
            ORDER BY person_id, sequence DESC
        ) AS known
        WHERE EXISTS (SELECT FROM json_array_elements(standings) AS one WHERE one ->> 0 = $3) AND NOT """  # noqa: S608 - a fixed condition
        + is_gone("known.person_id", "$2")
        + " ORDER BY person_id LIMIT $5",
        *page,
    )


class Shares(NamedTuple):
    """Of which months and where."""

    first_month: str
    last_month: str
    as_of: int
    state: str | None
    by_county: bool


async def shares(connection: Connection, asked: Shares) -> Sequence[Record]:
    """People by month, state, county where asked, and arrangement: how they stand, who came and who went.

    ``left``: members of the month before who are known in this month and are no members. ``people``: everybody known in
    the month there.
    """
    return await connection.fetch(_SHARES + _BY, *asked)


_SHARES = (
    """
    WITH known AS MATERIALIZED (
        SELECT * FROM (
            SELECT DISTINCT ON (person_id, month) person_id, month, state, coalesce(county_fips, '') AS county_fips,
                members, standings, open_reasons
            FROM arrangement_month
            WHERE sequence <= $3 AND month <= $2
                AND month >= to_char(to_date($1, 'YYYY-MM') - interval '1 month', 'YYYY-MM')
            ORDER BY person_id, month, sequence DESC
        ) AS newest
        WHERE NOT """  # noqa: S608 - a fixed condition
    + is_gone("newest.person_id", "$3")
    + """
    ), of_month AS (
        SELECT known.person_id, known.month, known.state, CASE WHEN $5 THEN known.county_fips ELSE '' END AS county_fips,
            known.members, known.standings, before.members AS members_before
        FROM known LEFT JOIN known AS before ON before.person_id = known.person_id
            AND before.month = to_char(to_date(known.month, 'YYYY-MM') - interval '1 month', 'YYYY-MM')
        WHERE known.month >= $1 AND ($4::text IS NULL OR known.state = $4) AND NOT 'DECEASED' = ANY(known.open_reasons)
    ), people AS (
        SELECT month, state, county_fips, count(*) AS people FROM of_month GROUP BY month, state, county_fips
    ), standing AS (
        SELECT month, state, county_fips, one ->> 0 AS arrangement, one ->> 1 AS standing
        FROM of_month, json_array_elements(standings) AS one
        UNION ALL
        SELECT month, state, county_fips, 'none', 'member' FROM of_month WHERE members = '{}'
        UNION ALL
        SELECT month, state, county_fips, gone, 'left' FROM of_month, unnest(members_before) AS gone
        WHERE NOT gone = ANY(members)
        UNION ALL
        SELECT month, state, county_fips, came, 'joined' FROM of_month, unnest(members) AS came
        WHERE members_before IS NOT NULL AND NOT came = ANY(members_before)
        UNION ALL
        SELECT month, state, county_fips, stayed, 'before' FROM of_month, unnest(members_before) AS stayed
    )
    """
)
_BY = """
    SELECT month, state, county_fips, arrangement, people,
        count(*) FILTER (WHERE standing = 'member') AS members,
        count(*) FILTER (WHERE standing = 'eligible') AS eligible,
        count(*) FILTER (WHERE standing = 'opted_out') AS opted_out,
        count(*) FILTER (WHERE standing IN ('excluded', 'unknown')) AS disputed,
        count(*) FILTER (WHERE standing = 'joined') AS joined,
        count(*) FILTER (WHERE standing = 'left') AS left_since,
        count(*) FILTER (WHERE standing = 'before') AS members_before
    FROM standing JOIN people USING (month, state, county_fips)
    GROUP BY month, state, county_fips, arrangement, people ORDER BY month, state, county_fips, arrangement
"""


class Items(NamedTuple):
    """Which work items, and where the page begins."""

    as_of: int
    kind: str | None
    after: str
    limit: int


async def work_items(connection: Connection, page: Items) -> Sequence[Record]:
    """Open work items, by person."""
    return await connection.fetch(
        """
        SELECT known.*, delivery.received_at FROM (
            SELECT DISTINCT ON (person_id, kind) * FROM work_item
            WHERE sequence <= $1 AND ($2::text IS NULL OR kind = $2)
            ORDER BY person_id, kind, sequence DESC
        ) AS known JOIN delivery USING (sequence)
        WHERE is_open AND (person_id || ':' || kind) > $3 AND NOT """  # noqa: S608 - a fixed condition
        + is_gone("known.person_id", "$1")
        + " ORDER BY person_id, kind LIMIT $4",
        *page,
    )
