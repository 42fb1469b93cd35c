"""The programme's dated parameters, read from ``policy/``: what may differ by state, year or programme."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from contracts.medicaid import EnrolmentSource
from contracts.months import month_index
from services.alignment.statements import ENROLMENT_SOURCES

POLICY = Path(__file__).parent / "policy" / "mco_based_dce.toml"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that nobody computes: where it comes from, and whether that source confirms it."""

    name: str
    value: Any
    source: str
    status: str


@dataclass(frozen=True, slots=True)
class Entity:
    """A Direct Contracting Entity of this installation and the Medicaid plans that are its own."""

    entity_id: str
    state: str
    plan_ids: frozenset[str]
    letter_of_support: bool


@dataclass(frozen=True, slots=True)
class PerformanceYear:
    """A performance year by its months, both included."""

    name: str
    first_month: str
    last_month: str


@dataclass(frozen=True, slots=True)
class Programme:
    """Everything that alignment's rules take from policy."""

    name: str
    entities: tuple[Entity, ...]
    performance_years: tuple[PerformanceYear, ...]
    first_decided_month: int
    furthest_future_months: int
    tolerated_unknowns: frozenset[str]
    united_states: frozenset[str]
    # From which month on, and the sources of Medicaid enrolment, the one that goes first in front.
    enrolment_sources: tuple[tuple[int, tuple[str, ...]], ...]
    parameters: tuple[Parameter, ...]

    def entity_for(self, reported: str | None, state: str) -> Entity | None:
        """Find the entity that reports name, else the one of the person's state."""
        by_report = (entity for entity in self.entities if entity.entity_id == reported)
        return next(by_report, None) or next((entity for entity in self.entities if entity.state == state), None)

    def performance_year(self, month: str) -> str | None:
        """Name the performance year of a month; ``None`` outside of all."""
        return next(
            (year.name for year in self.performance_years if year.first_month <= month <= year.last_month), None
        )


class PolicyError(ValueError):
    """The policy file lacks something or says it in the wrong form."""


def _parameter(name: str, said: Mapping[str, Any]) -> Parameter:
    if set(said) != {"value", "source", "status"} or said["status"] not in {"confirmed", "unconfirmed"}:
        raise PolicyError(f"{name} needs value, source and a status of confirmed or unconfirmed")
    return Parameter(name, said["value"], said["source"], said["status"])


def _entity(said: Mapping[str, Any]) -> tuple[Entity, tuple[Parameter, Parameter]]:
    entity_id = said["entity_id"]
    plans = _parameter(f"{entity_id}.plan_ids", said["plan_ids"])
    letter = _parameter(f"{entity_id}.letter_of_support", said["letter_of_support"])
    return Entity(entity_id, said["state"], frozenset(plans.value), letter.value), (plans, letter)


def _enrolment_sources(said: Sequence[tuple[str, Sequence[str]]]) -> tuple[tuple[int, tuple[str, ...]], ...]:
    ranked = sorted((month_index(month), tuple(EnrolmentSource(name) for name in names)) for month, names in said)
    if not ranked or any(sorted(names) != sorted(EnrolmentSource) for _, names in ranked):
        raise PolicyError("enrolment_sources must rank every source of enrolment once, from some month on")
    return tuple((first, tuple(ENROLMENT_SOURCES[name] for name in names)) for first, names in ranked)


def read_programme(path: Path) -> Programme:
    """Read a policy file. Raises :class:`PolicyError` for a parameter without its source and status."""
    said = tomllib.loads(path.read_text())
    parameters = {name: _parameter(name, value) for name, value in said["parameters"].items()}
    entities = [_entity(entity) for entity in said["entities"]]
    return Programme(
        name=said["programme"]["name"],
        entities=tuple(entity for entity, _ in entities),
        performance_years=tuple(PerformanceYear(*year) for year in parameters["performance_years"].value),
        first_decided_month=month_index(parameters["first_decided_month"].value),
        furthest_future_months=parameters["furthest_future_months"].value,
        tolerated_unknowns=frozenset(parameters["tolerated_unknowns"].value),
        united_states=frozenset(parameters["united_states"].value),
        enrolment_sources=_enrolment_sources(parameters["enrolment_sources"].value),
        parameters=(*parameters.values(), *(parameter for _, own in entities for parameter in own)),
    )


@cache
def programme() -> Programme:
    """The installation's programme."""
    return read_programme(POLICY)
