"""Every other arrangement, exclusivity, resolution of what sources say of care, packs, and work items."""

from pathlib import Path
from typing import Any

import pytest
from arrangement_facts import POLICIES, arranged, enrolment, found, members, report, snapshot, span, standing, stands

from services.alignment.arrangement_policy import read_groups, read_pack
from services.alignment.programme import PolicyError
from services.alignment.rules.arrangements.standings import RULES
from services.alignment.statements import Fact, restored

MA = {"plan": "MCO9002", "health_plan": "medicare_advantage"}
MFFS = {"plan": "MFFS9001", "demonstration": True}


def one_month(*spans: dict[str, Any], born: str = "1940-06-15", state: str = "OH") -> list[Fact]:
    return [
        enrolment(1, "2022-02-05", *(span("2022-01", "2022-01", **one) for one in spans), born=born, state=state)
    ]  # fmt: skip


CASES: list[tuple[str, list[Fact], set[str]]] = [
    ("nothing", one_month({}), set()),
    ("Medicare-Medicaid plan by contract", one_month({**MA, "contract": "H9080"}), {"medicare_medicaid_plan"}),
    ("Medicare-Medicaid plan by plan type", one_month({"plan": "X", "plan_type_code": "80"}), {"medicare_medicaid_plan"}),
    ("managed fee-for-service", one_month(MFFS), {"managed_fee_for_service"}),
    ("its number without the demonstration's mark", one_month({"plan": "MFFS9001"}), set()),
    ("health home", one_month({"plan": "HH01", "plan_type_code": "70"}), {"health_home"}),
    ("health home of Washington's demonstration",
     one_month({"plan": "HH01", "plan_type_code": "70", "demonstration": True}, state="WA"),
     {"health_home", "managed_fee_for_service"}),
    ("case management, traditional", one_month({"plan": "P", "plan_type_code": "02"}), {"primary_care_case_management"}),
    ("case management, enhanced", one_month({"plan": "P", "plan_type_code": "03"}), {"primary_care_case_management"}),
    ("long-term-care plan", one_month({"plan": "L", "plan_type_code": "07"}), {"managed_long_term_services"}),
    ("long-term services plan", one_month({"plan": "L", "plan_type_code": "19"}), {"managed_long_term_services"}),
    ("carved in, with a waiver", one_month({"plan": "MLTSS9001", "waiver_type_codes": ("06",)}), {"managed_long_term_services"}),
    ("carved in, with a level of care", one_month({"plan": "MLTSS9001", "level_of_care": "hospital"}), {"managed_long_term_services"}),
    ("carved in, without need", one_month({"plan": "MLTSS9001", "level_of_care": "none"}), set()),
    ("special-needs plan, coordination only", one_month({**MA, "contract": "H9030-001"}), {"dsnp_coordination_only"}),
    ("special-needs plan, highly integrated", one_month({**MA, "contract": "H9030-002"}), {"dsnp_hide"}),
    ("special-needs plan, fully integrated", one_month({**MA, "contract": "H9030-003"}), {"dsnp_fide"}),
    ("a contract whose package is not told", one_month({**MA, "contract": "H9030"}), set()),
    ("Minnesota's seniors", one_month({**MA, "plan": "MSHO9001", "contract": "H9065"}, state="MN"), {"minnesota_senior_health_options"}),
    ("the same contract elsewhere", one_month({**MA, "plan": "MSHO9001", "contract": "H9065"}), set()),
    ("PACE by Medicare's own word", one_month({"plan": None, "health_plan": "pace"}), {"pace"}),
    ("state-specific model", one_month({"plan": "SSM9001"}), {"state_specific"}),
    ("several that go together",
     one_month({"plan": "HH01", "plan_type_code": "70"}, {"plan": "L", "plan_type_code": "07"}, {"plan": "P", "plan_type_code": "02"}),
     {"health_home", "managed_long_term_services", "primary_care_case_management"}),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_who_is_in_what(facts: list[Fact], expected: set[str]) -> None:
    assert members(facts) == {"2022-01": expected}


EXCLUSIVE = [
    ("pace", {"plan": "P", "plan_type_code": "17"}, "health_home", {"plan": "H", "plan_type_code": "70"}, "EXCLUDED_BY_PACE"),
    ("pace", {"plan": "P", "plan_type_code": "17"}, "primary_care_case_management", {"plan": "C", "plan_type_code": "02"}, "EXCLUDED_BY_PACE"),
    ("pace", {"plan": "P", "plan_type_code": "17"}, "managed_long_term_services", {"plan": "L", "plan_type_code": "07"}, "EXCLUDED_BY_PACE"),
    ("medicare_medicaid_plan", {"plan": "M", "plan_type_code": "80"}, "managed_long_term_services", {"plan": "L", "plan_type_code": "07"},
     "EXCLUDED_BY_MEDICARE_MEDICAID_PLAN"),
    ("medicare_medicaid_plan", {"plan": "M", "plan_type_code": "80"}, "primary_care_case_management", {"plan": "C", "plan_type_code": "03"},
     "EXCLUDED_BY_MEDICARE_MEDICAID_PLAN"),
    ("medicare_medicaid_plan", {"plan": "M", "plan_type_code": "80"}, "managed_fee_for_service", MFFS, "EXCLUDED_BY_MEDICARE_MEDICAID_PLAN"),
]  # fmt: skip


@pytest.mark.parametrize(("first", "one", "second", "other", "reason"), EXCLUSIVE)
def test_what_excludes_what(first: str, one: dict[str, Any], second: str, other: dict[str, Any], reason: str) -> None:
    now = arranged(one_month(one, other))["2022-01"]
    winner, loser = standing(now, first), standing(now, second)
    assert winner is not None
    assert loser is not None
    assert (winner.standing, loser.standing, loser.reasons[0]) == ("member", "excluded", reason)


def test_of_two_health_plans_neither_can_be_told() -> None:
    now = arranged(one_month({**MA, "contract": "H9080"}, {"plan": "P", "plan_type_code": "17", "health_plan": None}))
    both = {one.arrangement: (one.standing, one.reasons) for one in now["2022-01"].standings}
    assert both["pace"] == both["medicare_medicaid_plan"] == ("unknown", ("OVERLAPPING_PLANS",))


def test_managed_fee_for_service_and_an_entity_share_no_saving_twice() -> None:
    facts = [snapshot(1, "2022-01"), enrolment(2, "2022-01-25", span("2022-01"), span("2022-01", **MFFS))]
    assert members(facts) == {"2022-01": {"managed_fee_for_service"}}
    assert stands(facts, "mco_based_dce") == {"2022-01": None}
    aligned = arranged([*facts, report(3, "2022-01", ("2022-01", None, None))])["2022-01"]
    demonstration = standing(aligned, "managed_fee_for_service")
    assert demonstration is not None
    assert (demonstration.standing, demonstration.reasons) == ("excluded", ("EXCLUDED_BY_MCO_BASED_DCE",))


@pytest.mark.parametrize(
    ("plan", "contract", "enrolment_", "reasons"),
    [
        ("MCO9002", "H9030-002", "aligned", ()),
        ("MCO9001", "H9030-002", "not_aligned", ()),
        ("MCO9002", "H9030-003", "exclusively_aligned", ()),
        ("MCO9001", "H9030-003", "not_aligned", ("NOT_IN_AFFILIATED_PLAN",)),
        ("MCO9002", "H9030-001", None, ()),
    ],
)
def test_aligned_enrolment_is_the_match_of_both_rosters(
    plan: str, contract: str, enrolment_: str | None, reasons: tuple[str, ...]
) -> None:
    facts = one_month({"plan": plan, "health_plan": "medicare_advantage", "contract": contract})
    (one,) = [one for one in arranged(facts)["2022-01"].standings if one.standing == "member"]
    assert (one.enrolment, one.reasons) == (enrolment_, reasons)


@pytest.mark.parametrize(
    ("said", "reasons"),
    [
        ({**MA}, ("CONTRACT_NOT_STATED",)),
        ({**MA, "contract": "H0001"}, ("CONTRACT_NOT_LISTED",)),
        ({"health_plan": None}, ("NO_HEALTH_PLAN_STATED",)),
        ({**MA, "contract": "H9080"}, ()),
        ({}, ()),
    ],
)
def test_what_keeps_the_answer_open(said: dict[str, Any], reasons: tuple[str, ...]) -> None:
    assert arranged(one_month(said))["2022-01"].open_reasons == reasons


def test_whoever_is_dead_is_in_nothing() -> None:
    facts = [enrolment(1, "2022-03-05", span("2022-01", "2022-03", plan="H", plan_type_code="70"), death="2022-02-03")]
    assert members(facts) == {"2022-01": {"health_home"}, "2022-02": {"health_home"}, "2022-03": set()}
    assert arranged(facts)["2022-03"].open_reasons == ("DECEASED",)


def test_a_person_dead_before_birth_is_in_nothing_and_eligible_for_nothing() -> None:
    facts = [enrolment(1, "2022-02-05", span("2022-01", "2022-01"), born="2030-01-01", death="2021-01-01")]
    assert arranged(facts)["2022-01"].standings == ()


def test_plans_of_other_sorts_come_from_the_source_that_tells_types() -> None:
    facts = [
        enrolment(1, "2022-01-21", span("2022-01", "2022-01", plan="MCO9002")),
        enrolment(
            2, "2022-06-21",
            # T-MSIS has the comprehensive plan wrong, and knows of the health home.
            span("2022-01", "2022-01", plan="MCO9001", plan_type_code="01"),
            span("2022-01", "2022-01", plan="HH01", plan_type_code="70"), source="T-MSIS",
        ),
    ]  # fmt: skip
    assert members(facts) == {"2022-01": {"health_home"}}
    gone = [*facts, enrolment(3, "2022-07-21", span("2022-01", "2022-01", enrolled=False))]
    assert members(gone) == {"2022-01": set()}


def test_a_later_statement_of_fee_for_service_takes_the_contract_with_it() -> None:
    facts = one_month({**MA, "contract": "H9080"})
    facts.append(enrolment(2, "2022-03-05", span("2022-01", "2022-01", health_plan="none")))
    assert members(facts) == {"2022-01": set()}


def test_a_removal_found_out_late_is_known_from_then_on_only() -> None:
    facts = [
        enrolment(1, "2022-01-21", span("2022-01", None, plan="H", plan_type_code="70"), source="T-MSIS"),
        enrolment(2, "2022-02-21", span("2022-01", None, plan="H", plan_type_code="70"), source="T-MSIS"),
        enrolment(3, "2022-03-21", span("2022-02", None, enrolled=False), source="T-MSIS"),
    ]
    assert stands(facts, "health_home", as_of=2) == {"2022-01": "member", "2022-02": "member"}
    assert stands(facts, "health_home") == {"2022-01": "member", "2022-02": None, "2022-03": None}


def test_every_pack_has_a_rule_and_every_rule_a_pack() -> None:
    assert {pack.arrangement for pack in POLICIES.arrangements.packs} == set(RULES)


def test_every_value_has_a_source_and_says_whether_it_is_confirmed() -> None:
    parameters = POLICIES.arrangements.parameters()
    assert len({one.name for one in parameters}) == len(parameters)
    assert {one.status for one in parameters} == {"confirmed", "unconfirmed"}
    assert all(one.source for one in parameters)


HEAD = '[pack]\ntitle = "t"\narrangement = "pace"\nstates = []\nfirst_month = "2022-01"\n'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[parameters.minimum_age]\nvalue = 55\nsource = "s"\n', "needs value, source and a status"),
        ('[parameters.minimum_aeg]\nvalue = 55\nsource = "s"\nstatus = "confirmed"\n', "no rule asks for minimum_aeg"),
        ('[parameters.minimum_age]\nvalue = 55\nsource = "s"\nstatus = "likely"\n', "needs value, source and a status"),
    ],
)
def test_a_pack_that_says_less_or_more_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "pack.toml"
    path.write_text(HEAD + text)
    with pytest.raises(PolicyError, match=fault):
        read_pack(path)


