"""Care actions as the gateway answers them: as JSON, as rows of a table, and as FHIR R4 Tasks."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
from pydantic import BaseModel, ConfigDict

from contracts.care import ActionId, ClinicianOption, DismissalReason, Owner, Verdict
from contracts.identifiers import CountyFips, EntityId, Npi, PersonId, RecordId, StateCode
from services.risk.care_actions import parsed
from services.risk.care_rules import CARE_RULES
from services.risk.rules.report_admissible import Status

FHIR_MEDIA_TYPE: Final = "application/fhir+json"
_PERSON_SYSTEM: Final = "urn:tandem:person"
_ACTION_SYSTEM: Final = "urn:tandem:care-action"
# http://hl7.org/fhir/task-status: what an action's status is called there.
_TASK_STATUS: Final[Mapping[str, str]] = {
    "open": "requested", "done": "completed", "dismissed": "rejected", "lapsed": "failed", "withdrawn": "cancelled",
}  # fmt: skip
_OWNER_NAMES: Final[Mapping[str, str]] = {
    "care_coordinator": "Care coordinator", "aide": "In-home aide", "contracting": "Contracting",
}  # fmt: skip
_EXAMPLE_ACTION: Final[dict[str, Any]] = {
    "action_id": "a3f0c9b2d1e4485f9a7b6c5d4e3f2a1b0", "person_id": "p00000000000000000000000000000001",
    "kind": "flu_vaccine", "title": "Flu vaccine", "occasion": "2022-2023", "status": "open", "state": "OH",
    "entity_id": "D9001", "county_fips": "39001", "tier": 3, "owner": "aide", "facility_npi": None,
    "raised_on": "2022-10-05", "due_on": "2022-11-19", "lapses_on": "2023-07-02",
    "reason": "Flu season 2022-2023 is open and no vaccination is on file",
    "evidence": [{"what": "last flu vaccine on file", "on": "2021-10-11", "record_id": "1000000100042"}],
    "clinicians": [], "done_on": None, "closed_because": None, "known_since": 41,
}  # fmt: skip


class EvidenceShown(BaseModel):
    """One thing that an action rests on, or that shows it done: a claim, or a fact without one."""

    what: str
    on: date | None = None
    record_id: RecordId | None = None


class ActionShown(BaseModel):
    """One care action. ``known_since``: the delivery that raised it. ``closed_because``: why it is not open any more."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE_ACTION]})

    action_id: ActionId
    person_id: PersonId
    kind: str
    title: str
    occasion: str
    status: Status
    state: StateCode
    entity_id: EntityId
    county_fips: CountyFips | None = None
    tier: int | None = None
    owner: Owner
    facility_npi: Npi | None = None
    raised_on: date
    due_on: date
    lapses_on: date
    reason: str
    evidence: list[EvidenceShown]
    clinicians: list[ClinicianOption]
    done_on: date | None = None
    closed_because: str | None = None
    known_since: int


class ReportShown(BaseModel):
    """Something that somebody said about an action. ``known_since``: the delivery from which on it counts."""

    verdict: Verdict
    done_on: date | None = None
    dismissal_reason: DismissalReason | None = None
    reported_by: str
    reported_at: datetime
    known_since: int


class ActionDetail(ActionShown):
    """An action with everything that was said about it, the oldest first, and what shows it done."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [_EXAMPLE_ACTION | {"closing_evidence": [], "reports": []}]}
    )

    closing_evidence: list[EvidenceShown]
    reports: list[ReportShown]


class ActionPage(BaseModel):
    """One page of a worklist, in the order in which actions are due; ``next`` is what to pass as ``after``."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"as_of": None, "actions": [_EXAMPLE_ACTION], "next": None}]}
    )

    as_of: int | None = None
    actions: list[ActionShown]
    next: str | None = None


class ActionRow(BaseModel):
    """An action as a row of a table for coordinators and aides."""

    due_on: date
    person_id: str
    title: str
    reason: str
    owner: str
    status: str
    tier: int | None = None
    county_fips: str | None
    facility_npi: str | None
    raised_on: date
    done_on: date | None = None
    evidence: list[str]
    clinicians: list[str]
    kind: str
    action_id: str


