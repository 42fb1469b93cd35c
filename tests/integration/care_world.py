"""What the risk service hears about care beside coverage and claims: decisions, preferences, rosters, reports; and cuts."""

from datetime import UTC, date, datetime, time
from typing import Any

import risk_world as world

from contracts.alignment import (
    AlignmentDecided,
    AlignmentDecidedData,
    DecisionChange,
    MonthDecision,
    SharingPreferenceStated,
    SharingPreferenceStatedData,
)
from contracts.care import CareActionReported, CareActionReportedData, Verdict
from contracts.claims import MedicareClaim, MedicareClaimLine
from contracts.codes import Cohort
from contracts.identities import PeopleMerged, PeopleMergedData, PeopleSplit, PeopleSplitData
from contracts.months import add_months, month_of
from contracts.provider import ParticipantProvider, ProviderRosterStated, ProviderRosterStatedData
from contracts.topics import AnyEvent
from services.risk.worker import SERVICE
from services.runtime.service import Cut

ENTITY = "D9001"
OURS, NEAR, THEIRS = "1920000017", "1920000025", "1930000015"


def aligned(number: int, sequence: int, first: str, months: int = 12, *, is_aligned: bool = True) -> AnyEvent:
    """A decision about some months, in one county."""
    decisions = tuple(
        MonthDecision(
            month=add_months(first, month),
            aligned=is_aligned,
            basis="reported" if is_aligned else "none",
            change=DecisionChange.ALIGNED if is_aligned else DecisionChange.REMOVED,
            cohort=Cohort.ALIGNED if is_aligned else Cohort.EXCLUDED,
            entity_id=ENTITY if is_aligned else None,
            county_fips="39001",
        )
        for month in range(months)
    )
    data = AlignmentDecidedData(person_id=world.person(number), state="OH", revision=sequence, decisions=decisions)
    return _event(AlignmentDecided, sequence, data)


def preference(number: int, sequence: int, day: date, *, shares: bool) -> AnyEvent:
    data = SharingPreferenceStatedData(
        person_id=world.person(number), state="OH", entity_id=ENTITY, stated_on=day, shares_claims=shares
    )
    return _event(SharingPreferenceStated, sequence, data)


def roster(sequence: int) -> AnyEvent:
    """Two primary care clinicians and a cardiologist."""
    members = ((OURS, "11", "39001"), (NEAR, "08", "39003"), ("1940000013", "06", "39001"))
    data = ProviderRosterStatedData(
        entity_id=ENTITY,
        state="OH",
        stated_on=date(2022, 1, 1),
        service_area_counties=("39001", "39003"),
        providers=tuple(
            ParticipantProvider(npi=npi, specialty_code=specialty, county_fips=county, first_month="2020-01")
            for npi, specialty, county in members
        ),
    )
    return _event(ProviderRosterStated, sequence, data, key=f"{ENTITY}:1")


def merged(number: int, into: int, sequence: int) -> AnyEvent:
    """One person turns out to be another."""
    data = PeopleMergedData(retired=world.person(number), kept=world.person(into))
    return _event(PeopleMerged, sequence, data, key=data.kept)


def split(number: int, other: int, sequence: int) -> AnyEvent:
    """What a source said by the other's identifier was the other's after all."""
    data = PeopleSplitData(
        person_id=world.person(number), separated=world.person(other), aliases=(world.person(other),)
    )
    return _event(PeopleSplit, sequence, data)


def report(number: int, sequence: int, action: Any, verdict: Verdict, **more: Any) -> AnyEvent:
    data = CareActionReportedData(
        person_id=world.person(number), state="OH", action_id=action["action_id"], action=action["kind"],
        verdict=verdict, reported_by="aide.7", **more,
    )  # fmt: skip
    return _event(CareActionReported, sequence, data)


def _event(kind: Any, sequence: int, data: Any, key: str | None = None) -> AnyEvent:
    event: AnyEvent = kind.of(
        service="intake", key=key or data.person_id, version=f"{sequence}:{data!r}", time=world.TIME,
        delivery_id=world.delivery_id(sequence), sequence=sequence, data=data,
    )  # fmt: skip
    return event


def service(
    record: str, day: date, *codes: str, npi: str = OURS, diagnoses: tuple[str, ...] = (), **more: Any
) -> MedicareClaim:
    """A professional claim with one line for each code, of an internist."""
    lines = tuple(
        MedicareClaimLine(
            line_number=number, service_from=day, service_through=day, procedure_code=code, provider_specialty_code="11",
            rendering_npi=npi, paid_cents=1,
        )
        for number, code in enumerate(codes, start=1)
    )  # fmt: skip
    return world.visit(record, day, diagnoses, lines=lines, **more)


async def cut(connection: Any, sequence: int, day: date) -> list[AnyEvent]:
    """The work of one cut that stands for a day."""
    transaction = world.OneTransaction(connection)
    assert SERVICE.at_cut is not None
    received = datetime.combine(day, time(12), UTC)
    async with connection.transaction():
        await SERVICE.at_cut(Cut(sequence, world.delivery_id(sequence), received, day), transaction)
    return transaction.published


async def settle(connection: Any, sequence: int) -> None:
    """Carry out moves of people."""
    assert SERVICE.settle is not None
    async with connection.transaction():
        at = Cut(sequence, world.delivery_id(sequence), world.TIME, world.TIME.date())
        await SERVICE.settle(at, world.OneTransaction(connection))


async def actions(connection: Any, number: int) -> dict[str, Any]:
    """A person's actions with their ends, by kind; of a kind that was raised twice, the last."""
    rows = await connection.fetch(
        "SELECT care_action.*, outcome, done_on, closing.sequence AS closed_at, closing.reason AS closed_because "
        "FROM care_action LEFT JOIN care_closing closing USING (action_id) WHERE care_action.person_id = $1 "
        "ORDER BY care_action.sequence",
        world.person(number),
    )
    return {row["kind"]: row for row in rows}


__all__ = ["ENTITY", "NEAR", "OURS", "THEIRS", "month_of"]
