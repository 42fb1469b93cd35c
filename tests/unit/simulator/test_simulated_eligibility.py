"""Round trip: what the simulator holds true of Medicaid's enrolment comes back from its files, month by month."""

import zipfile
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest
from people_of_simulation import NO_SHIFT, PERIOD

from contracts.delivery import DeliveryKind
from contracts.medicaid import MedicaidEnrolmentStatedData
from contracts.months import months_between
from infra.simulator import simulate
from infra.simulator.eligibility import (
    MONTHS_AT_ONCE,
    PARTS,
    WAIVER,
    Eligibility,
    enrolment_of,
    plan_of,
    spool_eligibility,
    write_eligibility,
    years_of,
)
from infra.simulator.period import Period
from infra.simulator.person import Person, draw_person
from infra.simulator.spool import Spool
from services.intake.reading import Defect, Demographics, PersonRecord, Reading, Source
from services.intake.registry import reader_of, recognise

SEEDS = (1, 7, 23, 101, 2022)
PEOPLE = 30
KINDS: tuple[Eligibility, ...] = ("tmsis-annual", "tmsis-monthly", "state-file")
ACROSS_YEARS = Period("2022-07", 9, 3)


class Month(NamedTuple):
    """What is true, and what is read, of one person's month."""

    enrolled: bool
    dual: str | None
    plan: str
    county: str | None
    waiver: bool | None


def files_of(folder: Path, people: Iterable[Person], period: Period, month: int) -> list[tuple[Path, DeliveryKind]]:
    spool = Spool(folder / "spool")
    for person in people:
        spool_eligibility(spool, person, KINDS)
    written = list(write_eligibility(folder, month, period, spool, KINDS))
    spool.close()
    return written


def readings_of(path: Path) -> list[Reading]:
    found = recognise(path, date(2030, 1, 1))
    return list(reader_of(found.kind)(Source(found.kind, path.name, (path,), found.dated, True, "OH")))


def statements(readings: Iterable[Reading]) -> dict[str, MedicaidEnrolmentStatedData]:
    return {
        reading.references[-1].value: reading.payload
        for reading in readings
        if isinstance(reading, PersonRecord) and isinstance(reading.payload, MedicaidEnrolmentStatedData)
    }


def read_months(statement: MedicaidEnrolmentStatedData, *, of_tmsis: bool) -> dict[str, Month]:
    return {
        month: Month(
            span.enrolled,
            span.dual_status_code,
            span.plan_id or "",
            span.county_fips,
            (span.waiver_ids == (WAIVER,)) if of_tmsis else None,
        )
        for span in statement.spans
        for month in months_between(span.first_month, span.last_month or "")
    }


def true_months(person: Person, months: range, delivery: int, *, of_tmsis: bool) -> dict[str, Month]:
    """Counted from the course of life alone."""
    found = {}
    for month in months:
        one = enrolment_of(person, month, delivery)
        county = person.life.counties[delivery if of_tmsis else month]
        at_home = person.traits.setting == "home_and_community"
        found[person.period.texts[month]] = (
            Month(False, None, "", None, False if of_tmsis else None)
            if one is None
            else Month(True, one.dual, plan_of(one), county, at_home if of_tmsis else None)
        )
    return found


def as_parquet(path: Path, folder: Path) -> Path:
    """The same archive with its tables as Parquet."""
    target = folder / path.name
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as copy, duckdb.connect() as connection:
        for name in source.namelist():
            if name == "TMSIS_CONTROL.csv":
                copy.writestr(name, source.read(name).replace(b".csv", b".parquet"))
                continue
            table, parquet = folder / "table.csv", folder / "table.parquet"
            table.write_bytes(source.read(name))
            connection.execute(
                f"COPY (SELECT * FROM read_csv('{table}', header=true, all_varchar=true)) TO '{parquet}' (FORMAT parquet)"
            )
            copy.writestr(name.replace(".csv", ".parquet"), parquet.read_bytes())
    return target


