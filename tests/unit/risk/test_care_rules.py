"""Each rule of care actions by a table of cases: when it is called for, when it was done, and when there is nothing to say."""

from dataclasses import replace
from datetime import date, timedelta
from typing import get_args

import pytest

from services.risk.care_facts import CareFacts, Days, Evidence, Met, Need, Network, Participant, Service, TierEntry
from services.risk.care_gateway import Kind
from services.risk.care_policy import care_policy
from services.risk.care_rules import CARE_RULES
from services.risk.claim_codes import claim_codes
from services.risk.rules.cancer_screening import is_of_age
from services.risk.rules.clinician_ranking import county_steps, rank_clinicians
from services.risk.rules.flu_vaccine import season_of
from services.risk.rules.missed_treatment import usual_interval
from services.risk.rules.screening_exclusion import age_on, screening_exclusion

TODAY = date(2022, 10, 15)
LONG_AGO = date(2020, 1, 1)
OURS, THEIRS = "1920000017", "1930000015"
NETWORK = Network((Participant(OURS, "11", "39001"),), frozenset({"39001"}))


def facts(observed_from: date | None = LONG_AGO, **shown: list[tuple[date, str]]) -> CareFacts:
    services = {
        name: tuple(sorted(Service(day, detail, f"{name}-{day}") for day, detail in days))
        for name, days in shown.items()
    }
    return CareFacts("p" + "0" * 32, "OH", services, observed_from, "D9001", "39001", network=NETWORK)


def before(days: int, detail: str = "") -> tuple[date, str]:
    return TODAY - timedelta(days=days), detail


def every(interval: int, count: int, last: int) -> list[tuple[date, str]]:
    """So many sessions, the last of them so many days ago."""
    return [before(last + interval * number) for number in range(count)]


