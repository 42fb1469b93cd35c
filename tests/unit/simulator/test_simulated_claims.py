"""Claims, their adjudication and their records."""

import statistics
from collections import Counter
from datetime import date
from random import Random

import pytest
from people_of_simulation import PERIOD, drawn, life, person, traits

from contracts.codes import Cohort, ServiceCategory
from infra.simulator import cclf, tmsis
from infra.simulator.adjudication import adjudicate_medicaid, adjudicate_medicare, capitation
from infra.simulator.calibration import plan_shift
from infra.simulator.claims import Line, MedicaidClaim, MedicareClaim, Version, scaled
from infra.simulator.layouts import layout, record_length, template
from infra.simulator.life import AlignedSpan, Change, Enrolment
from infra.simulator.medicaid import crossover_claim, expected_long_term_care_cents, medicaid_claims
from infra.simulator.medicare import expected_acute_cents, medicare_claims
from infra.simulator.rates import amount, count, season, trend
from infra.simulator.shift import MILLION, ShiftPlan
from infra.simulator.traits import draw_traits
from infra.simulator.truth import cohort_of, medicaid_category
from infra.simulator.world import COUNTIES, SERVICE_AREA, npi, roster

DAY = date(2022, 3, 4)


def _medicare(claim_type: str = "71", *, denied: bool = False) -> MedicareClaim:
    lines = [Line(DAY, DAY, "99214", 8_000, 8_000)]
    return MedicareClaim(1, claim_type, DAY, DAY, ("I10", "E119"), "1900010004", lines, denied=denied)


def _medicaid(file_type: str = "OT", kind: str = "056", *, waiver: bool = False) -> MedicaidClaim:
    lines = [Line(DAY, DAY, "T2003", 2_500, 2_500, kind, waiver=waiver)]
    return MedicaidClaim(1, file_type, "3", "MCO9001", DAY, DAY, ("I10",), "1900010004", lines)  # type: ignore[arg-type]


def test_versions_of_a_medicaid_claim_arrive_one_after_the_other() -> None:
    made = person()
    seen: Counter[str] = Counter()
    for _ in range(2000):
        claim = _medicaid()
        adjudicate_medicaid(made, claim)
        deliveries = [version.delivery for version in claim.versions]
        assert deliveries == sorted(set(deliveries))
        assert PERIOD.number(DAY) < deliveries[0] <= deliveries[-1] <= PERIOD.last_delivery
        seen["".join(version.kind for version in claim.versions)] += 1
    assert set(seen) == {"0", "04", "01", "041"}


def test_a_medicare_cancellation_stands_before_or_after_its_adjustment() -> None:
    made, orders, kinds = person(), set(), set()
    for _ in range(4000):
        claim = _medicare()
        adjudicate_medicare(made, claim)
        kinds.add("".join(version.kind for version in claim.versions))
        if len(claim.versions) == 3:
            original, cancelled, adjusted = (version.delivery for version in claim.versions)
            assert original < min(cancelled, adjusted)
            orders.add((cancelled > adjusted) - (cancelled < adjusted))
    assert kinds == {"0", "01", "012"}
    assert orders == {-1, 0, 1}


def test_a_denied_medicare_claim_is_never_cancelled() -> None:
    made = person()
    for _ in range(300):
        claim = _medicare(denied=True)
        adjudicate_medicare(made, claim)
        assert len(claim.versions) == 1


def test_what_would_arrive_too_late_arrives_at_the_end() -> None:
    made = person()
    claim = _medicaid()
    claim.last = date(2022, 12, 31)
    for _ in range(200):
        adjudicate_medicaid(made, claim)
    assert max(version.delivery for version in claim.versions) == PERIOD.last_delivery


def test_capitation_is_paid_once_while_nothing_changes() -> None:
    (payment,) = capitation(person(), 4)
    assert [(version.kind, version.delivery) for version in payment.versions] == [("0", 4)]
    assert (payment.claim_type, payment.plan, payment.last) == ("2", "MCO9001", date(2022, 5, 31))


