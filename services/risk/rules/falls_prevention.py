"""Falls prevention: a fall, repeated falls or a hip fracture on a claim, or frailty, and no service against falls since.

Source: programme announcement, "falls prevention". Shown done by physical or occupational therapy, or an assessment of the risk of
falls. After a fall: on its day or later, one action a fall, whose occasion is the day of the newest. For whoever is frail: within
12 months, yearly occasion. Frail is whose claims of 12 months show so many different markers of frailty (``policy/claim_marks.toml``)
as policy says: they are counted, not weighed as published indices do. A fall goes first. An open action stays open as long as either
calls for it.
"""

from datetime import timedelta

from services.risk.care_facts import CareFacts, Days, Evidence, Finding, Met, Need, Service
from services.risk.care_policy import CarePolicy

# As many as an event may carry.
_MOST_EVIDENCE = 10


def falls_prevention(facts: CareFacts, days: Days, policy: CarePolicy) -> Finding:
    """Look for falls in the months before the action, and for what was done about the newest; without a fall for frailty."""
    since = days.raised_on - timedelta(days=policy.fall_look_back_days)
    falls = facts.between("fall", since, days.raised_on)
    if not falls:
        return _frail(facts, days, policy)
    fall = falls[-1]
    done = facts.between("falls_service", fall.day, days.today)
    if done:
        return _met(done[0])
    evidence = tuple(Evidence(f"fall, {one.detail}", one.day, one.record_id) for one in falls[-3:])
    return Need(
        fall.day.isoformat(), f"A fall or hip fracture on {fall.day}, and no service against falls since", evidence
    )


def _met(done: Service) -> Met:
    return Met(Evidence("service against falls", done.day, done.record_id), done.day)


def frailty_markers(facts: CareFacts, days: Days, policy: CarePolicy) -> tuple[Service, ...]:
    """Each marker of frailty in the year before the action, where it was seen last; the newest first."""
    since = days.raised_on - timedelta(days=policy.look_back_days)
    newest = {one.detail: one for one in facts.between("frailty", since, days.raised_on)}
    return tuple(sorted(newest.values(), key=lambda one: (-one.day.toordinal(), one.detail)))


def _frail(facts: CareFacts, days: Days, policy: CarePolicy) -> Finding:
    markers = frailty_markers(facts, days, policy)
    if len(markers) < policy.frailty_least_markers:
        return None
    since = days.raised_on - timedelta(days=policy.look_back_days)
    done = facts.between("falls_service", since, days.today)
    if done:
        return _met(done[0])
    if not facts.observed_since(since):
        return None
    evidence = tuple(Evidence(f"sign of frailty: {one.detail}", one.day, one.record_id) for one in markers)
    reason = f"{len(markers)} signs of frailty, and no service against falls in 12 months"
    return Need(str(days.raised_on.year), reason, evidence[:_MOST_EVIDENCE])
