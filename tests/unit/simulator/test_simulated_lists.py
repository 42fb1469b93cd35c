"""What the simulator knows, written as lists and read again: nothing is lost, added or changed."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner

from contracts.alignment import (
    AlignmentReportedData,
    DesignationRecordedData,
    ProviderAlignmentReportedData,
    SharingPreferenceStatedData,
)
from contracts.delivery import DeliveryKind
from infra.command.main import main
from infra.simulator import List, simulate
from infra.simulator.calibration import plan_shift
from infra.simulator.lists import (
    closes_quarter,
    first_reported,
    form_of,
    participants_of,
    preference_of,
    quarter_of,
)
from infra.simulator.period import Period
from infra.simulator.person import Person, draw_person
from infra.simulator.simulation import Simulation
from services.intake.reading import Defect, Demographics, PersonRecord, Reading, Source
from services.intake.registry import reader_of, recognise

PEOPLE, MONTHS, RUN_OUT = 90, 6, 3
LISTS: tuple[List, ...] = get_args(List)
SEEDS = pytest.mark.parametrize("seed", range(5))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Simulation]:
    """A population by its seed, made once."""
    done: dict[int, Simulation] = {}

    def of(seed: int) -> Simulation:
        if seed not in done:
            folder = tmp_path_factory.mktemp("lists") / str(seed)
            done[seed] = simulate(folder, people=PEOPLE, months=MONTHS, seed=seed, lists=LISTS)
        return done[seed]

    return of


def people(seed: int) -> Iterator[Person]:
    period = Period("2022-01", MONTHS, RUN_OUT)
    none = plan_shift(
        seed, period, direction="none", month=MONTHS // 2, channel="both", medicare=45_000, medicaid=36_000
    )
    return (draw_person(seed, index, period, none) for index in range(PEOPLE))


def readings(simulation: Simulation, kind: DeliveryKind, suffix: str = "") -> Iterator[tuple[Path, list[Reading]]]:
    for delivery in simulation.deliveries:
        if delivery.kind is kind and delivery.path.endswith(suffix) and delivery.duplicate_of is None:
            path = simulation.directory / "deliveries" / delivery.path
            found = recognise(path, date(2022, 1, 1))
            assert found.kind is kind
            yield path, list(reader_of(kind)(Source(kind, path.name, (path,), found.dated, True, "OH")))


def stated(simulation: Simulation, kind: DeliveryKind, suffix: str = "") -> Iterator[tuple[str, Any]]:
    """Each statement with the identifier of whom it is about."""
    for path, found in readings(simulation, kind, suffix):
        assert not [reading for reading in found if isinstance(reading, Defect)], path.name
        for reading in found:
            if isinstance(reading, PersonRecord):
                yield reading.references[0].value, reading.payload


def mbi(person: Person, month: int) -> str:
    return person.traits.mbi(person.life.mbi_version(month - 1))


@SEEDS
def test_preferences(made: Callable[[int], Simulation], seed: int) -> None:
    found = set()
    for number, payload in stated(made(seed), DeliveryKind.SHARING_PREFERENCES):
        assert isinstance(payload, SharingPreferenceStatedData)
        found.add(
            (
                number, payload.stated_on, payload.shares_claims, payload.shares_claims_from,
                payload.shares_substance_use, payload.shares_substance_use_from,
            )
        )  # fmt: skip
    expected = set()
    for person in people(seed):
        told, month = preference_of(person), first_reported(person)
        if told is not None and month is not None:
            claims = None if told.shares_claims is None else told.effective
            substance_use = None if told.shares_substance_use is None else told.effective
            on = person.period.first_days[month].replace(day=12)
            expected.add((mbi(person, month), on, told.shares_claims, claims, told.shares_substance_use, substance_use))
    assert found == expected


def test_preferences_of_every_kind_are_met(made: Callable[[int], Simulation]) -> None:
    told = [payload for seed in range(5) for _, payload in stated(made(seed), DeliveryKind.SHARING_PREFERENCES)]
    assert {payload.shares_claims for payload in told} == {True, False, None}
    assert {payload.shares_substance_use for payload in told} == {False, None}


@SEEDS
def test_whoever_opted_out_is_still_reported_as_aligned(made: Callable[[int], Simulation], seed: int) -> None:
    out = {
        number for number, told in stated(made(seed), DeliveryKind.SHARING_PREFERENCES) if told.shares_claims is False
    }
    reported: dict[str, set[bool]] = {}
    for number, report in stated(made(seed), DeliveryKind.ALIGNMENT_REPORT, ".csv"):
        reported.setdefault(number, set()).add(report.data_sharing_opt_out)
    assert all(reported[number] == {True} for number in out if number in reported)
    assert {number for number, said in reported.items() if True in said} >= out & set(reported)


@SEEDS
def test_participants(made: Callable[[int], Simulation], seed: int) -> None:
    found: set[tuple[str, str, str]] = set()
    for number, payload in stated(made(seed), DeliveryKind.PROVIDER_ALIGNMENT_REPORT):
        assert isinstance(payload, ProviderAlignmentReportedData)
        found |= {(payload.period, number, npi) for npi in payload.npis}
    expected = {
        (quarter_of(person.period, month).replace("Q", "-Q"), mbi(person, month), npi)
        for person in people(seed)
        for month in range(person.life.entry, person.period.last_delivery + 1)
        if closes_quarter(person.period, month) and person.life.in_entity_feed(month)
        for npi in participants_of(person)
    }
    assert found == expected
    assert found


@SEEDS
def test_answers_to_forms(made: Callable[[int], Simulation], seed: int) -> None:
    found = []
    for number, payload in stated(made(seed), DeliveryKind.VOLUNTARY_ALIGNMENT_RESPONSE):
        assert isinstance(payload, DesignationRecordedData)
        found.append((number[4:], payload.signed_on, payload.clinician_npi, payload.response, payload.rejection_reason))
    expected = []
    for person in people(seed):
        form, month = form_of(person), first_reported(person)
        if form is None or month is None:
            continue
        if any(
            closes_quarter(person.period, later)
            for later in range(month, min(month + 3, person.period.last_delivery + 1))
        ):
            response = "accepted" if form.rejection_reason is None else "rejected"
            expected.append(
                (person.traits.mbi(0)[4:], form.signed_on, form.clinician_npi, response, form.rejection_reason)
            )
    assert sorted(found) == sorted(expected)
    assert found


def _without_columns_of_one(report: AlignmentReportedData) -> dict[str, Any]:
    """What both renderings say: the workbook comes two days later."""
    return report.model_dump(exclude={"stated_on"})


@SEEDS
def test_the_workbook_says_what_the_csv_report_says(made: Callable[[int], Simulation], seed: int) -> None:
    kind = DeliveryKind.ALIGNMENT_REPORT
    plain, book = (
        [(number, _without_columns_of_one(report)) for number, report in stated(made(seed), kind, suffix)]
        for suffix in (".csv", ".xlsx")
    )
    assert book == plain
    assert plain


def test_the_workbook_says_who_somebody_is_too(made: Callable[[int], Simulation]) -> None:
    births = {
        (person.traits.mbi(version), person.traits.birth, person.traits.sex)
        for person in people(0)
        for version in range(len(person.life.mbi_changes) + 1)
    }
    found = {
        (reading.reference.value, reading.birth_date, reading.sex_code)
        for _, all_of_it in readings(made(0), DeliveryKind.ALIGNMENT_REPORT, ".xlsx")
        for reading in all_of_it
        if isinstance(reading, Demographics)
    }
    assert found
    assert found <= births


def test_lists_change_no_other_file_and_follow_from_the_seed(tmp_path: Path) -> None:
    def digests(name: str, lists: tuple[List, ...]) -> dict[str, str]:
        folder = simulate(tmp_path / name, people=30, months=3, seed=5, lists=lists).directory / "deliveries"
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()
        }

    without, with_lists, again = digests("none", ()), digests("all", LISTS), digests("again", LISTS)
    assert with_lists == again
    assert {name: digest for name, digest in with_lists.items() if name in without} == without
    assert len(with_lists) > len(without)
    assert {name.split(".")[0] for name in with_lists.keys() - without.keys()} == {
        "ALIGNMENT_REPORT", "PROVIDER_ALIGNMENT_REPORT", "T#EFT", "VOLUNTARY_ALIGNMENT_RESPONSE",
    }  # fmt: skip


def test_lists_are_chosen_on_the_command_line(tmp_path: Path) -> None:
    words = ["simulate", str(tmp_path / "made"), "--people", "30", "--months", "2", "--seed", "1"]
    done = CliRunner().invoke(main, [*words, "--lists", "provider-alignment", "--lists", "alignment-workbook"])
    assert done.exit_code == 0, done.output
    names = {path.name.split(".")[0] + path.suffix for path in (tmp_path / "made" / "deliveries").rglob("*.*")}
    assert {"PROVIDER_ALIGNMENT_REPORT.csv", "ALIGNMENT_REPORT.xlsx"} <= names
    assert not any(name.startswith(("T#EFT", "VOLUNTARY")) for name in names)