def test_capitation_moves_to_the_plan_that_was_owed_it() -> None:
    course = life([Change("plan", "MCO9002", 3, PERIOD.last_delivery, 6)])
    first, second = capitation(person(course), 4)
    assert [(version.kind, version.delivery) for version in first.versions] == [("0", 4), ("1", 6)]
    assert [(version.kind, version.delivery) for version in second.versions] == [("0", 6)]
    assert (first.plan, second.plan) == ("MCO9001", "MCO9002")


def test_capitation_for_the_dead_is_taken_back() -> None:
    course = life(death=date(2022, 4, 20), last_stated=5)
    (payment,) = capitation(person(course), 4)
    assert [(version.kind, version.delivery) for version in payment.versions] == [("0", 4), ("1", 5)]
    (month_of_death,) = capitation(person(course), 3)
    assert len(month_of_death.versions) == 1


@pytest.mark.parametrize("start", [Enrolment("03", "OHFFS", None), Enrolment(None, None, None)])
def test_nobody_is_paid_for_those_without_managed_care(start: Enrolment) -> None:
    course = person(life(start=start))
    assert capitation(course, 4) == []
    assert list(medicaid_claims(course, 4)) == []


def test_members_of_a_health_plan_have_no_medicare_claims() -> None:
    inside = person(life(start=Enrolment("02", "MCO9001", "H9001")), medicare_level=9.0)
    outside = person(medicare_level=9.0)
    assert not [claim for month in range(12) for claim in medicare_claims(inside, month)]
    assert [claim for month in range(12) for claim in medicare_claims(outside, month)]


def test_no_service_lies_after_death_or_before_its_month() -> None:
    for made in drawn(60, seed=5):
        for month in range(made.life.entry, PERIOD.number(made.last_day) + 1):
            claims: list[MedicareClaim | MedicaidClaim] = [*medicare_claims(made, month)]
            claims += medicaid_claims(made, month)
            for claim in claims:
                assert PERIOD.first_days[month] <= claim.first <= claim.last <= made.last_day
                assert all(claim.first <= line.first <= line.last <= claim.last for line in claim.lines)


@pytest.mark.parametrize(
    ("claim_type", "dual", "paid"),
    [("71", "02", True), ("20", "01", True), ("72", "02", False), ("71", "03", False), ("71", None, False)],
)
def test_cost_sharing_is_paid_for_those_whom_the_state_covers(claim_type: str, dual: str | None, *, paid: bool) -> None:
    made = person(life(start=Enrolment(dual, "MCO9001", None)))
    found = [crossover_claim(made, _medicare(claim_type)) for _ in range(40)]
    assert any(found) is paid
    for claim in filter(None, found):
        assert claim.crossover
        assert claim.lines[0].cents <= claim.deductible_cents + claim.coinsurance_cents
        assert claim.medicare_paid_cents == 8_000


def test_a_denied_claim_crosses_nothing_over() -> None:
    assert not any(crossover_claim(person(), _medicare(denied=True)) for _ in range(40))


@pytest.mark.parametrize(("cents", "permille", "expected"), [(1_001, 1000, 1_001), (1_001, 850, 850), (0, 700, 0)])
def test_adjusted_amounts_are_whole_cents(cents: int, permille: int, expected: int) -> None:
    assert scaled(cents, permille) == expected


@pytest.mark.parametrize(("file", "length"), [("CCLF1", 437), ("CCLF5", 388), ("CCLF8", 549), ("CCLF9", 55)])
def test_layouts_have_the_published_lengths(file: str, length: int) -> None:
    assert record_length(file) == length
    assert len(template(file, (), {}, frozenset())) == length + 1


def test_a_template_refuses_fields_out_of_order_or_unknown() -> None:
    first, second = layout("CCLF9")[0][0], layout("CCLF9")[1][0]
    assert template("CCLF9", (first, second), {}, frozenset()).startswith("%-1s%-11s")
    for given in ((second, first), ("NOT_A_FIELD",)):
        with pytest.raises(ValueError, match="order of the layout"):
            template("CCLF9", given, {}, frozenset())