FRAIL = [before(300, "walker"), before(200, "weakness"), before(90, "incontinence")]
DIABETES = [before(30, "E119"), before(200, "E119")]
CASES: list[tuple[str, str, CareFacts, str | None]] = [
    # kind, what it is about, facts, the occasion that is called for, "met" or None
    ("connect_primary_care", "nobody in a year", facts(), "2022"),
    ("connect_primary_care", "nobody, but known for too short a time", facts(date(2022, 5, 1)), None),
    ("connect_primary_care", "nobody, and nothing known", facts(None), None),
    ("connect_primary_care", "a participant", facts(primary_care=[before(300, OURS)]), "met"),
    ("connect_primary_care", "a participant, longer ago", facts(primary_care=[before(411, OURS)]), "2022"),
    ("connect_primary_care", "on the last day that counts", facts(primary_care=[before(410, OURS)]), "met"),
    ("connect_primary_care", "last somebody else", facts(primary_care=[before(99, OURS), before(9, THEIRS)]), "2022"),
    ("connect_primary_care", "somebody else known shortly", facts(TODAY, primary_care=[before(9, THEIRS)]), "2022"),
    ("connect_primary_care", "a health centre's bill", facts(primary_care=[before(9)]), "met"),
    ("flu_vaccine", "none", facts(), "2022-2023"),
    ("flu_vaccine", "in the season", facts(flu_vaccine=[before(30)]), "met"),
    ("flu_vaccine", "before the season", facts(flu_vaccine=[before(60)]), "2022-2023"),
    ("flu_vaccine", "none, and known since yesterday", facts(TODAY), "2022-2023"),
    ("wellness_visit", "none in a year", facts(), "2022"),
    ("wellness_visit", "half a year ago", facts(wellness_visit=[before(180, "G0439")]), "met"),
    ("wellness_visit", "two years ago", facts(wellness_visit=[before(700, "G0439")]), "2022"),
    ("wellness_visit", "known for half a year", facts(date(2022, 4, 15)), None),
    ("falls_prevention", "no fall", facts(), None),
    ("falls_prevention", "a fall", facts(fall=[before(20, "W1830XA")]), before(20)[0].isoformat()),
    ("falls_prevention", "a fall too long ago", facts(fall=[before(121, "W1830XA")]), None),
    ("falls_prevention", "therapy since", facts(fall=[before(20)], falls_service=[before(5, "97161")]), "met"),
    ("falls_prevention", "therapy before", facts(fall=[before(20)], falls_service=[before(25)]), "2022-09-25"),
    ("falls_prevention", "frail", facts(frailty=FRAIL), "2022"),
    ("falls_prevention", "two signs of frailty, one twice", facts(frailty=[*FRAIL[1:], before(9, "weakness")]), None),
    ("falls_prevention", "a sign too long ago", facts(frailty=[*FRAIL[1:], before(411, "walker")]), None),
    ("falls_prevention", "a sign on the last day", facts(frailty=[*FRAIL[1:], before(410, "walker")]), "2022"),
    ("falls_prevention", "frail, known too shortly", facts(date(2022, 5, 1), frailty=FRAIL), None),
    ("falls_prevention", "frail, therapy in the year", facts(frailty=FRAIL, falls_service=[before(400)]), "met"),
    ("falls_prevention", "frail, therapy before", facts(frailty=FRAIL, falls_service=[before(411)]), "2022"),
    (
        "falls_prevention",
        "frail, a fall since therapy",
        facts(frailty=FRAIL, fall=[before(20)], falls_service=[before(25)]),
        "2022-09-25",
    ),
    (
        "falls_prevention",
        "frail, therapy since a fall",
        facts(frailty=FRAIL, fall=[before(20)], falls_service=[before(5)]),
        "met",
    ),
    ("falls_prevention", "frail, a fall long ago", facts(frailty=FRAIL, fall=[before(121)]), "2022"),
    ("diabetes_eye_exam", "no diabetes", facts(), None),
    ("diabetes_eye_exam", "seen on one day only", facts(diabetes=DIABETES[:1]), None),
    ("diabetes_eye_exam", "missing", facts(diabetes=DIABETES), "2022"),
    ("diabetes_eye_exam", "done", facts(diabetes=DIABETES, eye_exam=[before(99, "92014")]), "met"),
    ("diabetes_foot_exam", "missing", facts(diabetes=DIABETES, eye_exam=[before(99, "92014")]), "2022"),
    ("diabetes_blood_test", "done", facts(diabetes=DIABETES, a1c=[before(1, "83036")]), "met"),
    ("diabetes_blood_test", "known too shortly", facts(date(2022, 3, 1), diabetes=DIABETES), None),
    ("missed_dialysis", "no series", facts(dialysis=every(2, 3, 60)), None),
    ("missed_dialysis", "went on up to where claims have come", facts(dialysis=every(2, 9, 46)), "met"),
    ("missed_dialysis", "stopped", facts(dialysis=every(2, 9, 60)), "2022-08-16"),
    ("missed_dialysis", "came again", facts(dialysis=[*every(2, 9, 60), before(4)]), "met"),
    ("missed_dialysis", "ended long ago", facts(dialysis=every(2, 9, 300)), None),
    ("missed_dialysis", "in hospital", facts(dialysis=every(2, 9, 60), admission=[before(58)]), None),
    ("missed_dialysis", "now and then", facts(dialysis=every(9, 9, 90)), None),
    ("missed_wound_care", "stopped", facts(wound_care=every(7, 5, 85)), "2022-07-22"),
    ("missed_wound_care", "one week late", facts(wound_care=every(7, 5, 58)), "met"),
    ("missed_infusion", "stopped", facts(infusion=every(28, 5, 160)), "2022-05-08"),
    ("nutrition_meals", "no condition", facts(), None),
    ("nutrition_meals", "a condition", facts(nutrition_condition=[before(9, "E43")]), "2022"),
    ("nutrition_meals", "a condition of long ago", facts(nutrition_condition=[before(411, "E43")]), None),
    (
        "nutrition_meals",
        "meals come",
        facts(nutrition_condition=[before(9, "N185")], nutrition_support=[before(40, "S5170")]),
        "met",
    ),
    ("coordinate_high_cost_care", "no tier", facts(), None),
]


@pytest.mark.parametrize(
    ("kind", "about", "known", "expected"), CASES, ids=[f"{kind}: {about}" for kind, about, *_ in CASES]
)
def test_a_rule_finds_what_is_called_for(kind: str, about: str, known: CareFacts, expected: str | None) -> None:
    del about
    finding = CARE_RULES[kind].rule(known, Days(TODAY, TODAY), care_policy())
    found = finding.occasion if isinstance(finding, Need) else "met" if isinstance(finding, Met) else None
    assert found == expected
    if isinstance(finding, Need):
        assert 0 < len(finding.reason) <= 200
        assert all(len(one.what) <= 80 for one in finding.evidence)


def test_frailty_is_told_by_its_signs_the_newest_first_and_no_more_than_an_event_carries() -> None:
    known = facts(frailty=[*FRAIL, before(10, "weakness")])
    finding = CARE_RULES["falls_prevention"].rule(known, Days(TODAY, TODAY), care_policy())
    assert isinstance(finding, Need)
    assert finding.reason == "3 signs of frailty, and no service against falls in 12 months"
    assert [(one.what, one.on) for one in finding.evidence] == [
        ("sign of frailty: weakness", before(10)[0]),
        ("sign of frailty: incontinence", before(90)[0]),
        ("sign of frailty: walker", before(300)[0]),
    ]
    every_sign = facts(frailty=[before(9, marker.name) for marker in claim_codes().frailty_markers])
    finding = CARE_RULES["falls_prevention"].rule(every_sign, Days(TODAY, TODAY), care_policy())
    assert isinstance(finding, Need)
    assert finding.reason.startswith(f"{len(claim_codes().frailty_markers)} signs")
    assert len(finding.evidence) == 10