def test_a_group_with_an_arrangement_in_two_tiers_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "groups.toml"
    path.write_text('[g]\ntiers = [["pace"], ["pace"]]\nwhy = "w"\nsource = "s"\nstatus = "confirmed"\n')
    with pytest.raises(PolicyError, match="two tiers"):
        read_groups(path)


def test_a_fact_comes_back_from_the_store_with_care_and_birth() -> None:
    (fact,) = one_month(
        {"plan": "H", "plan_type_code": "70", "waiver_type_codes": ("06", "07"), "safe_in_community": False}
    )
    again = restored(
        fact.event_id, fact.sequence, fact.kind, fact.state, fact.source, fact.stated_on, fact.entity_id, fact.body()
    )
    assert again == fact


BUY_IN = [
    ("Part B only and a qualified beneficiary", {"code": "2", "dual": "02"}, True),
    ("the state pays for Part B", {"code": "B", "dual": "01"}, True),
    ("both parts", {"code": "C", "dual": "02"}, False),
    ("no qualified beneficiary", {"code": "B", "dual": "08"}, False),
    ("a state without an agreement", {"code": "B", "dual": "02", "state": "NJ"}, False),
    ("dead", {"code": "B", "dual": "02", "death": "2021-12-01"}, False),
]


@pytest.mark.parametrize(("said", "expected"), [case[1:] for case in BUY_IN], ids=[case[0] for case in BUY_IN])
def test_part_a_buy_in(said: dict[str, Any], *, expected: bool) -> None:
    (one,) = found(snapshot(1, "2022-01", **said))
    item = one.items.get("part_a_buy_in")
    assert (item is not None) is expected
    if item is not None:
        assert item.evidence == ("CCLF8 2022-01-20", "CCLF8 2022-01-20")


