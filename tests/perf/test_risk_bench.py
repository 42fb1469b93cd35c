"""The benchmark of risk at a small size: scores are told once, again only for whom something changed, tiers for all."""

import asyncio

import pytest

from infra.bench.risk import measured, table

pytestmark = [pytest.mark.broker, pytest.mark.perf]


def test_only_changed_inputs_are_scored_again(database_url: str) -> None:
    scores, tiers = asyncio.run(measured(database_url, 60, 200, 4))
    assert (scores.worker.scores, scores.library.scores) == (60 * 4, 60 * 2)
    assert scores.told_again == 0
    assert (scores.changed, scores.told_of_changed) == (20, 40)
    assert (tiers.claims, tiers.changed) == (800, 0)
    assert table(scores, tiers).row_count == 11
