"""Care actions as they are shown: what cuts raised and closed, and what people reported since, in one status.

What a claim shows stands first, then the newest report, then that an action lapsed or was withdrawn.
"""

import json
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import asyncpg

from services.risk.care_following import reports_of_actions
from services.runtime.database import Connection
from services.runtime.person_moves import is_gone

# Larger than any sequence: as known now.
NOW: Final = 2**62
_SHOWN: Final = f"""
    WITH newest AS (
        SELECT DISTINCT ON (counts_for) counts_for, verdict, done_on, dismissal_reason, reported_by, reported_at
        FROM ({reports_of_actions("$1")}) AS said ORDER BY counts_for, reported_at DESC, report_id DESC
    ), shown AS (
        SELECT action.*, closing.closed_on, closing.sequence AS closing_sequence,
            closing.outcome IS NOT DISTINCT FROM 'done' AS by_claim,
            CASE WHEN closing.outcome = 'done' THEN 'done'
                 WHEN newest.verdict IN ('done', 'dismissed') THEN newest.verdict
                 ELSE coalesce(closing.outcome, 'open') END AS status,
            CASE WHEN closing.outcome = 'done' THEN closing.done_on
                 WHEN newest.verdict = 'done' THEN newest.done_on END AS done_on,
            CASE WHEN closing.outcome = 'done' THEN closing.reason
                 WHEN newest.verdict = 'done' THEN 'Reported by ' || newest.reported_by
                 WHEN newest.verdict = 'dismissed' THEN newest.dismissal_reason
                 ELSE closing.reason END AS closed_because,
            closing.evidence AS closing_evidence
        FROM care_action AS action
        LEFT JOIN care_closing AS closing ON closing.action_id = action.action_id AND closing.sequence <= $1
        LEFT JOIN newest ON newest.counts_for = action.action_id
        WHERE action.sequence <= $1
    )
"""  # noqa: S608 - a fixed query


class Worklist(NamedTuple):
    """Which actions. ``None`` leaves out nothing; ``after``: the last of the page before, as ``due_on:action_id``."""

    owner: str | None = None
    kind: str | None = None
    status: str | None = "open"
    tier: int | None = None
    county_fips: str | None = None
    facility_npi: str | None = None
    state: str | None = None
    entity_id: str | None = None
    person_id: str | None = None
    after: str = ""


_FILTERED: Final = ("owner", "kind", "status", "tier", "county_fips", "facility_npi", "state", "entity_id", "person_id")


async def worklist(connection: Connection, wanted: Worklist, as_of: int | None, limit: int) -> list[asyncpg.Record]:
    """Actions in the order in which they are due."""
    parameters: list[Any] = [as_of or NOW, limit]
    conditions = []
    for name in _FILTERED:
        value = getattr(wanted, name)
        if value is not None:
            parameters.append(value)
            conditions.append(f"{name} = ${len(parameters)}")
    if wanted.after:
        due, _, identity = wanted.after.partition(":")
        parameters += [date.fromisoformat(due), identity]
        conditions.append(f"(due_on, action_id) > (${len(parameters) - 1}, ${len(parameters)})")
    where = " AND ".join(conditions) or "true"
    query = f"{_SHOWN} SELECT * FROM shown WHERE {where} ORDER BY due_on, action_id LIMIT $2"  # noqa: S608 - names of columns
    return await connection.fetch(query, *parameters)


async def action(connection: Connection, identity: str, as_of: int | None = None) -> asyncpg.Record | None:
    """One action."""
    return await connection.fetchrow(f"{_SHOWN} SELECT * FROM shown WHERE action_id = $2", as_of or NOW, identity)  # noqa: S608 - a fixed query


_REPORTS: Final = f"""
    SELECT report_id, action_id, sequence, reported_at, verdict, done_on, dismissal_reason, reported_by
    FROM ({reports_of_actions("$2")}) AS said WHERE counts_for = $1 ORDER BY reported_at, report_id
"""  # noqa: S608 - a fixed query


async def reports(connection: Connection, identity: str, as_of: int | None = None) -> list[asyncpg.Record]:
    """What was reported about an action, the oldest first; also while its person had another name, of the action then."""
    return await connection.fetch(_REPORTS, identity, as_of or NOW)


