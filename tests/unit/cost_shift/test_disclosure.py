"""No small number can be worked out from anything that is shown: a table of cases, and an audit by linear algebra."""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.cost_shift.disclosure_policy import disclosure_entries, disclosure_policy
from services.cost_shift.rules.disclosure import (
    Cell,
    Claimants,
    Figure,
    Release,
    Standing,
    far_enough,
    release,
    timeline,
    total,
)

THRESHOLD = 11
ALIGNED = ("D9001", "aligned")
Waiting = dict[Cell, Figure]


def cell(category: str, node: tuple[str, str] = ALIGNED) -> Cell:
    return Cell(*node, category)


def claims(**counts: int) -> Waiting:
    return {cell(name): Figure(count * 100, count) for name, count in counts.items()}


@dataclass
class Reader:
    """What a state has been shown, revision by revision, as its tables would hold it."""

    revision: int = 0
    shown: dict[Cell, list[tuple[int, Figure]]] = field(default_factory=lambda: defaultdict(list))
    groups: dict[Cell, str] = field(default_factory=dict)
    hidden: frozenset[Cell] = frozenset()
    waiting: Waiting = field(default_factory=dict)
    claimants: dict[Cell, Claimants] = field(default_factory=dict)

    def publish(
        self,
        added: Waiting,
        people: int | dict[tuple[str, str], int] = 100,
        *,
        mature: bool = True,
        claimants: dict[Cell, Claimants] | None = None,
    ) -> Release:
        """``claimants``: of what is added; everybody had one claim where it is not said."""
        self.revision += 1
        for one, figure in added.items():
            self.waiting[one] = self.waiting.get(one, Figure()).plus(figure)
            came = self.everybody(one, figure) if claimants is None else claimants.get(one, Claimants())
            known = self.claimants.get(one, Claimants())
            self.claimants[one] = Claimants(known.crossover | came.crossover, known.rest | came.rest)
        counts = people if isinstance(people, dict) else {one[:2]: people for one in self.waiting}
        told = release(
            Standing(self.shown, self.groups, self.hidden, self.claimants), self.waiting, counts, mature=mature,
            threshold=THRESHOLD,
        )  # fmt: skip
        for one, figure in told.increments.items():
            before = self.shown[one][-1][1] if self.shown[one] else Figure()
            self.shown[one].append((self.revision, before.plus(figure)))
            del self.waiting[one]
            self.claimants.pop(one, None)
        self.groups, self.hidden = dict(told.groups), told.split_hidden
        return told

    def everybody(self, one: Cell, figure: Figure) -> Claimants:
        parts = (figure.crossover().claims, figure.rest().claims)
        return Claimants(*(people(abs(count), f"{one} {self.revision} {place}") for place, count in enumerate(parts)))


def people(count: int, name: str = "") -> frozenset[str]:
    return frozenset(f"{name} {number}" for number in range(count))


def test_what_is_large_is_shown_at_once() -> None:
    told = Reader().publish(claims(inpatient=40, physician=500))
    assert {one.category for one in told.increments} == {"inpatient", "physician"}
    assert told.groups == {}


@pytest.mark.parametrize("people", [0, 1, 10])
def test_nothing_is_shown_of_a_few_people(people: int) -> None:
    assert Reader().publish(claims(inpatient=400), people).increments == {}


def test_a_small_cell_waits_until_it_has_grown() -> None:
    reader = Reader()
    assert reader.publish(claims(inpatient=40, hospice=5), mature=False).increments.keys() == {cell("inpatient")}
    told = reader.publish(claims(hospice=6), mature=False)
    assert told.increments == {cell("hospice"): Figure(1100, 11)}
    assert told.groups == {}


def test_a_cell_that_stays_small_is_hidden_with_the_smallest_other() -> None:
    reader = Reader()
    told = reader.publish(claims(inpatient=40, hospice=5, physician=500))
    assert set(told.groups.values()) == {"hospice"}
    assert told.groups.keys() == {cell("hospice"), cell("inpatient")}
    # The sum of everything is shown, to the cent.
    assert total(told.increments.values()) == Figure(54500, 545)


