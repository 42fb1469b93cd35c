"""Which participants to suggest to a person: those they know, then the nearest, then those with the smaller panel.

Source: programme announcement, "high-value primary care"; the order is a convention of this product. Nearness is in steps of
counties: the person's own, another of the entity's service area, elsewhere. Full panels come last.
"""

from collections import Counter
from datetime import date

from services.risk.care_facts import CareFacts, Clinician
from services.risk.care_policy import CarePolicy


def county_steps(person: str | None, clinician: str | None, service_area: frozenset[str]) -> int:
    """0 in the same county, 1 within the service area, 2 elsewhere or unknown."""
    if person is not None and person == clinician:
        return 0
    return 1 if clinician in service_area else 2


def rank_clinicians(facts: CareFacts, first: date, last: date, policy: CarePolicy) -> tuple[Clinician, ...]:
    """The best placed participants of a primary care specialty, at most so many as the policy says."""
    visits = Counter(visit.detail for visit in facts.between("primary_care", first, last))
    network = facts.network
    options = [
        Clinician(
            one.npi,
            one.county_fips,
            visits[one.npi],
            county_steps(facts.county_fips, one.county_fips, network.service_area),
            network.panels.get(one.npi, 0),
        )
        for one in network.participants
        if one.specialty_code in policy.primary_care_specialties
    ]
    options.sort(key=lambda one: (-one.visits, one.panel >= policy.largest_panel, one.county_steps, one.panel, one.npi))
    return tuple(options[: policy.most_clinicians])
