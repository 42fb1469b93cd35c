"""What an 834 says in a state's own codes, at member level or of the member's person; totals, damage and mutations."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_enrolment_834 import GOOD, defects, interchange, loop, member, read_text, records
from x12_files import DAMAGES, SAMPLES, read, written

from contracts.delivery import DeliveryKind
from contracts.medicaid import MedicaidEnrolmentSpan, MedicaidEnrolmentStatedData
from contracts.months import months_between
from services.intake.readers.coverage_loops import CoverageLoop, enrolment_spans
from services.intake.reading import Defect, Demographics, Reading, RefusedDelivery
from services.intake.registry import delivery_id
from services.intake.rules.state_enrolment_codes import county_fips, state_codes

KIND = DeliveryKind.ENROLMENT_834
MBI, OTHER_MBI = "1EG4TE5MK73", "6U50TE7GG18"
HD = "HD*021**HMO*MCO9001;A"


def stated(readings: list[Reading]) -> MedicaidEnrolmentStatedData:
    (record,) = records(readings)
    assert isinstance(record.payload, MedicaidEnrolmentStatedData)
    return record.payload


def spans(folder: Path, text: str) -> list[tuple[str, str | None, bool]]:
    found = stated(read_text(folder, interchange(text))).spans
    return [(span.first_month, span.last_month, span.enrolled) for span in found]


def span(folder: Path, text: str) -> MedicaidEnrolmentSpan:
    (found,) = stated(read_text(folder, interchange(text))).spans
    return found


def told(readings: list[Reading]) -> list[tuple[str | None, str]]:
    return [(field, reason) for _, field, reason in defects(readings)]


def californian(*parts: str, maintenance: str = "001") -> str:
    head = [f"INS*Y*18*{maintenance}", "REF*1L*CIN1", "NM1*IL*1*PUBLIC*JANE*Q***34*123456789"]
    return "~".join((*head, "N4*LOS ANGELES*CA*90019**CY*19", "DMG*D8*19500203*F", *parts))


@pytest.mark.parametrize(
    ("case", "text", "expected"),
    [
        ("member's benefit", member("DTP*348*D8*20220301", HD), [("2022-03", None, True)]),
        (
            "member's eligibility",
            member("DTP*356*D8*20220301", "DTP*357*D8*20220430", HD),
            [("2022-03", "2022-04", True)],
        ),
        ("the loop's own goes first", member("DTP*356*D8*20210101", loop("20220301")), [("2022-03", None, True)]),
        ("a change takes effect", member(f"{HD}~DTP*303*D8*20220301"), [("2022-03", None, True)]),
        ("a change of the member", member("DTP*303*D8*20220301", HD), [("2022-03", None, True)]),
        ("a period", member(f"{HD}~DTP*348*RD8*20220301-20220531"), [("2022-03", "2022-05", True)]),
        (
            "the member's end ends what is cancelled",
            member("DTP*357*D8*20220430", loop("20220301"), maintenance="024"),
            [("2022-03", "2022-04", True), ("2022-05", None, False)],
        ),
        ("an end without coverage", member("DTP*357*D8*20220430", maintenance="024"), [("2022-05", None, False)]),
        ("no end of coverage without 024", member("DTP*357*D8*20220430"), []),
        ("reinstated", member(loop("20220401"), maintenance="025"), [("2022-04", None, True)]),
        ("compared", member(loop("20220401"), maintenance="030"), [("2022-04", None, True)]),
        ("deleted", member(loop("20220201", "20220430", maintenance="002")), [("2022-02", "2022-04", False)]),
        ("deleted without end", member(loop("20220201", maintenance="002")), [("2022-02", None, False)]),
        ("deleted backwards", member(loop("20220201", "20220131", maintenance="002")), [("2022-02", "2022-02", False)]),
        (
            "deleted beside another",
            member(loop("20220201", "20220430", maintenance="002"), loop("20220301", "20220331")),
            [("2022-03", "2022-03", True), ("2022-02", "2022-02", False), ("2022-04", "2022-04", False)],
        ),
        ("Medicare coverage is no enrolment", member(loop("20220201", maintenance="002", plan="MEDICARE PART A")), []),
    ],
)
def test_dates_and_maintenance(
    tmp_path: Path, case: str, text: str, expected: list[tuple[str, str | None, bool]]
) -> None:
    assert spans(tmp_path, text) == expected, case


@pytest.mark.parametrize(
    ("case", "text", "field", "reason"),
    [
        ("cancelled without an end", member(loop("20220101", maintenance="024")), "DTP349", "end_missing"),
        ("cancelled by the member", member(loop("20220101"), maintenance="024"), "DTP349", "end_missing"),
        ("unknown maintenance of the loop", member(loop("20220101", maintenance="999")), "HD01", "not_in_code_list"),
        ("unknown maintenance", member(loop("20220101"), maintenance="999"), "INS03", "not_in_code_list"),
        ("share of cost", member(f"{loop('20220101')}~AMT*R*much"), "AMTR", "not_an_amount"),
        ("share of cost missing", member(f"{loop('20220101')}~AMT*R"), "AMTR", "missing"),
        ("contract", member(f"{loop('20220101')}~REF*DX*99;1;20220101"), "REFDX", "contract_format"),
        ("begin of the health plan", member(f"{loop('20220101')}~REF*DX*H1;1;"), "REFDX", "begin_missing"),
        ("two MBIs", member(f"REF*F6*{OTHER_MBI}", loop("20220101")), "REF6P", "two_medicare_numbers"),
        ("NUL in a number", member(loop("20220101"), medicaid="A\x00"), "REF1D", "not_a_number_of_a_person"),
        ("plan is the member", member(loop("20220101", plan="MCD1;A")), "HD04", "identifier"),
        ("plan with an escape", member(loop("20220101", plan="M\\u0000;A")), "HD04", "not_a_code"),
        ("aid code is the name", member(f"{loop('20220101')}~REF*RB*B"), "REFRB", "identifier"),
        ("half a period", member(f"{HD}~DTP*348*RD8*20220301"), "DTP348", "not_a_period"),
        ("end of the member is none", member("DTP*357*D8*20229999", maintenance="024"), "DTP357", "not_a_date"),
        ("death in INS", member(loop("20220101")).replace("AC~", "AC**D8*2022~", 1), "INS12", "not_a_date"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, case: str, text: str, field: str, reason: str) -> None:
    readings = read_text(tmp_path, interchange(text, member(loop("20220101"), medicaid="OTHER", mbi=OTHER_MBI)))
    assert (field, reason) in told(readings), case
    assert records(readings)[-1].references[-1].value == "OH:OTHER"


@pytest.mark.parametrize(
    ("case", "parts", "aid_code", "dual", "level"),
    [
        ("in the loop", (f"{loop('20220101')}~REF*RB*60",), "60", None, None),
        ("long-term care", (f"{loop('20220101')}~REF*RB*63",), "63", None, "institutional"),
        ("of the case", ("REF*3H*19;13;CASE1;;", loop("20220101")), "13", None, "institutional"),
        ("of the case, too short", ("REF*3H*19", loop("20220101")), None, None, None),
        ("a meaning", ("REF*AB*5B", loop("20220101")), "5B", "04", None),
        ("a meaning before the text", ("REF*AB*4N", "REF*ABB*SLMB", loop("20220101")), "4N", "02", None),
        ("explicit before a meaning", ("REF*AB*4N", "REF*F5*8", loop("20220101")), "4N", "08", None),
        ("no meaning, so the text", ("REF*AB*99", "REF*ABB*SLMB", loop("20220101")), "99", "03", None),
        ("a meaning in REF*AB only", (f"{loop('20220101')}~REF*RB*4N",), "4N", None, None),
        ("the loop before the member", ("REF*AB*5E", f"{loop('20220101')}~REF*RB*60"), "60", "06", None),
    ],
)
def test_aid_codes_of_california(
    tmp_path: Path, *, case: str, parts: tuple[str, ...], aid_code: str | None, dual: str | None, level: str | None
) -> None:
    found = span(tmp_path, californian(*parts))
    assert (found.aid_code, found.dual_status_code, found.long_term_care_level) == (aid_code, dual, level), case


def test_aid_codes_of_other_states_mean_nothing_here(tmp_path: Path) -> None:
    found = span(tmp_path, member("REF*AB*5B", loop("20220101"), f"{loop('20220101')}~REF*RB*63").split("~HD", 1)[0]
                 + "~" + loop("20220101"))  # fmt: skip
    assert (found.aid_code, found.dual_status_code, found.long_term_care_level) == ("5B", None, None)


@pytest.mark.parametrize(
    ("parts", "cents"),
    [
        ((f"{loop('20220101')}~AMT*R*1237",), 123_700),
        (("AMT*R*12.5", loop("20220101")), 1_250),
        ((loop("20220101"),), None),
    ],
)
def test_share_of_cost(tmp_path: Path, parts: tuple[str, ...], cents: int | None) -> None:
    assert span(tmp_path, member(*parts)).share_of_cost_cents == cents


@pytest.mark.parametrize(
    ("text", "state", "fips"),
    [
        ("39049", "OH", "39049"),
        ("19", "CA", "06037"),
        ("1", "CA", "06001"),
        ("058", "CA", "06115"),
        ("59", "CA", None),
        ("0", "CA", None),
        ("19", "OH", None),
        ("LOS ANGELES", "CA", None),
        ("", "CA", None),
    ],
)
def test_counties(text: str, state: str, fips: str | None) -> None:
    assert county_fips(text, state_codes(state)) == fips


@pytest.mark.parametrize(
    ("case", "parts", "died"),
    [
        ("DTP", ("DTP*435*D8*20220211",), date(2022, 2, 11)),
        ("California's composite", ("REF*17*;20220212;202202;",), date(2022, 2, 12)),
        ("no day in it", ("REF*17*;;202202;",), None),
        ("one part", ("REF*17*202202",), None),
    ],
)
def test_deaths(tmp_path: Path, case: str, parts: tuple[str, ...], died: date | None) -> None:
    assert stated(read_text(tmp_path, interchange(member(*parts, loop("20220101"))))).death_date == died, case


def test_a_death_in_the_general_guide(tmp_path: Path) -> None:
    text = member(loop("20220101")).replace("***FT***AC~", "***FT***AC**D8*20220213~", 1)
    assert stated(read_text(tmp_path, interchange(text))).death_date == date(2022, 2, 13)


def test_a_name_and_nothing_of_the_social_security_number(tmp_path: Path) -> None:
    readings = read_text(tmp_path, interchange(californian("REF*SY*123456789", loop("20220101"))))
    (named,) = (one for one in readings if isinstance(one, Demographics))
    assert (named.family_name, named.given_name, named.birth_date, named.sex_code) == (
        "PUBLIC",
        "JANE",
        date(1950, 2, 3),
        "2",
    )
    assert named.reference == records(readings)[0].references[0]
    assert "123456789" not in repr([one for one in readings if not isinstance(one, Defect)])


@pytest.mark.parametrize("written_as", ["JOS\xc3\x89", "JOS\xc9"])
def test_names_in_either_encoding(tmp_path: Path, written_as: str) -> None:
    text = interchange(member(loop("20220101"))).replace("NM1*IL*1*A*B", f"NM1*IL*1*A*{written_as}")
    (named,) = (one for one in read_text(tmp_path, text) if isinstance(one, Demographics))
    assert named.given_name == "JOS\xc9"


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ((f"REF*F6*{MBI}",), [("mbi", MBI)]),
        # The number of a group, as the general guide has it, beside Medicare's own.
        (("REF*6P*GROUP7", f"REF*F6*{MBI}"), [("mbi", MBI)]),
        ((f"REF*6P*{MBI}", "REF*F6*123456789A"), [("mbi", MBI)]),
        (("REF*1D*", "REF*23*4;20200101;;", "REF*0F*S1"), [("medicaid", "OH:S1")]),
    ],
)
def test_numbers_of_a_person(tmp_path: Path, parts: tuple[str, ...], found: list[tuple[str, str]]) -> None:
    readings = read_text(tmp_path, interchange("~".join(("INS*Y*18*001", *parts, loop("20220101")))))
    assert [(one.kind, one.value) for one in records(readings)[0].references] == found
    assert told(readings) == []


def test_the_subscribers_number_is_not_a_dependents(tmp_path: Path) -> None:
    readings = read_text(tmp_path, interchange(f"INS*N*19*001~REF*0F*PARENT~{loop('20220101')}"))
    assert (records(readings), told(readings)) == ([], [("REF", "no_identifier")])


def test_categories_other_payers_and_other_names_are_not_the_members_coverage(tmp_path: Path) -> None:
    other = "NM1*70*1*FORMER~DMG*D8*19000101*M~NM1*31*1~N4*GARY*IN*46401"
    after = f"{loop('20220101')}~COB*P*X*1~REF*F5*1~AMT*R*9~LS*2700~LX*1~REF*RB*99~DTP*349*D8*20220131~LE*2700"
    readings = read_text(tmp_path, interchange(member(other, after)))
    (found,) = stated(readings).spans
    assert (found.dual_status_code, found.share_of_cost_cents, found.aid_code, found.last_month) == (None,) * 4
    assert (stated(readings).birth_date, stated(readings).sex_code) == (date(1950, 2, 3), "2")


@pytest.mark.parametrize(
    ("total", "outcome"),
    [("2", []), ("1", [("QTY02", "member_count_wrong")]), ("x", [("QTY02", "member_count_wrong")]), ("3", "truncated")],
)
def test_the_total_of_members(tmp_path: Path, total: str, outcome: Any) -> None:
    text = interchange(
        f"QTY*TO*{total}", member(loop("20220101")), member(loop("20220101"), medicaid="M2", mbi=OTHER_MBI)
    )
    if outcome == "truncated":
        with pytest.raises(RefusedDelivery, match="truncated"):
            read_text(tmp_path, text)
    else:
        assert told(read_text(tmp_path, text)) == outcome


def test_a_member_without_end_is_not_collected(tmp_path: Path) -> None:
    readings = read_text(tmp_path, interchange(member(loop("20220101"), *["REF*ZZ*1"] * 20_001)))
    assert (records(readings), told(readings)) == ([], [("INS", "too_many_segments")])


@pytest.mark.parametrize(("damage", "reason"), DAMAGES.values(), ids=DAMAGES)
def test_damages_of_any_x12_file(tmp_path: Path, damage: Any, reason: str | None) -> None:
    path = written(tmp_path, damage(GOOD))
    if reason is not None:
        with pytest.raises(RefusedDelivery) as refused:
            read(KIND, path)
        assert refused.value.reason_code == reason
    else:
        assert records(read(KIND, path)) == records(read_text(tmp_path, GOOD))


def test_the_same_file_under_another_name_is_the_same_delivery(tmp_path: Path) -> None:
    assert delivery_id(KIND, written(tmp_path, GOOD, "a")) == delivery_id(KIND, written(tmp_path, GOOD, "b"))


days = st.dates(date(2021, 1, 1), date(2022, 12, 31))


@given(st.lists(st.tuples(days, st.none() | days, st.booleans()), max_size=6))
def test_no_month_is_stated_both_ways(loops: list[tuple[date, date | None, bool]]) -> None:
    spans = enrolment_spans(
        [CoverageLoop("P", "P", begin, end, cancelled, None, None, None) for begin, end, cancelled in loops], None
    )
    months = {
        enrolled: {
            month
            for span in spans
            if span.enrolled is enrolled
            for month in months_between(span.first_month, span.last_month or "2024-12")
        }
        for enrolled in (True, False)
    }
    assert not months[True] & months[False]


SECRETS = ("EG4TE5MK7", "MCD1", "19500203")


@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.characters(max_codepoint=255)), max_size=6))
def test_mutations_give_readings_defects_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, str]]
) -> None:
    text = list(GOOD)
    for place, character in changes:
        text[place] = character
    said: list[str] = []
    try:
        for reading in read_text(tmp_path_factory.mktemp("x12"), "".join(text)):
            if isinstance(reading, Defect):
                said += [reading.reason, reading.field or "", reading.found or "", reading.expected or ""]
    except RefusedDelivery as refused:
        said.append(str(refused))
    assert not [secret for secret in SECRETS if any(secret in text for text in said)]


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not here")
@given(st.sampled_from(["834", "820"]), st.integers(1, 6), st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from("~*:^+;0A-. \n\x00")), max_size=5))  # fmt: skip
def test_mutations_of_the_samples_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, code: str, number: int, changes: list[tuple[float, str]]
) -> None:
    kind = KIND if code == "834" else DeliveryKind.PREMIUM_PAYMENT_820
    path = SAMPLES / code / f"sample_{code}_0{min(number, 6 if code == '834' else 5)}.txt"
    text = list(path.read_text())
    for place, character in changes:
        text[int(place * len(text))] = character
    reasons: list[str] = []
    try:
        readings = read(kind, written(tmp_path_factory.mktemp("x12"), "".join(text)))
        reasons += [one.reason for one in readings if isinstance(one, Defect)]
    except RefusedDelivery as refused:
        reasons.append(refused.reason_code)
    assert all(reason.replace("_", "").isalnum() for reason in reasons)
