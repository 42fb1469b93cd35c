"""The dated parameters of risk stratification, read once from ``policy/risk.toml``."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from contracts.risk import Segment


@dataclass(frozen=True, slots=True)
class RiskPolicy:
    """Every parameter by its name in the file."""

    hcc_tables_years: tuple[int, ...]
    oldest_age: int
    special_needs_plan_contracts: frozenset[str]
    first_eligible_procedure_list_year: int
    last_eligible_procedure_list_year: int
    first_diagnosis_year: int
    segment_without_demographics: Segment
    institutional_nursing_facility_days: int
    institutional_window_days: int
    gap_years: int
    tier_model: Literal["V24", "V28"]
    tier_capacity_percent: dict[str, int]
    admissions_for_highest_tier: int
    tier_weights: dict[str, int]
    tier_advantage: float


@cache
def policy_entries() -> dict[str, dict[str, Any]]:
    """Read each parameter with its value, source and status, as the gateway shows it."""
    return tomllib.loads(files("services.risk.policy").joinpath("risk.toml").read_text(encoding="utf-8"))


@cache
def risk_policy() -> RiskPolicy:
    """Read the policy in force."""
    values = {name: entry["value"] for name, entry in policy_entries().items()}
    years, contracts = tuple(values.pop("hcc_tables_years")), frozenset(values.pop("special_needs_plan_contracts"))
    return RiskPolicy(hcc_tables_years=years, special_needs_plan_contracts=contracts, **values)
