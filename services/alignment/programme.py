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
from services.runtime.policy import Parameter, PolicyError, parameters_of

POLICY = Path(__file__).parent / "policy" / "mco_based_dce.toml"


@dataclass(frozen=True, slots=True)
class Entity:
    """A Direct Contracting Entity of this installation and the Medicaid plans that are its own."""

    entity_id: str
    state: str
    plan_ids: frozenset[str]
    letter_of_support: bool
    # Plans of other services, dental care for example, of which somebody may be a member at the same time.
    plans_beside: frozenset[str] = frozenset()


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
        year = self._year_of(month)
        return None if year is None else year.name

    def first_month_of_year(self, month: str) -> str | None:
        """The first month of a month's performance year; ``None`` outside of all."""
        year = self._year_of(month)
        return None if year is None else year.first_month

    def _year_of(self, month: str) -> PerformanceYear | None:
        return next((year for year in self.performance_years if year.first_month <= month <= year.last_month), None)


def _entity(said: Mapping[str, Any], parameters: Mapping[str, Parameter]) -> Entity:
    entity_id = said["entity_id"]
    plans, letter, beside = (parameters[f"{entity_id}.{name}"].value for name in _OF_AN_ENTITY)
    return Entity(entity_id, said["state"], frozenset(plans), letter, frozenset(beside))


def _enrolment_sources(said: Sequence[tuple[str, Sequence[str]]]) -> tuple[tuple[int, tuple[str, ...]], ...]:
    ranked = sorted((month_index(month), tuple(EnrolmentSource(name) for name in names)) for month, names in said)
    if not ranked or any(sorted(names) != sorted(EnrolmentSource) for _, names in ranked):
        raise PolicyError("enrolment_sources must rank every source of enrolment once, from some month on")
    return tuple((first, tuple(ENROLMENT_SOURCES[name] for name in names)) for first, names in ranked)


def read_programme(path: Path) -> Programme:
    """Read a policy file.

    Raises :class:`PolicyError` for a parameter without its source and status, one that is missing, and one that
    nothing asks for.
    """
    text = path.read_text(encoding="utf-8")
    parameters = parameters_of(text)
    said, by_name = tomllib.loads(text), {one.name: one for one in parameters}
    asked = set(_NAMES) | {f"{one['entity_id']}.{name}" for one in said["entities"] for name in _OF_AN_ENTITY}
    if asked != by_name.keys():
        raise PolicyError(f"missing or asked for by nothing: {', '.join(sorted(asked ^ by_name.keys()))}")
    value = {name: one.value for name, one in by_name.items()}
    return Programme(
        name=said["programme"]["name"],
        entities=tuple(_entity(entity, by_name) for entity in said["entities"]),
        performance_years=tuple(PerformanceYear(*year) for year in value["performance_years"]),
        first_decided_month=month_index(value["first_decided_month"]),
        furthest_future_months=value["furthest_future_months"],
        tolerated_unknowns=frozenset(value["tolerated_unknowns"]),
        united_states=frozenset(value["united_states"]),
        enrolment_sources=_enrolment_sources(value["enrolment_sources"]),
        parameters=tuple(parameters),
    )


_OF_AN_ENTITY = ("plan_ids", "letter_of_support", "plans_beside")
_NAMES = (
    "first_decided_month", "furthest_future_months", "tolerated_unknowns", "united_states", "enrolment_sources",
    "performance_years",
)  # fmt: skip


@cache
def programme() -> Programme:
    """The installation's programme."""
    return read_programme(POLICY)
