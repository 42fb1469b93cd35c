"""Reads which claims are how much use, once; rules get the result as a value."""

from dataclasses import dataclass
from functools import cache

from services.cost_shift.policy_files import policy_values


@dataclass(frozen=True, slots=True)
class UsePolicy:
    """The codes in force; each has its source in ``policy/use_of_services.toml``."""

    medicare_admission_claim_type: frozenset[str]
    medicare_outpatient_claim_type: frozenset[str]
    emergency_revenue_code: frozenset[str]
    medicare_skilled_nursing_claim_type: frozenset[str]
    still_a_patient_status: frozenset[str]
    medicare_home_health_claim_type: frozenset[str]
    medicaid_home_health_type_of_service: frozenset[str]
    personal_care_procedure: frozenset[str]


@cache
def use_policy() -> UsePolicy:
    """The policy in force. Raises :class:`services.cost_shift.policy_files.PolicyError`."""
    return UsePolicy(**{name: frozenset(codes) for name, codes in policy_values("use_of_services.toml").items()})
