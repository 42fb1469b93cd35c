"""The predictors of an avoidable admission, each a number that a person can check.

Source: domain of risk stratification beyond HCC. Race is never a predictor: it is looked at when a model is judged. Counts
are capped so that one odd history cannot outweigh everything, and money counts by its logarithm.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from services.risk.rules.person_use import PersonUse

# CMS-HCC V28 categories of conditions that good ambulatory care keeps out of hospital (AHRQ PQI 93, 05, 08).
_DIABETES: Final = frozenset({35, 36, 37, 38})
_LUNG: Final = frozenset({276, 277, 278, 279, 280})
_HEART_FAILURE: Final = frozenset({221, 222, 223, 224, 225, 226})
SENSITIVE_CONDITIONS: Final = (_DIABETES, _LUNG, _HEART_FAILURE)
_AGED: Final = 65
_VERY_OLD: Final = 80
_MANY_DRUGS, _VERY_MANY_DRUGS = 5, 10


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is known of a person on the day of a prediction."""

    age: int
    raw_score: float
    categories: frozenset[int]
    use: PersonUse


def _dollars(cents: int) -> float:
    """The logarithm of dollars: what was taken back beyond what was paid counts as nothing."""
    return math.log1p(max(cents, 0) / 100)


def sensitive_conditions(categories: frozenset[int]) -> int:
    """Count the groups of ambulatory-care-sensitive conditions among V28 categories."""
    return sum(bool(categories & group) for group in SENSITIVE_CONDITIONS)


PREDICTORS: Final[dict[str, Callable[[Candidate], float]]] = {
    "spend_year_log_dollars": lambda one: _dollars(one.use.spend_year_cents),
    "spend_quarter_log_dollars": lambda one: _dollars(one.use.spend_quarter_cents),
    "admissions_year": lambda one: min(one.use.admissions_year, 6),
    "admissions_quarter": lambda one: min(one.use.admissions_quarter, 3),
    "avoidable_admissions_year": lambda one: min(one.use.avoidable_year, 4),
    "emergency_visits_year": lambda one: min(one.use.emergency_year, 6),
    "discharged_within_30_days": lambda one: one.use.discharged_recently,
    "nursing_facility": lambda one: one.use.nursing_facility,
    "home_and_community_services": lambda one: one.use.community_services,
    "behavioural_health": lambda one: one.use.behavioural,
    "frailty_markers": lambda one: min(one.use.frailty.bit_count(), 6),
    "many_drugs": lambda one: (one.use.drug_products >= _MANY_DRUGS) + (one.use.drug_products >= _VERY_MANY_DRUGS),
    "missed_series": lambda one: one.use.missed_series > 0,
    "no_primary_care_year": lambda one: one.use.primary_care_year == 0,
    "dialysis": lambda one: one.use.dialysis,
    "sensitive_conditions": lambda one: sensitive_conditions(one.categories),
    "hcc_raw_score": lambda one: min(one.raw_score, 10.0),
    "under_65": lambda one: one.age < _AGED,
    "over_80": lambda one: one.age > _VERY_OLD,
}


def predictors_of(candidate: Candidate) -> tuple[float, ...]:
    """Give every predictor, in the order of :data:`PREDICTORS`."""
    return tuple(float(predictor(candidate)) for predictor in PREDICTORS.values())