def test_a_buy_in_is_done_when_part_a_has_come() -> None:
    history = found(
        snapshot(1, "2022-01", code="B"), snapshot(2, "2022-02", code="B"), snapshot(3, "2022-03", code="C")
    )
    assert [(one.sequence, one.items.get("part_a_buy_in", "same")) for one in history][2] == (3, None)
    assert "part_a_buy_in" in history[1].items, "the newest month moved on"


LAPSE = [
    ("ends in two months", ("2022-01", "2022-03"), "2022-01-10", True),
    ("ends in three", ("2022-01", "2022-04"), "2022-01-10", False),
    ("goes on", ("2022-01", None), "2022-01-10", False),
    ("month by month", ("2022-01", "2022-01"), "2022-01-10", False),
    ("partial benefits", ("2022-01", "2022-02"), "2022-01-10", False),
]


@pytest.mark.parametrize(("ends", "stated", "expected"), [case[1:] for case in LAPSE], ids=[case[0] for case in LAPSE])
def test_dual_lapse(
    ends: tuple[str, str | None], stated: str, request: pytest.FixtureRequest, *, expected: bool
) -> None:
    dual = "01" if "partial" in request.node.name else "02"
    (one,) = found(enrolment(1, stated, span(*ends, dual=dual)))
    assert ("dual_lapse" in one.items) is expected


def test_a_lapse_is_averted_when_the_state_states_more_months() -> None:
    history = found(
        enrolment(1, "2022-01-10", span("2022-01", "2022-02")), enrolment(2, "2022-02-10", span("2022-03", "2022-12"))
    )
    assert [one.items["dual_lapse"] is not None for one in history] == [True, False]
