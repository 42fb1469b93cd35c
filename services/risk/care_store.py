"""The SQL of what care actions follow from: one statement a table and batch, whoever is in it."""

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from contracts.alignment import AlignmentDecided, AlignmentReported, SharingPreferenceStated
from contracts.care import CareActionReported
from contracts.claims import MedicaidClaimsDelivered, MedicareClaimsDelivered
from contracts.months import first_day
from contracts.provider import ProviderRosterStated
from contracts.topics import AnyEvent
from services.risk.care_policy import CarePolicy, care_policy
from services.risk.care_signals import medicaid_rows, medicare_rows
from services.risk.fact_rows import Row
from services.runtime.arrays import array_texts, unnested
from services.runtime.database import Connection
from services.runtime.person_moves import Phase, move_rows

# What comes behind its move is moved on at the next cut.
_BEHIND = """, behind AS (
        UPDATE person_move SET settled = false FROM arrived
        WHERE settled AND source = arrived.person_id AND person_move.sequence > arrived.since
    )
    SELECT count(*) FROM arrived
"""
# The same version by the same name again says nothing new, unless what it said before became another's meanwhile.
_CLAIMS = f"""
    WITH said AS (
        SELECT DISTINCT ON (person_id, alias, record_id, version) *
        FROM {unnested("text text bigint text bigint text text text boolean date date text text")}
            AS said (person_id, record_id, version, alias, sequence, state, payer, claim_key, cancellation, service_from,
                service_through, signals, facility_npi)
        ORDER BY person_id, alias, record_id, version, sequence
    ), arrived AS (
        INSERT INTO care_claim (person_id, record_id, version, alias, sequence, state, payer, claim_key, cancellation,
            service_from, service_through, signals, facility_npi, since)
        SELECT said.*, said.sequence FROM said WHERE NOT EXISTS (
            SELECT FROM care_claim known
            WHERE (known.person_id, known.alias, known.record_id, known.version)
                    = (said.person_id, said.alias, said.record_id, said.version)
                AND (known.until IS NULL OR (known.since <= said.sequence AND known.until > said.sequence)))
        ON CONFLICT DO NOTHING
        RETURNING person_id, since
    ){_BEHIND}"""  # noqa: S608 - constants of this module
_SHARING = f"""
    WITH arrived AS (
        INSERT INTO care_sharing (person_id, event_id, alias, sequence, entity_id, effective, stated_on, shares, since)
        SELECT said.*, said.sequence
        FROM {unnested("text uuid text bigint text date date boolean")}
            AS said (person_id, event_id, alias, sequence, entity_id, effective, stated_on, shares)
        ON CONFLICT DO NOTHING
        RETURNING person_id, since
    ){_BEHIND}"""  # noqa: S608 - constants of this module
_ALIGNMENT = f"""
    INSERT INTO care_alignment (person_id, month, sequence, revision, state, aligned, entity_id, county_fips)
    SELECT * FROM {unnested("text text bigint integer text boolean text text")}
    ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants of this module
_PARTICIPANTS = f"""
    INSERT INTO care_participant (entity_id, sequence, stated_on, npi, specialty_code, county_fips, first_month,
        last_month, service_area)
    SELECT * FROM {unnested("text bigint date text text text text text boolean")}
    ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants of this module
