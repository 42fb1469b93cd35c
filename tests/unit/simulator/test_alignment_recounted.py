"""The service's rules over events as intake reads them equal a separate recount of the files, also as of past deliveries."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from alignment_recounted import by_claims, decisions, own_word
from recount_of_files import Recount, recount

from contracts.alignment import (
    AlignmentReported,
    AlignmentReportedData,
    DesignationRecorded,
    DesignationRecordedData,
)
from contracts.claims import ClaimsFeed, MedicareClaim, MedicareClaimsDelivered, MedicareClaimsDeliveredData
from contracts.coverage import MedicareCoverageStated, MedicareCoverageStatedData
from contracts.medicaid import MedicaidEnrolmentStated, MedicaidEnrolmentStatedData
from contracts.months import month_index
from contracts.provider import ProviderRosterStatedData
from infra.simulator import simulate
from services.alignment.computing import designations_of
from services.alignment.history import decision_history
from services.alignment.paths_policy import paths_policy
from services.alignment.programme import programme
from services.alignment.rules.claims_based import Participation, claims_based
from services.alignment.rules.voluntary import voluntary
from services.alignment.statements import Fact, fact_of
from services.alignment.visits import KnownRecord, visit_records, visits_as_known
from services.intake.reading import EncodedClaims, EntityRecord, MbiChange, PersonRecord, PersonReference, Source
from services.intake.registry import reader_of, recognise
from services.intake.rules.one_report import one_report

pytestmark = pytest.mark.e2e
SEEDS = (3, 11, 29, 57, 101)
PEOPLE, MONTHS, FIRST_MONTH = 24, 14, "2021-01"
YEARS = ("2022-01", "2023-01")
EVENTS: dict[type, Any] = {
    MedicareCoverageStatedData: MedicareCoverageStated,
    MedicaidEnrolmentStatedData: MedicaidEnrolmentStated,
    AlignmentReportedData: AlignmentReported,
    DesignationRecordedData: DesignationRecorded,
}


@dataclass
class World:
    """The files of a seed, and all that intake's readers and alignment's own reading of events make of them."""

    folder: Path
    numbers: dict[PersonReference, int] = field(default_factory=dict)
    facts: dict[int, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    records: dict[int, list[KnownRecord]] = field(default_factory=lambda: defaultdict(list))
    rosters: dict[int, ProviderRosterStatedData] = field(default_factory=dict)

    @cached_property
    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*/*"))

    def read(self) -> "World":
        seen = set()
        for sequence, path in enumerate(self.files, start=1):
            digest = hashlib.sha256(path.read_bytes()).digest()
            if digest not in seen and not path.name.startswith("TMSIS."):
                seen.add(digest)
                self._read_one(path, sequence)
        return self

    def _read_one(self, path: Path, sequence: int) -> None:
        found = recognise(path, date(2030, 1, 1))
        reports: dict[int, list[AlignmentReportedData]] = defaultdict(list)
        for reading in reader_of(found.kind)(Source(found.kind, path.name, (path,), found.dated, True, "OH")):
            if isinstance(reading, MbiChange):
                self._person((PersonReference("mbi", reading.previous), PersonReference("mbi", reading.current)))
            elif isinstance(reading, EncodedClaims) and reading.payload is MedicareClaim:
                self._claims(reading, sequence)
            elif isinstance(reading, EntityRecord):
                self.rosters[sequence] = reading.payload
            elif isinstance(reading, PersonRecord) and isinstance(reading.payload, AlignmentReportedData):
                reports[self._person(reading.references)].append(reading.payload)
            elif isinstance(reading, PersonRecord) and type(reading.payload) in EVENTS:
                self._fact(self._person(reading.references), reading.payload, sequence)
        for number, rows in reports.items():
            self._fact(number, one_report(rows), sequence)

    def _fact(self, number: int, payload: Any, sequence: int) -> None:
        data = payload.model_copy(update={"person_id": f"p{number:032x}"})
        order = str(len(self.facts[number]))
        self.facts[number].append(fact_of(EVENTS[type(data)].of(**_about(sequence, number, order), data=data)))

    def _claims(self, reading: EncodedClaims, sequence: int) -> None:
        number = self._person((reading.reference,))
        claims = tuple(MedicareClaim.model_validate_json(claim) for claim in reading.claims)
        data = MedicareClaimsDeliveredData(person_id=f"p{number:032x}", state="OH", feed=ClaimsFeed.CCLF, claims=claims)
        event = MedicareClaimsDelivered.of(**_about(sequence, number, "claims"), data=data)
        self.records[number] += [
            KnownRecord(one.record_id, one.version, one.sequence, None, one.lines)
            for one in visit_records(event, paths_policy())
        ]

    def _person(self, references: tuple[PersonReference, ...]) -> int:
        known = next((self.numbers[one] for one in references if one in self.numbers), len(self.numbers))
        self.numbers.update(dict.fromkeys(references, known))
        return known

    def people(self, found: Recount) -> Iterator[tuple[int, int]]:
        """Everybody's number here and there."""
        for reference, number in self.numbers.items():
            if reference.kind == "mbi" and reference.value in found.by_mbi:
                yield number, found.by_mbi[reference.value]

    def participants(self, as_of: int) -> dict[str, list[Participation]]:
        known = [sequence for sequence in self.rosters if sequence <= as_of]
        rows = self.rosters[max(known)].providers if known else ()
        found: dict[str, list[Participation]] = defaultdict(list)
        for row in rows:
            last = None if row.last_month is None else month_index(row.last_month)
            found[row.npi].append(Participation("D9001", month_index(row.first_month), last))
        return found