def _in_tier(tier: int, entry: TierEntry | None, **shown: list[tuple[date, str]]) -> CareFacts:
    base = facts(**shown)
    return CareFacts(base.person_id, "OH", base.services, LONG_AGO, "D9001", tier=tier, tier_entry=entry)


ENTRY = TierEntry(3, 12, TODAY - timedelta(days=20), ("2 hospital admissions within 90 days",))
COORDINATION: list[tuple[CareFacts, str | None]] = [
    (_in_tier(3, ENTRY), "delivery 12"),
    (_in_tier(4, ENTRY), "delivery 12"),
    (_in_tier(2, None), None),
    (_in_tier(3, ENTRY, care_management=[before(5, "99490")]), "met"),
    (_in_tier(3, ENTRY, care_management=[before(25, "99490")]), "delivery 12"),
]


@pytest.mark.parametrize(("known", "expected"), COORDINATION)
def test_coordination_is_called_for_once_an_entry(known: CareFacts, expected: str | None) -> None:
    finding = CARE_RULES["coordinate_high_cost_care"].rule(known, Days(TODAY, TODAY), care_policy())
    found = finding.occasion if isinstance(finding, Need) else "met" if isinstance(finding, Met) else None
    assert found == expected


BREAST, COLON = "breast_cancer_screening", "colorectal_cancer_screening"
SIXTY = date(1962, 3, 1)
LONGER_AGO = date(2005, 1, 1)


def _screened(
    sex: str | None = "2", birth: date | None = SIXTY, known: date = LONG_AGO, **shown: list[tuple[date, str]]
) -> CareFacts:
    return replace(facts(known, **shown), birth_date=birth, sex_code=sex)


SCREENINGS: list[tuple[str, str, CareFacts, str | None]] = [
    (BREAST, "none", _screened(known=before(822)[0]), "2022"),
    (BREAST, "known too shortly", _screened(known=before(821)[0]), None),
    (BREAST, "a man", _screened("1"), None),
    (BREAST, "nobody said the sex", _screened(None), None),
    (BREAST, "nobody said the birth", _screened(birth=None), None),
    (BREAST, "not yet 50", _screened(birth=date(1972, 10, 16)), None),
    (BREAST, "50 today", _screened(birth=date(1972, 10, 15)), "2022"),
    (BREAST, "still 74", _screened(birth=date(1947, 10, 16)), "2022"),
    (BREAST, "75 today", _screened(birth=date(1947, 10, 15)), None),
    (BREAST, "done", _screened(mammography=[before(822, "77067")]), "met"),
    (BREAST, "done too long ago", _screened(mammography=[before(823, "77067")]), "2022"),
    (BREAST, "a colonoscopy is none", _screened(colonoscopy=[before(9, "45378")]), "2022"),
    (BREAST, "cancer on file, long ago", _screened(no_breast_screening=[before(1500, "C50911")]), None),
    (BREAST, "colorectal cancer is another", _screened(no_colorectal_screening=[before(9, "C189")]), "2022"),
    (BREAST, "one breast", _screened(one_breast_absent=[before(9, "Z9011"), before(8, "Z9011")]), "2022"),
    (BREAST, "none of both", _screened(one_breast_absent=[before(900, "Z9011"), before(8, "Z9012")]), None),
    (BREAST, "in hospice", _screened(hospice=[before(410)]), None),
    (BREAST, "hospice long ago", _screened(hospice=[before(411)]), "2022"),
    (COLON, "none", _screened("1", known=before(1095)[0]), "2022"),
    (COLON, "known too shortly", _screened("1", known=before(1094)[0]), None),
    (COLON, "known shortly, but done", _screened("1", known=TODAY, stool_blood=[before(9, "82274")]), "met"),
    (COLON, "sex does not matter", _screened(None, known=LONGER_AGO), "2022"),
    (COLON, "not yet 45", _screened(birth=date(1977, 10, 16), known=LONGER_AGO), None),
    (COLON, "45 today", _screened(birth=date(1977, 10, 15), known=LONGER_AGO), "2022"),
    (COLON, "76 today", _screened(birth=date(1946, 10, 15), known=LONGER_AGO), None),
    *(
        (COLON, f"{test} {about}", _screened(known=LONGER_AGO, **{test: [before(days + more, "")]}), expected)
        for test, days in (
            ("colonoscopy", 3697), ("sigmoidoscopy", 1871), ("ct_colonography", 1871), ("stool_dna", 1141),
            ("stool_blood", 410),
        )
        for about, more, expected in (("on the last day", 0, "met"), ("a day too early", 1, "2022"))
    ),
    (COLON, "one of two still counts", _screened(known=LONGER_AGO, stool_blood=[before(500)], stool_dna=[before(500)]), "met"),
    (COLON, "colectomy", _screened(known=LONGER_AGO, no_colorectal_screening=[before(4000, "44150")]), None),
    (COLON, "breast cancer is another", _screened(known=LONGER_AGO, no_breast_screening=[before(9, "C50911")]), "2022"),
    (COLON, "in hospice", _screened(known=LONGER_AGO, hospice=[before(9)]), None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "about", "known", "expected"), SCREENINGS, ids=[f"{kind}: {about}" for kind, about, *_ in SCREENINGS]
)
def test_screening_is_called_for_by_age_and_what_is_on_file(
    kind: str, about: str, known: CareFacts, expected: str | None
) -> None:
    test_a_rule_finds_what_is_called_for(kind, about, known, expected)


