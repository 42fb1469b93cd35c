"""US_RESIDENT: lives in the United States.

Source: GPDC participation agreement, Appendix B; FIPS 5-2 state codes. Whether territories count is a policy.
"""

from services.alignment.rules.known_month import Answer, KnownMonth, fails, passes, unknown

_STATE_DIGITS = 2


def us_resident(known: KnownMonth, fips_states: frozenset[str]) -> Answer:
    """Judge by the source's own word, else by the county of residence."""
    stated = known.in_united_states
    if stated is not None:
        return passes(stated) if stated.value else fails("NON_US", stated)
    county = known.county_fips
    if county is None:
        return unknown("NO_RESIDENCE_STATED")
    return passes(county) if county.value[:_STATE_DIGITS] in fips_states else fails("NON_US", county)
