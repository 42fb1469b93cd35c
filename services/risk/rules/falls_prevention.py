"""Falls prevention: a fall, repeated falls or a hip fracture on a claim, and no service against falls since.

Source: programme announcement, "falls prevention". Shown done by physical or occupational therapy, or an assessment of the risk of
falls, on the day of the fall or later. One action a fall: the occasion is the day of the newest.
"""

from datetime import timedelta

from services.risk.care_facts import CareFacts, Days, Evidence, Finding, Met, Need
from services.risk.care_policy import CarePolicy


def falls_prevention(facts: CareFacts, days: Days, policy: CarePolicy) -> Finding:
    """Look for falls in the months before the action, and for what was done about the newest."""
    since = days.raised_on - timedelta(days=policy.fall_look_back_days)
    falls = facts.between("fall", since, days.raised_on)
    if not falls:
        return None
    fall = falls[-1]
    done = facts.between("falls_service", fall.day, days.today)
    if done:
        return Met(Evidence("service against falls", done[0].day, done[0].record_id), done[0].day)
    evidence = tuple(Evidence(f"fall, {one.detail}", one.day, one.record_id) for one in falls[-3:])
    return Need(
        fall.day.isoformat(), f"A fall or hip fracture on {fall.day}, and no service against falls since", evidence
    )
