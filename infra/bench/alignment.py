"""``python -m infra.bench.alignment``: person-months decided, one day's changes, and alignment by claims against DuckDB.

Everything is of one core's time (CPU of the process), on made-up people whose files come every month. Decisions are made of facts that are made,
decided and let go person by person, so that memory does not grow with the number of people: the peak is told at few and at
many. Alignment by claims is computed by the service's rule from its stored form, and by one query of DuckDB over the same
lines as columns; the results must be equal, or nothing is told.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from random import Random
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from contracts.months import add_months, first_day, month_index
from infra.bench.memory import peak_megabytes
from services.alignment.deciding import Known, outcome
from services.alignment.history import decision_history
from services.alignment.paths_policy import Pack, paths_policy
from services.alignment.programme import programme
from services.alignment.rules.claims_based import Participation, claims_based
from services.alignment.statements import AlignedSpan, CoverageSpan, EnrolmentSpan, Fact
from services.alignment.store import row_of
from services.alignment.visits import visits_in

MONTHS, FIRST_MONTH = 36, "2021-01"
FEW, MANY, LINES = 100, 1_000, 1_000_000
_FILES_A_MONTH = 3
_MILLION = 1_000_000
YEAR = "2022-01"
_LINES_A_RECORD = 2
_DAYS = (737_500, 737_970)
_CODES = ("99213", "99214", "99215", "99308", "G0439", "99203")
_SPECIALTIES = ("11", "08", "50", "06", "38", "02")


@dataclass(frozen=True, slots=True)
class Decided:
    """Everybody decided anew, and one file more for each of them."""

    people: int
    whole_seconds: float
    day_seconds: float
    rows_of_a_day: int
    rows_in_all: int
    peak_megabytes: float

    @property
    def rate(self) -> float:
        """Person-months a second, decided at every delivery that there ever was."""
        return self.people * MONTHS / self.whole_seconds


@dataclass(frozen=True, slots=True)
class Claimed:
    """Alignment by claims, of the same lines. ``stored_bytes``: what the service keeps of them."""

    lines: int
    people: int
    rule_seconds: float
    query_seconds: float
    stored_bytes: int
    peak_megabytes: float


def facts_of(number: int) -> list[Fact]:
    """Three files a month about one person; now and then a dual status changes, a span ends or a report takes back."""
    random, facts = Random(number), []
    leaves = random.choice((None, None, None, 20, 30))
    for index in range(MONTHS):
        month = add_months(FIRST_MONTH, index)
        here, day, sequence = month_index(month), first_day(month).toordinal() + 9, _FILES_A_MONTH * index + 1
        dual = "01" if random.random() < 0.03 else "02"  # noqa: PLR2004 - a rare change
        coverage = CoverageSpan(here, here, "C", dual, None, None, "39049", True)
        enrolment = EnrolmentSpan(here, here, True, "MCO9001", "02", "none", None)
        ended = None if leaves is None or index <= leaves else month_index(FIRST_MONTH) + leaves
        span = AlignedSpan(month_index(FIRST_MONTH), ended, "LEFT_MCO" if ended else None)
        facts += [
            Fact(f"c{index}", sequence, "coverage", "OH", "cclf8", day, part_a_began=1, part_b_began=1, coverage=(coverage,)),
            Fact(f"e{index}", sequence + 1, "enrolment", "OH", "834", day, enrolment=(enrolment,)),
            Fact(
                f"r{index}", sequence + 2, "report", "OH", "alignment report", day, entity_id="D9001",
                report_month=here, aligned=(span,),
            ),
        ]  # fmt: skip
    return facts


def decided(people: int) -> Decided:
    """Decide everybody, and then one file more."""
    whole = day = 0.0
    written = rows = 0
    for number in range(people):
        facts = facts_of(number)
        begun = time.process_time()
        history = decision_history(facts[:-1], programme())
        whole += time.process_time() - begun
        rows += len(history)
        stored = {(month, sequence): row_of("p", sequence, one) for (month, sequence), one in history.items()}
        last = facts[-1].sequence
        begun = time.process_time()
        changed = outcome(
            "p", facts, last, Known({key: row for key, row in stored.items() if key[1] >= last}), programme()
        )
        day += time.process_time() - begun
        written += len(changed.rows) + len(changed.gone)
    return Decided(people, whole, day, written, rows, peak_megabytes())


def records_of(lines: int, seed: int) -> Iterator[tuple[int, str]]:
    """A person's number and the visits of one record, as the service keeps them; 40 lines a person."""
    random = Random(seed)
    for record in range(lines // _LINES_A_RECORD):
        person = record // 20
        # Everybody goes to five clinicians of a neighbourhood of thirty.
        clinician = person % 10 * 30 + (person * 7 + random.randrange(5) * 5) % 30
        practice = None if clinician % 10 == 0 else f"31{clinician // 3:07d}"
        day = random.randrange(*_DAYS)
        visits = [
            (
                day, random.choice(_CODES), random.choice(("11", "31", "32")), random.choice(_SPECIALTIES),
                f"1{clinician:09d}", practice, random.choice((1, 1, 1, 1, 1, 1, 1, -1)) * random.randrange(1_000, 30_000),
            )
            for _ in range(_LINES_A_RECORD)
        ]  # fmt: skip
        yield person, json.dumps(visits, separators=(",", ":"))


PARTICIPANTS = {f"1{number:09d}": (Participation("D9001", month_index("2021-01"), None),) for number in range(60)}


def by_rule(stored: Sequence[tuple[int, str]], pack: Pack) -> dict[int, tuple[str, int, int]]:
    """The service's own: read what is kept of a person, align, next person."""
    found = {}
    starts = [place for place in range(len(stored)) if place == 0 or stored[place][0] != stored[place - 1][0]]
    for first, last in pairwise([*starts, len(stored)]):
        visits = visits_in(text for _, text in stored[first:last])
        result = claims_based(visits, PARTICIPANTS, pack, month_index(YEAR))
        if result.scores:
            best = result.scores[0]
            found[stored[first][0]] = (
                best.competitor.entity_id or best.competitor.practice or best.competitor.npi,
                best.thirds,
                best.latest,
            )
    return found


def _listed(values: frozenset[str]) -> str:
    return ", ".join(f"'{value}'" for value in sorted(values))


def query(pack: Pack) -> str:
    """The same in one statement, from the pack's own values."""
    first, second = pack.alignment_years
    part, whole = pack.threshold
    primary, others = _listed(pack.primary_care_specialties), _listed(pack.other_specialties)
    codes = " OR ".join(
        f"(code = '{code}' AND day BETWEEN {one.first} AND {one.last}"
        + (f" AND place NOT IN ({_listed(one.not_in_places)})" if one.not_in_places else "")
        + ")"
        for code in _CODES
        for one in pack.services[code]
    )
    return f"""
        WITH counting AS (
            SELECT person, day, specialty, coalesce(entity, practice, npi) AS who, entity IS NOT NULL AS ours,
                cents * CASE WHEN day <= {first.last} THEN {first.weight} ELSE {second.weight} END AS thirds
            FROM lines LEFT JOIN participants USING (npi)
            WHERE day BETWEEN {first.first} AND {second.last} AND ({codes})
        ), staged AS (
            SELECT *, sum(thirds) FILTER (specialty IN ({primary})) OVER own AS primary_thirds, sum(thirds) OVER own AS total
            FROM counting WINDOW own AS (PARTITION BY person)
        ), days AS (
            SELECT person, who, ours, day, sum(thirds) AS thirds FROM staged
            WHERE CASE WHEN coalesce(primary_thirds, 0) * {whole} >= total * {part}
                THEN specialty IN ({primary}) ELSE specialty IN ({others}) END
            GROUP BY ALL
        ), scores AS (
            SELECT person, who, ours, sum(thirds) AS thirds, max(day) FILTER (thirds > 0) AS latest
            FROM days GROUP BY ALL HAVING sum(thirds) > 0
        )
        SELECT person, arg_max((who, thirds, latest), (thirds, latest, ours::INTEGER)) FROM scores GROUP BY person
    """  # noqa: S608 - values of our own policy


def claimed(lines: int) -> Claimed:
    """Align everybody both ways."""
    pack = paths_policy().pack(YEAR)
    if pack is None:
        raise LookupError(f"no pack for {YEAR}")
    stored = list(records_of(lines, 7))
    begun = time.process_time()
    ours = by_rule(stored, pack)
    rule_seconds = time.process_time() - begun
    with duckdb.connect() as database:
        _fill(database, stored)
        begun = time.process_time()
        rows = database.execute(query(pack)).fetchall()
        query_seconds = time.process_time() - begun
    theirs = {person: tuple(best.values()) if isinstance(best, Mapping) else tuple(best) for person, best in rows}
    differing = sum(ours.get(person) != theirs.get(person) for person in {*ours, *theirs})
    if differing:
        raise SystemExit(f"{differing:,} of {len(ours):,} people are aligned otherwise: no figure is worth telling.")
    return Claimed(
        lines, len(ours), rule_seconds, query_seconds, sum(len(text) for _, text in stored), peak_megabytes()
    )


def _fill(database: duckdb.DuckDBPyConnection, stored: Sequence[tuple[int, str]]) -> None:
    database.execute("CREATE TABLE said (person INTEGER, text VARCHAR)")
    people, texts = zip(*stored, strict=True)
    step = 100_000
    for start in range(0, len(people), step):
        columns = [list(people[start : start + step]), list(texts[start : start + step])]
        database.execute("INSERT INTO said SELECT unnest($1), unnest($2)", columns)
    database.execute("""
        CREATE TABLE lines AS SELECT person, (line ->> 0)::INTEGER AS day, line ->> 1 AS code, line ->> 2 AS place,
            line ->> 3 AS specialty, line ->> 4 AS npi, line ->> 5 AS practice, (line ->> 6)::BIGINT AS cents
        FROM (SELECT person, unnest(from_json(text, '["JSON"]')) AS line FROM said)
    """)
    database.execute("CREATE TABLE participants (npi VARCHAR, entity VARCHAR)")
    database.execute("INSERT INTO participants SELECT unnest($1), 'D9001'", [list(PARTICIPANTS)])


_RUNS: dict[str, Any] = {"decided": decided, "claimed": claimed}


def apart(name: str, size: int) -> dict[str, Any]:
    """One run in a process of its own, whose peak of memory is its own."""
    command = [sys.executable, "-m", "infra.bench.alignment", "--run", name, "--size", str(size)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def shown(few: Decided, many: Decided, by_claims: Claimed) -> Iterator[Table]:
    """What was measured, and what it comes to for a million people."""
    table = Table("people", "person-months a second", "one more file, people a second", "rows written by it", "peak, MB",
                  title=f"{MONTHS} months, {_FILES_A_MONTH} files each a month, decided at every delivery")  # fmt: skip
    for one in (few, many):
        table.add_row(
            f"{one.people:,}", f"{one.rate:,.0f}", f"{one.people / one.day_seconds:,.0f}",
            f"{one.rows_of_a_day:,} of {one.rows_in_all:,}", f"{one.peak_megabytes:,.0f}",
        )  # fmt: skip
    hours = _MILLION * MONTHS / many.rate / 3600
    table.caption = (
        f"projected: a million people x {MONTHS} months in {hours:,.1f} hours of one core, in as much memory; "
        f"one more file about everybody in {_MILLION * many.day_seconds / many.people / 3600:,.1f} hours"
    )
    yield table
    claims = Table("lines", "people aligned", "the rule, s", "one DuckDB query, s", "ratio", "bytes kept a line", "peak, MB",
                   title="alignment by claims, equal results")  # fmt: skip
    claims.add_row(
        f"{by_claims.lines:,}", f"{by_claims.people:,}", f"{by_claims.rule_seconds:,.2f}", f"{by_claims.query_seconds:,.2f}",
        f"{by_claims.rule_seconds / by_claims.query_seconds:,.1f}", f"{by_claims.stored_bytes / by_claims.lines:,.0f}",
        f"{by_claims.peak_megabytes:,.0f}",
    )  # fmt: skip
    yield claims


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for, or everything, each in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m infra.bench.alignment", description=__doc__)
    parser.add_argument("--people", type=int, default=MANY, help="people to decide; a tenth of them besides")
    parser.add_argument("--lines", type=int, default=LINES, help="lines of claims")
    parser.add_argument("--run", choices=sorted(_RUNS), help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, default=FEW, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.run:
        print(json.dumps(asdict(_RUNS[asked.run](asked.size))))
        return 0
    few, many = (Decided(**apart("decided", size)) for size in (max(1, asked.people // 10), asked.people))
    console = Console()
    for table in shown(few, many, Claimed(**apart("claimed", asked.lines))):
        console.print(table)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
