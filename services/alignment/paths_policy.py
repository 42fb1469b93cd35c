"""The pack of a performance year: by which ways people come to be aligned, and how many an entity needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from contracts.months import month_of
from services.runtime.policy import Parameter, PolicyError, in_force, parameters_of

PATHS_POLICY = Path(__file__).parent / "policy" / "mco_based_dce_paths.toml"
_SERVICES = "qualified_services."
_NAMES = frozenset({
    "path_order", "alignment_years", "alignment_year_weights", "claim_types", "primary_care_specialties",
    "other_specialties", "primary_care_threshold", "participants_pooled", "competitors", "last_tie_break",
    "participants_as_of", "designation_months_before", "addition_months", "signed_form_needs_acceptance",
    "minimum_aligned", "minimum_shortfall_percent", "trend_months",
})  # fmt: skip

PathName = Literal["voluntary", "roster", "claims"]


class AlignmentYear(NamedTuple):
    """One of the two years before a performance year whose services count. Days are ordinals, both included."""

    first: int
    last: int
    weight: int


class Minimum(NamedTuple):
    """Aligned people that an entity needs, and the percentage of them that may be missing."""

    people: int
    shortfall_percent: int

    @property
    def floor(self) -> int:
        """People below which even the shortfall that is tolerated is exceeded."""
        return self.people - self.people * self.shortfall_percent // 100


class Qualified(NamedTuple):
    """A code that counts in these days (ordinals, both included), and the places where it does not."""

    first: int
    last: int
    not_in_places: frozenset[str]


@dataclass(frozen=True, slots=True)
class Pack:
    """All that paths to alignment take from policy for one performance year.

    ``threshold``: the primary-care share (numerator, denominator) from which primary care alone decides.
    """

    path_order: tuple[PathName, ...]
    alignment_years: tuple[AlignmentYear, ...]
    primary_care_specialties: frozenset[str]
    other_specialties: frozenset[str]
    threshold: tuple[int, int]
    participants_pooled: bool
    competitors: Literal["practice", "clinician"]
    last_tie_break: Literal["lowest_identifier", "none"]
    participants_as_of: Literal["performance_year", "service"]
    designation_months_before: int
    addition_months: tuple[int, ...]
    signed_form_needs_acceptance: bool
    services: Mapping[str, tuple[Qualified, ...]]


class PathsPolicy:
    """The packs of all performance years, from one file."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        """Take parameters. Raises :class:`PolicyError` for a name that nothing asks for, or one that is missing."""
        self.parameters = tuple(parameters)
        names = {one.name for one in parameters}
        unknown = {name for name in names if not name.startswith(_SERVICES)} - _NAMES
        if unknown or _NAMES - names:
            raise PolicyError(
                f"unknown: {', '.join(sorted(unknown)) or 'none'}; missing: {', '.join(sorted(_NAMES - names)) or 'none'}"
            )
        self._services = _services(parameters)
        #: Every code that is a qualified service at any time, and the types of claims (``CLM_TYPE_CD``) that are read.
        self.codes = frozenset(self._services)
        self.claim_types = frozenset(code for one in parameters if one.name == "claim_types" for code in one.value)
        self._pack = lru_cache(maxsize=64)(self._pack_of)

    def pack(self, month: str) -> Pack | None:
        """The pack of the performance year that begins with a month; ``None`` where no alignment years are given."""
        return self._pack(month)

    def minimum(self, month: str) -> Minimum | None:
        """How many aligned people an entity needs in a month; ``None`` where no number is given."""
        here = in_force(self.parameters, month)
        if not {"minimum_aligned", "minimum_shortfall_percent"} <= here.keys():
            return None
        return Minimum(here["minimum_aligned"].value, here["minimum_shortfall_percent"].value)

    def trend_months(self, month: str) -> int:
        """How many past months are carried forward."""
        return int(in_force(self.parameters, month)["trend_months"].value)

    def _pack_of(self, month: str) -> Pack | None:
        here = {name: one.value for name, one in in_force(self.parameters, month).items()}
        if "alignment_years" not in here or "path_order" not in here:
            return None
        years = zip(here["alignment_years"], here["alignment_year_weights"], strict=True)
        return Pack(
            path_order=tuple(here["path_order"]),
            alignment_years=tuple(AlignmentYear(_day(first), _day(last), weight) for (first, last), weight in years),
            primary_care_specialties=frozenset(here["primary_care_specialties"]),
            other_specialties=frozenset(here["other_specialties"]),
            threshold=(here["primary_care_threshold"][0], here["primary_care_threshold"][1]),
            addition_months=tuple(here["addition_months"]),
            services=self._services,
            **{name: here[name] for name in _AS_THEY_STAND},
        )


_AS_THEY_STAND = (
    "participants_pooled", "competitors", "last_tie_break", "participants_as_of", "designation_months_before",
    "signed_form_needs_acceptance",
)  # fmt: skip


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def _services(parameters: Sequence[Parameter]) -> dict[str, tuple[Qualified, ...]]:
    found: dict[str, list[Qualified]] = {}
    for one in parameters:
        if one.name.startswith(_SERVICES):
            for code in one.value["codes"]:
                found.setdefault(code, []).append(_qualified(one))
    return {code: tuple(several) for code, several in found.items()}


def _qualified(one: Parameter) -> Qualified:
    said: dict[str, Any] = one.value
    first = 0 if one.first_month is None else _day(f"{one.first_month}-01")
    last = date.max.toordinal() if one.last_month is None else _end(one.last_month)
    return Qualified(first, last, frozenset(said.get("not_in_places", ())))


def _end(month: str) -> int:
    first = date.fromisoformat(f"{month}-01").toordinal()
    return next(day for day in range(first + 27, first + 32) if month_of(date.fromordinal(day + 1)) != month)


@cache
def paths_policy() -> PathsPolicy:
    """The installation's."""
    return PathsPolicy(parameters_of(PATHS_POLICY.read_text(encoding="utf-8")))
