"""Capitation remittances: the public samples to the cent, and small ones with one thing wrong or odd each."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from x12_files import DAMAGES, SAMPLES, defects, observations, read, records, without, written, x12

from contracts.delivery import DeliveryKind
from contracts.medicaid import PremiumPayment
from contracts.money import dollars_text
from services.intake.reading import Defect, Demographics, Reading, RefusedDelivery
from services.intake.registry import delivery_id, recognise
from services.intake.rules.rate_category import is_dual_rate, rate_category_policy

KIND = DeliveryKind.PREMIUM_PAYMENT_820
MBI = "1EG4TE5MK73"


def payments(readings: list[Reading]) -> list[PremiumPayment]:
    return [record.payload for record in records(readings) if isinstance(record.payload, PremiumPayment)]


def line(net: str = "950.00", *more: str, period: str = "20220101-20220131", category: str = "Dual-State Only") -> str:
    body = [f"RMR*IK*REMITTANCE**{net}", "REF*18*957", "REF*ZZ*1H;2", f"REF*ZZ*{category}"]
    return "~".join((*body, f"DTM*582****RD8*{period}", *more))


def person(*lines: str, number: str = "MCD1", kind: str = "N", name: str = "PUBLIC*JOHN") -> str:
    return "~".join(("ENT*1*2J*EI*999999999", f"NM1*IL*1*{name}****{kind}*{number}", *lines))


def remittance(*people: str, total: str = "950.00", paid: str = "20220215") -> str:
    head = [f"BPR*I*{total}*C*NON************{paid}", "TRN*3*TRACE1", "REF*14*1", "N1*PE*PLAN", "N4*GARY*IN*46401"]
    head += ["N1*PR*AGENCY", "N4*COLUMBUS*OH*43004"]
    return x12("820", "005010X218", [*head, *(segment for one in people for segment in one.split("~"))], "RA")


def of(folder: Path, text: str) -> list[Reading]:
    return read(KIND, written(folder, text))


GOOD = remittance(person(line()))

# Payments, people, cents, payments at dual rates and their cents, payments taken back and their cents.
SAMPLE_TOTALS = {
    "sample_820_01.txt": (13, 12, 10_213_946, 1, 510_110, 0, 0),
    "sample_820_02.txt": (23, 13, 9_197_781, 3, 1_156_636, 1, -808_653),
    "sample_820_03.txt": (176, 93, 69_708_564, 120, 46_122_482, 1, -99_946),
    "sample_820_04.txt": (12, 10, 8_086_530, 2, 0, 1, -510_110),
    "sample_820_05.txt": (94, 81, 49_918_757, 61, 30_038_610, 2, -199_892),
}


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not here")
@pytest.mark.parametrize("name", SAMPLE_TOTALS)
def test_public_samples(name: str) -> None:
    path = SAMPLES / "820" / name
    readings = read(KIND, path, state="OH")
    found = payments(readings)
    dual = [one.paid_cents for one in found if one.dual]
    taken_back = [one.paid_cents for one in found if one.paid_cents < 0]
    people = {record.references for record in records(readings)}
    total = sum(one.paid_cents for one in found)
    assert (
        len(found),
        len(people),
        total,
        len(dual),
        sum(dual),
        len(taken_back),
        sum(taken_back),
    ) == SAMPLE_TOTALS[name]
    assert f"BPR*I*{dollars_text(total)}*C*" in path.read_text()
    assert (defects(readings), observations(readings)) == ([], {})
    assert {record.state for record in records(readings)} == {"CA"}
    assert len({one.record_id for one in found}) == len(found)
    assert {one.plan_id for one in found} == {"957"}
    assert {one.dual for one in found} == {True, False}


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not here")
def test_net_amounts_of_the_samples_are_not_adjusted_a_second_time() -> None:
    adjusted = 0
    for path in sorted((SAMPLES / "820").glob("*.txt")):
        found = payments(read(KIND, path))
        lines = path.read_text().split("~RMR*")[1:]
        assert len(lines) == len(found)
        for text, payment in zip(lines, found, strict=True):
            assert payment.paid_cents == round(float(text.split("~")[0].split("*")[3]) * 100)
            adjusted += "~ADX*" in text
            assert (payment.adjustment_reason_code == "53") is ("~ADX*" in text)
    assert adjusted == 75


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not here")
def test_two_members_of_the_samples_are_paid_under_two_categories() -> None:
    found = {}
    for name in ("sample_820_04.txt", "sample_820_05.txt"):
        rates: dict[object, set[bool | None]] = {}
        for record in records(read(KIND, SAMPLES / "820" / name)):
            assert isinstance(record.payload, PremiumPayment)
            rates.setdefault(record.references, set()).add(record.payload.dual)
        found[name] = sum(len(kinds) == 2 for kinds in rates.values())
    assert found == {"sample_820_04.txt": 1, "sample_820_05.txt": 1}


def test_a_payment_in_full(tmp_path: Path) -> None:
    readings = of(tmp_path, remittance(person(line("-50.25", "ADX*-1000.25*53").replace("-50.25", "-50.25*950")),
                                       total="-50.25"))  # fmt: skip
    (record,) = records(readings)
    assert [(one.kind, one.value) for one in record.references] == [("medicaid", "OH:MCD1")]
    assert record.payload == PremiumPayment(
        record_id="OH:TRACE1:0001:1",
        plan_id="957",
        paid_on=date(2022, 2, 15),
        first_day=date(2022, 1, 1),
        last_day=date(2022, 1, 31),
        paid_cents=-5_025,
        rate_category="Dual-State Only",
        dual=True,
        adjustment_reason_code="53",
    )
    (named,) = (one for one in readings if isinstance(one, Demographics))
    assert (named.family_name, named.given_name, named.birth_date) == ("PUBLIC", "JOHN", None)


def test_several_payments_for_a_person_have_numbers_of_their_own_and_one_name(tmp_path: Path) -> None:
    text = remittance(person(line(), line("1.00")), person(line("2.00"), number="MCD2"), total="953.00")
    readings = of(tmp_path, text)
    assert [one.record_id for one in payments(readings)] == ["OH:TRACE1:0001:1", "OH:TRACE1:0001:2", "OH:TRACE1:0001:3"]
    assert Counter(type(one).__name__ for one in readings) == {"PersonRecord": 3, "Demographics": 2}


def test_a_debit_is_what_the_plan_pays_back(tmp_path: Path) -> None:
    text = remittance(person(line("-950.00"))).replace("BPR*I*950.00*C", "BPR*I*950.00*D")
    assert [one.paid_cents for one in payments(of(tmp_path, text))] == [-95_000]


@pytest.mark.parametrize(
    ("case", "text", "reason"),
    [
        ("total too high", GOOD.replace("BPR*I*950.00", "BPR*I*950.01"), "total_does_not_match"),
        ("total too low", GOOD.replace("BPR*I*950.00", "BPR*I*94.00"), "total_does_not_match"),
        ("a line lost", remittance(person(line()), total="1900.00"), "total_does_not_match"),
        (
            "adjustments counted twice",
            remittance(person(line("10.00*960.00", "ADX*-950.00*53")), total="-940.00"),
            "total_does_not_match",
        ),
        ("total is no amount", GOOD.replace("BPR*I*950.00", "BPR*I*much"), "unverifiable_total"),
        ("an amount is none", GOOD.replace("**950.00", "**9,50"), "unverifiable_total"),
        ("an amount is missing", GOOD.replace("**950.00", "**"), "unverifiable_total"),
        ("no BPR", x12("820", "005010X218", ["TRN*3*T"]), "unverifiable_total"),
        ("no day of payment", remittance(person(line()), paid=""), "no_payment_date"),
        ("a day that is none", remittance(person(line()), paid="20220230"), "no_payment_date"),
        ("no trace number", without(GOOD.replace("~SE*16*", "~SE*15*"), "TRN"), "no_trace_number"),
    ],
)
def test_refused_whole_and_nothing_is_read(tmp_path: Path, case: str, text: str, reason: str) -> None:
    with pytest.raises(RefusedDelivery) as refused:
        of(tmp_path, text)
    assert refused.value.reason_code == reason, case


@pytest.mark.parametrize(("damage", "reason"), DAMAGES.values(), ids=DAMAGES)
def test_damages_of_any_x12_file(tmp_path: Path, damage: object, reason: str | None) -> None:
    path = written(tmp_path, damage(GOOD))  # type: ignore[operator]
    if reason is not None:
        with pytest.raises(RefusedDelivery) as refused:
            read(KIND, path)
        assert refused.value.reason_code == reason
    else:
        assert payments(read(KIND, path)) == payments(of(tmp_path, GOOD))


@pytest.mark.parametrize(
    ("case", "bad", "field", "reason"),
    [
        ("no period", person(line().rpartition("~")[0]), "DTM582", "missing"),
        ("period of one day", person(line(period="20220101")), "DTM06", "not_a_period"),
        ("no such day", person(line(period="20220101-20220230")), "DTM06", "not_a_date"),
        ("backwards", person(line(period="20220201-20220131")), "DTM06", "ends_before_it_begins"),
        ("open", person(line(period="20220101-99991231")), "DTM582", "missing"),
        ("another century", person(line(period="18500101-18500131")), "DTM06", "date_out_of_range"),
        ("Social Security number", person(line(), kind="34", number="123456789"), "NM109", "no_identifier"),
        ("no number", person(line(), number=""), "NM109", "no_identifier"),
        ("NUL in the number", person(line(), number="A\x00B"), "NM109", "no_identifier"),
        ("number too long", person(line(), number="9" * 61), "NM109", "no_identifier"),
        ("nobody", "ENT*1*2J~" + line(), "RMR", "payment_for_nobody"),
        ("adjustment is no amount", person(line("950.00", "ADX*x*53")), "ADX01", "not_an_amount"),
        ("gross is no amount", person(line("950.00*x")), "RMR05", "not_an_amount"),
        ("empty loop", person("RMR*IK*R**950.00"), "DTM582", "missing"),
    ],
)
def test_a_line_that_cannot_be_read_is_a_defect_and_the_others_go_on(
    tmp_path: Path, *, case: str, bad: str, field: str, reason: str
) -> None:
    readings = of(tmp_path, remittance(bad, person(line(), number="MCD2"), total="1900.00"))
    assert defects(readings) == [(field, reason)], case
    assert [record.references[0].value for record in records(readings)] == ["OH:MCD2"]


@pytest.mark.parametrize(
    ("case", "one", "field", "reason"),
    [
        ("plan too long", line().replace("REF*18*957", "REF*18*" + "9" * 21), "REF18", "code_too_long"),
        ("plan is the member", line().replace("REF*18*957", "REF*18*MCD1"), "REF18", "identifier"),
        ("plan is an MBI", line().replace("REF*18*957", f"REF*18*{MBI}"), "REF18", "identifier"),
        ("category is a name", line(category="PUBLIC"), "REFZZ", "identifier"),
        ("category too long", line(category="X" * 41), "REFZZ", "code_too_long"),
        ("category of odd characters", line(category="D\x00al"), "REFZZ", "not_a_rate_category"),
        ("plan with an escape", line().replace("REF*18*957", "REF*18*9\\u0000"), "REF18", "not_a_code"),
        ("plan outside of ASCII", line().replace("REF*18*957", "REF*18*9\xe9"), "REF18", "not_a_code"),
        ("reason too long", line("950.00", "ADX*0*123456789"), "ADX02", "code_too_long"),
        ("net is not gross and adjustments", line("950.00*960.00", "ADX*-20*53"), "RMR04", "amounts_do_not_balance"),
    ],
)
def test_a_payment_stays_without_what_is_wrong_with_it(
    tmp_path: Path, *, case: str, one: str, field: str, reason: str
) -> None:
    readings = of(tmp_path, remittance(person(one)))
    assert defects(readings) == [(field, reason)], case
    assert [payment.paid_cents for payment in payments(readings)] == [95_000]


def test_defects_tell_place_and_shape_and_keep_the_text_sealed(tmp_path: Path) -> None:
    readings = of(tmp_path, remittance(person(line(period="2022-01-01"))))
    (found,) = (one for one in readings if isinstance(one, Defect))
    assert (found.file, found.line) == ("file.x12", 17)
    assert found.raw == b"DTM*582****RD8*2022-01-01"
    assert (found.found, found.expected) == ("4 characters: 4 digits", "a day as CCYYMMDD")


def test_a_period_in_the_header_holds_for_lines_without_one(tmp_path: Path) -> None:
    bare = line().rpartition("~")[0]
    text = remittance(person(bare)).replace("~REF*14*1~", "~REF*14*1~DTM*582****RD8*20220101-20220131~")
    (payment,) = payments(of(tmp_path, text.replace("~SE*15*", "~SE*16*")))
    assert (payment.first_day, payment.last_day) == (date(2022, 1, 1), date(2022, 1, 31))


@pytest.mark.parametrize(
    ("category", "dual"),
    [
        ("Primary Capitation Dual", True),
        ("primary  capitation DUAL", True),
        ("Dual-State Only", True),
        ("Primary Capitation Medi-Cal Only", False),
        ("Medi-Cal Only-State Only", False),
        ("Dual or not", None),
        (None, None),
    ],
)
def test_dual_by_policy(category: str | None, dual: bool | None) -> None:  # noqa: FBT001 - a column of the table
    assert is_dual_rate(category, rate_category_policy()) is dual


def test_unknown_categories_are_counted_and_the_payment_says_neither(tmp_path: Path) -> None:
    readings = of(tmp_path, remittance(person(line(category="New"), line("0", category="New")), total="950.00"))
    assert [one.dual for one in payments(readings)] == [None, None]
    assert observations(readings) == {"payments in a rate category that the policy does not know": 2}


def test_a_number_that_is_an_mbi_names_the_person_as_medicare_does(tmp_path: Path) -> None:
    (record,) = records(of(tmp_path, remittance(person(line(), number=MBI))))
    assert [(one.kind, one.value) for one in record.references] == [("mbi", MBI)]


@pytest.mark.parametrize("trace", ["T" * 50, "TTTT\\u0000", "TTTT\xe9", f"TTTT {MBI}"])
def test_an_odd_trace_number_still_makes_a_record(tmp_path: Path, trace: str) -> None:
    text = GOOD.replace("TRN*3*TRACE1", "TRN*3*" + trace)
    (payment,) = payments(of(tmp_path, text))
    assert len(payment.record_id) <= 60
    assert "TTTT" not in payment.record_id


def test_without_a_payer_address_the_state_is_the_installations(tmp_path: Path) -> None:
    text = without(GOOD.replace("~N4*COLUMBUS*OH*43004", ""), "N1").replace("~SE*16*", "~SE*14*")
    (record,) = records(of(tmp_path, text))
    assert (record.state, record.references[0].value) == (None, "OH:MCD1")


def test_recognised_by_content_and_by_name(tmp_path: Path) -> None:
    today = date(2022, 3, 1)
    found = recognise(written(tmp_path, GOOD, "whatever"), today)
    assert (found.kind, found.source, found.dated) == (KIND, "unnamed", date(2022, 1, 5))
    named = recognise(written(tmp_path, GOOD, "820.MCO9001.D220215.T120000.txt"), today)
    assert (named.kind, named.source, named.dated) == (KIND, "MCO9001", date(2022, 2, 15))
    for name, reason in (("834.MCO9001.D220215.T120000.txt", "mislabelled_file"),):
        with pytest.raises(RefusedDelivery) as refused:
            recognise(written(tmp_path, GOOD, name), today)
        assert refused.value.reason_code == reason


def test_the_same_file_under_another_name_is_the_same_delivery(tmp_path: Path) -> None:
    one, two = written(tmp_path, GOOD, "one.txt"), written(tmp_path, GOOD, "820.MCO1.D220215.T120000.txt")
    assert delivery_id(KIND, one) == delivery_id(KIND, two)


SECRETS = ("PUBLIC", "JOHN", "MCD1", "999999999")


@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.characters(max_codepoint=255)), max_size=6))
def test_mutations_give_readings_defects_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, str]]
) -> None:
    text = list(GOOD)
    for place, character in changes:
        text[place] = character
    said: list[str] = []
    try:
        for reading in of(tmp_path_factory.mktemp("x12"), "".join(text)):
            if isinstance(reading, Defect):
                said += [reading.reason, reading.field or "", reading.found or "", reading.expected or ""]
    except RefusedDelivery as refused:
        said.append(str(refused))
    assert not [secret for secret in SECRETS if any(secret in text for text in said)]
