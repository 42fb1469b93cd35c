"""Files as delivered: envelopes and their counts, dates, the ledger of repeated files, and sums of the truth."""

import json
import zipfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from people_of_simulation import PERIOD, drawn, life, person

from contracts.codes import Payer
from infra.simulator import Simulation, enrolment, simulate
from infra.simulator.adjudication import LAGS, adjudicate_medicaid
from infra.simulator.cclf import control_file
from infra.simulator.claims import Line, MedicaidClaim, MedicareClaim, Version
from infra.simulator.life import AlignedSpan, Change
from infra.simulator.simulation import claims_of
from infra.simulator.truth import Truth

DAY = date(2022, 3, 4)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    return simulate(tmp_path_factory.mktemp("deliveries") / "made", people=120, months=10, seed=21)


def _texts(made: Simulation, kind: str) -> list[tuple[str, str]]:
    root = made.directory / "deliveries"
    return [(one.path, (root / one.path).read_text()) for one in made.deliveries if one.kind.value == kind]


def test_every_interchange_counts_its_segments(made: Simulation) -> None:
    for path, text in _texts(made, "enrolment_834"):
        segments = [segment.split("*") for segment in text.replace("\n", "").split("~")[:-1]]
        names = [segment[0] for segment in segments]
        assert names[:4] == ["ISA", "GS", "ST", "BGN"], path
        assert names[-3:] == ["SE", "GE", "IEA"]
        assert int(segments[-3][1]) == len(segments) - 4
        assert segments[0][13] == segments[-1][2]
        assert segments[2][2] == segments[-3][2]
        assert Counter(names)["INS"] == Counter(names)["DMG"] == Counter(names)["NM1"]


def test_an_interchange_header_has_its_fixed_length(made: Simulation) -> None:
    for _, text in _texts(made, "enrolment_834"):
        assert text.index("~") == 105
        assert text[3] == text[103] == "*"
        assert text[104] == ":"


def test_an_interchange_is_of_the_plan_and_day_that_it_is_named_after(made: Simulation) -> None:
    for path, text in _texts(made, "enrolment_834"):
        if any(one.path == path and one.duplicate_of for one in made.deliveries):
            continue
        _, plan, on, *_ = path.split("/")[1].split(".")
        assert f"BGN*00*{plan}20{on[1:]}*20{on[1:]}*" in text
        assert all(";01~\nDTP*348" in part for part in text.split(f"**HLT*{plan}")[1:])
        action = text.split("BGN*")[1].split("~")[0].rsplit("*", 1)[1]
        assert (on[-2:], action) in {("08", "2"), ("10", "4")}


def test_changes_are_stated_before_the_roster_that_overrules_them() -> None:
    for month in range(PERIOD.last_delivery + 1):
        changes, roster = (enrolment.file_date(PERIOD, month, kind) for kind in ("changes", "roster"))
        assert PERIOD.first_days[month] < changes < roster
        names = [enrolment.file_name(PERIOD, month, "MCO9001", kind) for kind in ("changes", "roster")]
        assert names == sorted(names)


@pytest.mark.parametrize(
    ("changes", "month", "segments"),
    [
        ([], 4, 8 + 4 - 1),
        ([Change("health_plan", "H9001", 3, 14, 3)], 4, 8 + 5 - 1),
        ([Change("dual", "08", 3, 14, 5)], 5, 8 + 3 * 4 - 1),
    ],
)
def test_segments_of_a_member(changes: list[Change], month: int, segments: int) -> None:
    """INS, three REF, NM1, N4, DMG; then HD, two DTP and a REF a loop, and a REF for a Medicare health plan."""
    (member,) = enrolment.members(person(life(changes)), month)
    assert member.segments == member.text.count(enrolment.END) == segments


def test_reports_count_their_rows(made: Simulation) -> None:
    for kind in ("alignment_report", "provider_roster"):
        found = _texts(made, kind)
        assert found
        for _, text in found:
            lines = text.splitlines()
            assert lines[-1] == f"TRL,{len(lines) - 2}"


def test_the_roster_comes_at_the_start_and_halfway(made: Simulation) -> None:
    months = [path.split("/")[0] for path, _ in _texts(made, "provider_roster")]
    firsts = sorted({month for month in months if month[:3] in {"001", "006"}})
    assert firsts == ["001-2022-01", "006-2022-06"]


def test_a_control_file_has_a_line_a_file() -> None:
    lines = control_file({"CCLF1": 1, "CCLF2": 4, "CCLF5": 22, "CCLF7": 5, "CCLF8": 333, "CCLF9": 0}).splitlines()
    assert [line[52:63].strip() for line in lines[1:]] == ["1", "4", "22", "5", "333", "0"]
    assert [line[:7].strip() for line in lines[1:]] == ["CCLF1", "CCLF2", "CCLF5", "CCLF7", "CCLF8", "CCLF9"]
    assert {len(line) for line in lines[1:]} == {70}


def test_archives_carry_no_clock(made: Simulation) -> None:
    for one in made.deliveries:
        path = made.directory / "deliveries" / one.path
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                assert {entry.date_time for entry in archive.infolist()} == {(2022, 1, 1, 0, 0, 0)}


