"""A yearly service is overdue: no claim shows it in the 12 months before, and in those days more that claims take to come.

Source: 42 CFR 410.15 (annual wellness visit); HEDIS measurement periods of a year. Yearly occasion: the calendar year.
"""

from datetime import timedelta

from services.risk.care_facts import CareFacts, Days, Evidence, Finding, Met, Need
from services.risk.care_policy import CarePolicy


def overdue_service(  # noqa: PLR0913, PLR0917 - whose, when, and which service
    facts: CareFacts,
    days: Days,
    policy: CarePolicy,
    signal: str,
    named: str,
    because: tuple[Evidence, ...] = (),
) -> Finding:
    """Look for the service in the year before the action, and since. ``because``: why it is called for at all."""
    since = days.raised_on - timedelta(days=policy.look_back_days)
    done = facts.between(signal, since, days.today)
    if done:
        return Met(Evidence(named, done[0].day, done[0].record_id), done[0].day)
    if not facts.observed_since(since):
        return None
    earlier = facts.services.get(signal, ())
    seen = (Evidence(f"last {named}", earlier[-1].day, earlier[-1].record_id),) if earlier else ()
    return Need(str(days.raised_on.year), f"No {named} in 12 months", (*because, *seen))


def wellness_visit(facts: CareFacts, days: Days, policy: CarePolicy) -> Finding:
    """The annual wellness visit, at which preventive screenings are planned (42 CFR 410.15)."""
    return overdue_service(facts, days, policy, "wellness_visit", "annual wellness visit")
