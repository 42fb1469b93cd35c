"""Every figure of cost shift, from delivered files through intake and alignment to the gateway, equals what DuckDB makes of the raw lines of the same files.

To the cent and at every revision, in worlds whose feeds come late, out of turn and under two names for one person. Where this fails, the message is a
table of figures; it holds no person.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from cost_answers import (
    Rows,
    completeness,
    differing,
    measures,
    pairs,
    person_months,
    restatements,
    use,
    waterfall,
)  # fmt: skip
from cost_oracle import CostOracle
from cost_run import CostRun, cost_run, gateway
from cost_world import deliveries

from contracts.cost_shift import MeasureRestated

pytestmark = [pytest.mark.broker, pytest.mark.e2e]


class World(NamedTuple):
    """A simulated population; ``late``: feeds come behind each other; ``aligned``: two who turn out to be one are both in the alignment reports.

    ``holds``: what of the hard only some worlds have.
    """

    seed: int
    people: int
    months: int
    late: bool
    aligned: bool
    holds: frozenset[str]


# Of everything that is hard to get right, what every world has.
ALWAYS = frozenset({
    "aligned", "comparison", "excluded", "both", "services", "capitation", "use", "crossover", "held", "repeated", "merged",
    "claims", "cancellations", "alignment", "dual_status", "residence", "medicare admissions",
    "medicare emergency_visits", "medicaid personal_care_days",
})  # fmt: skip
WORLDS = (
    World(3, 8, 4, False, False, frozenset({
        "medicaid admissions", "medicaid emergency_visits", "medicaid nursing_facility_days", "medicare skilled_nursing_days",
    })),
    World(11, 8, 4, True, True, frozenset({"unassigned", "medicare home_health_periods"})),
    World(29, 8, 4, True, False, frozenset({"unassigned"})),
    World(57, 8, 4, True, False, frozenset({"medicaid home_health_periods"})),
    World(6, 8, 4, True, True, frozenset({"unassigned"})),
)  # fmt: skip
GROUPS = (
    ["cohort", "entity", "payer", "category", "month"],
    ["cohort", "entity", "county", "payer", "category", "month"],
    ["payer", "month"],
    ["county", "cohort"],
    ["category"],
)
USE_GROUPS = (["cohort", "month"], ["entity", "county", "cohort", "month"], ["cohort"], ["month"])
TABLES = {
    "published_measure": "cohort, entity, payer, category, month, revision, cents, claims, crossover_cents, crossover_claims",
    "published_person_months": "cohort, entity, month, revision, person_months",
    "restatement": "revision, cause, cohort, entity, payer, category, month, cents, claims, crossover_cents, crossover_claims",
}  # fmt: skip
_CELLS = """
    SELECT sequence, cohort, entity, county, payer, category, crossover, CASE category WHEN 'capitation' THEN category ELSE basis END, month,
        cause, sum(cents)::bigint, sum(claims)::bigint
    FROM cell_delta GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 HAVING sum(cents) <> 0 OR sum(claims) <> 0
