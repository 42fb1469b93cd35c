"""What is known of one person for care, as of a cut, and what a rule finds in it. Values only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from services.risk.care_policy import CarePolicy


class Service(NamedTuple):
    """One thing that a standing claim shows. ``detail``: the code, or of a primary care visit the clinician."""

    day: date
    detail: str
    record_id: str


class Evidence(NamedTuple):
    """What a finding rests on, in plain words."""

    what: str
    on: date | None = None
    record_id: str | None = None


class Clinician(NamedTuple):
    """A participant who may be suggested to a person."""

    npi: str
    county_fips: str | None
    visits: int
    county_steps: int
    panel: int


class Participant(NamedTuple):
    """One clinician of the entity's list."""

    npi: str
    specialty_code: str | None
    county_fips: str | None


class TierEntry(NamedTuple):
    """How a person came into the tier they are in, or above those who need coordination."""

    tier: int
    sequence: int
    entered_on: date
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """The entity's clinicians on a day, where it works, and how many aligned people each sees most."""

    participants: tuple[Participant, ...] = ()
    service_area: frozenset[str] = frozenset()
    panels: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CareFacts:
    """Everything that rules may look at. ``services`` by name, each in the order of days."""

    person_id: str
    state: str
    services: Mapping[str, tuple[Service, ...]] = field(default_factory=dict)
    observed_from: date | None = None
    entity_id: str | None = None
    county_fips: str | None = None
    tier: int | None = None
    tier_entry: TierEntry | None = None
    facility_npi: str | None = None
    # Why there is nothing to be done for the person, if so.
    barrier: str | None = None
    network: Network = field(default_factory=Network)
    birth_date: date | None = None
    # "1" male, "2" female; None where nobody has said.
    sex_code: str | None = None
    # In a nursing facility, within the policy's window before the day.
    facility_days: int = 0

    def between(self, name: str, first: date, last: date) -> tuple[Service, ...]:
        """What was shown from one day to another, both included, in the order of days."""
        return tuple(one for one in self.services.get(name, ()) if first <= one.day <= last)

    def observed_since(self, day: date) -> bool:
        """Whether anything is known of the person from that day on, so that silence says something."""
        return self.observed_from is not None and self.observed_from <= day


class Days(NamedTuple):
    """The day on which an action was raised, or would be, and the day up to which is looked."""

    raised_on: date
    today: date


@dataclass(frozen=True, slots=True)
class Need:
    """Something is to be done. ``occasion`` sets it apart from what was to be done earlier."""

    occasion: str
    reason: str
    evidence: tuple[Evidence, ...] = ()
    clinicians: tuple[Clinician, ...] = ()


@dataclass(frozen=True, slots=True)
class Met:
    """It would be needed, but was done."""

    evidence: Evidence
    done_on: date


Finding = Need | Met | None
Rule = Callable[[CareFacts, Days, CarePolicy], Finding]
