"""Each rule of risk stratification as a table of cases."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.claims import Adjustment, MedicareClaim, MedicareClaimLine
from services.risk.facts import ClaimRecord, FacilityStay, PersonFacts, Statement
from services.risk.hcc_tables import eligible_procedures
from services.risk.risk_policy import policy_entries, risk_policy
from services.risk.rules.capacity_tier import Standing, tiers_of
from services.risk.rules.coverage_at import (
    dual_status_in,
    is_institutional_level,
    last_known_month,
    portrait,
    spoken_of,
)
from services.risk.rules.eligible_diagnoses import eligible_diagnoses
from services.risk.rules.institutional_stay import facility_days, is_long_stay
from services.risk.rules.scoring_input import scoring_inputs
from services.risk.rules.segment import age_on_first_of_february, has_medicaid, original_entitlement, segment_of
from services.risk.rules.standing_claims import standing_claims

POLICY = risk_policy()
LISTED = frozenset({"99213"})


@pytest.mark.parametrize(
    ("birth", "year", "age"),
    [
        (date(1957, 2, 1), 2022, 65),
        (date(1957, 2, 2), 2022, 64),
        (date(1957, 1, 31), 2022, 65),
        (date(1956, 2, 29), 2022, 65),
        (date(2022, 3, 1), 2022, 0),
        (date(2030, 1, 1), 2022, 0),
    ],
)
def test_age_counts_on_the_first_of_february(birth: date, year: int, age: int) -> None:
    assert age_on_first_of_february(birth, year) == age


@pytest.mark.parametrize(
    ("age", "dual", "institutional", "new", "segment"),
    [
        (65, "02", False, False, "CFA"),
        (64, "02", False, False, "CFD"),
        (70, "04", False, False, "CFA"),
        (70, "08", False, False, "CFA"),
        (70, "01", False, False, "CPA"),
        (50, "03", False, False, "CPD"),
        (70, "05", False, False, "CPA"),
        (70, "06", False, False, "CPA"),
        (70, "NA", False, False, "CNA"),
        (50, "00", False, False, "CND"),
        (70, "09", False, False, "CNA"),
        (70, "10", False, False, "CNA"),
        (70, "99", False, False, "CNA"),
        (70, None, False, False, "CNA"),
        (70, "02", False, True, "NE"),
        (70, "02", True, True, "INS"),
        (50, None, True, False, "INS"),
    ],
)
def test_segments(age: int, dual: str | None, institutional: bool, new: bool, segment: str) -> None:  # noqa: FBT001 - a table
    assert segment_of(age, dual, institutional=institutional, new_enrollee=new) == segment


def test_medicaid_and_original_entitlement() -> None:
    assert [code for code in ("NA", "00", "01", "02", "03", "04", "05", "06", "08", "09", "10", "99") if has_medicaid(code)] == [
        "01", "02", "03", "04", "05", "06", "08",
    ]  # fmt: skip
    assert [original_entitlement(code) for code in ("0", "1", "2", "3", "4", None)] == ["0", "1", "2", "3", "0", "0"]


def claim(kind: str, bill: str = "", procedure: str | None = None, **more: Any) -> MedicareClaim:
    day = date(2024, 5, 1)
    line = MedicareClaimLine(
        line_number=1,
        service_from=day,
        service_through=day,
        procedure_code=procedure,
        denied=more.pop("line_denied", False),
    )
    values: dict[str, Any] = {
        "record_id": "r", "version": 1, "claim_type_code": kind, "adjustment": Adjustment.ORIGINAL, "service_from": day,
        "service_through": day, "paid_cents": 1, "diagnosis_codes": ("I509",), "lines": (line,),
        "facility_type_code": bill[:1] or None, "classification_code": bill[1:] or None,
    }  # fmt: skip
    return MedicareClaim(**(values | more))


ELIGIBLE = [
    (claim("60", "11"), True),
    (claim("61", "41"), True),
    (claim("60", "18"), False),
    (claim("60"), False),
    (claim("60", "11", denied=True), False),
    *((claim("40", bill, "99213"), True) for bill in ("12", "13", "43", "71", "73", "76", "77", "85", "87")),
    (claim("40", "13", "A0428"), False),
    (claim("40", "13"), False),
    (claim("40", "14", "99213"), False),
    (claim("40", "11", "99213"), False),
    (claim("71", procedure="99213"), True),
    (claim("72", procedure="99213"), True),
    (claim("71", procedure="99213", line_denied=True), False),
    (claim("71", procedure="A0428"), False),
    (claim("71"), False),
    *((claim(kind, "11", "99213"), False) for kind in ("10", "20", "30", "50", "81", "82")),
]


@pytest.mark.parametrize(("one", "counts"), ELIGIBLE)
def test_which_claims_count(one: MedicareClaim, counts: bool) -> None:  # noqa: FBT001 - a table
    assert eligible_diagnoses(one, LISTED) == (("I509",) if counts else ())


def test_procedure_lists_are_those_of_the_service_year_or_the_nearest() -> None:
    assert "99213" in eligible_procedures(2024, POLICY)
    assert "A0428" not in eligible_procedures(2024, POLICY)
    assert eligible_procedures(1999, POLICY) == eligible_procedures(2023, POLICY)
    assert eligible_procedures(2050, POLICY) == eligible_procedures(2026, POLICY)
    assert eligible_procedures(2024, POLICY) != eligible_procedures(2025, POLICY)


def record(
    name: str, sequence: int, version: int = 1, *, cancels: bool = False, key: str = "k", codes: str = "I509"
) -> ClaimRecord:
    day = date(2021, 5, 1)
    return ClaimRecord(sequence, "OH", name, version, key, cancels, day, day, tuple(codes.split()))


STANDING = [
    ([record("a", 1)], ["a"]),
    ([record("a", 1), record("x", 2, cancels=True)], []),
    ([record("a", 1), record("x", 2, cancels=True), record("b", 2, 2)], ["b"]),
    ([record("x", 2, cancels=True)], []),
    ([record("x", 2, cancels=True), record("y", 3, cancels=True), record("a", 1)], []),
    ([record("a", 1), record("x", 2, cancels=True, key="other")], ["a"]),
    ([record("b", 1), record("a", 2)], ["b", "a"]),
]


def processed(name: str, day: int, *, cancels: bool = False, sequence: int = 1) -> ClaimRecord:
    return record(name, sequence, day * 10**8 + day, cancels=cancels)


STANDING += [
    # The cancelled claim was never delivered: what replaced it stands.
    ([processed("x", 20250214, cancels=True), processed("b", 20250214)], ["b"]),
    ([processed("b", 20250214), processed("x", 20250214, cancels=True, sequence=2)], ["b"]),
    # A cancellation that comes long after the adjustment still means the original.
    ([processed("a", 20250110), processed("b", 20250320), processed("x", 20250320, cancels=True, sequence=3)], ["b"]),
    ([processed("x", 20250101, cancels=True), processed("a", 20250110)], ["a"]),
]


@pytest.mark.parametrize(("records", "standing"), STANDING)
def test_cancellations_take_back_the_oldest(records: list[ClaimRecord], standing: list[str]) -> None:
    assert [one.record_id for one in standing_claims(records)] == standing


def test_the_newest_version_stands_whatever_the_order_of_arrival() -> None:
    newer, older = record("a", 1, 2, codes="E119"), record("a", 2, 1)
    assert standing_claims([older, newer]) == (newer,)
    assert standing_claims([newer, older]) == (newer,)


RECORDS = st.lists(
    st.builds(
        record,
        st.sampled_from("abcd"),
        st.integers(1, 4),
        st.integers(1, 3),
        cancels=st.booleans(),
        key=st.sampled_from("kl"),
    )
)


@given(RECORDS)
def test_nothing_stands_that_is_not_there_and_no_cancellation_does(records: list[ClaimRecord]) -> None:
    found = standing_claims(records)
    assert set(found) <= set(records)
    assert not [one for one in found if one.cancellation]
    assert len({one.record_id for one in found}) == len(found)


def stated(
    month: str | None, sequence: int = 1, payer: Any = "medicare", day: str | None = None, **more: Any
) -> Statement:
    return Statement(
        sequence=sequence, state="OH", payer=payer, stated_on=date.fromisoformat(day or f"{month}-20"),
        first_month=month, last_month=more.pop("last_month", month), **more,
    )  # fmt: skip


SNAPSHOTS = [stated("2022-03", 3, dual_status_code="02"), stated("2022-06", 6, dual_status_code="03")]
SPAN = stated("2022-04", 4, "medicaid", dual_status_code="08", last_month="2022-05")


@pytest.mark.parametrize(
    ("statements", "month", "code"),
    [
        (SNAPSHOTS, "2022-03", "02"),
        (SNAPSHOTS, "2022-05", "02"),
        (SNAPSHOTS, "2022-12", "03"),
        (SNAPSHOTS, "2022-01", "02"),
        ([*SNAPSHOTS, SPAN], "2022-05", "08"),
        ([*SNAPSHOTS, SPAN], "2022-06", "03"),
        ([SPAN], "2022-06", None),
        ([], "2022-06", None),
        ([*SNAPSHOTS, stated("2022-06", 9, day="2022-07-20", dual_status_code="01")], "2022-06", "01"),
        ([*SNAPSHOTS, stated("2022-06", 9, day="2022-05-20", dual_status_code="01")], "2022-06", "03"),
        ([*SNAPSHOTS, stated("2022-06", 9, day="2022-07-20")], "2022-06", "03"),
    ],
)
def test_dual_status_of_a_month(statements: list[Statement], month: str, code: str | None) -> None:
    assert dual_status_in(statements, month) == code


def test_medicare_goes_before_the_state_on_who_a_person_is() -> None:
    medicare = stated("2022-01", 1, birth_date=date(1950, 1, 1), sex_code="0")
    state = stated("2022-09", 9, "medicaid", birth_date=date(1951, 1, 1), sex_code="1")
    assert portrait([state, medicare], 120).birth_date == date(1950, 1, 1)
    assert portrait([state, medicare], 120).sex_code == "1"
    assert portrait([], 120).birth_date is None


def test_institutional_level_is_the_newest_word_on_the_month() -> None:
    first = stated("2022-01", 1, "medicaid", last_month=None, long_term_care_level="institutional")
    later = stated("2022-06", 2, "medicaid", last_month=None, long_term_care_level="community")
    assert is_institutional_level([first, later], "2022-05")
    assert not is_institutional_level([first, later], "2022-06")
    assert not is_institutional_level([first], "2021-12")


@pytest.mark.parametrize(
    ("year", "month"), [(2021, "2021-01"), (2022, "2022-06"), (2023, "2022-06"), (2020, "2020-01")]
)
def test_the_last_known_month_of_a_year(year: int, month: str) -> None:
    assert last_known_month(spoken_of(SNAPSHOTS), year) == month


def test_an_open_span_reaches_to_the_day_on_which_it_was_stated() -> None:
    spans = spoken_of([stated("2021-01", day="2022-03-05", last_month=None)])
    assert [last_known_month(spans, year) for year in (2020, 2021, 2022)] == ["2020-01", "2021-12", "2022-03"]


def stay(first: str, last: str, *, name: str = "s", version: int = 1, counts: bool = True) -> FacilityStay:
    return FacilityStay(1, "OH", name + first, version, date.fromisoformat(first), date.fromisoformat(last), counts)


@pytest.mark.parametrize(
    ("stays", "days"),
    [
        ([], 0),
        ([stay("2022-01-01", "2022-01-10")], 10),
        ([stay("2022-01-01", "2022-01-10"), stay("2022-01-05", "2022-01-12")], 12),
        ([stay("2022-01-01", "2022-01-10"), stay("2022-01-03", "2022-01-04")], 10),
        ([stay("2021-12-20", "2022-01-02")], 2),
        ([stay("2022-03-30", "2022-05-01")], 2),
        ([stay("2022-01-01", "2022-01-10"), stay("2022-01-01", "2022-01-10", version=2, counts=False)], 0),
    ],
)
def test_facility_days(stays: list[FacilityStay], days: int) -> None:
    assert facility_days(stays, date(2022, 1, 1), date(2022, 3, 31)) == days


def test_a_long_stay_needs_its_days_within_the_window() -> None:
    stays = [stay("2022-01-01", "2022-03-31")]
    assert is_long_stay(stays, date(2022, 3, 31), window_days=120, least_days=90)
    assert not is_long_stay(stays, date(2022, 5, 30), window_days=120, least_days=90)


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 60)), max_size=8))
def test_facility_days_equal_a_count_day_by_day(spans: list[tuple[int, int]]) -> None:
    base = date(2022, 1, 1).toordinal()
    stays = [
        FacilityStay(
            1,
            "OH",
            str(number),
            1,
            date.fromordinal(base + first),
            date.fromordinal(base + first + length),
            counts=True,
        )
        for number, (first, length) in enumerate(spans)
    ]
    covered = {day for first, length in spans for day in range(first, first + length + 1) if 30 <= day <= 150}
    assert facility_days(stays, date.fromordinal(base + 30), date.fromordinal(base + 150)) == len(covered)


@pytest.mark.parametrize(
    ("rank", "people", "tier"),
    [
        (1, 100, 4),
        (5, 100, 4),
        (6, 100, 3),
        (20, 100, 3),
        (21, 100, 2),
        (50, 100, 2),
        (51, 100, 1),
        (1, 19, 3),
        (1, 1, 1),
    ],
)
def test_tiers_by_rank(rank: int, people: int, tier: int) -> None:
    standings = [Standing(f"p{place:03d}", 1 - place / people, 1.0) for place in range(1, people + 1)]
    assert tiers_of(standings, POLICY.tier_capacity_percent, POLICY.tier_advantage)[f"p{rank:03d}"] == tier


@given(st.integers(1, 500))
def test_capacity_is_never_exceeded(people: int) -> None:
    standings = [Standing(f"p{place:03d}", 1 - place / people, 1.0) for place in range(1, people + 1)]
    tiers = tiers_of(standings, POLICY.tier_capacity_percent, POLICY.tier_advantage)
    in_order = [tiers[one.person_id] for one in standings]
    assert in_order == sorted(in_order, reverse=True)
    assert in_order.count(4) * 100 <= 5 * people
    assert sum(tier >= 3 for tier in in_order) * 100 <= 20 * people


def test_inputs_by_payment_year() -> None:
    facts = PersonFacts(
        (
            stated(
                "2022-03",
                3,
                birth_date=date(1957, 1, 1),
                sex_code="2",
                dual_status_code="02",
                original_entitlement_code="1",
            ),
        ),
        (record("a", 1), record("b", 2, codes="E119 I509", key="l")),
    )
    (only,) = scoring_inputs(facts, POLICY)
    assert (only.payment_year, only.segment, only.support) == (2022, "CFA", (("E119", "b"), ("I509", "a")))
    assert only.demographics is not None
    assert (only.demographics.age, only.demographics.original_entitlement_code) == (65, "1")
    again = [one.payment_year for one in scoring_inputs(facts, POLICY, also=(2025,))]
    assert again == [2022, 2025]


@pytest.mark.parametrize(
    ("change", "segment"),
    [
        ({"birth_date": None}, "CNA"),
        ({"sex_code": "0"}, "CNA"),
        ({"part_b_began": date(2021, 1, 1)}, "CFA"),
        ({"part_b_began": date(2021, 1, 2)}, "NE"),
        ({"dual_status_code": None}, "CNA"),
    ],
)
def test_unknown_demographics_and_new_enrollees(change: dict[str, Any], segment: str) -> None:
    values: dict[str, Any] = {"birth_date": date(1950, 1, 1), "sex_code": "2", "dual_status_code": "02"} | change
    (only,) = scoring_inputs(PersonFacts((stated("2022-03", **values),)), POLICY)
    assert only.segment == segment
    assert (only.demographics is None) == ("birth_date" in change or "sex_code" in change)


def test_no_score_after_the_year_of_death_or_from_diagnoses_before_the_policys_year() -> None:
    dead = stated("2022-03", death_date=date(2021, 12, 31))
    old = ClaimRecord(
        1,
        "OH",
        "a",
        1,
        "k",
        cancellation=False,
        service_from=date(2010, 1, 1),
        service_through=date(2010, 1, 1),
        diagnosis_codes=("I509",),
    )
    assert list(scoring_inputs(PersonFacts((dead,)), POLICY)) == []
    assert list(scoring_inputs(PersonFacts((), (old,)), POLICY)) == []


def test_the_fingerprint_changes_with_every_input_and_with_nothing_else() -> None:
    facts = PersonFacts((stated("2022-03", 3, dual_status_code="02"),), (record("a", 1),))
    more = PersonFacts((*facts.statements, stated("2022-04", 4, dual_status_code="02")), facts.claims)
    changed = PersonFacts(facts.statements, (record("b", 1),))
    prints = [next(iter(scoring_inputs(one, POLICY))).fingerprint() for one in (facts, more, changed)]
    assert prints[0] == prints[1] != prints[2]


def test_every_parameter_says_where_it_comes_from() -> None:
    for name, entry in policy_entries().items():
        assert set(entry) == {"value", "source", "status"}, name
        assert entry["status"] in ("confirmed", "unconfirmed"), name
