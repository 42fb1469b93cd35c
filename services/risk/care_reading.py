"""What is known of some people for care at a cut, read in a fixed number of queries."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, Final

import asyncpg

from contracts.months import add_months, month_of
from services.risk.care_facts import CareFacts, Network, Participant, Service, TierEntry
from services.risk.care_history import OpenAction, Standing
from services.risk.care_policy import CarePolicy
from services.risk.facts import ClaimRecord, FacilityStay
from services.risk.rules.institutional_stay import facility_days
from services.risk.rules.standing_claims import newest_versions, standing_claims
from services.runtime.database import Connection
from services.runtime.person_moves import is_gone

# Everybody whom the delivery says something about that bears on care, and, with $2, everybody with any decision.
_CONCERNED: Final = """
    SELECT person_id FROM care_claim WHERE since = $1 OR until = $1
    UNION SELECT person_id FROM care_alignment WHERE sequence = $1
    UNION SELECT person_id FROM care_sharing WHERE since = $1 OR until = $1
    UNION SELECT person_id FROM statement WHERE since = $1 AND death_date IS NOT NULL
    UNION SELECT person_id FROM tier WHERE sequence = $1
    UNION SELECT unnest(ARRAY[source, target]) FROM person_move WHERE sequence = $1
    UNION SELECT person_id FROM care_alignment WHERE $2 AND sequence <= $1 AND aligned
    UNION SELECT person_id FROM care_action WHERE sequence < $1 AND ($2 OR lapses_on < $3)
        AND NOT EXISTS (SELECT FROM care_closing closing WHERE closing.action_id = care_action.action_id
            AND closing.sequence < $1)
    ORDER BY person_id
"""
# Of each month the newest decision; of the months up to the day's the last.
_ALIGNED: Final = """
    WITH decided AS (
        SELECT DISTINCT ON (person_id, month) person_id, month, state, aligned, entity_id, county_fips
        FROM care_alignment WHERE person_id = ANY($1) AND sequence <= $2 AND month BETWEEN $3 AND $4
        ORDER BY person_id, month, sequence DESC, revision DESC)
    SELECT DISTINCT ON (person_id) * FROM decided ORDER BY person_id, month DESC
"""
CLAIMS: Final = """
    SELECT person_id, sequence, state, record_id, version, claim_key, cancellation, service_from, service_through,
           signals, facility_npi, payer
    FROM care_claim known
    WHERE person_id = ANY($1) AND since <= $2 AND (until IS NULL OR until > $2)
      AND EXISTS (SELECT FROM care_claim showing WHERE showing.person_id = known.person_id
          AND showing.claim_key = known.claim_key AND (showing.signals <> '' OR showing.facility_npi IS NOT NULL))
"""
_OBSERVED: Final = """
    SELECT person_id, min(day) AS day FROM (
        SELECT person_id, service_from AS day FROM care_claim
        WHERE person_id = ANY($1) AND since <= $2 AND (until IS NULL OR until > $2)
        UNION ALL
        SELECT person_id, (first_month || '-01')::date FROM statement
        WHERE person_id = ANY($1) AND payer = 'medicare' AND since <= $2 AND (until IS NULL OR until > $2)
          AND first_month IS NOT NULL) AS seen
    GROUP BY person_id
"""
_DIED: Final = """
    SELECT DISTINCT person_id FROM statement
    WHERE person_id = ANY($1) AND since <= $2 AND (until IS NULL OR until > $2) AND death_date IS NOT NULL
"""
# Medicare's newest word on each, else the state's; sex 0 is no information.
_PORTRAITS: Final = """
    SELECT person_id,
           (array_agg(birth_date ORDER BY payer = 'medicare' DESC, stated_on DESC, sequence DESC, birth_date)
               FILTER (WHERE birth_date IS NOT NULL))[1] AS birth_date,
           (array_agg(sex_code ORDER BY payer = 'medicare' DESC, stated_on DESC, sequence DESC, sex_code)
               FILTER (WHERE sex_code IN ('1', '2')))[1] AS sex_code
    FROM statement WHERE person_id = ANY($1) AND since <= $2 AND (until IS NULL OR until > $2)
    GROUP BY person_id
"""
_SHARES: Final = """
    SELECT DISTINCT ON (person_id) person_id, shares FROM care_sharing
    WHERE person_id = ANY($1) AND since <= $2 AND (until IS NULL OR until > $2) AND effective <= $3
    ORDER BY person_id, effective DESC, stated_on DESC, sequence DESC, shares
"""
_STAYS: Final = """
    SELECT person_id, sequence, state, record_id, version, first_day, last_day, counts FROM facility_stay known
    WHERE person_id = ANY($1) AND since <= $2 AND (until IS NULL OR until > $2)
      AND EXISTS (SELECT FROM facility_stay late WHERE late.person_id = known.person_id AND late.record_id = known.record_id
          AND late.last_day >= $3)