class OutcomeShown(BaseModel):
    """What became of the actions of a group. ``median_days`` from raised to done, of those done after they were raised.

    ``done_before``: a claim that came late shows that it had been done when it was raised. ``reported_only``: done as
    somebody reported, and no claim shows it yet. Rates are per 1,000 people aligned now.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "group": "39001", "raised": 120, "done": 61, "done_before": 9, "reported_only": 14, "dismissed": 6,
                    "lapsed": 12, "withdrawn": 5, "open": 27, "median_days": 24.5, "aligned_people": 80,
                    "raised_per_1000": 1500.0, "done_per_1000": 762.5,
                }
            ]
        }
    )  # fmt: skip

    group: str | None = None
    raised: int
    done: int
    done_before: int
    reported_only: int
    dismissed: int
    lapsed: int
    withdrawn: int
    open: int
    median_days: float | None = None
    aligned_people: int
    raised_per_1000: float | None = None
    done_per_1000: float | None = None


def shown(row: asyncpg.Record) -> ActionShown:
    """A row of the read model as it is answered."""
    return ActionShown.model_validate(_values(row))


def _values(row: asyncpg.Record) -> dict[str, Any]:
    values = dict(row)
    evidence, clinicians = parsed(values["evidence"]), parsed(values["clinicians"])
    told = {"evidence": evidence, "clinicians": clinicians, "title": CARE_RULES[values["kind"]].title}
    return values | told | {"known_since": values["sequence"]}


def detailed(row: asyncpg.Record, reports: Iterable[asyncpg.Record]) -> ActionDetail:
    """An action with its reports."""
    told = [{**dict(report), "known_since": report["sequence"]} for report in reports]
    return ActionDetail.model_validate(
        _values(row) | {"closing_evidence": parsed(row["closing_evidence"]), "reports": told}
    )


def outcome_shown(row: asyncpg.Record) -> OutcomeShown:
    """A group with its rates."""
    people = row["aligned_people"]
    rates = {f"{name}_per_1000": round(1000 * row[name] / people, 1) if people else None for name in ("raised", "done")}
    group = None if row["group"] is None else str(row["group"])
    return OutcomeShown.model_validate(dict(row) | rates | {"group": group})


def _evidence_text(one: EvidenceShown) -> str:
    return " ".join(
        part for part in (one.what, str(one.on or ""), one.record_id and f"(claim {one.record_id})") if part
    )


def as_row(action: ActionShown) -> ActionRow:
    """An action as a row."""
    values = action.model_dump()
    values["evidence"] = [_evidence_text(one) for one in action.evidence]
    values["clinicians"] = [one.npi for one in action.clinicians]
    return ActionRow.model_validate(values)


def _input(named: str, text: str) -> dict[str, Any]:
    return {"type": {"text": named}, "valueString": text}


def task(action: ActionShown) -> dict[str, Any]:
    """A FHIR R4 Task (hl7.org/fhir/R4/task.html): a proposal for a kind of performer, with a period to do it in."""
    done = {"output": [{"type": {"text": "done on"}, "valueDate": str(action.done_on)}]} if action.done_on else {}
    why = {"statusReason": {"text": action.closed_because}} if action.closed_because else {}
    inputs = [_input("evidence", _evidence_text(one)) for one in action.evidence]
    inputs += [_input("suggested clinician, NPI", one.npi) for one in action.clinicians]
    return {
        "resourceType": "Task",
        "id": action.action_id,
        "identifier": [{"system": _ACTION_SYSTEM, "value": action.action_id}],
        "status": _TASK_STATUS[action.status],
        "intent": "proposal",
        "priority": "urgent" if action.kind == "missed_dialysis" else "routine",
        "code": {"coding": [{"system": _ACTION_SYSTEM, "code": action.kind, "display": action.title}]},
        "description": action.reason,
        "for": {"identifier": {"system": _PERSON_SYSTEM, "value": action.person_id}},
        "authoredOn": str(action.raised_on),
        "performerType": [{"text": _OWNER_NAMES[action.owner]}],
        "reasonCode": {"text": action.reason},
        "restriction": {"period": {"start": str(action.raised_on), "end": str(action.due_on)}},
        **({"input": inputs} if inputs else {}),
        **done,
        **why,
    }


def bundle(actions: Iterable[ActionShown]) -> dict[str, Any]:
    """A FHIR R4 Bundle of Tasks."""
    entries = [{"fullUrl": f"urn:uuid:{UUID(hex=one.action_id[1:])}", "resource": task(one)} for one in actions]
    return {"resourceType": "Bundle", "type": "collection", **({"entry": entries} if entries else {})}