"""
Answers = dict[tuple[str, int], Any]


@dataclass(slots=True, repr=False)
class Compared:
    """What the services made of a world, what they answered as of four revisions, and what the files say."""

    world: World
    run: CostRun
    oracle: CostOracle
    tables: dict[str, list[tuple[Any, ...]]]
    asked: list[int]
    answers: dict[tuple[Any, ...], Any]


async def _asked(client: Any, path: str, revision: int, **parameters: Any) -> Any:
    answer = await client.get(f"/v1/{path}", params={"as_of": revision, **parameters})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _answered(url: str, asked: list[int], since: int) -> dict[tuple[Any, ...], Any]:
    found: dict[tuple[Any, ...], Any] = {}
    async with gateway(url) as client:
        for revision in asked:
            for group in GROUPS:
                for basis in ("services", "outlay"):
                    found["measures", basis, *group, revision] = await _asked(
                        client, "measures", revision, basis=basis, group_by=group, limit=10_000
                    )
                people = [name for name in group if name not in {"payer", "category"}]
                if people:
                    found["person-months", *people, revision] = await _asked(
                        client, "person-months", revision, group_by=people
                    )
            for group in USE_GROUPS:
                found["use", *group, revision] = await _asked(client, "use", revision, group_by=group)
            found["completeness", revision] = await _asked(client, "completeness", revision)
            for start in (0, since):
                found["waterfall", start, revision] = await _asked(client, "waterfall", revision, since=start)
            found["waterfall-aligned", revision] = await _asked(
                client, "waterfall", revision, cohort="aligned", entity="D9001"
            )
            found["pairs", revision] = await _asked(
                client, "descriptive-effects", revision, entity="D9001", pre_from="2022-01", pre_to="2022-02",
                post_from="2022-03", post_to="2022-05",
            )  # fmt: skip
    return found


async def _compared(url: str, folder: Any, world: World) -> Compared:
    files = deliveries(folder / "world", world.seed, world.people, world.months, late=world.late, aligned=world.aligned)
    async with cost_run(url, files) as run:
        numbers = [one.sequence for one in run.delivered]
        asked = [numbers[len(numbers) * part // 4 - 1] for part in (2, 3, 4)]
        statements = {name: f"SELECT {columns} FROM {name}" for name, columns in TABLES.items()} | {"cells": _CELLS}
        tables = {
            name: [tuple(row) for row in await run.cost_shift.fetch(statement)]
            for name, statement in statements.items()
        }
        answers = await _answered(url, asked, since=numbers[len(numbers) // 3])
    return Compared(world, run, CostOracle(run.delivered, folder / "raw"), tables, asked, answers)


@pytest.fixture(scope="module", params=WORLDS, ids=lambda world: f"seed{world.seed}")
def compared(
    request: pytest.FixtureRequest, module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Compared]:
    return asyncio.run(_compared(module_database_url, tmp_path_factory.mktemp("costs"), request.param))


def _fraction(shown: dict[str, Any] | None) -> Fraction | None:
    return None if shown is None else Fraction(shown["numerator"], shown["denominator"])


def _key(row: dict[str, Any], names: list[str]) -> tuple[Any, ...]:
    shown = {"entity": "entity_id", "county": "county_fips"}
    return tuple(row[shown.get(name, name)] or "" for name in names)


def _equal(found: Rows, expected: Rows, of: object) -> None:
    if found != expected:
        # Not by assert: it would show all that there is.
        pytest.fail(f"{of}: {differing(found, expected)}", pytrace=False)


def test_published_figures_at_every_revision(compared: Compared) -> None:
    standing: Rows = {}
    for delivered in compared.oracle.deliveries:
        revision = delivered.sequence
        standing |= {row[:5]: row[6:] for row in compared.tables["published_measure"] if row[5] == revision}
        group = ("cohort", "entity", "payer", "category", "month")
        expected = {key: row[:4] for key, row in measures(compared.oracle, revision, "services", group).items()}
        _equal({key: row for key, row in standing.items() if any(row)}, expected, revision)


def test_published_person_months_at_every_revision(compared: Compared) -> None:
    standing: Rows = {}
    for delivered in compared.oracle.deliveries:
        revision = delivered.sequence
        standing |= {row[:3]: row[4:] for row in compared.tables["published_person_months"] if row[3] == revision}
        counted = person_months(compared.oracle, revision, ("cohort", "entity", "month"))
        _equal(
            {key: row for key, row in standing.items() if row[0]},
            {key: (row,) for key, row in counted.items()},
            revision,
        )


def _said_so(oracle: CostOracle) -> Iterator[tuple[int, tuple[Any, ...], tuple[Any, ...]]]:
    """Revision, figure and what has to be said of it, wherever a figure became another."""
    causes: dict[tuple[Any, ...], set[str]] = {}
    for revision, cause, *figure in restatements(oracle):
        known = "alignment" if cause in {"dual_status", "residence"} else cause
        causes.setdefault((revision, *figure), set()).add(known)
    before: dict[tuple[Any, ...], tuple[int, tuple[Any, ...]]] = {}
    for revision in (one.sequence for one in oracle.deliveries):
        people = person_months(oracle, revision, ("cohort", "entity", "month"))
        now = measures(oracle, revision, "services", ("cohort", "entity", "payer", "category", "month"))
        for key in sorted(now.keys() | before.keys()):
            figure = now.get(key, (0, 0, 0, 0))[:4]
            then, was = before.get(key, (None, (0, 0, 0, 0)))
            if figure != was:
                behind = people.get((*key[:2], key[4]), 0)
                why = sorted(causes[revision, *key])
                yield revision, key, (*figure, behind, then, None if then is None else was[0], why)
                before[key] = revision, figure


def test_what_was_said_is_what_is_so(compared: Compared) -> None:
    """Events: the figure, the one before, the months behind it, and causes by the names that readers know."""
    found = {}
    for event in (one for one in compared.run.published if isinstance(one, MeasureRestated)):
        data, key = event.data, event.data.key
        figure = (key.cohort, key.entity_id or "", key.payer, key.category, key.month)
        found[event.deliveryseq, *figure] = (
            data.cents, data.claims, data.crossover_cents, data.crossover_claims, data.person_months, data.previous_revision,
            data.previous_cents, list(data.causes),
        )  # fmt: skip
    _equal(found, {(revision, *key): said for revision, key, said in _said_so(compared.oracle)}, "events")


def test_why_every_cell_moved(compared: Compared) -> None:
    expected = compared.oracle.rows(
        "SELECT seq, cohort, entity, county, payer, category, crossover, basis, month, cause, cents, claims FROM moved"
    )
    found = {row[:10]: row[10:] for row in compared.tables["cells"]}
    _equal(found, {row[:10]: row[10:] for row in expected}, "cells")


def test_why_every_figure_moved(compared: Compared) -> None:
    found = {row[:7]: row[7:] for row in compared.tables["restatement"]}
    _equal(found, restatements(compared.oracle), "restatements")


@pytest.mark.parametrize("basis", ["services", "outlay"])
@pytest.mark.parametrize("group", GROUPS, ids="+".join)
def test_measures_answered(compared: Compared, basis: str, group: list[str]) -> None:
    for revision in compared.asked:
        names = ("cents", "claims", "crossover_cents", "crossover_claims", "person_months")
        answer = compared.answers["measures", basis, *group, revision]
        assert answer["next_offset"] is None
        found = {
            _key(row, group): (*(row[name] for name in names), _fraction(row["pbpm"]))
            for row in answer["measures"]
            if any(row[name] for name in names[:4])
        }
        _equal(found, measures(compared.oracle, revision, basis, group), (basis, revision))


def test_person_months_answered(compared: Compared) -> None:
    for asked, answer in compared.answers.items():
        if asked[0] == "person-months":
            *group, revision = asked[1:]
            found = {
                _key(row, group): (row["person_months"],) for row in answer["person_months"] if row["person_months"]
            }
            counted = person_months(compared.oracle, revision, group)
            _equal(found, {key: (count,) for key, count in counted.items()}, asked)


@pytest.mark.parametrize("group", USE_GROUPS, ids="+".join)
def test_use_answered(compared: Compared, group: list[str]) -> None:
    for revision in compared.asked:
        found, expected = {}, use(compared.oracle, revision, group)
        for row in compared.answers["use", *group, revision]["rows"]:
            key = (*_key(row, group), row["payer"], row["use"])
            share = row["share_come_in"]
            if share is not None and key in expected and expected[key][4] is not None:
                # Six decimals are shown.
                share = pytest.approx(expected[key][4], abs=1e-6) == share and expected[key][4]
            found[key] = (row["amount"], row["crossover"], row["person_months"], _fraction(row["per_1000"]), share)
        _equal(found, expected, revision)


def test_completeness_answered(compared: Compared) -> None:
    for revision in compared.asked:
        expected, answer = completeness(compared.oracle, revision), compared.answers["completeness", revision]
        assert answer["last_delivery"] == {payer: months[-1] for payer, months in expected.received.items()}
        lags = {
            (one["payer"], one["category"] or "", lag["lag"]): lag for one in answer["series"] for lag in one["lags"]
        }
        worked_out = {(*series, lag): found for series, of in expected.factors.items() for lag, found in of.items()}
        assert lags.keys() == worked_out.keys()
        for (payer, category, lag), (factor, months, _) in worked_out.items():
            shown, share = lags[payer, category, lag], expected.share((payer, category), lag)
            assert (shown["factor"], shown["months_observed"]) == (pytest.approx(factor, abs=1e-6), months)
            assert (shown["share"], shown["relative_error"]) == (
                pytest.approx(share, abs=1e-6) if share else (None, None)
            )
        for month in answer["months"]:
            share = expected.of(month["payer"], "", month["month"])
            assert month["share"] == (share and pytest.approx(share[0], abs=1e-6))
            too_soon = month["lag"] in expected.too_soon.get(month["payer"], frozenset())
            assert month["used"] == (not too_soon and (share is None or share[0] >= answer["least"]))


def test_waterfalls_answered(compared: Compared) -> None:
    for asked, answer in compared.answers.items():
        if not asked[0].startswith("waterfall"):
            continue
        since, revision = answer["since"], answer["revision"]
        where = "cohort = 'aligned'" if asked[0] == "waterfall-aligned" else "cohort <> 'unassigned'"
        found = {
            (one["payer"],): (
                one["first_cents"], one["first_claims"], one["last_cents"], one["last_claims"],
                {step["step"]: (step["cents"], step["claims"]) for step in one["steps"]},
            )
            for one in answer["payers"]
        }  # fmt: skip
        _equal(found, waterfall(compared.oracle, since, revision, where), asked)
        counted = [
            sum(count for (cohort,), count in person_months(compared.oracle, at, ("cohort",)).items()
                if cohort == "aligned" or asked[0] == "waterfall")
            for at in (since, revision)
        ]  # fmt: skip
        assert [answer["first_person_months"], answer["last_person_months"]] == counted


def test_pairs_answered(compared: Compared) -> None:
    for revision in compared.asked:
        expected = pairs(compared.oracle, revision, ("2022-01", "2022-02"), ("2022-03", "2022-05"))
        found = {
            pair["channel"]: (
                _fraction(pair["medicare_effect"]), _fraction(pair["medicaid_effect"]), _fraction(pair["net_effect"]),
                _fraction(pair["offset_ratio"]), pair["direction"], _fraction(pair["shifted"]), pair["shifted_cents"],
                pair["net_cents"],
            )
            for pair in compared.answers["pairs", revision]["pairs"]
        }  # fmt: skip
        _equal(found, expected, revision)


def test_the_worlds_hold_what_is_hard(compared: Compared) -> None:
    """Every world most of it; what chance gives to some alone is named with them."""
    oracle, run = compared.oracle, compared.run
    found = {
        name
        for (name,) in oracle.rows("SELECT cause FROM moved UNION SELECT basis FROM cell UNION SELECT cohort FROM cell")
    }
    found |= {" ".join(row) for row in oracle.rows("SELECT DISTINCT payer, category FROM cell WHERE basis = 'use'")}
    found |= {"crossover"} if oracle.rows("SELECT 1 FROM cell WHERE crossover AND cents > 0 LIMIT 1") else set()
    found |= {"held"} if run.held else set()
    found |= {"merged"} if oracle.people.merged else set()
    found |= {"repeated"} if run.repeated else set()
    assert found >= ALWAYS | compared.world.holds, found
    assert ("tandem.identity.people-merged.v1" in run.kinds) == (oracle.people.merged > 0)