def test_small_cells_hide_each_other_where_they_can() -> None:
    told = Reader().publish(claims(inpatient=40, hospice=5, home_health=9))
    assert told.groups == {cell("hospice"): "home_health", cell("home_health"): "home_health"}


def test_a_small_cell_that_nothing_can_hide_waits() -> None:
    reader = Reader()
    assert reader.publish(claims(hospice=5)).increments == {}
    assert reader.publish(claims(inpatient=3)).increments == {}
    assert len(reader.publish(claims(inpatient=3)).increments) == 2


def test_a_small_change_of_a_large_figure_waits() -> None:
    reader = Reader()
    reader.publish(claims(inpatient=400))
    assert reader.publish(claims(inpatient=7)).increments == {}
    assert reader.publish(claims(inpatient=7)).increments == {cell("inpatient"): Figure(1400, 14)}


def test_a_figure_never_comes_back_to_near_where_it_was() -> None:
    """Twenty more, then fifteen fewer: whoever kept the first figure would know of five claims."""
    reader = Reader()
    reader.publish(claims(inpatient=400))
    reader.publish(claims(inpatient=20))
    assert reader.publish(claims(inpatient=-15)).increments == {}
    assert reader.publish(claims(inpatient=-20)).increments != {}


def test_money_without_claims_waits() -> None:
    reader = Reader()
    reader.publish(claims(inpatient=400))
    assert reader.publish({cell("inpatient"): Figure(77_700, 0)}).increments == {}


def test_a_group_stays_one() -> None:
    reader = Reader()
    reader.publish(claims(inpatient=40, hospice=5))
    told = reader.publish(claims(inpatient=30))
    assert told.increments.keys() == {cell("inpatient")}
    assert reader.groups.keys() == {cell("hospice"), cell("inpatient")}
    told = reader.publish(claims(hospice=50, dialysis=3))
    assert told.groups.keys() == {cell("hospice"), cell("inpatient"), cell("dialysis")}
    assert len(set(told.groups.values())) == 1


def test_people_who_move_tell_nothing_of_the_total() -> None:
    """Twenty claims come to the aligned and fifteen leave the comparison: the total would tell of five."""
    comparison = ("", "comparison")
    reader = Reader()
    reader.publish({cell("inpatient"): Figure(100, 100),
                    cell("inpatient", comparison): Figure(100, 100)})  # fmt: skip
    moved = {cell("inpatient"): Figure(20, 20),
             cell("inpatient", comparison): Figure(-15, -15)}  # fmt: skip
    assert reader.publish(moved).increments == {}


@pytest.mark.parametrize(
    ("claimants", "shown"),
    [(0, False), (1, False), (10, False), (11, True), (400, True)],
    ids=["nobody known", "one person", "ten people", "just enough", "everybody"],
)
def test_many_claims_of_a_few_people_wait(claimants: int, *, shown: bool) -> None:
    told = Reader().publish(
        claims(inpatient=400), mature=False, claimants={cell("inpatient"): Claimants(rest=people(claimants))}
    )
    assert (told.increments != {}) is shown


def test_people_who_come_later_count_with_those_who_waited_and_nobody_twice() -> None:
    reader, inpatient = Reader(), cell("inpatient")
    first, again, others = people(6), people(6), people(5, "other")
    assert (
        reader.publish(claims(inpatient=40), mature=False, claimants={inpatient: Claimants(rest=first)}).increments
        == {}
    )
    assert (
        reader.publish(claims(inpatient=40), mature=False, claimants={inpatient: Claimants(rest=again)}).increments
        == {}
    )
    told = reader.publish(claims(inpatient=40), mature=False, claimants={inpatient: Claimants(rest=others)})
    assert told.increments == {inpatient: Figure(12_000, 120)}
    # What is shown is of nobody any more: whoever had it counts anew.
    assert reader.publish(claims(inpatient=40), claimants={inpatient: Claimants(rest=first)}).increments == {}