"""
_TIERS: Final = """
    SELECT person_id, tier, previous_tier, reasons, tier.sequence, day
    FROM tier LEFT JOIN care_day ON care_day.sequence = tier.sequence
    WHERE person_id = ANY($1) AND tier.sequence <= $2 ORDER BY person_id, tier.sequence
"""
_ACTIONS: Final = """
    SELECT care_action.person_id, care_action.action_id, kind, occasion, raised_on, lapses_on, closing.action_id IS NULL AS is_open
    FROM care_action LEFT JOIN care_closing closing ON closing.action_id = care_action.action_id AND closing.sequence < $2
    WHERE care_action.person_id = ANY($1) AND care_action.sequence < $2 ORDER BY care_action.action_id
"""
_GONE: Final = f"SELECT person_id FROM unnest($1::text[]) AS who (person_id) WHERE {is_gone('who.person_id', '$2')}"  # noqa: S608 - a fixed condition
# The newest list of each entity, and who is on it in the month.
_NETWORK: Final = """
    WITH newest AS (
        SELECT DISTINCT ON (entity_id) entity_id, sequence FROM care_participant WHERE sequence <= $1
        ORDER BY entity_id, stated_on DESC, sequence DESC)
    SELECT DISTINCT ON (entity_id, npi) entity_id, npi, specialty_code, county_fips, service_area
    FROM care_participant JOIN newest USING (entity_id, sequence)
    WHERE first_month <= $2 AND (last_month IS NULL OR last_month >= $2)
    ORDER BY entity_id, npi, first_month DESC
"""
# By whom each person is seen most: as often, then as lately; of equals the smaller number.
_PANELS: Final = """
    WITH visits AS (
        SELECT person_id, split_part(signal, '=', 3) AS npi, count(DISTINCT split_part(signal, '=', 2)) AS visits
        FROM care_claim CROSS JOIN LATERAL unnest(string_to_array(signals, '|')) AS signal
        WHERE since <= $1 AND (until IS NULL OR until > $1) AND service_through > $2 AND NOT cancellation
          AND signals LIKE '%primary_care=%' AND signal ^@ 'primary_care='
          AND person_id IN (SELECT person_id FROM care_alignment WHERE sequence <= $1 AND aligned AND month >= $3)
        GROUP BY 1, 2
    ), most AS (
        SELECT DISTINCT ON (person_id) npi FROM visits WHERE npi <> '' ORDER BY person_id, visits DESC, npi
    )
    SELECT npi, count(*) AS people FROM most GROUP BY npi
