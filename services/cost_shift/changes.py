"""Adds up what a batch changes, over the rules and free of I/O. All sums are exact and keep no zero."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from contracts.codes import benefit_level
from services.cost_shift.rules.cell_change import Assignment, CellChange, cell_changes, person_month_changes
from services.cost_shift.rules.move_cause import Place
from services.cost_shift.rules.standing_version import Cause, ClaimVersion, CostChange, standing_changes, with_version

ClaimKey = tuple[str, str]  # person, record
PersonMonth = tuple[str, str]
Amounts = tuple[int, int]  # cents, claims
# person, month, sequence, cause, state, payer, category, crossover, basis
CostKey = tuple[str, str, int, Cause, str, str, str, bool, str]
# sequence, cause, state, county, entity, cohort, payer, category, crossover, basis, month
CellKey = tuple[int, str, str, str, str, str, str, str, bool, str, str]
# sequence, state, county, entity, cohort, month
CountKey = tuple[int, str, str, str, str, str]
Known = Mapping[int, tuple[int, Place, str]]  # sequence to (revision, place, dual status)
Gone = Mapping[str, Sequence[tuple[int, int | None]]]  # person to deliveries from and until
_NOBODY: Gone = {}


class Traits(NamedTuple):
    """What a decision says of the person besides where the month counts. Empty or ``None``: not said."""

    dual_status: str = ""
    in_health_plan: bool | None = None


class Decision(NamedTuple):
    """One month of one alignment decision."""

    person_id: str
    month: str
    sequence: int
    revision: int
    place: Place
    traits: Traits = Traits()


@dataclass(slots=True)
class Arrivals:
    """Per sequence: received, of these repeated, of these older than what was known."""

    counts: dict[int, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))

    def add(self, sequence: int, *, repeated: bool, older: bool) -> None:
        """Count one arrival."""
        count = self.counts[sequence]
        count[0] += 1
        count[1] += repeated
        count[2] += older


@dataclass(slots=True)
class RevisedClaims:
    """What claims of a batch leave behind."""

    added: list[tuple[ClaimKey, ClaimVersion]]
    moved: list[tuple[ClaimKey, ClaimVersion]]
    costs: dict[CostKey, Amounts]
    arrivals: Arrivals


@dataclass(slots=True)
class RevisedAssignments:
    """What decisions of a batch leave behind; ``moved`` are the person-months that count elsewhere now."""

    written: list[Decision]
    moved: dict[PersonMonth, tuple[list[Assignment], list[Assignment]]]
    arrivals: Arrivals


def revise_claims(
    arrived: Iterable[tuple[ClaimKey, ClaimVersion]], stored: Mapping[ClaimKey, tuple[ClaimVersion, ...]]
) -> RevisedClaims:
    """Put arrived versions beside the stored ones; what that changes of the person-months' costs."""
    arrivals = Arrivals()
    histories: dict[ClaimKey, tuple[ClaimVersion, ...]] = {}
    for key, version in arrived:
        history = histories.get(key) or stored.get(key, ())
        # What was moved here from somebody else depends on when it was: it is no arrival.
        numbers = [known.version for known in history if known.since is None and known.alias == version.alias]
        repeated = version.version in numbers
        older = bool(numbers) and not repeated and version.version < max(numbers)
        arrivals.add(version.sequence, repeated=repeated, older=older)
        histories[key] = with_version(history, version)
    revised = RevisedClaims([], [], {}, arrivals)
    for key, history in histories.items():
        before = stored.get(key, ())
        if before != history:
            _revise_claim(revised, key, before, history)
    revised.costs = {key: sums for key, sums in revised.costs.items() if sums != (0, 0)}
    return revised


def _revise_claim(
    revised: RevisedClaims, key: ClaimKey, before: tuple[ClaimVersion, ...], history: tuple[ClaimVersion, ...]
) -> None:
    known = {_identity(version) for version in before}
    for version in history:
        if _identity(version) not in known:
            revised.added.append((key, version))
        elif version not in before:
            revised.moved.append((key, version))
    _sum_costs(revised.costs, key[0], standing_changes(history), 1)
    _sum_costs(revised.costs, key[0], standing_changes(before), -1)


def _identity(version: ClaimVersion) -> tuple[object, ...]:
    return version.alias, version.version, version.since, version.until


def moved_costs(
    before: Mapping[ClaimKey, Iterable[ClaimVersion]], after: Mapping[ClaimKey, Iterable[ClaimVersion]]
) -> dict[CostKey, Amounts]:
    """What changes of person-months' costs when versions turn out to be another person's."""
    costs: dict[CostKey, Amounts] = {}
    for sign, histories in ((-1, before), (1, after)):
        for key, history in histories.items():
            _sum_costs(costs, key[0], standing_changes(history), sign)
    return {key: sums for key, sums in costs.items() if sums != (0, 0)}


def _sum_costs(costs: dict[CostKey, Amounts], person: str, changes: Iterable[CostChange], sign: int) -> None:
    for sequence, cause, state, series, month, cents, claims in changes:
        key = (person, month, sequence, cause, state, *series)
        before = costs.get(key, (0, 0))
        costs[key] = (before[0] + sign * cents, before[1] + sign * claims)