def _about(sequence: int, number: int, version: str) -> dict[str, Any]:
    return {
        "service": "intake", "key": f"p{number:032x}", "version": f"{sequence}.{version}",
        "time": datetime(2022, 1, 1, tzinfo=UTC), "delivery_id": f"d{sequence:032x}", "sequence": sequence,
    }  # fmt: skip


@pytest.fixture(scope="module", params=SEEDS, ids="seed{}".format)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    directory = tmp_path_factory.mktemp("alignment") / "made"
    simulate(
        directory, people=PEOPLE, months=MONTHS, seed=request.param, first_month=FIRST_MONTH,
        shift="medicare-to-medicaid",
        lists=("provider-alignment", "voluntary-responses", "sharing-preferences"),
    )  # fmt: skip
    return World(directory / "deliveries").read()


@pytest.fixture(scope="module")
def cuts(world: World) -> list[int]:
    """The newest delivery, and six before it."""
    return [len(world.files) * step // 7 for step in range(1, 8)]


def test_every_person_month_is_decided_as_the_files_say_also_as_of_six_past_deliveries(
    world: World, cuts: list[int]
) -> None:
    compared = 0
    for cut in cuts:
        found = recount(world.folder, cut)
        here = {there: number for number, there in world.people(found)}
        decided = {
            (number, month): (decision.aligned, decision.basis, decision.cohort.value)
            for number, facts in world.facts.items()
            for (month, _), decision in sorted(
                decision_history([fact for fact in facts if fact.sequence <= cut], programme()).items()
            )
        }
        expected = {(here[number], month): tuple(decision) for number, month, decision in decisions(found)}
        assert decided == expected
        compared += len(expected)
    assert compared > PEOPLE * MONTHS * 2


@pytest.mark.parametrize("year", YEARS)
def test_claims_align_as_one_query_over_the_lines_says(world: World, cuts: list[int], year: str) -> None:
    pack, compared = paths_policy().pack(year), 0
    assert pack is not None
    for cut in cuts:
        found = recount(world.folder, cut)
        expected = by_claims(world.files[:cut], found, year)
        for number, there in dict(world.people(found)).items():
            visits = visits_as_known(world.records[number], cut)
            result = claims_based(visits, world.participants(cut), pack, month_index(year))
            first = result.scores[0] if result.scores else None
            told = first and (
                (first.competitor.entity_id and "entity") or first.competitor.practice or first.competitor.npi,
                first.thirds,
                date.fromordinal(first.latest).isoformat(),
            )
            assert told == expected.get(there)
            assert (result.entity_id == "D9001") == (there in expected and expected[there][0] == "entity")
        compared += len(expected)
    assert compared > PEOPLE


def test_forms_align_as_the_answers_say(world: World, cuts: list[int]) -> None:
    pack, compared = paths_policy().pack("2022-01"), 0
    assert pack is not None
    for cut in cuts:
        found = recount(world.folder, cut)
        for of in ("2021-07", "2022-01"):
            expected = own_word(world.files[:cut], found, of)
            for number, there in dict(world.people(found)).items():
                designated = designations_of(fact for fact in world.facts[number] if fact.sequence <= cut)
                participants = world.participants(cut)
                result = voluntary(designated, participants, frozenset({"D9001"}), pack, month_index(of))
                assert result.outcome.value == expected.get(there, "fail")
                compared += there in expected
    assert compared > 0


def test_the_worlds_hold_what_is_hard(world: World) -> None:
    visits = [
        visit
        for records in world.records.values()
        for visit in visits_as_known(records, len(world.files))
        if visit.code
    ]
    assert any(visit.cents < 0 for visit in visits)
    places = {visit.place for visit in visits}
    assert "11" in places
    assert places & {"31", "32"}  # which of the two a small world has is chance
    assert len({visit.specialty for visit in visits}) > 4
    assert any(visit.practice is None for visit in visits)
    assert len(world.rosters) == 2
