"""Screening for breast and colorectal cancer: of an age at which it is recommended, and no test on file that still counts.

Source: US Preventive Services Task Force, breast cancer (2016, 2024) and colorectal cancer (2016, 2021), whose ages hold from the day
they were issued; HEDIS, breast cancer screening (BCS) and colorectal cancer screening (COL), for how long each test counts. Not
called for where ``screening_exclusion`` says so, nor for whom such cancer, or the absence of both breasts or of the colon, is on a claim. Silence says
something only once claims are known for as long as policy asks. Yearly occasion: the calendar year.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from services.risk.care_facts import CareFacts, Days, Evidence, Finding, Met, Need, Service
from services.risk.care_policy import CarePolicy
from services.risk.rules.screening_exclusion import age_on, screening_exclusion

_FEMALE: Final = "2"
_BOTH_BREASTS: Final = frozenset({"Z9011", "Z9012"})
_NAMED: Final = {
    "mammography": "mammogram", "colonoscopy": "colonoscopy", "sigmoidoscopy": "sigmoidoscopy",
    "ct_colonography": "CT colonography", "stool_dna": "stool DNA test", "stool_blood": "stool blood test",
}  # fmt: skip


def is_of_age(kind: str, birth: date | None, day: date, policy: CarePolicy) -> bool:
    """Whether the recommendation in force on the day is about people of that age."""
    in_force = [one for one in policy.screening_ages[kind] if date.fromisoformat(one["since"]) <= day]
    if birth is None or not in_force:
        return False
    newest = max(in_force, key=lambda one: date.fromisoformat(one["since"]))
    return bool(newest["least"] <= age_on(birth, day) <= newest["most"])


def _screening(kind: str, facts: CareFacts, days: Days, policy: CarePolicy, reason: str) -> Finding:
    is_called_for = is_of_age(kind, facts.birth_date, days.raised_on, policy)
    if not is_called_for or screening_exclusion(facts, days, policy) is not None:
        return None
    counts: Mapping[str, int] = policy.screening_look_back_days[kind]
    done: list[tuple[Service, str]] = sorted(
        (one, test)
        for test, look_back in counts.items()
        for one in facts.between(test, days.raised_on - timedelta(days=look_back), days.today)
    )
    if done:
        first, test = done[0]
        return Met(Evidence(_NAMED[test], first.day, first.record_id), first.day)
    if not facts.observed_since(days.raised_on - timedelta(days=policy.screening_known_days[kind])):
        return None
    earlier = ((test, facts.services[test][-1]) for test in counts if facts.services.get(test))
    seen = tuple(Evidence(f"last {_NAMED[test]}", last.day, last.record_id) for test, last in earlier)
    return Need(str(days.raised_on.year), reason, seen)


def breast_cancer_screening(facts: CareFacts, days: Days, policy: CarePolicy) -> Finding:
    """Of women, a mammogram."""
    absent = {one.detail for one in facts.between("one_breast_absent", date.min, days.today)}
    excluded = facts.between("no_breast_screening", date.min, days.today) or absent >= _BOTH_BREASTS
    if facts.sex_code != _FEMALE or excluded:
        return None
    return _screening("breast_cancer_screening", facts, days, policy, "No mammogram on file that still counts")


def colorectal_cancer_screening(facts: CareFacts, days: Days, policy: CarePolicy) -> Finding:
    """Any of its tests, each for as long as it counts."""
    if facts.between("no_colorectal_screening", date.min, days.today):
        return None
    reason = "No colonoscopy, sigmoidoscopy, CT colonography or stool test on file that still counts"
    return _screening("colorectal_cancer_screening", facts, days, policy, reason)
