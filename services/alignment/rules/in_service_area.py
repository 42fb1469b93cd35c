"""IN_SERVICE_AREA: lives in a county in which the entity's participants practise.

Source: GPDC participation agreement, Appendix B. The service area is a fact about the entity, not about the
person: it is compared when a decision is read, against the roster as known at the same delivery.
"""

from services.alignment.rules.known_month import Answer, Stated, fails, passes, unknown


def in_service_area(county_fips: str | None, counties: Stated[frozenset[str]] | None) -> Answer:
    """Judge a county of residence by the roster's counties."""
    if county_fips is None:
        return unknown("NO_RESIDENCE_STATED")
    if counties is None:
        return unknown("NO_ROSTER")
    return passes(counties) if county_fips in counties.value else fails("MOVED", counties)
