"""The axis of a figure has round values that enclose everything drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.command.evidence_figures import Line, line_figure, round_ticks


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 4_200.0, [0, 1_000, 2_000, 3_000, 4_000, 5_000]),
        (-60.0, 45.0, [-100, -50, 0, 50]),
        (0.0, 0.0, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-3.0, 0.0, [-3, -2, -1, 0]),
    ],
)
def test_ticks(low: float, high: float, ticks: list[float]) -> None:
    assert round_ticks(low, high) == pytest.approx(ticks)


@given(st.floats(-1e7, 0), st.floats(1e-3, 1e7))
def test_ticks_enclose_what_is_drawn_and_are_few(low: float, high: float) -> None:
    ticks = round_ticks(low, high)
    assert ticks[0] <= low
    assert high <= ticks[-1]
    assert 2 <= len(ticks) <= 8


def test_a_figure_of_nothing_is_drawn_too() -> None:
    assert line_figure("Nothing", ["2022-01"], [Line("nobody", {})], None, "dollars").startswith("<svg")