def test_every_month_delivers_both_feeds_and_one_of_each_other_kind(made: Simulation) -> None:
    first = [one for one in made.deliveries if one.duplicate_of is None]
    counts = Counter((one.path[:3], one.kind.value) for one in first)
    for month in range(1, 10 + 3 + 1):
        assert counts[f"{month:03d}", "cclf"] == 2
        assert counts[f"{month:03d}", "medicaid_claims"] == counts[f"{month:03d}", "alignment_report"] == 1
        assert counts[f"{month:03d}", "enrolment_834"] >= 3


def test_a_file_is_repeated_a_month_later_under_its_name(made: Simulation) -> None:
    repeated = {one.path: one.duplicate_of for one in made.deliveries if one.duplicate_of}
    originals = {one.path for one in made.deliveries if not one.duplicate_of}
    assert any(path.startswith("002-") for path in repeated)
    for path, original in repeated.items():
        assert original in originals
        assert path.split("/")[1] == original.split("/")[1]
        assert int(path[:3]) == int(original[:3]) + 1


def test_one_file_at_most_is_repeated_a_month(made: Simulation) -> None:
    assert max(Counter(one.path[:3] for one in made.deliveries if one.duplicate_of).values()) == 1


def _truth(people: range) -> Truth:
    truth = Truth(PERIOD)
    for index, one in enumerate(drawn(people.stop)):
        if index in people:
            truth.add_person(one, *claims_of(one))
    return truth


def _cells(truth: Truth) -> Counter[tuple[Any, ...]]:
    cells: Counter[tuple[Any, ...]] = Counter()
    for row in truth.measures():
        for name in ("cents", "claims", "crossover_cents", "crossover_claims", "outlay_cents"):
            cells[row["payer"], row["category"], row["month"], row["cohort"], name] += row[name]
    return cells


def _counts(truth: Truth) -> Counter[tuple[str, str]]:
    return Counter({(row["cohort"], row["month"]): row["count"] for row in truth.person_months()})


def test_the_truth_of_all_is_the_sum_of_its_parts() -> None:
    one, other, both = _truth(range(25)), _truth(range(25, 60)), _truth(range(60))
    summed = _cells(one)
    summed.update(_cells(other))
    assert summed == _cells(both)
    assert _counts(one) + _counts(other) == _counts(both)
    assert one.alignment() + other.alignment() == both.alignment()
    for payer in (Payer.MEDICARE, Payer.MEDICAID):
        assert one.cents(payer) + other.cents(payer) == both.cents(payer)
    assert one.medicare_records + other.medicare_records == both.medicare_records
    assert one.medicaid_versions + other.medicaid_versions == both.medicaid_versions


def _only_cell(truth: Truth) -> dict[str, Any]:
    (row,) = truth.measures()
    return row


def _medicare(*kinds: tuple[str, int]) -> MedicareClaim:
    claim = MedicareClaim(1, "60", DAY, DAY, ("I10",), "1900010004", [Line(DAY, DAY, "", 10_001, 10_001)])
    claim.versions = [Version(kind, 4 + number, number, permille) for number, (kind, permille) in enumerate(kinds)]
    return claim


@pytest.mark.parametrize(
    ("kinds", "cents", "claims"),
    [
        ([("0", 1000)], 10_001, 1),
        ([("0", 1000), ("1", 1000)], 0, 0),
        ([("0", 1000), ("1", 1000), ("2", 850)], 8_500, 1),
        ([("0", 1000), ("1", 1000), ("2", 1200)], 12_001, 1),
    ],
)
def test_medicare_records_are_summed_signed(kinds: list[tuple[str, int]], cents: int, claims: int) -> None:
    truth = Truth(PERIOD)
    truth.add_person(person(), [_medicare(*kinds)], [])
    row = _only_cell(truth)
    assert (row["payer"], row["category"], row["month"]) == ("medicare", "inpatient", "2022-03")
    assert (row["cents"], row["outlay_cents"], row["claims"]) == (cents, cents, claims)
    assert truth.medicare_records == len(kinds)


def _medicaid(*kinds: tuple[str, int], claim_type: str = "3", **given: Any) -> MedicaidClaim:
    lines = [Line(DAY, DAY, "T2003", 2_501, 2_501, "056")]
    claim = MedicaidClaim(1, "OT", claim_type, "MCO9001", DAY, DAY, ("I10",), "1900010004", lines, **given)
    claim.versions = [Version(kind, 4 + number, number, permille) for number, (kind, permille) in enumerate(kinds)]
    return claim


