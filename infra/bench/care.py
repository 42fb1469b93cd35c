"""``python -m infra.bench.care``: planted gaps in care, found by the service from simulated files; recall and precision by action.

An action is right if, on the day it was raised, what it asks for had in truth not been done. A gap counts for recall if it lasted
long enough for a monthly look to see it, and its person was aligned, alive and had not opted out meanwhile. Of gaps that ended, the
actions that were not closed with the day of the service are told by what became of them (``done``: on another day).
"""

import asyncio
import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import click
from rich.table import Table

from contracts.months import add_months, last_day, month_of
from infra.bench.care_run import CareRun, care_run, deliver_all, deliveries_of
from infra.command.output import results
from infra.local.postgresql import running_postgresql
from infra.simulator import simulate

YEARLY: Final = (
    "connect_primary_care", "wellness_visit", "diabetes_eye_exam", "diabetes_foot_exam", "diabetes_blood_test",
    "nutrition_meals",
)  # fmt: skip
# Days between sessions, and how long after the last a silence can be told from claims that are on their way.
SERIES: Final = {"missed_dialysis": (2, 90), "missed_wound_care": (7, 125), "missed_infusion": (28, 205)}
# How many days each test counts, and from how many days of silence on the lack of all can be told.
SCREENINGS: Final = {
    "breast_cancer_screening": ({"mammography": 822}, 822),
    "colorectal_cancer_screening": ({"colonoscopy": 3652, "stool_dna": 1096, "stool_blood": 365}, 1095),
}
KINDS: Final = (*YEARLY, "flu_vaccine", "falls_prevention", *SERIES, *SCREENINGS)
_YEAR: Final = timedelta(days=365)
_MONTH: Final = timedelta(days=31)
_DELAYS: Final = {"flu_vaccine": 45, "falls_prevention": 59}


@dataclass(frozen=True, slots=True)
class Action:
    """What the service raised."""

    kind: str
    raised_on: date
    outcome: str | None
    done_on: date | None


@dataclass(frozen=True, slots=True)
class Person:
    """The truth about one person, and what the service raised."""

    gaps: list[tuple[str, date, date | None]]
    done: dict[str, list[date]]
    reachable: bool
    aligned: frozenset[str]
    actions: list[Action]


@dataclass(slots=True)
class Score:
    """Counts of one kind of action."""

    kind: str
    gaps: int = 0
    found: int = 0
    raised: int = 0
    right: int = 0
    ended: int = 0
    closed: int = 0
    late_claims: int = field(default=0)
    otherwise: Counter[str] = field(default_factory=Counter)


def season_begins(day: date) -> date:
    """The first of September before a day."""
    return date(day.year if day.month > 8 else day.year - 1, 9, 1)  # noqa: PLR2004 - the season's first month


def is_needed(kind: str, on: date, done: dict[str, list[date]]) -> bool:
    """Whether what the action asks for had not been done by a day."""
    if kind in SCREENINGS:
        tests = SCREENINGS[kind][0].items()
        return not any(on - timedelta(days=days) < day <= on for test, days in tests for day in done.get(test, ()))
    before = sorted(day for day in done.get(kind, ()) if day <= on)
    if kind == "flu_vaccine":
        return not any(day >= season_begins(on) for day in before)
    if kind == "falls_prevention":
        falls = [day for day in done.get("fall", ()) if on - timedelta(days=130) <= day <= on]
        frail = any(on - _YEAR < day <= on for day in done.get("frailty", ()))
        since = max(falls) if falls else on - _YEAR
        return (bool(falls) or frail) and not any(day >= since for day in before)
    if kind in SERIES:
        return bool(before) and on - before[-1] > timedelta(days=2 * SERIES[kind][0])
    return not any(day > on - _YEAR for day in before)


def told_from(kind: str, since: date) -> date:
    """From when on a gap can be seen."""
    if kind in SCREENINGS:
        return since + timedelta(days=SCREENINGS[kind][1]) + _MONTH
    if kind in YEARLY:
        return since + _YEAR + timedelta(days=45) + _MONTH
    return since + timedelta(days=SERIES[kind][1] if kind in SERIES else _DELAYS[kind])


