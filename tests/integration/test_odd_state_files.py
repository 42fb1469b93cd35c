"""What odd files of a state do to published measures, from the file to the figure: one that ends early, codes that are renamed, another programme.

Cases as they were met in King County's public enrolment files (docs/feeds.md). Here the state's own file is the only one of the state that tells dual status; the
834 tells plans. The names of the tests are those of the rules.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cost_run import CostRun, cost_run

from infra.simulator import simulate

pytestmark = pytest.mark.broker
Figures = dict[tuple[Any, ...], tuple[int, int]]
Rewrite = Callable[[list[list[str]]], list[list[str]]]
PROGRAMME, DUAL, PLAN, BEGIN, END = 8, 9, 11, 13, 14
THEIRS = "MCO9002"


class Told(NamedTuple):
    """Figures as of the last delivery, why they moved with it, people by cohort, and what became of the state's files."""

    measures: Figures
    causes: set[str]
    person_months: dict[tuple[str, str], int]
    states: list[tuple[str, str]]
    refused: set[str]

    def total(self) -> int:
        return sum(cents for cents, _ in self.measures.values())


def _without_dual_status(path: Path) -> None:
    segments = path.read_text(encoding="ascii").split("~\n")
    kept = [one for one in segments if not one.startswith("REF*F5*")]
    place = {name: next(at for at, one in enumerate(kept) if one.startswith(f"{name}*")) for name in ("ST", "SE")}
    kept[place["SE"]] = f"SE*{place['SE'] - place['ST'] + 1}*0001"
    path.write_text("~\n".join(kept), encoding="ascii")


def _rewritten(path: Path, rewrite: Rewrite) -> None:
    heading, *rows, _ = path.read_text(encoding="ascii").splitlines()
    told = rewrite([row.split(",") for row in rows])
    path.write_text("\n".join([heading, *(",".join(row) for row in told), f"TRL,{len(told)}", ""]), encoding="ascii")


async def _told(url: str, folder: Path, rewrite: Rewrite, *, files_of_state: int = 3) -> Told:
    """Three months of deliveries, the state's newest file last; ``rewrite`` makes it odd."""
    simulate(folder, people=6, months=2, seed=3, eligibility=("state-file",))
    files = sorted((folder / "deliveries").glob("00[123]-*/*"))
    for path in files:
        if path.name.startswith("834."):
            _without_dual_status(path)
    state = [path for path in files if path.name.startswith("STATE_ELIGIBILITY")]
    told = state[:files_of_state]
    for number, path in enumerate(told):
        # Another end in each, as the same rows again would be no delivery.
        _rewritten(path, lambda rows, day=f"202212{28 + number}": [[*row[:END], day] for row in rows])
    _rewritten(told[-1], rewrite)
    async with cost_run(url, [*(path for path in files if path not in state or path in told[:-1]), told[-1]]) as run:
        return await _read(run)


async def _read(run: CostRun) -> Told:
    figures = await run.cost_shift.fetch(
        """SELECT DISTINCT ON (cohort, entity, payer, category, month) cohort, entity, payer, category, month, cents, claims
        FROM published_measure ORDER BY cohort, entity, payer, category, month, revision DESC"""
    )
    causes = await run.cost_shift.fetch(
        "SELECT DISTINCT cause FROM restatement WHERE revision = (SELECT max(sequence) FROM revision)"
    )
    people = await run.cost_shift.fetch(
        """SELECT cohort, month, sum(person_months)::bigint FROM (
            SELECT DISTINCT ON (cohort, entity, month) cohort, entity, month, person_months FROM published_person_months
            ORDER BY cohort, entity, month, revision DESC
        ) AS counted GROUP BY cohort, month HAVING sum(person_months) > 0"""
    )
    states = await run.writing.fetch(
        "SELECT status, coalesce(reason_code, '') FROM delivery WHERE kind = 'state_eligibility'"
    )
    refused = await run.writing.fetch("SELECT DISTINCT reason FROM quarantined_line")
    return Told(
        {tuple(row)[:5]: tuple(row)[5:] for row in figures if any(tuple(row)[5:])},  # type: ignore[misc]
        {row["cause"] for row in causes},
        {tuple(row)[:2]: row[2] for row in people},  # type: ignore[misc]
        sorted(tuple(row) for row in states),  # type: ignore[misc]
        {row["reason"] for row in refused},
    )