def by_person_month(costs: Mapping[CostKey, Amounts]) -> dict[PersonMonth, list[CostChange]]:
    """The same sums as the rules take them."""
    grouped: dict[PersonMonth, list[CostChange]] = defaultdict(list)
    # Sliced, not unpacked: this runs once for every cost of a batch.
    for key, amounts in costs.items():
        grouped[key[:2]].append(CostChange(key[2], key[3], key[4], key[5:], key[1], *amounts))
    return grouped


def cells_of_costs(
    costs: Mapping[PersonMonth, Iterable[CostChange]], known: Mapping[PersonMonth, Sequence[Assignment]], floor: int
) -> dict[CellKey, Amounts]:
    """What new costs change of cells. Nothing changes below ``floor``: that is published already."""
    cells: dict[CellKey, Amounts] = {}
    for key, changes in costs.items():
        _sum_cells(cells, cell_changes(changes, known.get(key, ())), floor, 1)
    return {key: sums for key, sums in cells.items() if sums != (0, 0)}


def _sum_cells(cells: dict[CellKey, Amounts], changes: Iterable[CellChange], floor: int, sign: int) -> None:
    for sequence, cause, place, series, month, cents, claims in changes:
        key = (max(sequence, floor), cause, *place, *series, month)
        before = cells.get(key, (0, 0))
        cells[key] = (before[0] + sign * cents, before[1] + sign * claims)


def revise_assignments(arrived: Iterable[Decision], stored: Mapping[PersonMonth, Known]) -> RevisedAssignments:
    """Put arrived decisions beside the stored ones: of several for one month and sequence the newest stands."""
    arrivals = Arrivals()
    known = {key: dict(decided) for key, decided in stored.items()}
    standing: dict[tuple[str, str, int], Decision] = {}
    for decision in arrived:
        decided = known.setdefault(decision[:2], {})
        revision = decided[decision.sequence][0] if decision.sequence in decided else 0
        arrivals.add(decision.sequence, repeated=revision == decision.revision, older=revision > decision.revision)
        if decision.revision > revision:
            decided[decision.sequence] = (decision.revision, decision.place, decision.traits.dual_status)
            standing[decision[:3]] = decision
    moved = {}
    for key in {decision[:2] for decision in standing.values()}:
        before, after = in_order(stored.get(key, {})), in_order(known[key])
        if counted_as(before) != counted_as(after):
            moved[key] = (before, after)
    return RevisedAssignments(list(standing.values()), moved, arrivals)


def in_order(known: Known) -> list[Assignment]:
    """Assignments of one person-month as the rules take them."""
    return [Assignment(sequence, *known[sequence][1:]) for sequence in sorted(known)]


def counted_as(assignments: Sequence[Assignment]) -> list[tuple[int, Place, str]]:
    """Where a person-month counts from which delivery on, and the dual status that can be why."""
    kept: list[tuple[int, Place, str]] = []
    for sequence, place, status in assignments:
        level = benefit_level(status).value if status else ""
        if not kept or (place, level) != kept[-1][1:]:
            kept.append((sequence, place, level))
    return kept


def cells_of_assignments(
    moved: Mapping[PersonMonth, tuple[list[Assignment], list[Assignment]]],
    costs: Mapping[PersonMonth, list[CostChange]],
    floor: int,
) -> dict[CellKey, Amounts]:
    """What changed assignments change of cells, given all costs of their person-months."""
    cells: dict[CellKey, Amounts] = {}
    for key, (before, after) in moved.items():
        known = costs.get(key, [])
        _sum_cells(cells, cell_changes(known, before), floor, -1)
        _sum_cells(cells, cell_changes(known, after), floor, 1)
    return {key: sums for key, sums in cells.items() if sums != (0, 0)}


def person_months_of_assignments(
    moved: Mapping[PersonMonth, tuple[list[Assignment], list[Assignment]]], floor: int, gone: Gone = _NOBODY
) -> dict[CountKey, int]:
    """What changed assignments change of the counts of person-months; ``gone`` says who is somebody else, and when."""
    counts: dict[CountKey, int] = defaultdict(int)
    for (person, month), (before, after) in moved.items():
        away = gone.get(person, ())
        _sum_counts(counts, month, person_month_changes(before, away), floor, -1)
        _sum_counts(counts, month, person_month_changes(after, away), floor, 1)
    return {key: count for key, count in counts.items() if count}


def person_months_of_moves(
    known: Mapping[PersonMonth, Sequence[Assignment]], before: Gone, after: Gone, floor: int
) -> dict[CountKey, int]:
    """What changes of the counts of person-months when people turn out to be somebody else, or themselves again."""
    counts: dict[CountKey, int] = defaultdict(int)
    for (person, month), assignments in known.items():
        _sum_counts(counts, month, person_month_changes(assignments, before.get(person, ())), floor, -1)
        _sum_counts(counts, month, person_month_changes(assignments, after.get(person, ())), floor, 1)
    return {key: count for key, count in counts.items() if count}


def _sum_counts(
    counts: dict[CountKey, int], month: str, changes: Iterable[tuple[int, Place, int]], floor: int, sign: int
) -> None:
    for sequence, place, count in changes:
        counts[(max(sequence, floor), *place, month)] += sign * count