def counts(person: Person, gap: tuple[str, date, date | None], last: date) -> bool:
    """Whether a gap could have been found: it lasted, and its person could be acted for."""
    kind, since, closed_on = gap
    seen = told_from(kind, since)
    looked_at = seen if kind in YEARLY or kind in SCREENINGS else since
    months = {add_months(month_of(looked_at), number) for number in range(4)}
    return person.reachable and seen <= last and (closed_on is None or closed_on > seen) and months <= person.aligned


def scores(people: Iterable[Person], last: date) -> list[Score]:
    """Counts by kind; only of actions raised while services were still delivered."""
    found = {kind: Score(kind) for kind in KINDS}
    for person in people:
        for action in person.actions:
            if action.kind in found and action.raised_on <= last:
                found[action.kind].raised += 1
                found[action.kind].right += is_needed(action.kind, action.raised_on, person.done)
                found[action.kind].late_claims += action.done_on is not None and action.done_on <= action.raised_on
        for gap in person.gaps:
            if counts(person, gap, last):
                _add_gap(found[gap[0]], gap, person.actions, last)
    return list(found.values())


def _add_gap(score: Score, gap: tuple[str, date, date | None], actions: Sequence[Action], last: date) -> None:
    kind, since, closed_on = gap
    during = [one for one in actions if one.kind == kind and since <= one.raised_on <= (closed_on or last)]
    score.gaps += 1
    score.found += bool(during)
    if closed_on is not None and during:
        score.ended += 1
        shown = any(one.outcome == "done" and one.done_on == closed_on for one in during)
        score.closed += shown
        if not shown:
            score.otherwise[during[-1].outcome or "open"] += 1


async def _actions(run: CareRun) -> dict[str, list[Action]]:
    rows = await run.risk.fetch(
        "SELECT care_action.person_id, kind, raised_on, outcome, done_on "
        "FROM care_action LEFT JOIN care_closing USING (action_id) ORDER BY raised_on"
    )
    found: dict[str, list[Action]] = defaultdict(list)
    for row in rows:
        found[row["person_id"]].append(Action(*tuple(row)[1:]))
    return found


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


async def _people(run: CareRun, truth: dict[str, Any]) -> list[Person]:
    actions = await _actions(run)
    aligned = {one["mbis"][0]: frozenset(one["aligned_months"]) for one in truth["alignment"]}
    people = []
    for one in truth["care"]:
        person_id = await run.person(one["mbi"])
        gaps = [(gap["kind"], date.fromisoformat(gap["since"]), _day(gap["closed_on"])) for gap in one["gaps"]]
        done = {kind: [date.fromisoformat(day) for day in days] for kind, days in one["done"].items()}
        reachable = not one["opted_out"] and one["death"] is None
        people.append(Person(gaps, done, reachable, aligned[one["mbi"]], actions.get(person_id or "", [])))
    return people


async def measure(database_url: str, directory: Path) -> list[Score]:
    """Deliver everything, then hold what was raised against the truth."""
    truth = json.loads((directory / "truth.json").read_text(encoding="utf-8"))
    async with care_run(database_url) as run:
        await deliver_all(run, deliveries_of(directory))
        return scores(await _people(run, truth), last_day(truth["parameters"]["last_month"]))


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%} ({part}/{whole})" if whole else "-"


def _shown(found: Iterable[Score]) -> Table:
    table = Table(box=None)
    for column in ("action", "recall", "precision", "closed by its claim", "else", "claim on its way"):
        table.add_column(column, justify="left" if column == "action" else "right")
    for one in found:
        shares = (_share(one.found, one.gaps), _share(one.right, one.raised), _share(one.closed, one.ended))
        otherwise = ", ".join(f"{outcome} {count}" for outcome, count in sorted(one.otherwise.items()))
        table.add_row(one.kind, *shares, otherwise, str(one.late_claims))
    return table


@click.command()
@click.option("--people", type=click.IntRange(1, 20_000), default=300, show_default=True)
@click.option("--months", type=click.IntRange(15, 60), default=20, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def main(people: int, months: int, seed: int, as_json: bool) -> None:  # noqa: FBT001 - click's own way
    """Find planted gaps in care."""
    # Not below a private folder: as root, PostgreSQL runs as another account, which must be able to enter.
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        simulate(folder / "files", people=people, months=months, seed=seed, care=True)
        with running_postgresql(folder / "postgresql") as url:
            found = asyncio.run(measure(url, folder / "files"))
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1))
    else:
        results.print(_shown(found))


if __name__ == "__main__":
    main()
