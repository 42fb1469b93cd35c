"""What a score depends on month by month, what it leaves out, and what it says about itself."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.claims import Adjustment, InstitutionalProcedure, MedicareClaim, MedicareClaimLine
from contracts.risk import EsrdRiskScored, RiskScored
from services.risk.claim_codes import claim_codes
from services.risk.facts import ClaimRecord, FacilityStay, PersonFacts, Statement
from services.risk.hcc_tables import hcc_tables
from services.risk.risk_policy import risk_policy
from services.risk.rules.claim_marks import Mark, marks_of
from services.risk.rules.esrd_score import Kidneys
from services.risk.rules.kidney_status import kidneys_in
from services.risk.rules.scoring_input import ScoringInput, scoring_inputs
from services.risk.rules.segment_periods import status_in
from services.risk.rules.support_gaps import Support, gaps_in
from services.risk.score_history import ScoredInput, scores_of
from services.risk.score_saying import Delivered, said_of

POLICY = risk_policy()
PERSON = "p" + "ab" * 16
SAID_ON = datetime(2022, 7, 1, tzinfo=UTC)


def stated(month: str, payer: Any = "medicare", **more: Any) -> Statement:
    values: dict[str, Any] = {"birth_date": date(1949, 6, 1), "sex_code": "2", "original_entitlement_code": "0"}
    values |= {"first_month": month, "last_month": month, "dual_status_code": "02"} | more
    return Statement(1, "OH", payer, date.fromisoformat(f"{month}-20"), **values)


def claim(name: str, day: date, **more: Any) -> ClaimRecord:
    values: dict[str, Any] = {"claim_key": name, "cancellation": False} | more
    return ClaimRecord(1, "OH", name, 1, service_from=day, service_through=day, **values)


def only(facts: PersonFacts, year: int = 2022) -> ScoringInput:
    return next(one for one in scoring_inputs(facts, POLICY) if one.payment_year == year)


def periods(facts: PersonFacts, year: int = 2022) -> list[tuple[str, str]]:
    return [(one.first_month, one.segment) for one in only(facts, year).periods]


LEVEL = {"payer": "medicaid", "long_term_care_level": "institutional", "dual_status_code": None}
PERIODS: list[tuple[list[Statement], tuple[FacilityStay, ...], list[tuple[str, str]]]] = [
    ([stated("2022-03"), stated("2022-06")], (), [("2022-01", "CFA")]),
    ([stated("2022-03"), stated("2022-05", dual_status_code="03")], (), [("2022-01", "CFA"), ("2022-05", "CPA")]),
    ([stated("2022-03"), stated("2022-04", dual_status_code="99"), stated("2022-05")], (),
     [("2022-01", "CFA"), ("2022-04", "CNA"), ("2022-05", "CFA")]),
    ([stated("2022-01"), stated("2022-06"), stated("2022-04", last_month="2022-05", **LEVEL)], (),
     [("2022-01", "CFA"), ("2022-04", "INS"), ("2022-06", "CFA")]),
    # Days in a facility make the month institutional in which they reach ninety.
    ([stated("2022-06")], (FacilityStay(1, "OH", "s", 1, date(2022, 1, 1), date(2022, 6, 30), counts=True),),
     [("2022-01", "CFA"), ("2022-03", "INS")]),
    ([stated("2022-06", part_b_began=date(2022, 3, 1))], (), [("2022-03", "NE")]),
    ([stated("2022-06", part_b_began=date(2021, 6, 1))], (), [("2022-01", "NE")]),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "stays", "expected"), PERIODS)
def test_segments_by_month(
    statements: list[Statement], stays: tuple[FacilityStay, ...], expected: list[tuple[str, str]]
) -> None:
    assert periods(PersonFacts(tuple(statements), (), stays)) == expected


def test_a_year_ahead_does_not_depend_on_how_many_months_of_this_year_are_known() -> None:
    diagnosed = (claim("a", date(2022, 1, 5), diagnosis_codes=("E119",)),)
    months = [stated("2022-01"), stated("2022-02"), stated("2022-03")]
    ahead = [only(PersonFacts(tuple(months[:known]), diagnosed), 2023) for known in (1, 2, 3)]
    assert [(one.first_month, one.segment) for one in ahead[0].periods] == [("2023-01", "CFA")]
    # A statement that repeats what is known is not even read: it must not have changed anything.
    assert len({one.fingerprint() for one in ahead}) == 1


def test_a_new_enrollee_of_a_special_needs_plan_has_its_segment_while_in_it() -> None:
    policy = replace(POLICY, special_needs_plan_contracts=frozenset({"H1234"}))
    began = date(2021, 6, 1)
    in_plan = {"payer": "medicaid", "last_month": "2022-04", "health_plan_contract": "H1234"}
    facts = PersonFacts((stated("2022-06", part_b_began=began), stated("2022-03", part_b_began=began, **in_plan)))
    (found,) = scoring_inputs(facts, policy)
    assert [(one.first_month, one.segment) for one in found.periods] == [
        ("2022-01", "NE"), ("2022-03", "SNPNE"), ("2022-05", "NE"),
    ]  # fmt: skip
    assert periods(facts) == [("2022-01", "NE")], "no contract is known to be one until the policy says so"


def _each_month(facts: PersonFacts) -> list[tuple[str, str, bool]]:
    """The same by reading every month, without any short way."""
    found: list[tuple[str, str, bool]] = []
    for number in range(1, 13):
        month = f"2022-{number:02d}"
        status = status_in(facts, month, POLICY)
        letter = {"02": "F", "04": "F", "03": "P"}.get(status.dual_status_code or "", "N")
        segment = "INS" if status.institutional else f"C{letter}A"
        # Medicaid benefits weigh in an institution as well, so a change of them begins a period.
        if not found or found[-1][1:] != (segment, letter != "N"):
            found.append((month, segment, letter != "N"))
    return found


STATEMENTS = st.builds(
    lambda month, length, payer, dual, level: stated(
        f"2022-{month:02d}", payer, last_month=f"2022-{min(12, month + length):02d}", dual_status_code=dual,
        long_term_care_level=level if payer == "medicaid" else None,
    ),
    st.integers(1, 12), st.integers(0, 4), st.sampled_from(("medicare", "medicaid")),
    st.sampled_from(("02", "02", "03", "99", None)), st.sampled_from((None, None, "community", "institutional")),
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(STATEMENTS, max_size=6))
def test_the_short_way_gives_what_every_month_gives(statements: list[Statement]) -> None:
    facts = PersonFacts((stated("2022-12", dual_status_code=None), *statements))
    known = only(facts)
    told = [(one.first_month, one.segment, one.demographics) for one in known.periods]
    assert [(month, segment, person and person.medicaid) for month, segment, person in told] == _each_month(facts)


NOTES: list[tuple[list[Statement], set[str]]] = [
    ([stated("2022-03")], set()),
    ([stated("2022-03", dual_status_code=None)], {"dual_status_unknown"}),
    ([stated("2022-03", dual_status_code="99")], {"dual_status_unknown"}),
    ([stated("2022-03", dual_status_code="09")], {"dual_status_without_benefits"}),
    ([stated("2022-03", original_entitlement_code=None)], {"original_entitlement_unknown"}),
    ([stated("2022-03", original_entitlement_code="4")], {"original_entitlement_unknown"}),
    ([stated("2022-03"), stated("2022-03", "medicaid", sex_code="1")], {"sex_conflicting"}),
    ([stated("2022-03", sex_code="0")], {"sex_unknown"}),
    ([stated("2022-03"), stated("2022-03", "medicaid", birth_date=date(1951, 1, 1))], {"birth_date_conflicting"}),
    ([stated("2022-03", birth_date=None)], {"birth_date_unknown"}),
    ([stated("2022-03", birth_date=date(2022, 3, 21))], {"birth_date_implausible", "birth_date_unknown"}),
    ([stated("2022-03", birth_date=date(1900, 1, 1))], {"birth_date_implausible", "birth_date_unknown"}),
    ([stated("2022-03"), stated("2022-03", "medicaid", birth_date=date(1900, 1, 1))], {"birth_date_implausible"}),
    ([stated("2022-03", death_date=date(2022, 2, 1))], {"died_in_payment_year"}),
    ([stated("2022-03", medicare_status_code="11")], {"esrd_model_applies"}),
]


@pytest.mark.parametrize(("statements", "notes"), NOTES)
def test_a_score_says_what_is_missing_or_contradictory(statements: list[Statement], notes: set[str]) -> None:
    assert set(only(PersonFacts(tuple(statements))).notes) == notes


def test_an_implausible_birth_date_gives_no_age_and_a_plausible_one_is_taken_instead() -> None:
    wrong = stated("2022-03", birth_date=date(1900, 1, 1))
    assert only(PersonFacts((wrong,))).demographics is None
    right = only(PersonFacts((wrong, stated("2022-03", "medicaid"))))
    assert right.demographics is not None
    assert right.demographics.age == 72


DAY = date(2021, 5, 1)
IGNORED: list[tuple[list[ClaimRecord], dict[str, str], dict[str, str]]] = [
    ([claim("a", DAY, diagnosis_codes=("I509",))], {"I509": "a"}, {}),
    ([claim("a", DAY, ignored_codes=("I509",), ignored_reason="claim_kind")], {}, {"I509": "claim_kind"}),
    # What counts by one claim is not ignored because of another.
    ([claim("a", DAY, ignored_codes=("I509",), ignored_reason="claim_kind"), claim("b", DAY, diagnosis_codes=("I509",))],
     {"I509": "b"}, {}),
    ([claim("a", DAY, diagnosis_codes=("I509",), claim_key="k"), claim("x", DAY, cancellation=True, claim_key="k")],
     {}, {"I509": "cancelled_claim"}),
    ([claim("a", DAY, diagnosis_codes=("C50A0",))], {}, {"C50A0": "not_in_tables_of_year"}),
    ([claim("a", date(2020, 5, 1), diagnosis_codes=("I509",))], {}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("claims", "support", "ignored"), IGNORED)
def test_what_counts_and_what_is_ignored(
    claims: list[ClaimRecord], support: dict[str, str], ignored: dict[str, str]
) -> None:
    found = only(PersonFacts((stated("2022-03"),), tuple(claims)))
    assert (dict(found.support), dict(found.ignored)) == (support, ignored)


def said(facts: PersonFacts, year: int = 2022) -> list[RiskScored | EsrdRiskScored]:
    scored = ScoredInput(3, only(facts, year), b"x" * 16)
    delivered = Delivered("d" + "0" * 32, SAID_ON)
    return [one.event for one in said_of(PERSON, scored, scores_of(scored.scored, POLICY), delivered, POLICY)]


def test_a_score_of_nothing_says_what_was_ignored_and_by_which_tables() -> None:
    lost = claim("a", DAY, ignored_codes=("I509",), ignored_reason="no_listed_procedure")
    v24, v28 = said(PersonFacts((stated("2022-03"),), (lost,)))
    for event in (v24, v28):
        assert [(one.diagnosis_code, one.reason) for one in event.data.ignored] == [("I509", "no_listed_procedure")]
        assert event.data.ignored_count == 1
        assert (event.data.tables_year, event.data.notes) == (2025, ("tables_of_another_year",))
    in_its_year = said(PersonFacts((stated("2026-03"),)), 2026)
    assert {(one.data.tables_year, one.data.notes) for one in in_its_year} == {(2026, ())}


def test_an_edit_is_told_as_ignored() -> None:
    child = stated("2022-03", birth_date=date(2012, 1, 1))
    told = said(PersonFacts((child,), (claim("a", DAY, diagnosis_codes=("J410",)),)))
    reasons = [{one.diagnosis_code: one.reason for one in event.data.ignored} for event in told]
    assert reasons[1] == {"J410": "age_or_sex_edit"}


def test_an_event_stays_small_and_still_says_how_much_was_ignored() -> None:
    codes = sorted(hcc_tables(2025).mapped)[:50]
    lost = claim("a", DAY, ignored_codes=tuple(codes), ignored_reason="denied_claim")
    for event in said(PersonFacts((stated("2022-03"),), (lost,))):
        assert (len(event.data.ignored), event.data.ignored_count) == (30, 50)


def test_periods_are_told_only_where_the_segment_changes() -> None:
    changing = PersonFacts((stated("2022-03"), stated("2022-05", dual_status_code="03")))
    _, v28 = said(changing)
    assert isinstance(v28, RiskScored)
    assert [(one.first_month, one.segment, one.raw_score) for one in v28.data.periods] == [
        ("2022-01", "CFA", Decimal("0.506")), ("2022-05", "CPA", Decimal("0.423")),
    ]  # fmt: skip
    assert (v28.data.segment, v28.data.raw_score) == ("CPA", Decimal("0.423"))
    steady = said(PersonFacts((stated("2022-03"),)))[1]
    assert isinstance(steady, RiskScored)
    assert steady.data.periods == ()


def test_whoever_has_renal_disease_is_scored_by_its_model_beside_the_others() -> None:
    told = said(
        PersonFacts((stated("2022-03", medicare_status_code="11"),), (claim("a", DAY, diagnosis_codes=("I509",)),))
    )
    assert [one.data.model for one in told] == ["V24", "V28", "ESRD_V24"]
    renal = told[2]
    assert isinstance(renal, EsrdRiskScored)
    assert (renal.data.segment, renal.data.kidney_status, renal.data.graft_month) == ("DI", "dialysis", None)
    assert [one.category for one in renal.data.categories] == [85]
    assert renal.data.raw_score == Decimal("0.684") + Decimal("0.063")


RENAL = (stated("2022-01", medicare_status_code="11"),)
KIDNEYS: list[tuple[tuple[Statement, ...], list[ClaimRecord], str, Kidneys | None]] = [
    ((stated("2022-01", medicare_status_code="10"),), [], "2022-03", None),
    ((stated("2022-01", medicare_status_code="31"),), [], "2022-03", Kidneys("dialysis")),
    (RENAL, [claim("t", date(2022, 1, 30), transplant=True)], "2022-01", Kidneys("transplant", 1)),
    (RENAL, [claim("t", date(2022, 1, 30), transplant=True)], "2022-03", Kidneys("transplant", 3)),
    (RENAL, [claim("t", date(2022, 1, 30), transplant=True)], "2022-04", Kidneys("functioning_graft", 4)),
    (RENAL, [claim("t", date(2022, 1, 30), transplant=True)], "2021-12", Kidneys("dialysis")),
    # The status ends three years after a transplant, the graft does not.
    ((), [claim("t", date(2018, 1, 30), transplant=True)], "2022-03", Kidneys("functioning_graft", 51)),
    (RENAL, [claim("t", date(2021, 1, 1), transplant=True),
             *(claim(f"d{month}", date(2021, month, 1), dialysis=True) for month in (5, 6, 7))], "2021-07",
     Kidneys("dialysis")),
    (RENAL, [claim("t", date(2021, 1, 1), transplant=True),
             *(claim(f"d{month}", date(2021, month, 1), dialysis=True) for month in (1, 2, 3))], "2021-07",
     Kidneys("functioning_graft", 7)),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "claims", "month", "expected"), KIDNEYS)
def test_kidneys_of_a_month(
    statements: tuple[Statement, ...], claims: list[ClaimRecord], month: str, expected: Kidneys | None
) -> None:
    assert kidneys_in(statements, tuple(claims), month) == expected


def wire_claim(**more: Any) -> MedicareClaim:
    values: dict[str, Any] = {
        "record_id": "r", "version": 1, "claim_type_code": "60", "adjustment": Adjustment.ORIGINAL,
        "service_from": DAY, "service_through": DAY, "paid_cents": 1,
    }  # fmt: skip
    return MedicareClaim(**(values | more))


OPERATION = MedicareClaimLine(line_number=1, service_from=DAY, service_through=DAY, procedure_code="50360")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, False),
        ({"diagnosis_related_group_code": "652"}, True),
        ({"diagnosis_related_group_code": "0652"}, True),
        ({"diagnosis_related_group_code": "008"}, True),
        ({"diagnosis_related_group_code": "682"}, False),
        ({"procedures": (InstitutionalProcedure(code="0TY00Z0"),)}, True),
        ({"claim_type_code": "71", "lines": (OPERATION,)}, True),
        ({"claim_type_code": "71", "lines": (OPERATION.model_copy(update={"denied": True}),)}, False),
        ({"diagnosis_related_group_code": "652", "denied": True}, False),
    ],
)
def test_what_is_a_transplant(more: dict[str, Any], expected: bool) -> None:  # noqa: FBT001 - the case's answer
    assert (Mark.TRANSPLANT in marks_of(wire_claim(**more), claim_codes())) is expected


S = Support("X", "r")
GAPS: list[tuple[dict[int, dict[int, Support]], list[tuple[int, int]]]] = [
    ({2022: {38: S}, 2023: {38: S}}, []),
    ({2022: {38: S}, 2023: {}}, [(38, 2022)]),
    # A heavier condition of the same hierarchy stands for it; a lighter one does not.
    ({2022: {38: S}, 2023: {37: S}}, []),
    ({2022: {37: S}, 2023: {38: S}}, [(37, 2022)]),
    ({2021: {226: S}, 2022: {226: S, 280: S}, 2023: {}}, [(226, 2022), (280, 2022)]),
    ({2023: {38: S}}, []),
    ({2024: {38: S}, 2023: {}}, []),
]


@pytest.mark.parametrize(("years", "expected"), GAPS)
def test_gaps(years: dict[int, dict[int, Support]], expected: list[tuple[int, int]]) -> None:
    found = gaps_in(2023, years, "V28", hcc_tables(2026))
    assert [(one.category, one.last_payment_year) for one in found] == expected