@pytest.mark.parametrize(
    ("claim", "cents", "claims", "outlay", "crossovers"),
    [
        (_medicaid(("0", 1000)), 2_501, 1, 0, 0),
        (_medicaid(("0", 1000), claim_type="1"), 2_501, 1, 2_501, 0),
        (_medicaid(("0", 1000), ("4", 600), claim_type="1"), 1_500, 1, 1_500, 0),
        (_medicaid(("0", 1000), ("4", 600), ("1", 600)), 0, 0, 0, 0),
        (_medicaid(("0", 1000), ("1", 1000)), 0, 0, 0, 0),
        (_medicaid(("0", 1000), denied=True), 0, 0, 0, 0),
        (_medicaid(("0", 1000), claim_type="1", crossover=True), 2_501, 1, 2_501, 1),
    ],
)
def test_the_newest_adjudication_of_a_medicaid_claim_stands(
    claim: MedicaidClaim, cents: int, claims: int, outlay: int, crossovers: int
) -> None:
    truth = Truth(PERIOD)
    truth.add_person(person(), [], [claim])
    row = _only_cell(truth)
    assert (row["cents"], row["claims"], row["outlay_cents"], row["crossover_claims"]) == (
        cents,
        claims,
        outlay,
        crossovers,
    )
    assert row["crossover_cents"] == (cents if crossovers else 0)


@pytest.mark.parametrize(("carries", "months"), [(True, {"2022-03", "2022-04"}), (False, {"2022-04"})])
def test_amounts_count_in_the_month_of_the_line_or_of_the_header(months: set[str], *, carries: bool) -> None:
    april = date(2022, 4, 2)
    claim = _medicaid(("0", 1000), lines_carry_amounts=carries)
    claim.lines.append(Line(april, april, "T2003", 100, 100, "056"))
    claim.last = april
    truth = Truth(PERIOD)
    truth.add_person(person(), [], [claim])
    rows = truth.measures()
    assert {row["month"] for row in rows if row["cents"]} == months
    assert sum(row["cents"] for row in rows) == 2_601
    assert [row["month"] for row in rows if row["claims"]] == ["2022-04"]


def test_months_of_a_person_run_from_entry_to_the_news_of_death() -> None:
    course = life(entry=2, death=date(2022, 5, 17), last_stated=6)
    truth = Truth(PERIOD)
    truth.add_person(person(course, (AlignedSpan(2, 3, 4, 6, "DEATH"),)), [], [])
    assert {row["month"]: row["cohort"] for row in truth.person_months()} == {
        "2022-03": "aligned",
        "2022-04": "aligned",
        "2022-05": "aligned",
        "2022-06": "excluded",
        "2022-07": "excluded",
    }


def test_first_adjudications_come_one_to_five_months_later_as_often_as_stated() -> None:
    one, counts = person(), Counter[int]()
    for _ in range(6_000):
        claim = _medicaid()
        adjudicate_medicaid(one, claim)
        counts[claim.versions[0].delivery - PERIOD.number(DAY) - 1] += 1
    expected = Counter(LAGS)
    for lag, times in expected.items():
        assert counts[lag] / 6_000 == pytest.approx(times / len(LAGS), abs=0.03)
    assert set(counts) == set(expected) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(("name", "longest"), [("plan", 5), ("dual", 5), ("health_plan", 4)])
def test_news_of_a_change_comes_at_once_or_some_months_late(name: str, longest: int) -> None:
    lags = Counter(
        change.known - change.first
        for one in drawn(4_000)
        for change in one.life.changes
        if change.name == name and one.life.entry < change.first and change.known < one.life.last_stated
    )
    assert set(lags) == set(range(longest + 1))
    assert lags[0] > max(count for lag, count in lags.items() if lag)


def test_every_event_of_a_life_happens_to_somebody() -> None:
    people = list(drawn(3_000))
    seen = Counter[str]()
    for one in people:
        course = one.life
        seen["dies"] += course.death is not None
        seen["enters late"] += course.entry > 0
        seen["moves"] += len(set(course.counties)) > 1
        seen["loses part B"] += "1" in course.buy_ins
        seen["new identifier"] += len(course.mbi_changes) == 1
        seen["two new identifiers"] += len(course.mbi_changes) == 2
        seen["refuses sharing"] += course.opted_out
        for change in course.changes:
            seen[f"{change.name} {'lost' if change.value is None else 'gained'}"] += 1
    assert min(seen.values()) > 0
    assert set(seen) == {
        "dies",
        "enters late",
        "moves",
        "loses part B",
        "new identifier",
        "two new identifiers",
        "refuses sharing",
        "dual lost",
        "dual gained",
        "plan lost",
        "plan gained",
        "health_plan lost",
        "health_plan gained",
    }


def test_as_many_come_to_the_entitys_plan_as_leave_it() -> None:
    """Else the community's people would drain from one cohort to the other, and its mean would drift."""
    moves = Counter(
        change.value == "MCO9001"
        for one in drawn(6_000)
        for change in one.life.changes
        if change.name == "plan" and one.life.start.full and change.value in {"MCO9001", "MCO9002"}
    )
    assert 0.5 < moves[True] / moves[False] < 2.5


def test_deliveries_in_the_truth_are_those_returned(made: Simulation) -> None:
    listed = json.loads((Path(made.directory) / "truth.json").read_text())["deliveries"]
    assert [(row["path"], row["kind"], row["duplicate_of"]) for row in listed] == [
        (one.path, one.kind.value, one.duplicate_of) for one in made.deliveries
    ]
