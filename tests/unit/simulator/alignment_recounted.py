"""Alignment by a second, separate reading of the files: decisions, alignment by claims and by one's own word.

Nothing of the service is in here: positions, codes and rules are written out again, claims in one query of DuckDB over the
lines as they were delivered.
"""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import duckdb
from definitions_recounted import aligned, snapshot
from recount_of_files import FULL, OPEN, Known, Recount, Span, month, months

OUR_PLAN, ENTITY = "MCO9001", "D9001"
PRIMARY = "'01','08','11','37','38','50','89','97'"
OTHERS = "'06','12','13','16','23','25','26','27','29','39','46','70','79','82','83','84','86','90','98'"
OFFICE = "'99202','99203','99204','99205','99211','99212','99213','99214','99215','G0402','G0438','G0439'"
FACILITY = "'99304','99305','99306','99307','99308','99309','99310','99315','99316','99318'"


class Decision(NamedTuple):
    """What counts in a month."""

    aligned: bool
    basis: str
    cohort: str


def rows_of(person: Known, of: str) -> list[Span]:
    """The state's spans of a month, the newest first, down to the newest that says "not enrolled"."""
    spans = [
        (span.stated_on, span.sequence, span.enrolled, -place, span)
        for place, span in enumerate(person.spans)
        if span.first <= of <= span.last
    ]
    newest = [entry[-1] for entry in sorted(spans, key=lambda entry: entry[:4], reverse=True)]
    void = next((place for place, span in enumerate(newest) if not span.enrolled), len(newest))
    return newest[:void]


def decision(person: Known, of: str) -> Decision:
    rows = rows_of(person, of)
    dual = next((span.dual for span in rows if span.dual), None)
    if dual is None and person.snapshots:
        dual = snapshot(person, of)["dual"]
    health_plan = next((span.health_plan for span in rows if span.health_plan), None)
    is_ours = in_our_plan(person, of)
    eligible = {
        "dual": dual in FULL,
        "plan": health_plan == "none",
        "parts": bool(person.snapshots) and snapshot(person, of)["buy_in"] in {"3", "C"},
        "alive": person.death is None or month(person.death) >= of,
        "lives": bool(person.snapshots) or bool(rows),
    }
    comparison = "comparison" if all(eligible.values()) else "excluded"
    if aligned(person, of):
        return Decision(True, "reported", "aligned")
    fails = (
        (dual not in FULL and dual is not None and dual != "09")
        or health_plan not in {None, "none"}
        or (bool(person.snapshots) and not eligible["parts"])
        or not eligible["alive"]
        or is_ours is False
    )
    reported, spans = person.report
    goes_on = bool(spans) and of > reported and max(spans)[1] == OPEN and max(spans)[0] <= of
    if goes_on and not fails:
        return Decision(True, "forecast", "aligned")
    return Decision(False, "none", comparison)


def in_our_plan(person: Known, of: str) -> bool | None:
    """Whether the state's newest word names our plan; nothing where it has said nothing."""
    if not any(span.first <= of <= span.last for span in person.spans):
        return None
    rows = rows_of(person, of)
    return any(
        row.plan == OUR_PLAN and (row.stated_on, row.sequence) == (rows[0].stated_on, rows[0].sequence) for row in rows
    )


def decisions(found: Recount) -> Iterator[tuple[int, str, Decision]]:
    for number, person in found.people.items():
        if person.stated:
            for of in months(min(person.stated), max(person.stated)):
                yield number, of, decision(person, of)


def participants(files: Iterable[Path], of: str) -> set[str]:
    """Whose patients' visits count for the entity in a month, by the newest list."""
    newest: set[str] = set()
    for path in files:
        if path.name.startswith("PROVIDER_ROSTER."):
            rows = [row.split(",") for row in path.read_text().splitlines()[1:-1]]
            newest = {row[1] for row in rows if month(row[4]) <= of and (not row[5] or of <= month(row[5]))}
    return newest


def claim_lines(files: Iterable[Path]) -> Iterator[tuple[int, str]]:
    for number, path in enumerate(files):
        if path.name.startswith("P."):
            with ZipFile(path) as archive:
                name = next(name for name in archive.namelist() if ".ZC5" in name)
                yield from ((number, line) for line in archive.read(name).decode().splitlines())