@pytest.fixture(scope="module")
def whole(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What is published where nothing is odd."""
    return asyncio.run(_told(module_database_url, tmp_path_factory.mktemp("whole"), _as_delivered))


def _as_delivered(rows: list[list[str]]) -> list[list[str]]:
    return rows


def _of_the_other_plan(rows: list[list[str]], **values: str) -> list[list[str]]:
    places = {"programme": PROGRAMME, "dual": DUAL, "begin": BEGIN, "end": END}
    changed = {places[name]: value for name, value in values.items()}
    return [[changed.get(at, value) for at, value in enumerate(row)] if row[PLAN] == THEIRS else row for row in rows]


def test_a_feed_that_ends_early_takes_nobody_out_of_a_cohort(
    whole: Told, module_database_url: str, tmp_path: Path
) -> None:
    """The state tells of January alone and then no more: the months behind are no non-dual's, and no cent moves."""

    def january(rows: list[list[str]]) -> list[list[str]]:
        return [[*row[:END], "20220131"] for row in rows]

    told = asyncio.run(_told(module_database_url, tmp_path, january, files_of_state=1))
    assert (len(told.states), len(whole.states)) == (1, 3)
    assert (told.measures, told.person_months) == (whole.measures, whole.person_months)
    assert whole.person_months["comparison", "2022-02"] > 0


def test_renamed_codes_are_refused_and_no_figure_moves(whole: Told, module_database_url: str, tmp_path: Path) -> None:
    told = asyncio.run(
        _told(module_database_url, tmp_path, lambda rows: _of_the_other_plan(rows, programme="Q-M-B PLUS", dual=""))
    )
    assert (told.measures, told.person_months) == (whole.measures, whole.person_months)
    assert told.causes.isdisjoint({"dual_status", "alignment"})
    assert (told.refused, whole.refused) == ({"not_in_code_list"}, set())


def test_another_programme_moves_every_cent_for_its_reason(
    whole: Told, module_database_url: str, tmp_path: Path
) -> None:
    told = asyncio.run(
        _told(module_database_url, tmp_path, lambda rows: _of_the_other_plan(rows, programme="SLMB", dual="03"))
    )
    assert told.causes == {"dual_status"}
    assert told.total() == whole.total()
    assert {key[0] for key in whole.measures} >= {"comparison", "aligned"}
    moved = {key: figure for key, figure in whole.measures.items() if key[0] == "comparison"}
    assert not [key for key in told.measures if key[0] == "comparison"]
    for key, (cents, claims) in moved.items():
        excluded = ("excluded", *key[1:])
        before = whole.measures.get(excluded, (0, 0))
        assert told.measures[excluded] == (before[0] + cents, before[1] + claims)
    aligned = {key: figure for key, figure in whole.measures.items() if key[0] == "aligned"}
    assert {key: figure for key, figure in told.measures.items() if key[0] == "aligned"} == aligned
    assert told.person_months.get(("comparison", "2022-02"), 0) == 0


def test_which_programme_covered_a_month_is_the_first_rank_that_a_row_names(
    whole: Told, module_database_url: str, tmp_path: Path
) -> None:
    """Premiums alone in one row, full benefits in the other: the month is a full dual's, whatever the order of the rows."""

    def both(rows: list[list[str]]) -> list[list[str]]:
        return [*_of_the_other_plan([row for row in rows if row[PLAN] == THEIRS], programme="SLMB", dual="03"), *rows]

    told = asyncio.run(_told(module_database_url, tmp_path, both))
    assert (told.measures, told.person_months) == (whole.measures, whole.person_months)
    assert told.causes.isdisjoint({"dual_status", "alignment"})
