"""The same simulated encounters from 837 and from T-MSIS: equal records, but for the feed that they came by."""

import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from contracts.claims import ClaimsFeed, MedicaidClaim
from contracts.delivery import DeliveryKind
from infra.simulator import tmsis, x12_encounters
from infra.simulator.calibration import plan_shift
from infra.simulator.claims import MedicaidClaim as SimulatedClaim
from infra.simulator.claims import Version
from infra.simulator.period import Period
from infra.simulator.person import Person, draw_person
from infra.simulator.simulation import claims_of
from infra.simulator.world import OTHER_PLANS, OUR_PLAN
from services.intake.readers import encounter_837, medicaid_claims
from services.intake.reading import Defect, Demographics, PersonRecord, Source

PEOPLE = 60
PERIOD = Period("2022-01", 12, 3)
# Fields of the record that no 837 carries. None: type of service and waiver flag stand in K3.
NOT_CARRIED: frozenset[str] = frozenset()
Adjudication = tuple[Person, SimulatedClaim, Version]
Key = tuple[str, str, int]


def adjudications(seed: int) -> Iterator[Adjudication]:
    shift = plan_shift(seed, PERIOD, direction="none", month=6, medicare=45_000, medicaid=36_000)
    for index in range(PEOPLE):
        person = draw_person(seed, index, PERIOD, shift)
        for claim in claims_of(person)[1]:
            for version in claim.versions:
                yield person, claim, version


def encounters(seed: int) -> list[Adjudication]:
    return [one for one in adjudications(seed) if x12_encounters.guide_of(one[1]) is not None]


def written_837(folder: Path, plan: str, made: list[Adjudication]) -> Path:
    texts = [
        (
            guide,
            [
                x12_encounters.encounter_text(*one)
                for one in made
                if one[1].plan == plan and x12_encounters.guide_of(one[1]) == guide
            ],
        )
        for guide in x12_encounters.GUIDES
    ]
    path = folder / x12_encounters.file_name(PERIOD, 1, plan)
    path.write_text("".join(x12_encounters.interchange(PERIOD, 1, plan, texts)), encoding="ascii")
    return path


def written_tmsis(folder: Path, made: list[Adjudication]) -> Path:
    """Adjudications of one claim stand in different deliveries; one archive holds them all here, newest name last."""
    path = folder / tmsis.file_name(PERIOD, 1)
    control = ["FILE_NAME,RECORD_COUNT\n"]
    with zipfile.ZipFile(path, "w") as archive:
        for kind in tmsis.FILE_TYPES:
            chosen = [one for one in made if one[1].file_type == kind]
            headers = [tmsis.claim_header(*one) for one in chosen]
            lines = "".join(tmsis.claim_lines(*one) for one in chosen)
            for part, text, count in (
                ("HEADER", "".join(headers), len(headers)),
                ("LINE", lines, lines.count("\n")),
            ):
                name = f"TMSIS_{kind}_{part}.csv"
                archive.writestr(name, tmsis.heading(kind, part) + text)
                control.append(f"{name},{count}\n")
        archive.writestr("TMSIS_CONTROL.csv", "".join(control))
    return path


def source(kind: DeliveryKind, path: Path) -> Source:
    return Source(kind, path.name, (path,), date(2024, 1, 1), synthetic_identifiers=True, default_state="OH")


def by_key(records: list[PersonRecord]) -> dict[Key, MedicaidClaim]:
    found: dict[Key, MedicaidClaim] = {}
    for record in records:
        assert isinstance(record.payload, MedicaidClaim)
        medicaid = next(one.value for one in record.references if one.kind == "medicaid")
        key = (medicaid, record.payload.record_id, record.payload.version)
        assert key not in found
        found[key] = record.payload
    return found


def compared(claim: MedicaidClaim) -> dict[str, object]:
    return {name: value for name, value in claim if name not in NOT_CARRIED}


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_837_and_tmsis_say_the_same(tmp_path: Path, seed: int) -> None:
    made = encounters(seed)
    from_837: list[PersonRecord] = []
    for plan in (OUR_PLAN, *OTHER_PLANS):
        path = written_837(tmp_path, plan, made)
        for reading in encounter_837.read(source(DeliveryKind.ENCOUNTER_837, path)):
            assert not isinstance(reading, Defect), reading
            if not isinstance(reading, Demographics):
                assert isinstance(reading, PersonRecord)
                from_837.append(reading)
    archive = written_tmsis(tmp_path, made)
    told = list(medicaid_claims.read(source(DeliveryKind.MEDICAID_CLAIMS, archive)))
    from_tmsis = [reading for reading in told if isinstance(reading, PersonRecord)]

    assert {record.feed for record in from_837} == {ClaimsFeed.ENCOUNTER_837}
    assert {record.feed for record in from_tmsis} == {ClaimsFeed.TMSIS}
    left, right = by_key(from_837), by_key(from_tmsis)
    assert left.keys() == right.keys()
    assert len(left) == len(made) > 300
    for key, claim in left.items():
        assert compared(claim) == compared(right[key])
    assert {record.state for record in from_837} == {"OH"}


def test_the_round_trip_meets_every_kind_of_encounter() -> None:
    """Or it would prove less than it seems to."""
    made = [one for seed in (1, 2, 3, 4, 5) for one in encounters(seed)]
    assert {claim.file_type for _, claim, _ in made} == {"LT", "OT"}
    assert {version.kind for _, _, version in made} == {"0", "1", "4"}
    assert {claim.lines_carry_amounts for _, claim, _ in made} == {True, False}
    assert {claim.denied for _, claim, _ in made} == {True, False}
    assert any(not claim.denied and not sum(line.cents for line in claim.lines) for _, claim, _ in made)
    assert any(len(claim.lines) > 1 for _, claim, _ in made)
    assert {line.waiver for _, claim, _ in made for line in claim.lines} == {True, False}


def test_what_is_no_encounter_is_not_written_as_one() -> None:
    kinds = {
        (claim.claim_type, claim.file_type)
        for _, claim, _ in adjudications(1)
        if x12_encounters.guide_of(claim) is None
    }
    assert {claim_type for claim_type, file_type in kinds if file_type != "RX"} == {"1", "2"}
    assert ("3", "RX") in kinds
