"""Arrangements that really were, or were announced: told month by month as sources would tell them."""

from typing import Any

import pytest
from arrangement_facts import arranged, enrolment, members, report, snapshot, span, standing, stands

from services.alignment.statements import Fact


def duals_in_massachusetts(born: str, *spans: Any) -> list[Fact]:
    return [enrolment(1, "2014-01-05", *spans, born=born, state="MA")]


ONE_CARE = {"plan": None, "health_plan": "medicare_advantage", "contract": "H9101"}


@pytest.mark.parametrize(
    ("born", "eligible"),
    [("1992-05-01", False), ("1992-04-30", True), ("1970-01-01", True), ("1949-04-30", True), ("1948-04-30", False)],
    ids=["20 years", "21 in the month", "43", "63", "65"],
)
def test_massachusetts_demonstration_is_for_duals_from_21_to_64(born: str, *, eligible: bool) -> None:
    facts = duals_in_massachusetts(born, span("2013-03", "2013-04", plan=None))
    assert stands(facts, "medicare_medicaid_plan") == {"2013-03": None, "2013-04": "eligible" if eligible else None}


def test_massachusetts_demonstration_takes_volunteers_from_april_2013() -> None:
    facts = duals_in_massachusetts("1970-01-01", span("2013-03", "2013-06", **ONE_CARE))
    found = arranged(facts)
    assert found["2013-03"].standings == ()
    assert found["2013-03"].open_reasons == ("CONTRACT_NOT_LISTED",)
    april = standing(found["2013-04"], "medicare_medicaid_plan")
    assert april is not None
    # Nobody says how the person came into it, and no other way was open before July.
    assert (april.standing, april.way, april.plan, april.reasons) == ("member", "voluntary", "H9101", ())


@pytest.mark.parametrize(
    ("first", "basis", "way", "reasons"),
    [
        ("2013-07", "passive", "passive", ()),
        ("2013-10", "passive", "passive", ()),
        ("2013-08", "passive", "passive", ("NOT_A_PASSIVE_WAVE",)),
        ("2013-08", "voluntary", "voluntary", ()),
        # After the first wave both ways are open: without a word it is not told.
        ("2013-07", None, None, ()),
    ],
)
def test_massachusetts_demonstration_enrols_passively_in_july_and_october_2013(
    first: str, basis: str | None, way: str | None, reasons: tuple[str, ...]
) -> None:
    facts = duals_in_massachusetts("1970-01-01", span(first, "2013-12", **ONE_CARE, enrolment_basis=basis))
    found = [standing(now, "medicare_medicaid_plan") for now in arranged(facts).values()]
    assert {(one.standing, one.way, one.reasons) for one in found if one} == {("member", way, reasons)}


def test_massachusetts_demonstration_lets_people_opt_out_of_a_wave() -> None:
    facts = duals_in_massachusetts(
        "1970-01-01",
        span("2013-04", "2013-06", plan=None),
        span("2013-07", "2013-08", **ONE_CARE, enrolment_basis="passive"),
        span("2013-09", "2013-11", plan=None, enrolment_basis="opted_out"),
    )
    assert stands(facts, "medicare_medicaid_plan") == {
        "2013-04": "eligible", "2013-05": "eligible", "2013-06": "eligible", "2013-07": "member", "2013-08": "member",
        "2013-09": "opted_out", "2013-10": "opted_out", "2013-11": "opted_out",
    }  # fmt: skip


def test_massachusetts_demonstration_lets_people_change_plans_in_any_month() -> None:
    facts = duals_in_massachusetts(
        "1970-01-01",
        span("2013-07", "2013-07", **ONE_CARE, enrolment_basis="passive"),
        span("2013-08", "2013-09", **{**ONE_CARE, "contract": "H9102-001"}, enrolment_basis="voluntary"),
    )
    found = [standing(now, "medicare_medicaid_plan") for now in arranged(facts).values()]
    assert [(one.standing, one.plan, one.way, one.reasons) for one in found if one] == [
        ("member", "H9101", "passive", ()),
        ("member", "H9102-001", "passive", ()),
        ("member", "H9102-001", "passive", ()),
    ]


def test_massachusetts_demonstration_keeps_who_turns_65() -> None:
    facts = duals_in_massachusetts("1948-09-10", span("2013-07", "2013-12", **ONE_CARE, enrolment_basis="passive"))
    found = [standing(now, "medicare_medicaid_plan") for now in arranged(facts).values()]
    assert {(one.standing, one.reasons) for one in found if one} == {("member", ())}


PACE = {"plan": "PACE01", "plan_type_code": "17", "health_plan": "pace"}
CERTIFIED = {"level_of_care": "nursing_facility", "safe_in_community": True}


def in_pace(born: str = "1950-01-01", **said: Any) -> list[Fact]:
    return [enrolment(1, "2022-06-05", span("2022-01", "2022-03", **PACE, **said), born=born, source="T-MSIS")]


