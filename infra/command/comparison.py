"""What the services say beside what is true by construction. Pure: no service's code, no I/O.

Both sides are reduced to the same keys, and every key of either side is compared: a figure that is missing counts
as zero, so nothing can agree by being absent.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from contracts.months import months_between

Key = tuple[str, ...]


class Measure(NamedTuple):
    """One figure, summed over states, entities and counties."""

    payer: str
    category: str
    month: str
    cohort: str
    cents: int
    claims: int
    crossover_cents: int
    crossover_claims: int


@dataclass(frozen=True, slots=True)
class Stated:
    """One side: figures, person-months by (cohort, month), and the aligned months of each person."""

    measures: tuple[Measure, ...]
    person_months: Mapping[tuple[str, str], int]
    aligned_months: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Differences:
    """Sums of absolute differences, key by key. ``examples`` says where, in words, for the first few."""

    cents: int
    claims: int
    crossover: int
    person_months: int
    alignment_months: int
    examples: tuple[str, ...]

    @property
    def none(self) -> bool:
        """Whether both sides say the same."""
        return not (self.cents or self.claims or self.crossover or self.person_months or self.alignment_months)


def truth_of(document: Mapping[str, Any], person_of: Mapping[str, str]) -> Stated:
    """The true side. ``person_of`` gives the person of an MBI; people whom nobody resolved keep their MBI's place."""
    measures = tuple(Measure(**{name: row[name] for name in Measure._fields}) for row in document["measures"])
    months = {(row["cohort"], row["month"]): row["count"] for row in document["person_months"]}
    aligned: dict[str, frozenset[str]] = {}
    for number, row in enumerate(document["alignment"]):
        known = {person_of[mbi] for mbi in row["mbis"] if mbi in person_of}
        # A person under two pseudonyms, or under none, is a difference of its own.
        person = known.pop() if len(known) == 1 else f"person {number + 1} of the truth, found {len(known)} times"
        if person in aligned:  # else the months of one would stand for those of both
            person = f"person {number + 1} of the truth, found as somebody else"
        aligned[person] = frozenset(row["aligned_months"])
    return Stated(measures, months, aligned)


def _sums(measures: Iterable[Measure], field: str) -> Counter[Key]:
    sums: Counter[Key] = Counter()
    for measure in measures:
        sums[measure[:4]] += getattr(measure, field)
    return sums


def _apart(true: Mapping[Any, int], said: Mapping[Any, int]) -> dict[Any, int]:
    keys = true.keys() | said.keys()
    return {key: said.get(key, 0) - true.get(key, 0) for key in keys if said.get(key, 0) != true.get(key, 0)}


def _total(apart: Mapping[Any, int]) -> int:
    return sum(map(abs, apart.values()))


def _examples(what: str, apart: Mapping[Key, int], most: int = 5) -> list[str]:
    return [f"{what} {' '.join(key)}: {apart[key]:+d}" for key in sorted(apart)[:most]]


def compare(true: Stated, said: Stated, months: frozenset[str]) -> Differences:
    """Compare in the months that the truth covers; alignment after them is forecast, which the truth does not state."""
    inside = tuple(measure for measure in said.measures if measure.month in months)
    cents = _apart(_sums(true.measures, "cents"), _sums(inside, "cents"))
    claims = _apart(_sums(true.measures, "claims"), _sums(inside, "claims"))
    crossover = {
        field: _apart(_sums(true.measures, field), _sums(inside, field))
        for field in ("crossover_cents", "crossover_claims")
    }
    person_months = _apart(true.person_months, {key: n for key, n in said.person_months.items() if key[1] in months})
    alignment = _alignment_apart(true.aligned_months, said.aligned_months, months)
    return Differences(
        _total(cents),
        _total(claims),
        sum(_total(apart) for apart in crossover.values()),
        _total(person_months),
        _total(alignment),
        tuple(
            _examples("cents", cents)
            + _examples("claims", claims)
            + [example for field, apart in crossover.items() for example in _examples(field, apart)]
            + _examples("person-months", person_months)
            + _examples("aligned months of", alignment)
        ),
    )


def _alignment_apart(
    true: Mapping[str, frozenset[str]], said: Mapping[str, frozenset[str]], months: frozenset[str]
) -> dict[Key, int]:
    nobody: frozenset[str] = frozenset()
    apart = {
        (person,): len(true.get(person, nobody) ^ (said.get(person, nobody) & months))
        for person in true.keys() | said.keys()
    }
    return {person: count for person, count in apart.items() if count}


def all_months(document: Mapping[str, Any]) -> frozenset[str]:
    """The service months of a simulation."""
    return frozenset(months_between(document["parameters"]["first_month"], document["parameters"]["last_month"]))
