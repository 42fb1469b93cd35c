"""Connect to a primary care clinician of the entity: nobody seen in 12 months, or last somebody who is no participant.

Source: programme announcement of MCO-based Direct Contracting, "connect to high-value primary care"; primary care visits as
in the GPDC Operating Guide, Appendix B. A visit without a clinician's number (a health centre's bill) counts as a
participant's, and so does every visit where no list of participants is known.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import takewhile

from services.risk.care_facts import CareFacts, Days, Evidence, Finding, Met, Need, Service
from services.risk.care_policy import CarePolicy
from services.risk.rules.clinician_ranking import rank_clinicians


def _is_ours(visit: Service, facts: CareFacts) -> bool:
    participants = facts.network.participants
    return not visit.detail or not participants or any(visit.detail == one.npi for one in participants)


def _first_of_ours(visits: Sequence[Service], facts: CareFacts) -> Service:
    """The visit since which the person has seen participants only."""
    return list(takewhile(lambda visit: _is_ours(visit, facts), reversed(visits)))[-1]


def connect_primary_care(facts: CareFacts, days: Days, policy: CarePolicy) -> Finding:
    """Look at the last visit: within the year and with a participant, or not."""
    since = days.raised_on - timedelta(days=policy.look_back_days)
    visits = facts.between("primary_care", since, days.today)
    last = visits[-1] if visits else None
    if last is not None and _is_ours(last, facts):
        first = _first_of_ours(visits, facts)
        return Met(Evidence("primary care visit with a participant", first.day, first.record_id), first.day)
    if last is None and not facts.observed_since(since):
        return None
    clinicians = rank_clinicians(facts, since, days.today, policy)
    occasion = str(days.raised_on.year)
    if last is None:
        earlier = facts.services.get("primary_care", ())
        seen = (Evidence("last primary care visit", earlier[-1].day, earlier[-1].record_id),) if earlier else ()
        return Need(occasion, "No primary care visit in 12 months", seen, clinicians)
    evidence = Evidence("last primary care visit, with a clinician who is no participant", last.day, last.record_id)
    return Need(occasion, f"Last primary care visit, {last.day}, was outside the network", (evidence,), clinicians)
