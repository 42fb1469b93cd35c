"""Files of whole simulated populations, read twice: by the service's readers and rules, and by a recount of its own."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from arrangement_facts import POLICIES
from arrangements_recounted import Recount, numbers_of

from contracts.alignment import AlignmentReported, AlignmentReportedData
from contracts.coverage import MedicareCoverageStated, MedicareCoverageStatedData
from contracts.medicaid import MedicaidEnrolmentStated, MedicaidEnrolmentStatedData
from contracts.months import month_at
from infra.simulator import simulate
from services.alignment.arranging import changes
from services.alignment.statements import Fact, fact_of
from services.intake.reading import PersonRecord, Source
from services.intake.registry import reader_of, recognise

pytestmark = pytest.mark.e2e

SEEDS = (1, 7, 23, 101, 2022)
PEOPLE, MONTHS = 54, 5
EVENTS: dict[type[Any], type[Any]] = {
    MedicareCoverageStatedData: MedicareCoverageStated,
    MedicaidEnrolmentStatedData: MedicaidEnrolmentStated,
    AlignmentReportedData: AlignmentReported,
}
# The state of the simulation is where Minnesota's seniors live.
POLICY = replace(
    POLICIES.arrangements,
    packs=tuple(
        replace(pack, states=frozenset({"OH"})) if pack.arrangement == "minnesota_senior_health_options" else pack
        for pack in POLICIES.arrangements.packs
    ),
)
Known = dict[tuple[str, str], frozenset[str]]


def files(folder: Path) -> list[Path]:
    """Every file once, in the order of delivery. Medicaid's claims say nothing of arrangements."""
    digests: set[bytes] = set()
    found = []
    for path in sorted(folder.glob("*/*")):
        digest = hashlib.sha256(path.read_bytes()).digest()
        if digest not in digests and not path.name.startswith(("TMSIS.", "PROVIDER_ROSTER.")):
            found.append(path)
        digests.add(digest)
    return found


def statements(path: Path) -> Iterator[tuple[tuple[str, ...], Any]]:
    found = recognise(path, date(2030, 1, 1))
    for reading in reader_of(found.kind)(Source(found.kind, path.name, (path,), found.dated, True, "OH")):
        if isinstance(reading, PersonRecord) and type(reading.payload) in EVENTS:
            yield tuple(reference.value for reference in reading.references), reading.payload


def by_person(path: Path, numbers: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """What a file states of each person; the rows of a report together, as intake puts them into one event."""
    reports: dict[str, AlignmentReportedData] = {}
    for references, data in statements(path):
        number = next(numbers.get(one) or one.partition(":")[2] for one in references)
        if isinstance(data, AlignmentReportedData):
            spans = reports[number].spans if number in reports else ()
            reports[number] = data.model_copy(update={"spans": (*spans, *data.spans)})
        else:
            yield number, data
    yield from reports.items()


def facts_of(paths: list[Path], numbers: dict[str, str]) -> dict[str, list[Fact]]:
    """What the service's readers state, by Medicaid id."""
    facts: dict[str, list[Fact]] = defaultdict(list)
    for sequence, path in enumerate(paths, 1):
        for place, (number, data) in enumerate(by_person(path, numbers)):
            person = f"p{int(number):032x}"
            event = EVENTS[type(data)].of(
                service="intake", key=person, version=f"{sequence}.{place}", time=datetime(2022, 1, 1, tzinfo=UTC),
                delivery_id=f"d{sequence:032x}", sequence=sequence, data=data.model_copy(update={"person_id": person}),
            )  # fmt: skip
            facts[number].append(fact_of(event))
    return facts


def found_by_rules(facts: dict[str, list[Fact]], cuts: dict[str, int]) -> dict[str, Known]:
    """Who is in what, as known at each cut."""
    known: dict[str, Known] = {at: {} for at in cuts}
    for number, told in facts.items():
        history = list(changes(told, POLICIES._replace(arrangements=POLICY)))
        for at, sequence in cuts.items():
            for one in history:
                for month, now in one.arranged.items() if one.sequence <= sequence else ():
                    if month_at(month) <= at:
                        members = {one.arrangement for one in now.standings if one.standing == "member"}
                        known[at][number, month_at(month)] = frozenset(members)
    return known


def found_by_recount(paths: list[Path], numbers: dict[str, str], cuts: dict[str, int]) -> dict[str, Known]:
    recount, known = Recount(numbers), {}
    months = sorted(cuts)
    for sequence, path in enumerate(paths, 1):
        recount.take(path)
        for at in [at for at, last in cuts.items() if last == sequence]:
            known[at] = {
                (who, month): members for month in months if month <= at for who, members in recount.members(month)
            }
    return known


@pytest.mark.parametrize("seed", SEEDS)
def test_no_person_month_differs_now_or_as_of_any_month(tmp_path: Path, seed: int) -> None:
    simulate(tmp_path / "world", people=PEOPLE, months=MONTHS, seed=seed, eligibility=("state-care",))
    paths = files(tmp_path / "world" / "deliveries")
    numbers = numbers_of(paths)
    cuts = {path.parent.name[4:]: sequence for sequence, path in enumerate(paths, 1)}
    ours, theirs = found_by_rules(facts_of(paths, numbers), cuts), found_by_recount(paths, numbers, cuts)
    assert len(cuts) == MONTHS + 3
    for at in cuts:
        keys = ours[at].keys() | theirs[at].keys()
        nobody: frozenset[str] = frozenset()
        different = {
            key: (sorted(ours[at].get(key, nobody)), sorted(theirs[at].get(key, nobody)))
            for key in keys
            if ours[at].get(key, nobody) != theirs[at].get(key, nobody)
        }
        assert different == {}, at
    _everything_is_met(ours[max(cuts)])


def _everything_is_met(known: Known) -> None:
    """The populations hold people in every arrangement, so that equal does not mean empty."""
    met = Counter(arrangement for members in known.values() for arrangement in members)
    assert set(met) == {pack.arrangement for pack in POLICY.packs}