WINNERS = f"""
WITH said AS (
    SELECT substr(line, 1, 13) AS record, substr(line, 24, 11) AS mbi, substr(line, 73, 2) AS specialty,
        substr(line, 76, 2) AS place, substr(line, 78, 10)::DATE AS served, substr(line, 98, 5) AS code,
        nullif(trim(substr(line, 126, 10)), '') AS practice, nullif(trim(substr(line, 136, 10)), '') AS npi,
        substr(line, 146, 1) = '0' OR substr(line, 148, 1) <> 'A' AS denied, substr(line, 150, 1) AS adjustment,
        substr(line, 152, 20) AS version, substr(line, 14, 10) AS number, substr(line, 46, 2) AS kind,
        round(trim(substr(line, 223, 17))::DECIMAL(17, 2) * 100)::BIGINT AS allowed
    FROM lines
), standing AS (
    SELECT DISTINCT * FROM said WHERE (record, version) IN (SELECT (record, max(version)) FROM said GROUP BY record)
), counting AS (
    SELECT person, specialty, served, code,
        CASE WHEN ours.npi IS NOT NULL THEN 'entity' ELSE coalesce(practice, standing.npi) END AS who,
        CASE adjustment WHEN '1' THEN -allowed ELSE allowed END
            * CASE WHEN served <= $between THEN 1 ELSE 2 END AS thirds
    FROM standing JOIN people USING (mbi) LEFT JOIN ours ON ours.npi = standing.npi
    WHERE kind = '71' AND NOT denied AND served BETWEEN $first AND $last
        AND (code IN ({OFFICE}) OR (code IN ({FACILITY}) AND place <> '31'))
), staged AS (
    SELECT *, CASE WHEN 10 * sum(CASE WHEN specialty IN ({PRIMARY}) THEN thirds ELSE 0 END) OVER whole
        >= sum(thirds) OVER whole THEN specialty IN ({PRIMARY}) ELSE specialty IN ({OTHERS}) END AS in_pool
    FROM counting WINDOW whole AS (PARTITION BY person)
), days AS (
    SELECT person, who, served, sum(thirds) AS thirds FROM staged WHERE in_pool GROUP BY ALL
), scores AS (
    SELECT person, who, sum(thirds)::BIGINT AS thirds, max(served) FILTER (thirds > 0) AS latest
    FROM days GROUP BY ALL HAVING sum(thirds) > 0
)
SELECT person, who, thirds, latest FROM scores
QUALIFY row_number() OVER (PARTITION BY person ORDER BY thirds DESC, latest DESC, who = 'entity' DESC, who) = 1
"""


def by_claims(files: list[Path], found: Recount, year: str) -> dict[int, tuple[str, int, str]]:
    """Of everybody who has a qualified visit: who wins, with how many thirds of a cent, and their latest day."""
    start = int(year[:4])
    first, between, last = f"{start - 3}-07-01", f"{start - 2}-06-30", f"{start - 1}-06-30"
    with duckdb.connect(config={"threads": "1"}) as database:
        database.execute("CREATE TABLE lines (file INTEGER, line VARCHAR)")
        _fill(database, "lines", claim_lines(files))
        database.execute("CREATE TABLE people (mbi VARCHAR, person INTEGER)")
        _fill(database, "people", found.by_mbi.items())
        database.execute("CREATE TABLE ours (npi VARCHAR)")
        _fill(database, "ours", [(npi,) for npi in participants(files, year)])
        rows = database.execute(WINNERS, {"first": first, "between": between, "last": last}).fetchall()
    return {person: (who, thirds, latest.isoformat()) for person, who, thirds, latest in rows}


def _fill(database: duckdb.DuckDBPyConnection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    listed = list(rows)
    if listed:
        columns = [list(column) for column in zip(*listed, strict=True)]
        marks = ", ".join(f"unnest(${number}) AS c{number}" for number in range(1, len(columns) + 1))
        database.execute(f"INSERT INTO {table} SELECT {marks}", columns)


def own_word(files: list[Path], found: Recount, of: str) -> dict[int, str]:
    """Of everybody who signed a form: whether the newest valid one aligns them in a month."""
    ours, forms = participants(files, of), {}
    for path in files:
        if path.name.startswith("VOLUNTARY_ALIGNMENT_RESPONSE."):
            for row in csv.reader(path.read_text().splitlines()[1:-1]):
                forms[found.by_mbi[row[2]], row[3], row[4]] = row[5]
    valid: dict[int, str] = {}
    for (person, signed, npi), answer in forms.items():
        year, number = int(signed[:4]), int(signed[4:6])
        # Signed in the month before a quarter or earlier, it counts from that quarter on.
        quarter = next(year * 12 + number + ahead for ahead in range(3) if (number + ahead) % 3 == 0)
        in_time = quarter <= int(of[:4]) * 12 + int(of[5:7]) - 1
        good = answer == "ACCEPTED" and in_time and npi in ours
        valid[person] = "pass" if good or valid.get(person) == "pass" else "fail"
    return valid
