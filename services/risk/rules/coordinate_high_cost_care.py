"""Target care coordination at high Medicare spend: whoever comes into tier 3 or 4 from below.

Source: programme announcement, "target care coordination at high Medicare spend". Shown done by a claim of care management
on the day of the entry or later.
"""

from services.risk.care_facts import CareFacts, Days, Evidence, Finding, Met, Need
from services.risk.care_policy import CarePolicy


def coordinate_high_cost_care(facts: CareFacts, days: Days, policy: CarePolicy) -> Finding:
    """One action an entry; none once the person is below again."""
    entry = facts.tier_entry
    if entry is None or (facts.tier or 0) < policy.coordination_tier:
        return None
    managed = facts.between("care_management", entry.entered_on, days.today)
    if managed:
        return Met(Evidence("care management", managed[0].day, managed[0].record_id), managed[0].day)
    because = f": {entry.reasons[0]}" if entry.reasons else ""
    evidence = (
        Evidence(f"entered tier {entry.tier}", entry.entered_on),
        *(Evidence(reason[:80]) for reason in entry.reasons),
    )
    return Need(f"delivery {entry.sequence}", f"Came into tier {entry.tier}{because}"[:200], evidence)
