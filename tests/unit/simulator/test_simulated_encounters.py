"""``feeds=("cclf", "x12-837")``: plans' encounters come beside all other files, which stay as they were."""

from datetime import date
from pathlib import Path

import pytest

from contracts.claims import MedicaidClaim
from contracts.delivery import DeliveryKind
from infra.simulator import simulate
from services.intake.reading import PersonRecord, Source
from services.intake.registry import reader_of, recognise

PEOPLE, MONTHS, SEED = 25, 3, 5
LATER = date(2030, 1, 1)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def claims(folder: Path, kind: DeliveryKind) -> dict[tuple[str, int], MedicaidClaim]:
    found: dict[tuple[str, int], MedicaidClaim] = {}
    for path in sorted(folder.rglob("*.*")):
        recognised = recognise(path, LATER)
        if recognised.kind is not kind:
            continue
        source = Source(kind, path.name, (path,), recognised.dated, synthetic_identifiers=True, default_state="OH")
        for reading in reader_of(kind)(source):
            if isinstance(reading, PersonRecord) and isinstance(reading.payload, MedicaidClaim):
                found[reading.payload.record_id, reading.payload.version] = reading.payload
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    simulate(folder / "with", people=PEOPLE, months=MONTHS, seed=SEED, feeds=("cclf", "x12-837"))
    simulate(folder / "without", people=PEOPLE, months=MONTHS, seed=SEED)
    return folder


def test_every_file_of_a_month_is_there_and_is_what_it_was(made: Path) -> None:
    more, fewer = files(made / "with" / "deliveries"), files(made / "without" / "deliveries")
    encounters = {name for name in more if "/837." in name}
    assert encounters
    # Which of last month's files is sent again is drawn from those that there are.
    shared = {name for name in fewer.keys() & more.keys() if fewer[name] == more[name]}
    names = {Path(name).name for name in fewer}
    assert {Path(name).name for name in shared} == names
    assert {name.split("/")[1].split(".")[1] for name in encounters} == {"MCO9001", "MCO9002"}


def test_encounters_as_delivered_are_those_of_tmsis(made: Path) -> None:
    folder = made / "with" / "deliveries"
    reported = claims(folder, DeliveryKind.ENCOUNTER_837)
    told = claims(folder, DeliveryKind.MEDICAID_CLAIMS)
    managed = {key: one for key, one in told.items() if one.claim_type_code == "3" and one.file_type != "RX"}
    assert reported == managed
    assert len(reported) > 30


def test_the_truth_is_the_same(made: Path) -> None:
    with_text, without_text = ((made / name / "truth.json").read_text() for name in ("with", "without"))
    start = '"measures"'
    assert (
        with_text[with_text.index(start) : with_text.index('"parameters"')]
        == (without_text[without_text.index(start) : without_text.index('"parameters"')])
    )


def test_encounters_alone_are_no_population(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one feed"):
        simulate(tmp_path / "made", people=1, months=1, seed=1, feeds=("x12-837",))
