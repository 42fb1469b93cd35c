"""The policy packs of arrangements, read from ``policy/arrangements``: one file a programme, dated, each value sourced.

A value that nobody gives is not asked for: a pack without counties holds in the whole state. What a pack may say is
:data:`_READERS`; a name that is not there is refused, so that a misspelt condition cannot pass for none.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from contracts.codes import BenefitLevel
from contracts.months import month_index
from services.runtime.policy import Parameter, PolicyError

FOLDER = Path(__file__).parent / "policy" / "arrangements"
EXCLUSIVITY = Path(__file__).parent / "policy" / "arrangement_exclusivity.toml"
_STATUSES = frozenset({"confirmed", "unconfirmed"})


@dataclass(frozen=True, slots=True)
class Contract:
    """A Medicare contract, or one package of it (``H1234-001``), of an arrangement.

    ``affiliated_plans``: the Medicaid plans of the same organisation. ``exclusively_aligned``: only their members may
    enrol.
    """

    contract: str
    affiliated_plans: frozenset[str] = frozenset()
    exclusively_aligned: bool = False


@dataclass(frozen=True, slots=True)
class Pack:
    """One programme: for whom it is, what proves membership, and how people come into it. Months are month numbers."""

    name: str
    title: str
    arrangement: str
    states: frozenset[str]
    first_month: int
    last_month: int | None
    parameters: tuple[Parameter, ...]
    minimum_age: int | None = None
    maximum_age: int | None = None
    benefit_levels: frozenset[BenefitLevel] = frozenset()
    levels_of_care: frozenset[str] = frozenset()
    counties: frozenset[str] = frozenset()
    safe_in_community: bool = False
    fee_for_service: bool = False
    contracts: tuple[Contract, ...] = ()
    plan_type_codes: frozenset[str] = frozenset()
    plan_ids: frozenset[str] = frozenset()
    long_term_services_plans: frozenset[str] = frozenset()
    waiver_type_codes: frozenset[str] = frozenset()
    demonstration: bool = False
    ways: frozenset[str] = frozenset()
    passive_waves: frozenset[int] = frozenset()
    monthly_switching: bool = True

    @property
    def asks_when_enrolling(self) -> bool:
        """Whether what held when membership began matters as long as it goes on."""
        asked = (self.minimum_age, self.maximum_age, self.levels_of_care, self.safe_in_community)
        return any(asked) or "passive" in self.ways or not self.monthly_switching

    def in_force(self, state: str, month: int) -> bool:
        """Whether the programme runs in a state and month."""
        there = not self.states or state in self.states
        return there and self.first_month <= month and (self.last_month is None or month <= self.last_month)


@dataclass(frozen=True, slots=True)
class ExclusiveGroup:
    """Arrangements of which a person is in one at most. An earlier tier excludes a later one.

    ``closed``: whoever is in one of them is not eligible for another either.
    """

    name: str
    tiers: tuple[frozenset[str], ...]
    closed: bool
    why: str
    source: str
    status: str

    def tier_of(self, arrangement: str) -> int | None:
        """The place of an arrangement; ``None`` where the group does not hold it."""
        return next((place for place, tier in enumerate(self.tiers) if arrangement in tier), None)


class Rivalry(NamedTuple):
    """Two arrangements of one group: whether the other goes before, is of the same rank, or bars from eligibility."""

    excluded: bool
    same_rank: bool
    bars: bool


def _rivalries(groups: Iterable[ExclusiveGroup], arrangement: str, other: str) -> Iterator[Rivalry]:
    for group in groups:
        mine, its = group.tier_of(arrangement), group.tier_of(other)
        if mine is not None and its is not None:
            yield Rivalry(its < mine, its == mine, group.closed or its <= mine)


@dataclass(frozen=True, slots=True)
class ArrangementPolicy:
    """All packs, in the order of their names, and what excludes what."""

    packs: tuple[Pack, ...]
    groups: tuple[ExclusiveGroup, ...]
    # Looked up for every month of everybody, and the same for all of them.
    _in_force: dict[tuple[str, int], tuple[Pack, ...]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    _rivals: dict[tuple[str, str], tuple[Rivalry, ...]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def in_force(self, state: str, month: int) -> tuple[Pack, ...]:
        """The packs that run in a state and month."""
        found = self._in_force.get((state, month))
        if found is None:
            found = tuple(pack for pack in self.packs if pack.in_force(state, month))
            self._in_force[state, month] = found
        return found

    def rivalries(self, arrangement: str, other: str) -> tuple[Rivalry, ...]:
        """How two arrangements stand in each group that holds both."""
        found = self._rivals.get((arrangement, other))
        if found is None:
            found = tuple(_rivalries(self.groups, arrangement, other))
            self._rivals[arrangement, other] = found
        return found

    def parameters(self) -> tuple[Parameter, ...]:
        """Every value with its source and status, under the name of its pack."""
        of_packs = (
            Parameter(f"{pack.name}.{one.name}", one.value, one.source, one.status)
            for pack in self.packs
            for one in pack.parameters
        )
        of_groups = (
            Parameter(f"exclusive.{group.name}", [sorted(tier) for tier in group.tiers], group.source, group.status)
            for group in self.groups
        )
        return (*of_packs, *of_groups)


def _contracts(said: Sequence[Mapping[str, Any]]) -> tuple[Contract, ...]:
    return tuple(
        Contract(one["contract"], frozenset(one.get("affiliated_plans", ())), one.get("exclusively_aligned", False))
        for one in said
    )


def _month_numbers(said: Iterable[str]) -> frozenset[int]:
    return frozenset(month_index(month) for month in said)


def _levels(said: Iterable[str]) -> frozenset[BenefitLevel]:
    return frozenset(BenefitLevel(level) for level in said)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "minimum_age": int,
    "maximum_age": int,
    "benefit_levels": _levels,
    "levels_of_care": frozenset,
    "counties": frozenset,
    "safe_in_community": bool,
    "fee_for_service": bool,
    "contracts": _contracts,
    "plan_type_codes": frozenset,
    "plan_ids": frozenset,
    "long_term_services_plans": frozenset,
    "waiver_type_codes": frozenset,
    "demonstration": bool,
    "ways": frozenset,
    "passive_waves": _month_numbers,
    "monthly_switching": bool,
}


def _parameter(name: str, said: Mapping[str, Any]) -> Parameter:
    if set(said) != {"value", "source", "status"} or said["status"] not in _STATUSES:
        raise PolicyError(f"{name} needs value, source and a status of confirmed or unconfirmed")
    return Parameter(name, said["value"], said["source"], said["status"])


def read_pack(path: Path) -> Pack:
    """Read one pack. Raises :class:`PolicyError` for a value without source, and for one that no rule asks for."""
    said = tomllib.loads(path.read_text(encoding="utf-8"))
    about, parameters = said["pack"], said.get("parameters", {})
    if unknown := set(parameters) - set(_READERS):
        raise PolicyError(f"{path.name}: no rule asks for {min(unknown)}")
    last = about.get("last_month")
    return Pack(
        name=path.stem,
        title=about["title"],
        arrangement=about["arrangement"],
        states=frozenset(about["states"]),
        first_month=month_index(about["first_month"]),
        last_month=None if last is None else month_index(last),
        parameters=tuple(_parameter(f"{path.stem}.{name}", one) for name, one in parameters.items()),
        **{name: _READERS[name](one["value"]) for name, one in parameters.items()},
    )


def read_groups(path: Path) -> tuple[ExclusiveGroup, ...]:
    """Read what excludes what. Raises :class:`PolicyError` for an arrangement that stands in a group twice."""
    groups = tuple(_group(name, said) for name, said in tomllib.loads(path.read_text(encoding="utf-8")).items())
    for group in groups:
        if len(frozenset().union(*group.tiers)) != sum(map(len, group.tiers)):
            raise PolicyError(f"{group.name}: an arrangement stands in two tiers")
    return groups


def _group(name: str, said: Mapping[str, Any]) -> ExclusiveGroup:
    one = _parameter(name, {field: said[field] for field in ("source", "status")} | {"value": said["tiers"]})
    tiers = tuple(frozenset(tier) for tier in one.value)
    return ExclusiveGroup(name, tiers, said.get("closed", False), said["why"], one.source, one.status)


@cache
def arrangement_policy() -> ArrangementPolicy:
    """The installation's packs. Raises :class:`PolicyError`."""
    return ArrangementPolicy(tuple(map(read_pack, sorted(FOLDER.glob("*.toml")))), read_groups(EXCLUSIVITY))
