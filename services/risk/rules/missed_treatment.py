"""Missed treatments: a series of dialysis, wound care or infusions that stopped coming.

Source: programme announcement, "manage appointments and avoid missed treatments"; what makes a series, and when it is missed, is a
convention of this product. A silence counts up to where claims are taken to have come, and not while the person was in
hospital. The occasion is the day of the last session: each interruption is one action, which the next session closes.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from statistics import median_high

from services.risk.care_facts import CareFacts, Days, Evidence, Finding, Met, Need, Rule, Service
from services.risk.care_policy import CarePolicy

_RECENT_INTERVALS = 8


def usual_interval(sessions: Sequence[Service]) -> int:
    """The middle one of the last intervals between sessions, in days."""
    days = [one.day for one in sessions]
    intervals = [(later - earlier).days for earlier, later in pairwise(days)]
    return median_high(intervals[-_RECENT_INTERVALS:])


def _one_a_day(sessions: Sequence[Service]) -> list[Service]:
    return list({one.day: one for one in sessions}.values())


def _in_hospital(facts: CareFacts, after: date, until: date) -> bool:
    return bool(facts.between("admission", after, until))


def _missed(kind: str, signal: str, named: str) -> Rule:
    def rule(facts: CareFacts, days: Days, policy: CarePolicy) -> Finding:
        seen_until = days.raised_on - timedelta(days=policy.series_lag_days[kind])
        sessions = _one_a_day(facts.between(signal, date.min, days.today))
        before = [one for one in sessions if one.day <= seen_until]
        if len(before) < policy.series_sessions:
            return None
        usual, last = usual_interval(before), before[-1]
        if usual > policy.series_longest_interval_days[kind]:
            return None
        allowed = max(policy.series_least_gap_days[kind], policy.series_gap_intervals * usual)
        silence = (seen_until - last.day).days
        if silence > policy.series_forgotten_days or _in_hospital(facts, last.day, seen_until):
            return None
        newest = sessions[-1]
        if silence <= allowed or newest.day > last.day:
            return Met(Evidence(f"{named} went on", newest.day, newest.record_id), newest.day)
        evidence = tuple(Evidence(f"{named} session", one.day, one.record_id) for one in before[-2:])
        return Need(last.day.isoformat(), f"No {named} since {last.day}; before, every {usual} days", evidence)

    return rule


missed_dialysis = _missed("missed_dialysis", "dialysis", "dialysis")
missed_wound_care = _missed("missed_wound_care", "wound_care", "wound care")
missed_infusion = _missed("missed_infusion", "infusion", "infusion")
