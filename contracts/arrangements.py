"""In which integrated-care arrangement a person was in a month, and why.

Arrangements are an open vocabulary: a programme that begins tomorrow must not stop a reader of today.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from contracts.envelope import DeliverySequence, Event
from contracts.identifiers import CountyFips, NotAnMbi, PersonId, StateCode
from contracts.model import LARGEST_NUMBER, ContractModel
from contracts.months import Month

ArrangementCode = Annotated[
    str, Field(pattern=r"^[a-z0-9_]{1,40}$", description="an arrangement of docs/alignment.md", examples=["pace"])
]
# Ours are capitals; CMS's stand as CMS writes them.
ReasonCode = Annotated[str, Field(min_length=1, max_length=40), NotAnMbi]


class ArrangementStanding(ContractModel):
    """How a person stands to one arrangement in one month.

    ``member``: in it. ``eligible``: every condition holds, and nobody says that they are in it. ``opted_out``: eligible,
    and left or refused by their own choice. ``excluded``: said to be in it, and in another that excludes it.
    ``unknown``: said to be in it, and in another of the same rank: which one holds is not told.
    """

    arrangement: ArrangementCode
    standing: Literal["member", "eligible", "opted_out", "excluded", "unknown"]
    # The policy pack that was applied.
    pack: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,60}$")]
    # By which way the person came into it, where a source says so or only one way was open.
    way: Literal["voluntary", "passive", "reported"] | None = None
    # Of a special-needs plan: whether its organisation is also the person's Medicaid plan, and must be.
    enrolment: Literal["not_aligned", "aligned", "exclusively_aligned"] | None = None
    # Medicaid plan, or Medicare contract and package.
    plan: Annotated[str, Field(min_length=1, max_length=20), NotAnMbi] | None = None
    reasons: Annotated[tuple[ReasonCode, ...], Field(max_length=20)] = ()


class ArrangementMonth(ContractModel):
    """One month as known from delivery ``known_since`` on. No member among the standings: in no arrangement."""

    month: Month
    known_since: DeliverySequence
    county_fips: CountyFips | None = None
    standings: Annotated[tuple[ArrangementStanding, ...], Field(max_length=40)] = ()
    # What keeps the answer open, for example a Medicare health plan whose contract nobody names.
    open_reasons: Annotated[tuple[ReasonCode, ...], Field(max_length=20)] = ()


class ArrangementsDecidedData(ContractModel):
    """All that is known of a person's arrangements since a delivery.

    It replaces everything that was told before with ``known_since`` of ``known_from`` or later, except where it
    ``continues`` the event before it, which was full. A month without news keeps what was told of it.
    """

    person_id: PersonId
    state: StateCode
    # Grows by one with every event of the person: an older one that comes again is ignored.
    revision: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]
    known_from: DeliverySequence
    continues: bool = False
    months: Annotated[tuple[ArrangementMonth, ...], Field(max_length=240)] = ()


class ArrangementsDecided(Event[ArrangementsDecidedData]):
    """See :class:`ArrangementsDecidedData`. Key: person."""

    TYPE: ClassVar[str] = "tandem.alignment.arrangements-decided.v1"