OLD = date(1950, 3, 1)
FRAIL_TWICE = [before(300, "walker"), before(9, "walker")]
EXCLUSIONS: list[tuple[str, CareFacts, str | None]] = [
    ("nothing", _screened(birth=OLD), None),
    ("in hospice", _screened(hospice=[before(410)]), "hospice"),
    ("palliative care, at any age", _screened(palliative_care=[before(410, "Z515")]), "palliative_care"),
    ("palliative care long ago", _screened(palliative_care=[before(411, "Z515")]), None),
    ("91 days in a facility", replace(_screened(birth=OLD), facility_days=91), "nursing_facility"),
    ("90 days in a facility", replace(_screened(birth=OLD), facility_days=90), None),
    ("in a facility, 66 in December", replace(_screened(birth=date(1956, 12, 31)), facility_days=91), "nursing_facility"),
    ("in a facility, 66 next year", replace(_screened(birth=date(1957, 1, 1)), facility_days=91), None),
    ("in a facility, age unknown", replace(_screened(birth=None), facility_days=91), None),
    ("frail and ill", _screened(birth=OLD, frailty=FRAIL_TWICE, advanced_illness=[before(775), before(9)]),
     "advanced_illness"),
    ("frail and ill, at 60", _screened(frailty=FRAIL_TWICE, advanced_illness=[before(775), before(9)]), None),
    ("ill on one day", _screened(birth=OLD, frailty=FRAIL_TWICE, advanced_illness=[before(9), before(9, "I509")]), None),
    ("ill too long ago", _screened(birth=OLD, frailty=FRAIL_TWICE, advanced_illness=[before(776), before(9)]), None),
    ("frail on one day", _screened(birth=OLD, frailty=[before(9, "walker"), before(9, "weakness")],
                                   advanced_illness=[before(30), before(9)]), None),
    ("frail long ago", _screened(birth=OLD, frailty=[before(411, "walker"), before(9, "walker")],
                                 advanced_illness=[before(30), before(9)]), None),
    ("ill, not frail", _screened(birth=OLD, advanced_illness=[before(30), before(9)]), None),
]  # fmt: skip


@pytest.mark.parametrize(("about", "known", "expected"), EXCLUSIONS, ids=[about for about, *_ in EXCLUSIONS])
def test_whom_no_screening_is_proposed_to(about: str, known: CareFacts, expected: str | None) -> None:
    assert screening_exclusion(known, Days(TODAY, TODAY), care_policy()) == expected, about
    for kind in (BREAST, COLON):
        found = CARE_RULES[kind].rule(replace(known, observed_from=LONGER_AGO), Days(TODAY, TODAY), care_policy())
        assert expected is None or found is None


def test_a_screening_names_the_last_test_of_each_sort_and_ends_with_the_first_since() -> None:
    known = _screened(known=LONGER_AGO, colonoscopy=[before(4000, "45378")], stool_blood=[before(700), before(600)])
    finding = CARE_RULES[COLON].rule(known, Days(TODAY, TODAY), care_policy())
    assert isinstance(finding, Need)
    assert [(one.what, one.on) for one in finding.evidence] == [
        ("last colonoscopy", before(4000)[0]),
        ("last stool blood test", before(600)[0]),
    ]
    later = _screened(known=LONGER_AGO, colonoscopy=[before(-40, "45378")], stool_blood=[before(-20)])
    found = CARE_RULES[COLON].rule(later, Days(TODAY, before(-60)[0]), care_policy())
    assert isinstance(found, Met)
    assert (found.evidence.what, found.done_on) == ("stool blood test", before(-20)[0])