"""


async def concerned(connection: Connection, sequence: int, today: date, *, everybody: bool) -> list[str]:
    """Whose actions may change at a cut: about whom there is news, whose action lapses, or everybody in a new month."""
    return [row["person_id"] for row in await connection.fetch(_CONCERNED, sequence, everybody, today)]


async def networks(connection: Connection, sequence: int, today: date, policy: CarePolicy) -> dict[str, Network]:
    """Each entity's clinicians, as known at the cut and on the day."""
    rows = await connection.fetch(_NETWORK, sequence, month_of(today))
    since = today - timedelta(days=policy.look_back_days)
    oldest = add_months(month_of(today), -policy.alignment_holds_months)
    panels = (
        {row["npi"]: row["people"] for row in await connection.fetch(_PANELS, sequence, since, oldest)} if rows else {}
    )
    found: dict[str, list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        found[row["entity_id"]].append(row)
    return {
        entity: Network(
            tuple(Participant(row["npi"], row["specialty_code"], row["county_fips"]) for row in members),
            frozenset(row["county_fips"] for row in members if row["service_area"]),
            panels,
        )
        for entity, members in found.items()
    }


def services_of(claims: Iterable[ClaimRecord]) -> dict[str, tuple[Service, ...]]:
    """What the claims that stand show, by name, each in the order of days."""
    found: dict[str, set[Service]] = defaultdict(set)
    for claim in standing_claims(claims):
        for signal in claim.diagnosis_codes:
            name, day, detail = signal.split("=", 2)
            found[name].add(Service(date.fromisoformat(day), detail, claim.record_id))
    return {name: tuple(sorted(services)) for name, services in found.items()}


def stored_claim(row: asyncpg.Record) -> ClaimRecord:
    """A claim as it is kept, with what it shows where a claim of the risk model has its diagnoses."""
    signals = row["signals"]
    values = (*tuple(row)[1:9], tuple(signals.split("|")) if signals else ())
    return ClaimRecord(*values)


def _facility_of(rows: Sequence[asyncpg.Record], today: date, policy: CarePolicy) -> str | None:
    """The facility of the newest long-term-care claim, if it is of the last weeks for which claims have come."""
    facility = {(row["record_id"], row["version"]): row["facility_npi"] for row in rows}
    newest = newest_versions(stored_claim(row) for row in rows if row["payer"] == "medicaid")
    since = today - timedelta(days=2 * policy.claims_lag_days)
    stays = [one for one in newest if one.service_through >= since and facility[one.record_id, one.version]]
    last = max(stays, key=lambda one: (one.service_through, one.record_id), default=None)
    return None if last is None else facility[last.record_id, last.version]


def tier_entry(rows: Sequence[asyncpg.Record], least: int, today: date) -> TierEntry | None:
    """When the person last came from below into the tiers that are coordinated; ``None`` while below."""
    entry = None
    for row in rows:
        # Whoever died or turned out to be somebody else is in no tier.
        if row["tier"] is None or row["tier"] < least:
            entry = None
        elif entry is None:
            entry = TierEntry(row["tier"], row["sequence"], row["day"] or today, tuple(row["reasons"]))
    return entry


class CareReader:
    """Reads people at one cut."""

    def __init__(
        self, connection: Connection, sequence: int, today: date, networks: dict[str, Network], policy: CarePolicy
    ) -> None:
        self._connection = connection
        self._sequence = sequence
        self._today = today
        self._networks = networks
        self._policy = policy

    async def _grouped(self, query: str, people: list[str], *more: Any) -> dict[str, list[asyncpg.Record]]:  # noqa: ANN401 - parameters of a query
        found: dict[str, list[asyncpg.Record]] = defaultdict(list)
        for row in await self._connection.fetch(query, people, self._sequence, *more):
            found[row["person_id"]].append(row)
        return found

    async def facts_of(self, people: list[str]) -> dict[str, CareFacts]:
        """Everything that rules look at, of each person; nine queries, however many people."""
        month = month_of(self._today)
        oldest = add_months(month, -self._policy.alignment_holds_months)
        aligned = await self._grouped(_ALIGNED, people, oldest, month)
        claims = await self._grouped(CLAIMS, people)
        observed = await self._grouped(_OBSERVED, people)
        portraits = await self._grouped(_PORTRAITS, people)
        died = await self._grouped(_DIED, people)
        shares = await self._grouped(_SHARES, people, self._today)
        tiers = await self._grouped(_TIERS, people)
        gone = await self._grouped(_GONE, people)
        stays = await self._grouped(_STAYS, people, self._stays_since())
        return {
            person: self._facts(
                person, aligned[person], claims[person], observed[person], tiers[person], portraits[person],
                stays[person], _barrier(aligned[person], died[person], shares[person], gone[person]),
            )
            for person in people
        }  # fmt: skip

    def _facts(  # noqa: PLR0913, PLR0917 - one argument for each query
        self,
        person: str,
        aligned: list[asyncpg.Record],
        claims: list[asyncpg.Record],
        observed: list[asyncpg.Record],
        tiers: list[asyncpg.Record],
        portraits: list[asyncpg.Record],
        stays: list[asyncpg.Record],
        barrier: str | None,
    ) -> CareFacts:
        place = aligned[0] if aligned else None
        entity = place["entity_id"] if place else None
        return CareFacts(
            person,
            place["state"] if place else "",
            services_of(stored_claim(row) for row in claims) if barrier is None else {},
            observed[0]["day"] if observed else None,
            entity,
            place["county_fips"] if place else None,
            tiers[-1]["tier"] if tiers else None,
            tier_entry(tiers, self._policy.coordination_tier, self._today),
            _facility_of(claims, self._today, self._policy) if barrier is None else None,
            barrier,
            self._networks.get(entity or "", Network()),
            portraits[0]["birth_date"] if portraits else None,
            portraits[0]["sex_code"] if portraits else None,
            self._facility_days(stays),
        )

    def _facility_days(self, rows: list[asyncpg.Record]) -> int:
        stays = [FacilityStay(*tuple(row)[1:]) for row in rows]
        return facility_days(stays, self._stays_since(), self._today)

    def _stays_since(self) -> date:
        return self._today - timedelta(days=self._policy.screening_exclusions["nursing_facility_window_days"] - 1)

    async def standing_of(self, people: list[str]) -> dict[str, Standing]:
        """What earlier cuts left behind, of each person: one query."""
        rows = await self._grouped(_ACTIONS, people)
        return {
            person: Standing(
                tuple(
                    OpenAction(row["action_id"], row["kind"], row["raised_on"], row["lapses_on"])
                    for row in rows[person]
                    if row["is_open"]
                ),
                frozenset((row["kind"], row["occasion"]) for row in rows[person]),
            )
            for person in people
        }


def _barrier(
    aligned: list[asyncpg.Record], died: list[asyncpg.Record], shares: list[asyncpg.Record], gone: list[asyncpg.Record]
) -> str | None:
    """Why nothing is to be done for a person, if so; the first that applies."""
    if gone:
        return "Known as another person now"
    if died:
        return "The person has died"
    if shares and not shares[0]["shares"]:
        return "The person opted out of sharing claims"
    return None if aligned and aligned[0]["aligned"] and aligned[0]["entity_id"] else "Not aligned"


def as_json(value: object) -> str:
    """A value as the text that a ``jsonb`` column takes; days as ISO 8601."""
    return json.dumps(value, separators=(",", ":"), default=str)