@pytest.mark.parametrize(
    ("said", "born", "reasons"),
    [
        (CERTIFIED, "1950-01-01", ()),
        (CERTIFIED, "1967-01-31", ()),
        (CERTIFIED, "1967-02-01", ("TOO_YOUNG",)),
        ({**CERTIFIED, "level_of_care": "none"}, "1950-01-01", ("LEVEL_OF_CARE_NOT_MET",)),
        ({**CERTIFIED, "safe_in_community": False}, "1950-01-01", ("NOT_SAFE_IN_COMMUNITY",)),
        # Not known is not failing.
        ({}, "1950-01-01", ()),
    ],
)
def test_pace_is_for_people_of_55_certified_for_a_nursing_facility_and_safe_in_the_community(
    said: dict[str, Any], born: str, reasons: tuple[str, ...]
) -> None:
    found = [standing(now, "pace") for now in arranged(in_pace(born, **said)).values()]
    # Whoever pays says who is in it; a condition that disagrees is shown and not obeyed.
    assert {(one.standing, one.plan, one.reasons) for one in found if one} == {("member", "PACE01", reasons)}
    assert len(found) == 3


def test_pace_lasts_when_nursing_care_becomes_necessary() -> None:
    facts = [
        enrolment(
            1, "2022-07-05",
            span("2022-01", "2022-03", **PACE, **CERTIFIED),
            # In a nursing facility now: no longer safe in the community, and covered all the same.
            span("2022-04", "2022-06", **PACE, level_of_care="nursing_facility", safe_in_community=False),
            born="1950-01-01", source="T-MSIS",
        ),
    ]  # fmt: skip
    found = [standing(now, "pace") for now in arranged(facts).values()]
    assert [(one.standing, one.reasons) for one in found if one] == [("member", ())] * 6


def test_pace_asks_again_of_somebody_who_comes_back() -> None:
    facts = [
        enrolment(
            1, "2022-07-05",
            span("2022-01", "2022-02", **PACE, **CERTIFIED),
            span("2022-03", "2022-03"),
            span("2022-04", "2022-04", **PACE, level_of_care="nursing_facility", safe_in_community=False),
            born="1950-01-01", source="T-MSIS",
        ),
    ]  # fmt: skip
    found = [standing(now, "pace") for now in arranged(facts).values()]
    assert [one and (one.standing, one.reasons) for one in found] == [
        ("member", ()), ("member", ()), None, ("member", ("NOT_SAFE_IN_COMMUNITY",)),
    ]  # fmt: skip


def test_pace_is_open_to_who_meets_every_condition_and_is_not_in_it() -> None:
    waiting = enrolment(1, "2022-02-05", span("2022-01", "2022-01", **CERTIFIED), born="1950-01-01")
    unknown = enrolment(
        1, "2022-02-05", span("2022-01", "2022-01", level_of_care="nursing_facility"), born="1950-01-01"
    )
    assert stands([waiting], "pace") == {"2022-01": "eligible"}
    assert stands([unknown], "pace") == {"2022-01": None}


def test_a_member_of_a_health_home_stays_alignable_to_an_entity() -> None:
    facts = [
        snapshot(1, "2022-01"),
        enrolment(2, "2022-01-21", span("2022-01")),
        enrolment(
            3, "2022-02-21",
            span("2022-01", "2022-01", plan_type_code="01"),
            span("2022-01", "2022-01", plan="HH01", plan_type_code="70"),
            source="T-MSIS",
        ),
    ]  # fmt: skip
    assert members(facts) == {"2022-01": {"health_home"}}
    assert stands(facts, "mco_based_dce") == {"2022-01": "eligible"}
    aligned = [*facts, report(4, "2022-01", ("2022-01", None, None))]
    assert members(aligned) == {"2022-01": {"health_home", "mco_based_dce"}}


def test_a_member_of_pace_is_not_alignable_to_an_entity() -> None:
    facts = [
        snapshot(1, "2022-01", plan=None),
        enrolment(2, "2022-01-21", span("2022-01", health_plan=None)),
        enrolment(3, "2022-02-21", span("2022-01", "2022-01", **PACE, **CERTIFIED), source="T-MSIS"),
    ]
    assert stands(facts, "mco_based_dce", as_of=2) == {"2022-01": None}
    assert members(facts) == {"2022-01": {"pace"}}
    assert stands(facts, "mco_based_dce") == {"2022-01": None}
    # Even where CMS reports the alignment, the two exclude each other, and both sides are shown.
    both = standing(arranged([*facts, report(4, "2022-01", ("2022-01", None, None))])["2022-01"], "mco_based_dce")
    assert both is not None
    assert (both.standing, both.reasons) == ("excluded", ("EXCLUDED_BY_PACE", "ENROLLED_PACE"))