@pytest.mark.parametrize(
    ("claim_type", "kind", "file", "length"), [("60", "0", "CCLF1", 438), ("71", "1", "CCLF5", 389)]
)
def test_a_record_states_its_amount_unsigned(claim_type: str, kind: str, file: str, length: int) -> None:
    written, text = cclf.claim_record(person(), _medicare(claim_type), Version(kind, 4, 3))
    assert (written, len(text)) == (file, length)
    assert text.startswith("1000000700003")
    assert "  80.00" in text
    assert "1S000000007" in text


def test_a_record_made_after_a_new_identifier_carries_it() -> None:
    made = person(life(mbi_changes=(5,)))
    texts = [cclf.claim_record(made, _medicare(), Version("0", month, 1))[1] for month in (4, 5)]
    assert [text[23:34] for text in texts] == ["1S000000007", "1S010000007"]


def test_cross_references_tell_of_a_change_once_and_again_with_history() -> None:
    made = person(life(mbi_changes=(3, 5)))
    assert cclf.cross_references(made, 4, all_earlier=False) == ""
    assert cclf.cross_references(made, 5, all_earlier=False)[:23] == "M1S0200000071S010000007"
    assert cclf.cross_references(made, 6, all_earlier=True).count("\n") == 2


def test_a_snapshot_states_a_death_when_it_is_known() -> None:
    made = person(life(death=date(2022, 5, 17), last_stated=6), index=8)
    assert cclf.demographics(made, 5)[51:61] == "9999-12-31"
    assert cclf.demographics(made, 6)[51:61] == "2022-05-17"
    assert cclf.demographics(person(), 5)[51:61] == "1000-01-01"


@pytest.mark.parametrize(
    ("carries", "number", "expected"), [(True, 1, "25.00"), (False, 1, "888888888.88"), (False, 2, "")]
)
def test_lines_carry_amounts_or_say_that_they_are_missing(number: int, expected: str, *, carries: bool) -> None:
    claim = _medicaid()
    claim.lines_carry_amounts, claim.number = carries, number
    (row,) = tmsis.claim_lines(person(), claim, Version("0", 4, 1)).splitlines()
    assert row.split(",")[11] == expected
    header = tmsis.claim_header(person(), claim, Version("4", 5, 2, 900)).split(",")
    assert (header[4], header[12]) == ("4", "22.50")


def test_prescription_headers_have_no_diagnoses() -> None:
    assert "DGNS" not in tmsis.heading("RX", "HEADER")
    for file_type in ("RX", "OT"):
        row = tmsis.claim_header(person(), _medicaid(file_type), Version("0", 4, 1))
        assert row.count(",") == tmsis.heading(file_type, "HEADER").count(",")


@pytest.mark.parametrize(
    ("file_type", "kind", "waiver", "category"),
    [
        ("OT", "056", False, ServiceCategory.OTHER),
        ("OT", "056", True, ServiceCategory.HOME_AND_COMMUNITY),
        ("OT", "053", False, ServiceCategory.BEHAVIOURAL_HEALTH),
        ("LT", "047", False, ServiceCategory.NURSING_FACILITY),
        ("RX", "033", False, ServiceCategory.DRUGS),
    ],
)
def test_medicaid_categories(file_type: str, kind: str, category: ServiceCategory, *, waiver: bool) -> None:
    claim = _medicaid(file_type, kind, waiver=waiver)
    assert medicaid_category(claim, claim.lines[0]) is category
    claim.claim_type = "2"
    assert medicaid_category(claim, claim.lines[0]) is ServiceCategory.CAPITATION


