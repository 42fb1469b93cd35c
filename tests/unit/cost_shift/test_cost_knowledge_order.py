"""Costs and decisions give the same cells in every order of arrival, and at every delivery the right ones."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cost_shift.changes import (
    Decision,
    by_person_month,
    cells_of_assignments,
    cells_of_costs,
    in_order,
    person_months_of_assignments,
    revise_assignments,
    revise_claims,
)
from services.cost_shift.rules.cell_change import Assignment, cell_changes, person_month_changes, unassigned
from services.cost_shift.rules.claim_contribution import Contribution
from services.cost_shift.rules.move_cause import Place
from services.cost_shift.rules.standing_version import (
    ClaimVersion,
    CostChange,
    standing_changes,
    with_version,
)

MONTH = "2022-01"
LAST = 6
SERIES = ("medicaid", "inpatient", False, "both")
PLACES = [Place("OH", county, "D9001", cohort) for county in ("39049", "") for cohort in ("aligned", "comparison")]

sequences = st.integers(1, LAST)
states = st.sampled_from(("OH", "KY"))
cents = st.integers(-5, 5)
contributions = st.builds(lambda amount: Contribution(*SERIES, MONTH, amount, 1), cents)
versions = st.builds(
    lambda number, sequence, state, withdrawn, part: ClaimVersion(number, sequence, state, withdrawn, (part,)),
    st.integers(0, 4),
    sequences,
    states,
    st.booleans(),
    contributions,
)
histories = st.lists(versions, max_size=6).map(lambda found: list({known.version: known for known in found}.values()))
costs = st.lists(
    st.builds(
        lambda sequence, state, amount: CostChange(sequence, "claims", state, SERIES, MONTH, amount, 1),
        sequences,
        states,
        cents,
    )
)
assignments = st.dictionaries(sequences, st.sampled_from(PLACES)).map(
    lambda known: [Assignment(sequence, known[sequence]) for sequence in sorted(known)]
)


def standing_at(history: Iterable[ClaimVersion], sequence: int) -> tuple[int, int]:
    known = [version for version in history if version.sequence <= sequence]
    if not known:
        return (0, 0)
    (part,) = max(known, key=lambda version: version.version).contributions
    return (part.cents, part.claims)


@given(histories)
def test_sums_of_changes_are_the_standing_version(history: list[ClaimVersion]) -> None:
    changes = standing_changes(history)
    for sequence in range(LAST + 1):
        known = [change for change in changes if change.sequence <= sequence]
        sums = (sum(change.cents for change in known), sum(change.claims for change in known))
        assert sums == standing_at(history, sequence)


@given(histories, st.randoms())
def test_history_does_not_depend_on_the_order(history: list[ClaimVersion], chance: Any) -> None:
    arrivals = [*history, *(version._replace(sequence=LAST + 1) for version in history)]
    chance.shuffle(arrivals)
    known: tuple[ClaimVersion, ...] = ()
    for version in arrivals:
        known = with_version(known, version)
    assert sorted(known) == sorted(history)


def test_causes_tell_a_void_from_a_replacement() -> None:
    paid = ClaimVersion(1, 1, "OH", False, (Contribution(*SERIES, MONTH, 100, 1),))
    replaced = ClaimVersion(2, 2, "OH", False, (Contribution(*SERIES, MONTH, 80, 1),))
    void = ClaimVersion(3, 3, "OH", True, (Contribution(*SERIES, MONTH, 0, 0),))
    told = Counter[tuple[int, str]]()
    for change in standing_changes([void, paid, replaced]):
        told[change.sequence, change.cause] += change.cents
    assert told == {(1, "claims"): 100, (2, "claims"): -20, (3, "cancellations"): -80}


def test_an_older_version_that_comes_late_changes_only_what_was_known_before() -> None:
    newer = ClaimVersion(2, 3, "OH", False, (Contribution(*SERIES, MONTH, 80, 1),))
    older = ClaimVersion(1, 4, "OH", False, (Contribution(*SERIES, MONTH, 100, 1),))
    assert standing_changes([newer, older]) == standing_changes([newer])


@given(costs, assignments)
def test_cells_at_every_delivery(known_costs: list[CostChange], known: list[Assignment]) -> None:
    changes = cell_changes(known_costs, known)
    for sequence in range(LAST + 1):
        cells = Counter[Place]()
        for change in changes:
            if change.sequence <= sequence:
                cells[change.place] += change.cents
        expected = Counter[Place]()
        decided = [assignment.place for assignment in known if assignment.sequence <= sequence]
        for cost in known_costs:
            if cost.sequence <= sequence:
                expected[decided[-1] if decided else unassigned(cost.state)] += cost.cents
        assert {place: sums for place, sums in cells.items() if sums} == {
            place: sums for place, sums in expected.items() if sums
        }


@given(assignments)
def test_a_person_month_counts_once_from_its_first_decision(known: list[Assignment]) -> None:
    changes = person_month_changes(known)
    for sequence in range(LAST + 1):
        counts = Counter[Place]()
        for change in changes:
            if change[0] <= sequence:
                counts[change[1]] += change[2]
        decided = [assignment.place for assignment in known if assignment.sequence <= sequence]
        assert {place: count for place, count in counts.items() if count} == ({decided[-1]: 1} if decided else {})


def test_costs_without_a_decision_count_as_unassigned_in_the_state_of_their_claim() -> None:
    (change,) = cell_changes([CostChange(1, "claims", "KY", SERIES, MONTH, 100, 1)], [])
    assert (change.sequence, change.cause, change.place) == (1, "claims", ("KY", "", "", "unassigned"))
    assert (change.cents, change.claims) == (100, 1)


@pytest.mark.parametrize("later", [4, 7])
def test_a_first_decision_moves_costs_out_of_unassigned(later: int) -> None:
    changes = cell_changes([CostChange(2, "claims", "KY", SERIES, MONTH, 100, 1)], [Assignment(later, PLACES[0])])
    assert [(change.sequence, change.cause, change.place, change.cents, change.claims) for change in changes] == [
        (2, "claims", unassigned("KY"), 100, 1),
        (later, "alignment", unassigned("KY"), -100, -1),
        (later, "alignment", PLACES[0], 100, 1),
    ]


@pytest.mark.parametrize("earlier", [1, 2])
def test_costs_of_a_decided_month_are_never_unassigned(earlier: int) -> None:
    changes = cell_changes([CostChange(2, "claims", "KY", SERIES, MONTH, 100, 1)], [Assignment(earlier, PLACES[0])])
    assert [change.place for change in changes] == [PLACES[0]]


def test_a_replacement_leaves_the_state_of_what_it_replaces() -> None:
    paid = ClaimVersion(1, 1, "KY", False, (Contribution(*SERIES, MONTH, 100, 1),))
    replaced = ClaimVersion(2, 2, "OH", False, (Contribution(*SERIES, MONTH, 80, 1),))
    sums = Counter[str]()
    for change in standing_changes([paid, replaced]):
        sums[change.state] += change.cents
    assert sums == {"KY": 0, "OH": 80}


@pytest.mark.parametrize("arrivals", [(1, 2), (2, 1)])
def test_a_version_twice_counts_in_the_state_of_the_earlier_delivery(arrivals: tuple[int, int]) -> None:
    paid = Contribution(*SERIES, MONTH, 100, 1)
    states_of = {1: "OH", 2: "KY"}
    known: tuple[ClaimVersion, ...] = ()
    for sequence in arrivals:
        known = with_version(known, ClaimVersion(1, sequence, states_of[sequence], False, (paid,)))
    assert [(version.sequence, version.state) for version in known] == [(1, "OH")]


def test_a_changed_decision_moves_costs_and_names_its_cause() -> None:
    known = [Assignment(1, PLACES[0]), Assignment(3, PLACES[1]), Assignment(4, PLACES[1])]
    changes = cell_changes([CostChange(2, "claims", "OH", SERIES, MONTH, 100, 1)], known)
    assert [(change.sequence, change.cause, change.place, change.cents, change.claims) for change in changes] == [
        (2, "claims", PLACES[0], 100, 1),
        (3, "alignment", PLACES[0], -100, -1),
        (3, "alignment", PLACES[1], 100, 1),
    ]


PEOPLE = ("pa", "pb")
arrived_claims = st.tuples(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from(("1", "2"))), st.integers(0, 3), sequences, states
).map(
    # The content belongs to the version: the same version never says two things.
    lambda drawn: (
        drawn[0],
        ClaimVersion(drawn[1], drawn[2], drawn[3], drawn[1] == 3, (Contribution(*SERIES, MONTH, drawn[1] * 7 + 1, 1),)),
    )
)
arrived_decisions = st.tuples(st.sampled_from(PEOPLE), sequences, st.integers(1, 40)).map(
    lambda drawn: Decision(drawn[0], MONTH, drawn[1], drawn[2], PLACES[drawn[2] % len(PLACES)])
)


class Model:
    """The tables of the service in memory, fed one arrival at a time."""

    def __init__(self) -> None:
        self.histories: dict[Any, tuple[ClaimVersion, ...]] = {}
        self.costs: dict[Any, tuple[int, int]] = {}
        self.known: dict[Any, dict[int, tuple[int, Place]]] = {}
        self.cells: dict[Any, tuple[int, int]] = {}
        self.counts: dict[Any, int] = {}

    def apply(self, arrived: Any) -> None:
        if isinstance(arrived, Decision):
            self._decide(arrived)
        else:
            self._claim(arrived)

    def _claim(self, arrived: Any) -> None:
        revised = revise_claims([arrived], self.histories)
        for key, version in revised.added + revised.moved:
            kept = [known for known in self.histories.get(key, ()) if known.version != version.version]
            self.histories[key] = (*kept, version)
        known = {key: in_order(decided) for key, decided in self.known.items()}
        self._add(self.cells, cells_of_costs(by_person_month(revised.costs), known, 1))
        self._add(self.costs, revised.costs)

    def _decide(self, arrived: Decision) -> None:
        revised = revise_assignments([arrived], self.known)
        for decision in revised.written:
            decided = self.known.setdefault((decision.person_id, decision.month), {})
            decided[decision.sequence] = (decision.revision, decision.place)
        self._add(self.cells, cells_of_assignments(revised.moved, by_person_month(self.costs), 1))
        for key, count in person_months_of_assignments(revised.moved, 1).items():
            self.counts[key] = self.counts.get(key, 0) + count
        self.counts = {key: count for key, count in self.counts.items() if count}

    @staticmethod
    def _add(table: dict[Any, tuple[int, int]], changes: Any) -> None:
        for key, (cents_, claims) in changes.items():
            before = table.get(key, (0, 0))
            table[key] = (before[0] + cents_, before[1] + claims)
            if table[key] == (0, 0):
                del table[key]


@given(st.lists(arrived_claims, max_size=8), st.lists(arrived_decisions, max_size=8), st.randoms())
def test_tables_do_not_depend_on_the_order_of_arrival(claims: list[Any], decided: list[Any], chance: Any) -> None:
    arrivals = [*claims, *decided]
    shuffled = [*arrivals, *arrivals]
    chance.shuffle(shuffled)
    first, second = Model(), Model()
    for arrived in arrivals:
        first.apply(arrived)
    for arrived in shuffled:
        second.apply(arrived)
    assert second.cells == first.cells
    assert second.costs == first.costs
    assert second.counts == first.counts


def test_arrivals_tell_repeated_from_older() -> None:
    paid = Contribution(*SERIES, MONTH, 1, 1)
    arrived = [(("pa", "1"), ClaimVersion(number, 1, "OH", False, (paid,))) for number in (2, 2, 1, 3)]
    assert revise_claims(arrived, {}).arrivals.counts == {1: [4, 1, 1]}


def test_decisions_tell_repeated_from_older() -> None:
    arrived = [Decision("pa", MONTH, 1, revision, PLACES[0]) for revision in (2, 2, 1, 3)]
    revised = revise_assignments(arrived, {})
    assert revised.arrivals.counts == {1: [4, 1, 1]}
    assert [decision.revision for decision in revised.written] == [3]


def test_nothing_changes_below_what_is_published() -> None:
    costs_of_one = {("pa", MONTH): [CostChange(1, "claims", "OH", SERIES, MONTH, 100, 1)]}
    known = {("pa", MONTH): [Assignment(1, PLACES[0])]}
    assert [key[0] for key in cells_of_costs(costs_of_one, known, 5)] == [5]