def test_many_claims_of_a_few_people_are_hidden_with_another_category() -> None:
    hospice, inpatient = cell("hospice"), cell("inpatient")
    who = {hospice: Claimants(rest=people(2)), inpatient: Claimants(rest=people(40))}
    told = Reader().publish(claims(hospice=60, inpatient=90), claimants=who)
    assert told.groups == {hospice: "hospice", inpatient: "hospice"}


def test_the_same_few_people_in_two_categories_are_no_more() -> None:
    same = Claimants(rest=people(8))
    who = {cell("hospice"): same, cell("home_health"): same}
    assert Reader().publish(claims(hospice=60, home_health=90), claimants=who).increments == {}


@pytest.mark.parametrize(
    ("crossover", "rest", "hidden"),
    [(11, 11, False), (10, 30, True), (30, 10, True), (11, 30, False)],
)
def test_a_crossover_part_is_shown_where_enough_people_had_each(crossover: int, rest: int, *, hidden: bool) -> None:
    who = Claimants(people(crossover, "crossover"), people(rest, "rest"))
    told = Reader().publish({cell("inpatient"): Figure(9_000, 90, 4_000, 40)}, claimants={cell("inpatient"): who})
    assert (cell("inpatient") in told.split_hidden) is hidden


def test_a_part_that_nobody_changed_needs_nobody() -> None:
    who = {cell("inpatient"): Claimants(rest=people(20))}
    told = Reader().publish({cell("inpatient"): Figure(9_000, 90)}, claimants=who)
    assert told.split_hidden == frozenset()


def test_a_crossover_part_is_shown_where_both_parts_are_large() -> None:
    def one(crossover: int) -> Release:
        return Reader().publish({cell("inpatient"): Figure(4000, 40, crossover * 100, crossover)})

    assert {count: cell("inpatient") in one(count).split_hidden for count in (0, 5, 11, 29, 30, 40)} == {
        0: False, 5: True, 11: False, 29: False, 30: True, 40: False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("now", "before", "far"),
    [(11, [], True), (10, [], False), (0, [], True), (30, [19], True), (29, [19], False), (19, [19], True), (-11, [], True),
     (30, [50, 25], False)],
)  # fmt: skip
def test_far_enough(now: int, before: list[int], far: bool) -> None:  # noqa: FBT001
    assert far_enough(Figure(claims=now), [Figure(claims=one) for one in before], THRESHOLD) is far


def test_the_policy_says_where_it_comes_from() -> None:
    assert disclosure_policy().smallest_shown == THRESHOLD
    assert all({"value", "source", "status", "from"} <= entry.keys() for entry in disclosure_entries().values())


# --- The audit -------------------------------------------------------------------------------------------------------

NODES = (ALIGNED, ("", "comparison"))
CATEGORIES = ("hospice", "inpatient", "physician")
CELLS = [cell(category, node) for node in NODES for category in CATEGORIES]
Atom = tuple[Cell, int]  # what one revision added to one cell: what somebody might want to know
World = list[dict[Cell, int]]

amount = st.one_of(st.just(0), st.integers(-6, 14), st.integers(-40, 60))
worlds = st.lists(
    st.fixed_dictionaries(dict.fromkeys(CELLS, amount)),
    min_size=1,
    max_size=4,
)


@dataclass
class Audit:
    """Every answer that could be got, as a sum of atoms."""

    atoms: dict[Atom, int]
    told: list[frozenset[Atom]] = field(default_factory=list)

    def matrix(self) -> Any:
        places = {atom: place for place, atom in enumerate(self.atoms)}
        rows = np.zeros((len(self.told), len(places)))
        for row, told in enumerate(self.told):
            for atom in told:
                rows[row, places[atom]] = 1
        return rows

    def vector(self, wanted: frozenset[Atom]) -> Any:
        return np.array([1.0 if atom in wanted else 0.0 for atom in self.atoms])


def _margins(cells: list[Cell]) -> list[tuple[tuple[int, ...], frozenset[Cell]]]:
    found = []
    for kept in (names for count in range(4) for names in combinations(range(3), count)):
        by: dict[tuple[str, ...], set[Cell]] = defaultdict(set)
        for one in cells:
            by[tuple(one[dimension] for dimension in kept)].add(one)
        found += [(kept, frozenset(members)) for members in by.values()]
    return found