class Cut(NamedTuple):
    """The last delivery that was cut."""

    sequence: int
    delivery_id: str
    time: datetime


async def last_cut(connection: Connection) -> Cut | None:
    """The last cut, which nothing can follow until this transaction ends; reports wait for each other here."""
    await connection.execute("LOCK TABLE runtime_cut IN SHARE ROW EXCLUSIVE MODE")
    row = await connection.fetchrow("SELECT * FROM runtime_cut ORDER BY sequence DESC LIMIT 1")
    return None if row is None else Cut(*tuple(row)[:3])


_GROUPS: Final = {
    "kind": ("kind", "NULL::text"),
    "county": ("county_fips", "county_fips"),
    "tier": ("tier", "tier"),
}
# Everybody whose last decided month at the time is aligned, with the tier they are in.
_ALIGNED: Final = f"""
    decided AS (
        SELECT DISTINCT ON (person_id) person_id, aligned, county_fips FROM care_alignment
        WHERE sequence <= $1 AND month <= (
            SELECT to_char(max(day), 'YYYY-MM') FROM care_day WHERE sequence <= $1)
        ORDER BY person_id, month DESC, sequence DESC, revision DESC
    ), tiers AS (
        SELECT DISTINCT ON (person_id) person_id, tier FROM tier WHERE sequence <= $1 ORDER BY person_id, sequence DESC
    ), people AS (
        SELECT decided.person_id, county_fips, tier FROM decided LEFT JOIN tiers USING (person_id)
        WHERE aligned AND NOT {is_gone("decided.person_id", "$1")}
    )
"""  # noqa: S608 - a fixed condition


async def outcomes(
    connection: Connection, group: str, as_of: int | None, first: date, last: date
) -> list[asyncpg.Record]:
    """What became of the actions raised from one day to another, by kind, county or tier."""
    by, of_people = _GROUPS[group]
    query = f"""{_SHOWN}, {_ALIGNED.strip()}, counted AS (
        SELECT {by} AS "group", count(*) AS raised,
            count(*) FILTER (WHERE status = 'done' AND done_on >= raised_on) AS done,
            count(*) FILTER (WHERE status = 'done' AND done_on < raised_on) AS done_before,
            count(*) FILTER (WHERE status = 'done' AND NOT by_claim) AS reported_only,
            count(*) FILTER (WHERE status = 'dismissed') AS dismissed,
            count(*) FILTER (WHERE status = 'lapsed') AS lapsed,
            count(*) FILTER (WHERE status = 'withdrawn') AS withdrawn,
            count(*) FILTER (WHERE status = 'open') AS open,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY done_on - raised_on)
                FILTER (WHERE status = 'done' AND done_on >= raised_on) AS median_days
        FROM shown WHERE raised_on BETWEEN $2 AND $3 GROUP BY 1
    ), sizes AS (SELECT {of_people} AS "group", count(*) AS aligned_people FROM people GROUP BY 1)
    SELECT counted.*, coalesce(sizes.aligned_people, 0) AS aligned_people
    FROM counted LEFT JOIN sizes ON {"true" if group == "kind" else 'sizes."group" = counted."group"'}
    ORDER BY counted."group" NULLS LAST
    """  # noqa: S608 - names of columns
    return await connection.fetch(query, as_of or NOW, first, last)


async def facilities(connection: Connection, state: str | None, as_of: int | None) -> list[asyncpg.Record]:
    """The last rating of nursing facilities: surely above the reference first, then by ratio."""
    return await connection.fetch(
        "SELECT *, sequence AS known_since FROM facility_rate WHERE ($2::text IS NULL OR state = $2) "
        "AND sequence = (SELECT max(sequence) FROM facility_rate WHERE sequence <= $1) "
        "ORDER BY above_reference DESC, ratio DESC, facility_npi",
        as_of or NOW,
        state,
    )


def parsed(value: str | None) -> list[dict[str, Any]]:
    """A list kept as JSON."""
    found: list[dict[str, Any]] = json.loads(value) if value else []
    return found