def expected(
    path: Path, people: Iterable[Person], period: Period, delivery: int
) -> Iterator[tuple[str, dict[str, Month]]]:
    of_tmsis = path.suffix == ".zip"
    annual = of_tmsis and "T150000" not in path.name
    for person in people:
        first, last = 0, delivery
        if annual:
            years = years_of(period, delivery)
            year = years[int(path.name.split(".T1")[1][0])]
            inside = [month for month in range(delivery + 1) if period.texts[month].startswith(str(year))]
            first, last = inside[0], inside[-1]
        elif of_tmsis:
            first = max(0, delivery - MONTHS_AT_ONCE + 1)
        truth = true_months(person, range(first, last + 1), delivery, of_tmsis=of_tmsis)
        covered = [month for month, one in truth.items() if one.enrolled]
        if not of_tmsis:
            truth = {month: one for month, one in truth.items() if covered and month >= covered[0]}
        if covered or (annual and person.life.entry <= delivery):
            yield f"OH:{person.traits.medicaid_id}", truth


@pytest.mark.e2e
@pytest.mark.parametrize("period", [PERIOD, ACROSS_YEARS], ids=["one year", "two years"])
@pytest.mark.parametrize("seed", SEEDS)
def test_files_give_the_enrolment_that_is_true(tmp_path: Path, seed: int, period: Period) -> None:
    people = [draw_person(seed, index, period, NO_SHIFT) for index in range(PEOPLE)]
    compared = 0
    for delivery in (4, period.last_delivery):
        folder = tmp_path / str(delivery)
        folder.mkdir()
        for path, kind in files_of(folder, people, period, delivery):
            of_tmsis = kind is DeliveryKind.MEDICAID_ELIGIBILITY
            forms = [path, as_parquet(path, folder / "parquet")] if of_tmsis else [path]
            truth = dict(expected(path, people, period, delivery))
            for form in forms:
                readings = readings_of(form)
                assert not [reading for reading in readings if isinstance(reading, Defect)]
                found = {
                    person: _within(read_months(statement, of_tmsis=of_tmsis), truth.get(person, {}))
                    for person, statement in statements(readings).items()
                }
                assert found == truth, form.name
                compared += sum(map(len, truth.values()))
    assert compared > PEOPLE * 20


def _within(found: dict[str, Month], truth: dict[str, Month]) -> dict[str, Month]:
    """An annual file of a year in which the simulation begins also tells of the months before: nobody is enrolled."""
    first = min(truth, default="")
    assert not any(one.enrolled for month, one in found.items() if month < first)
    return {month: one for month, one in found.items() if month >= first}


def test_everybody_is_named_with_birth_and_sex(tmp_path: Path) -> None:
    people = [draw_person(3, index, PERIOD, NO_SHIFT) for index in range(20)]
    for path, _ in files_of(tmp_path, people, PERIOD, PERIOD.last_delivery):
        named = [reading for reading in readings_of(path) if isinstance(reading, Demographics)]
        by_name = {person.family_name: (person.birth_date, person.sex_code) for person in named}
        for person in people:
            told = by_name.get(f"SYNTHETIC{person.traits.index}")
            assert told in {None, (person.traits.birth, person.traits.sex)}
        assert len(by_name) >= 15


def test_a_simulation_with_eligibility_files_is_the_same_without_them(tmp_path: Path) -> None:
    made = [
        simulate(tmp_path / name, people=6, months=2, seed=5, eligibility=kinds)
        for name, kinds in (("with", KINDS), ("without", ()))
    ]
    more = {delivery.kind for delivery in made[0].deliveries} - {delivery.kind for delivery in made[1].deliveries}
    assert more == {DeliveryKind.MEDICAID_ELIGIBILITY, DeliveryKind.STATE_ELIGIBILITY}
    assert made[0].medicaid_cents == made[1].medicaid_cents
    for delivery in made[0].deliveries:
        other = tmp_path / "without" / "deliveries" / delivery.path
        if delivery.duplicate_of is None and other.exists():
            assert other.read_bytes() == (tmp_path / "with" / "deliveries" / delivery.path).read_bytes()
    assert set(PARTS) == {"DE_BASE", "DE_MC", "DE_WVR", "DE_CNTCT_DTLS"}
