"""The entity's participant providers. The topic is compacted: the newest roster of an entity stands."""

from typing import Annotated, ClassVar

from pydantic import Field

from contracts.envelope import Event
from contracts.identifiers import CountyFips, EntityId, Npi, StateCode
from contracts.model import LARGEST_NUMBER, ContractModel
from contracts.months import Day, Month


class ParticipantProvider(ContractModel):
    """One clinician or facility on the list."""

    npi: Npi
    specialty_code: Annotated[str, Field(max_length=3)] | None = None
    county_fips: CountyFips | None = None
    first_month: Month
    last_month: Month | None = None


class ProviderRosterStatedData(ContractModel):
    """One page of an entity's whole participant list (pages keep an event small)."""

    entity_id: EntityId
    state: StateCode
    stated_on: Day
    page: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)] = 1
    pages: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)] = 1
    service_area_counties: tuple[CountyFips, ...] = ()
    providers: Annotated[tuple[ParticipantProvider, ...], Field(max_length=1000)]


class ProviderRosterStated(Event[ProviderRosterStatedData]):
    """See :class:`ProviderRosterStatedData`. Key: entity and page."""

    TYPE: ClassVar[str] = "tandem.provider.roster-stated.v1"