def increments(added: dict[Cell, int]) -> Waiting:
    return {one: Figure(100 * count, count) for one, count in added.items() if count}


def _everything_told(world: World, matures: list[bool]) -> Audit:
    """Play a world, and ask for every total of every revision."""
    audit = Audit({(one, revision): added[one] for revision, added in enumerate(world, 1) for one in CELLS})
    reader, held, released = Reader(), defaultdict(set), defaultdict(set)
    for revision, (added, mature) in enumerate(zip(world, matures, strict=False), 1):
        for one in CELLS:
            held[one].add((one, revision))
        told = reader.publish(increments(added), mature=mature)
        for one in told.increments:
            released[one] |= held.pop(one)
        for kept, cells in _margins(CELLS):
            if 2 in kept and any(one in told.groups for one in cells):
                continue  # shown as suppressed
            audit.told.append(frozenset(atom for one in cells for atom in released[one]))
    return audit


def _small(audit: Audit) -> list[frozenset[Atom]]:
    """Every change of a cell between any two revisions that is of 1 to 10 claims."""
    last = max(revision for _, revision in audit.atoms)
    windows = [
        frozenset(atom for atom in audit.atoms if atom[0] == one and first < atom[1] <= end)
        for one in CELLS
        for first, end in combinations(range(last + 1), 2)
    ]
    return [one for one in windows if 0 < abs(sum(audit.atoms[atom] for atom in one)) < THRESHOLD]


def _can_be_worked_out(matrix: Any, vector: Any) -> bool:
    if not matrix.size:
        return False
    solution = np.linalg.lstsq(matrix.T, vector, rcond=None)[0]
    return bool(np.allclose(matrix.T @ solution, vector, atol=1e-8))


def relevant(audit: Audit, wanted: frozenset[Atom]) -> frozenset[Atom]:
    """Nobody learns anything from what added nothing: knowing it or not is the same."""
    return frozenset(atom for atom in wanted if audit.atoms[atom])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds, st.lists(st.booleans(), min_size=4, max_size=4))
def test_no_small_number_is_a_combination_of_what_is_told(world: World, matures: list[bool]) -> None:
    audit = _everything_told(world, matures)
    audit.told = [relevant(audit, one) for one in audit.told]
    matrix = audit.matrix()
    for wanted in _small(audit):
        assert not _can_be_worked_out(matrix, audit.vector(relevant(audit, wanted))), sorted(wanted)


def test_the_audit_finds_what_it_looks_for() -> None:
    """Show everything, and the small cell is worked out from a total and its neighbours."""
    audit = Audit({(one, 1): 5 if one.category == "hospice" else 40 for one in CELLS})
    hospice = frozenset({(cell("hospice"), 1)})
    everything = [frozenset((one, 1) for one in cells) for _, cells in _margins(CELLS)]
    audit.told = [told for told in everything if told != hospice]
    assert _can_be_worked_out(audit.matrix(), audit.vector(hospice))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds, st.lists(st.booleans(), min_size=4, max_size=4))
def test_every_total_is_far_from_every_other_that_was_shown_of_it(world: World, matures: list[bool]) -> None:
    reader = Reader()
    for added, mature in zip(world, matures, strict=False):
        reader.publish(increments(added), mature=mature)
    for kept, cells in _margins(CELLS):
        if 2 not in kept or not any(one in reader.groups for one in cells):
            figures = [Figure(), *(figure for _, figure in timeline(reader.shown, cells))]
            assert all(abs(a.claims - b.claims) >= THRESHOLD or a == b for a, b in combinations(figures, 2)), kept


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds)
def test_nothing_is_lost_or_told_twice(world: World) -> None:
    """What was shown and what waits are together what was published."""
    reader = Reader()
    for added in world:
        reader.publish(increments(added))
    for one in CELLS:
        shown = timeline(reader.shown, [one])
        held = reader.waiting.get(one, Figure())
        published = sum(added[one] for added in world)
        assert (shown[-1][1].claims if shown else 0) + held.claims == published