_REPORTS = f"""
    INSERT INTO care_report (report_id, action_id, person_id, sequence, reported_at, verdict, done_on,
        dismissal_reason, reported_by)
    SELECT * FROM {unnested("uuid text text bigint timestamptz text date text text")}
    ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants of this module


def _alignment_rows(event: AlignmentDecided) -> list[Row]:
    data = event.data
    return [
        (
            *(data.person_id, one.month, event.deliveryseq, data.revision, data.state, one.aligned, one.entity_id),
            one.county_fips,
        )
        for one in data.decisions
    ]


def _sharing_rows(event: SharingPreferenceStated | AlignmentReported) -> list[Row]:
    """A preference holds from its day on, else from that of its file; a report speaks for its month from the first on."""
    data = event.data
    if isinstance(event, AlignmentReported):
        shares = None if event.data.data_sharing_opt_out is None else not event.data.data_sharing_opt_out
        effective = first_day(event.data.report_month)
    else:
        shares, effective = event.data.shares_claims, event.data.shares_claims_from or event.data.stated_on
    if shares is None:
        return []
    key = (data.person_id, UUID(event.id), event.named_by, event.deliveryseq, data.entity_id)
    return [(*key, effective, data.stated_on, shares)]


def _participant_rows(event: ProviderRosterStated) -> list[Row]:
    data = event.data
    area = set(data.service_area_counties)
    return [
        (
            *(data.entity_id, event.deliveryseq, data.stated_on, one.npi, one.specialty_code, one.county_fips),
            *(one.first_month, one.last_month, one.county_fips in area),
        )
        for one in data.providers
    ]


def report_row(event: CareActionReported) -> Row:
    """One report as it is kept."""
    data = event.data
    return (
        *(UUID(event.id), data.action_id, data.person_id, event.deliveryseq, event.time, data.verdict, data.done_on),
        *(data.dismissal_reason, data.reported_by),
    )


def _rows(event: AnyEvent, policy: CarePolicy) -> tuple[str, list[Row]]:
    """Which statement takes an event's rows, and the rows; nothing of what care does not look at."""
    if isinstance(event, MedicareClaimsDelivered):
        return _CLAIMS, list(medicare_rows(event, policy))
    if isinstance(event, MedicaidClaimsDelivered):
        return _CLAIMS, list(medicaid_rows(event, policy))
    if isinstance(event, AlignmentDecided):
        return _ALIGNMENT, _alignment_rows(event)
    if isinstance(event, SharingPreferenceStated | AlignmentReported):
        return _SHARING, _sharing_rows(event)
    if isinstance(event, ProviderRosterStated):
        return _PARTICIPANTS, _participant_rows(event)
    return (_REPORTS, [report_row(event)]) if isinstance(event, CareActionReported) else ("", [])


async def append(connection: Connection, events: Sequence[AnyEvent]) -> None:
    """Append what a batch says that care looks at: one round trip, for a topic has one sort of rows."""
    by_statement: dict[str, list[Row]] = {}
    policy = care_policy()
    for event in events:
        statement, rows = _rows(event, policy)
        by_statement.setdefault(statement, []).extend(rows)
    for statement, rows in by_statement.items():
        if rows:
            await connection.execute(statement, *array_texts(rows))


async def insert_report(connection: Connection, event: CareActionReported) -> None:
    """Keep a report at once, as the worker will when it comes to it on the topic: twice is once."""
    await connection.execute(_REPORTS, *array_texts([report_row(event)]))


_CLAIM_KEY: Final = ("record_id", "version", "alias")
_CLAIM_REST: Final = ("sequence", "state", "payer", "claim_key", "cancellation", "service_from", "service_through",
                      "signals", "facility_npi")  # fmt: skip
_SHARING_REST: Final = ("alias", "sequence", "entity_id", "effective", "stated_on", "shares")


async def move_care_facts(connection: Connection, phase: Phase, said_again: str) -> None:
    """Put facts under whom they are about from a delivery on. ``said_again``: see ``store.move_facts``."""
    await connection.execute(said_again.format(table="care_claim"), *phase)
    await move_rows(connection, phase, "care_claim", _CLAIM_KEY, _CLAIM_REST)
    await move_rows(connection, phase, "care_sharing", ("event_id",), _SHARING_REST)


async def insert_day(connection: Connection, sequence: int, dated: date) -> tuple[date, date | None]:
    """Keep the day that a cut stands for, never earlier than the one before; give it and the one before."""
    before = await connection.fetchval("SELECT max(day) FROM care_day WHERE sequence < $1", sequence)
    day = dated if before is None else max(before, dated)
    await connection.execute("INSERT INTO care_day VALUES ($1, $2)", sequence, day)
    return day, before


async def append_rows(connection: Connection, table: str, rows: Sequence[Row], columns: Sequence[str]) -> None:
    """Append rows of a cut."""
    if rows:
        await connection.copy_records_to_table(table, records=rows, columns=columns)
