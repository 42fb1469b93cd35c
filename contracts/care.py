"""Care actions that risk stratification proposes, what becomes of them, and how often facilities' residents are hospitalised.

An action is opened by ``action-proposed``, and closed by ``action-closed`` (a claim shows it, its time is over, or its reason
is gone) or by ``action-reported`` (somebody says so). A later claim may confirm what was reported.
"""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field, WithJsonSchema

from contracts.envelope import Event
from contracts.identifiers import CountyFips, EntityId, NotAnMbi, Npi, PersonId, RecordId, StateCode
from contracts.model import LARGEST_NUMBER, ContractModel
from contracts.months import Day

ActionId = Annotated[str, Field(pattern=r"^a[0-9a-f]{32}$", description="care action, from person, kind and occasion")]
ActionKind = Annotated[str, Field(pattern=r"^[a-z_]+$", max_length=60)]
Owner = Literal["care_coordinator", "aide", "contracting"]
# On the wire a text, so that no reader makes a binary fraction of it.
Rate = Annotated[
    Decimal,
    Field(ge=0, le=100_000, decimal_places=4),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,6}(\.[0-9]{1,4})?$"}),
]


class CareEvidence(ContractModel):
    """One thing that the action rests on, or that shows it done: a claim, or a fact without one."""

    what: Annotated[str, Field(max_length=80), NotAnMbi]
    on: Day | None = None
    record_id: RecordId | None = None


class ClinicianOption(ContractModel):
    """A clinician to whom a person may be connected; the first of a list is the best placed."""

    npi: Npi
    county_fips: CountyFips | None = None
    visits: Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
    county_steps: Annotated[int, Field(ge=0, le=9, description="0 same county, 1 service area, 2 elsewhere")]
    panel: Annotated[int, Field(ge=0, le=LARGEST_NUMBER, description="aligned people who see this clinician most")]


class CareActionProposedData(ContractModel):
    """Something that a coordinator or an aide can do for one person, and why."""

    person_id: PersonId
    state: StateCode
    action: ActionKind
    owner: Owner
    due_on: Day | None = None
    reason: Annotated[str, Field(max_length=200)]
    action_id: ActionId | None = None
    # Sets it apart from others of its kind and person: a season, a year, the day of an event.
    occasion: Annotated[str, Field(max_length=40)] | None = None
    raised_on: Day | None = None
    lapses_on: Day | None = None
    entity_id: EntityId | None = None
    county_fips: CountyFips | None = None
    tier: Annotated[int, Field(ge=1, le=4)] | None = None
    evidence: Annotated[tuple[CareEvidence, ...], Field(max_length=10)] = ()
    clinicians: Annotated[tuple[ClinicianOption, ...], Field(max_length=5)] = ()


class CareActionProposed(Event[CareActionProposedData]):
    """See :class:`CareActionProposedData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.care.action-proposed.v1"


class CareActionClosedData(ContractModel):
    """An action is over. ``done``: a claim shows it; ``done_on`` may lie before the day it was raised: claims come late."""

    person_id: PersonId
    state: StateCode
    action_id: ActionId
    action: ActionKind
    outcome: Literal["done", "lapsed", "withdrawn"]
    closed_on: Day
    done_on: Day | None = None
    reason: Annotated[str, Field(max_length=200)]
    evidence: Annotated[tuple[CareEvidence, ...], Field(max_length=10)] = ()


class CareActionClosed(Event[CareActionClosedData]):
    """See :class:`CareActionClosedData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.care.action-closed.v1"


Verdict = Literal["done", "dismissed", "reopened"]
DismissalReason = Literal[
    "declined", "contraindicated", "done_elsewhere", "unreachable", "not_appropriate", "in_hospice", "entered_in_error"
]


class CareActionReportedData(ContractModel):
    """What somebody says has become of an action. The newest report stands. There is no free text: it could hold a name."""

    person_id: PersonId
    state: StateCode
    action_id: ActionId
    action: ActionKind
    verdict: Verdict
    done_on: Day | None = None
    dismissal_reason: DismissalReason | None = None
    reported_by: Annotated[
        str,
        NotAnMbi,
        Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$", description="who says so: a user's name, no patient's"),
    ]


class CareActionReported(Event[CareActionReportedData]):
    """See :class:`CareActionReportedData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.care.action-reported.v1"


class FacilityRatedData(ContractModel):
    """How often residents of a nursing facility are hospitalised, against what residents like them would be.

    Rates are admissions per 1,000 resident days. ``rate`` is the expected rate of the facility's residents as everywhere
    times ``ratio``; ``ratio`` is pulled to 1, the more so the fewer resident days there are.
    """

    facility_npi: Npi
    state: StateCode
    first_day: Day
    last_day: Day
    residents: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]
    resident_days: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]
    admissions: Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
    expected_admissions: Rate
    ratio: Rate
    ratio_low: Rate
    ratio_high: Rate
    rate: Rate
    above_reference: bool


class FacilityRated(Event[FacilityRatedData]):
    """See :class:`FacilityRatedData`. Key: facility."""

    TYPE: ClassVar[str] = "tandem.care.facility-rated.v1"
