"""IN_PROGRAMME_AREA: lives where the programme runs.

Source: the counties of each programme's service area, as its pack names them; none named: the whole state.
"""

from services.alignment.arrangement_policy import Pack
from services.alignment.rules.arrangements.month_known import MonthKnown
from services.alignment.rules.known_month import Answer, fails, passes, unknown


def programme_area(month: MonthKnown, pack: Pack) -> Answer | None:
    """Judge by the county of residence."""
    if not pack.counties:
        return None
    county = month.known.county_fips
    if county is None:
        return unknown("NO_RESIDENCE_STATED")
    return passes(county) if county.value in pack.counties else fails("OUTSIDE_PROGRAMME_AREA", county)
