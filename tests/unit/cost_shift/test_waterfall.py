"""Why costs count elsewhere, and that causes lead from one figure to the next to the cent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cost_shift.changes import Decision, Traits, revise_assignments
from services.cost_shift.rules.cell_change import Assignment, cell_changes, unassigned
from services.cost_shift.rules.move_cause import Place, move_cause
from services.cost_shift.rules.standing_version import CostChange
from services.cost_shift.rules.waterfall import STEP_OF_CAUSE, Amounts, DoesNotAddUpError, waterfall

ALIGNED = Place("OH", "39049", "D9001", "aligned")
MOVED = ALIGNED._replace(county="39061")
COMPARISON = Place("OH", "39049", "", "comparison")
EXCLUDED = Place("OH", "39049", "", "excluded")


@pytest.mark.parametrize(
    ("before", "status_before", "after", "status_after", "expected"),
    [
        (ALIGNED, "02", MOVED, "02", "residence"),
        (ALIGNED, "02", MOVED, "03", "residence"),
        (COMPARISON, "02", EXCLUDED, "03", "dual_status"),
        (EXCLUDED, "01", COMPARISON, "08", "dual_status"),
        (COMPARISON, "02", ALIGNED, "02", "alignment"),
        (COMPARISON, "02", ALIGNED, "04", "alignment"),  # both are full benefits
        (ALIGNED, "02", EXCLUDED, "NA", "dual_status"),
        (COMPARISON, "", EXCLUDED, "03", "alignment"),  # nobody said what it was
        (unassigned("OH"), "02", EXCLUDED, "03", "alignment"),
    ],
)
def test_why_costs_count_elsewhere(
    before: Place, status_before: str, after: Place, status_after: str, expected: str
) -> None:
    assert move_cause(before, status_before, after, status_after) == expected


def test_a_later_word_on_dual_status_moves_the_costs_of_the_month_with_that_cause() -> None:
    cost = CostChange(2, "claims", "OH", ("medicaid", "drugs", False, "both"), "2022-01", 700, 1)
    changes = cell_changes([cost], [Assignment(1, COMPARISON, "02"), Assignment(5, EXCLUDED, "03")])
    assert [(one.sequence, one.cause, one.place, one.cents) for one in changes] == [
        (2, "claims", COMPARISON, 700), (5, "dual_status", COMPARISON, -700), (5, "dual_status", EXCLUDED, 700),
    ]  # fmt: skip


statuses = st.sampled_from(["", "02", "03", "08"])
decisions = st.lists(
    st.builds(
        Decision, person_id=st.just("pa"), month=st.just("2022-01"), sequence=st.integers(1, 4), revision=st.integers(1, 9),
        place=st.sampled_from([ALIGNED, MOVED, COMPARISON, EXCLUDED]), traits=st.builds(Traits, dual_status=statuses),
    ),
    max_size=6,
    unique_by=lambda one: (one.sequence, one.revision),
)  # fmt: skip


@given(decisions, st.randoms(use_true_random=False))
def test_causes_do_not_depend_on_the_order_in_which_decisions_arrive(arrived: list[Decision], chance: object) -> None:
    """One by one in any order, or at once: costs end up in the same cells with the same causes."""
    cost = CostChange(1, "claims", "OH", ("medicaid", "drugs", False, "both"), "2022-01", 700, 1)
    key = ("pa", "2022-01")
    totals = []
    for order in (arrived, chance.sample(arrived, len(arrived))):  # type: ignore[attr-defined]
        known: dict[int, tuple[int, Place, str]] = {}
        cells: dict[object, int] = {}
        for decision in order:
            revised = revise_assignments([decision], {key: known})
            for sign, side in zip((-1, 1), revised.moved.get(key, ([], [])), strict=True):
                for change in cell_changes([cost], side) if key in revised.moved else []:
                    cells[change[:3]] = cells.get(change[:3], 0) + sign * change.cents
            for one in revised.written:
                known[one.sequence] = (one.revision, one.place, one.traits.dual_status)
        totals.append({cell: cents for cell, cents in cells.items() if cents})
    assert totals[0] == totals[1]


amounts = st.builds(Amounts, st.integers(-(10**12), 10**12), st.integers(-1000, 1000))


@given(amounts, st.dictionaries(st.sampled_from(list(STEP_OF_CAUSE)), amounts))
def test_the_steps_add_up_and_each_says_what_is_reached(first: Amounts, causes: dict[str, Amounts]) -> None:
    last = first
    for one in causes.values():
        last = last.plus(one)
    falls = waterfall(first, causes, last)
    reached = first
    for fall in falls:
        reached = reached.plus(fall.added)
        assert fall.reached == reached
        assert fall.added != (0, 0)
    assert reached == last
    assert [fall.step for fall in falls] == [
        STEP_OF_CAUSE[cause] for cause in STEP_OF_CAUSE if causes.get(cause, (0, 0)) != (0, 0)
    ]


@pytest.mark.parametrize(
    "causes", [{}, {"claims": Amounts(4, 1)}, {"claims": Amounts(5, 0)}, {"weather": Amounts(5, 1)}]
)
def test_what_does_not_add_up_is_no_waterfall(causes: dict[str, Amounts]) -> None:
    with pytest.raises(DoesNotAddUpError):
        waterfall(Amounts(0, 0), causes, Amounts(5, 1))