@pytest.mark.parametrize(
    ("kind", "birth", "day", "expected"),
    [
        (BREAST, date(1982, 1, 1), date(2024, 4, 29), False),
        (BREAST, date(1982, 1, 1), date(2024, 4, 30), True),
        (COLON, date(1975, 1, 1), date(2021, 5, 17), False),
        (COLON, date(1975, 1, 1), date(2021, 5, 18), True),
        (COLON, date(1955, 1, 1), date(2015, 1, 1), False),
    ],
)
def test_ages_are_those_of_the_recommendation_in_force(kind: str, birth: date, day: date, expected: bool) -> None:  # noqa: FBT001
    assert is_of_age(kind, birth, day, care_policy()) is expected


def test_who_is_born_on_a_leap_day_is_a_year_older_on_the_first_of_march() -> None:
    assert [age_on(date(1972, 2, 29), date(2022, *day)) for day in ((2, 28), (3, 1))] == [49, 50]


def test_an_open_action_is_looked_at_as_on_the_day_it_was_raised() -> None:
    """A vaccine counts when its claim comes after the season, one given after the season does not."""
    raised = date(2022, 12, 1)
    policy, rule = care_policy(), CARE_RULES["flu_vaccine"].rule
    for given, expected in [(date(2023, 3, 31), Met), (date(2023, 4, 1), Need)]:
        known = facts(flu_vaccine=[(given, "90662")])
        assert isinstance(rule(known, Days(raised, date(2023, 6, 1)), policy), expected), given


SEASONS = [
    (date(2022, 8, 31), None),
    (date(2022, 9, 1), (date(2022, 9, 1), date(2023, 3, 31))),
    (date(2023, 3, 31), (date(2022, 9, 1), date(2023, 3, 31))),
    (date(2023, 4, 1), None),
]


@pytest.mark.parametrize(("day", "season"), SEASONS)
def test_the_season_reaches_over_the_new_year(day: date, season: tuple[date, date] | None) -> None:
    assert season_of(day, care_policy()) == season


def test_the_usual_interval_is_the_middle_one_of_the_last_eight() -> None:
    sessions = [Service(date(2022, 1, 1) + timedelta(days=day), "", "r") for day in (0, 100, 102, 104, 107, 109)]
    assert usual_interval(sessions) == 2


def test_clinicians_known_to_the_person_come_first_then_the_nearest_then_the_smaller_panel() -> None:
    members = [
        ("1", "11", "39005"),
        ("2", "11", "39001"),
        ("3", "08", "39001"),
        ("4", "38", "39003"),
        ("5", "06", "39001"),
    ]
    members.append(("6", "11", "39001"))
    network = Network(
        tuple(Participant(*one) for one in members),
        frozenset({"39001", "39003"}),
        {"2": 9, "3": 4, "6": care_policy().largest_panel},
    )
    base = facts(primary_care=[before(9, "1")])
    known = CareFacts(base.person_id, "OH", base.services, LONG_AGO, "D9001", "39001", network=network)
    ranked = rank_clinicians(known, LONG_AGO, TODAY, care_policy())
    assert [one.npi for one in ranked] == ["1", "3", "2"]
    without = CareFacts(base.person_id, "OH", {}, LONG_AGO, "D9001", "39001", network=network)
    assert [one.npi for one in rank_clinicians(without, LONG_AGO, TODAY, care_policy())] == ["3", "2", "4"]


@pytest.mark.parametrize(
    ("person", "clinician", "steps"),
    [("39001", "39001", 0), ("39001", "39003", 1), (None, "39003", 1), ("39001", "39099", 2), (None, None, 2)],
)
def test_nearness_is_in_steps_of_counties(person: str | None, clinician: str | None, steps: int) -> None:
    assert county_steps(person, clinician, frozenset({"39001", "39003"})) == steps


def test_every_kind_has_its_days_and_nothing_else_has() -> None:
    policy = care_policy()
    assert policy.due_days.keys() == policy.lapse_days.keys() == CARE_RULES.keys()
    assert all(policy.due_days[kind] < policy.lapse_days[kind] for kind in CARE_RULES)


def test_evidence_is_in_plain_words() -> None:
    assert Evidence("a fall").record_id is None


def test_the_gateway_asks_for_every_kind() -> None:
    assert get_args(Kind) == tuple(CARE_RULES)