@pytest.mark.parametrize(
    ("start", "spans", "cohort"),
    [
        (Enrolment("02", "MCO9001", None), (), Cohort.COMPARISON),
        (Enrolment("02", "MCO9001", None), (AlignedSpan(0, 0, None, None),), Cohort.ALIGNED),
        (Enrolment("01", "OHFFS", None), (AlignedSpan(0, 0, None, None),), Cohort.ALIGNED),
        (Enrolment("01", "OHFFS", None), (), Cohort.EXCLUDED),
        (Enrolment("02", "MCO9001", "H9001"), (), Cohort.EXCLUDED),
        (Enrolment(None, None, None), (), Cohort.EXCLUDED),
    ],
)
def test_cohort_of_a_month(start: Enrolment, spans: tuple[AlignedSpan, ...], cohort: Cohort) -> None:
    assert cohort_of(person(life(start=start), spans), 4) is cohort


def test_the_shift_touches_aligned_months_after_it_starts_only() -> None:
    made = person(spans=(AlignedSpan(2, 2, 5, 6),))
    made.shift = ShiftPlan("medicare-to-medicaid", 4, 100, 100, MILLION // 2, MILLION)
    after = [made.after_shift(1_000, PERIOD.first_days[month], made.shift.medicare_per_million) for month in range(8)]
    assert after == [1_000] * 4 + [500] * 2 + [1_000] * 2


@pytest.mark.parametrize(
    ("direction", "medicare_falls"), [("medicare-to-medicaid", True), ("medicaid-to-medicare", False)]
)
def test_factors_follow_the_direction(direction: str, *, medicare_falls: bool) -> None:
    plan = plan_shift(1, PERIOD, direction=direction, month=6, medicare=10_000, medicaid=10_000)  # type: ignore[arg-type]
    assert (plan.medicare_per_million < MILLION) is medicare_falls
    assert (plan.medicaid_per_million > MILLION) is medicare_falls


def test_nobody_stops_paying_altogether() -> None:
    plan = plan_shift(1, PERIOD, direction="medicare-to-medicaid", month=6, medicare=10**9, medicaid=0)
    assert (plan.medicare_per_million, plan.medicaid_per_million) == (50_000, MILLION)


def test_expected_cost_rises_with_need() -> None:
    community, institution = traits(), traits(setting="nursing_facility")
    assert expected_acute_cents(institution) > expected_acute_cents(community) > 0
    assert expected_long_term_care_cents(institution) > expected_long_term_care_cents(community) == 0


def test_both_payers_levels_are_heavy_tailed_and_correlated() -> None:
    people = [draw_traits(Random(f"level {index}"), index, date(2022, 1, 1)) for index in range(3000)]
    medicare = [made.medicare_level for made in people]
    assert statistics.correlation(medicare, [made.medicaid_level for made in people]) > 0.3
    assert statistics.mean(medicare) > 1.3 * statistics.median(medicare)
    assert statistics.mean([made.setting == "nursing_facility" for made in people]) == pytest.approx(0.16, abs=0.03)
    ages = [(date(2022, 1, 1) - made.birth).days / 365.25 for made in people]
    assert 21 <= min(ages) < max(ages) < 101


def test_small_distributions_have_their_means() -> None:
    random = Random(1)
    assert statistics.mean(count(random, 0.7) for _ in range(20_000)) == pytest.approx(0.7, rel=0.03)
    assert statistics.mean(amount(random, 90, 0.6) for _ in range(20_000)) == pytest.approx(9_000, rel=0.03)
    assert count(random, 0) == 0
    assert amount(random, 0.001, 0.1) == 100


def test_season_and_trend() -> None:
    assert season(1) > season(4) > season(7)
    assert trend(12) == pytest.approx(1.035, abs=0.001)


@pytest.mark.parametrize("number", [0, 1, 1000, 9_999_999])
def test_provider_identifiers_pass_their_check(number: int) -> None:
    digits = [int(character) for character in "80840" + npi(number)]
    doubled = [digit if place % 2 == 0 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(digits[::-1])]
    assert len(npi(number)) == 10
    assert sum(doubled) % 10 == 0


def test_the_entity_works_in_half_of_the_counties() -> None:
    assert len(COUNTIES) >= 40
    assert {row.county for row in roster(2022, later=False)} == set(SERVICE_AREA)
    assert len(roster(2022, later=True)) == len(roster(2022, later=False)) + 1
