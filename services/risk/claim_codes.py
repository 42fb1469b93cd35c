"""The code lists by which claims are marked, read once from ``policy/claim_marks.toml``."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Indicator:
    """One of AHRQ's prevention quality indicators. Lists hold beginnings of codes."""

    number: int
    name: str
    principal: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    with_any: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    least_age: int = 18
    most_age: int = 200


@dataclass(frozen=True, slots=True)
class FrailtyMarker:
    """A sign of frailty: beginnings of diagnoses, or whole codes of services."""

    name: str
    diagnoses: tuple[str, ...] = ()
    services: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class ClaimCodes:
    """Every list by its name in the file. There is one of it, so it is compared and hashed by being itself."""

    prevention_quality_indicators: tuple[Indicator, ...]
    emergency_revenue_centers: frozenset[str]
    primary_care_services: frozenset[str]
    primary_care_specialties: frozenset[str]
    behavioural_starting: tuple[str, ...]
    dialysis_services: frozenset[str]
    infusion_services: frozenset[str]
    wound_services: frozenset[str]
    facility_discharge_statuses: frozenset[str]
    frailty_markers: tuple[FrailtyMarker, ...]


@cache
def claim_code_entries() -> dict[str, dict[str, Any]]:
    """Read each list with its source and status, as the gateway shows it."""
    return tomllib.loads(files("services.risk.policy").joinpath("claim_marks.toml").read_text(encoding="utf-8"))


def _indicator(values: Mapping[str, Any]) -> Indicator:
    given: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in values.items()}
    return Indicator(**given)


def _marker(values: Mapping[str, Any]) -> FrailtyMarker:
    diagnoses, services = values.get("diagnoses", ()), values.get("services", ())
    return FrailtyMarker(values["name"], tuple(diagnoses), frozenset(services))


@cache
def claim_codes() -> ClaimCodes:
    """Read the lists in force."""
    values = {name: entry["value"] for name, entry in claim_code_entries().items()}
    indicators = tuple(_indicator(one) for one in values.pop("prevention_quality_indicators"))
    markers = tuple(_marker(one) for one in values.pop("frailty_markers"))
    behavioural = tuple(values.pop("behavioural_starting"))
    return ClaimCodes(
        prevention_quality_indicators=indicators,
        frailty_markers=markers,
        behavioural_starting=behavioural,
        **{name: frozenset(codes) for name, codes in values.items()},
    )


@cache
def indicator_names() -> dict[int, str]:
    """Name each prevention quality indicator by its number."""
    return {one.number: one.name for one in claim_codes().prevention_quality_indicators}
