"""The benchmark of effects: both sides do what they say, on small cells; seconds are not judged."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from infra.bench.county_worlds import CountyWorld
from infra.bench.effect_speed import main, measured, ours, panel_of_all, rival

WORLD = CountyWorld(2, counties=6, months=8)


def test_both_estimate_the_same_of_every_payer_and_category() -> None:
    panel = panel_of_all(WORLD)
    found = ours(WORLD, panel)
    assert len(found) == 24
    assert [one.estimate.effect for one in found] == pytest.approx(rival(WORLD, panel), rel=1e-6)
    assert all(one.estimate.limits is None or one.estimate.limits[0] < one.estimate.limits[1] for one in found)
    assert len({one.series for one in found}) == 24


def test_what_was_measured_says_how_large_it_was() -> None:
    found = measured(WORLD, 1)
    assert (found.series, found.cells, found.counties, found.draws) == (24, 6 * 2 * 8, 6, 999)
    assert found.ratio == pytest.approx(found.ours_seconds / found.statsmodels_seconds, rel=0.2)
    assert np.isfinite(found.ratio)


def test_it_is_printed_for_people_and_for_machines() -> None:
    arguments = ["--counties", "6", "--months", "8", "--rounds", "1"]
    told = CliRunner().invoke(main, arguments)
    assert told.exit_code == 0
    assert "24 series, 96 cells" in told.output
    machine = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).output)
    assert machine["counties"] == 6
