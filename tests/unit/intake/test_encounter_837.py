"""Encounters: the nineteen claims of the public samples, and small files with one thing different each."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from x12_files import DAMAGES, SAMPLES, defects, observations, read, records, without, written, x12

from contracts.claims import ClaimsFeed, MedicaidClaim
from contracts.delivery import DeliveryKind
from services.intake.reading import Defect, Demographics, Reading, RefusedDelivery
from services.intake.registry import delivery_id, recognise

KIND = DeliveryKind.ENCOUNTER_837
MBI = "1EG4TE5MK73"
PROFESSIONAL, INSTITUTIONAL, DENTAL = "005010X222A1", "005010X223A2", "005010X224A2"
NO_AMOUNT = "encounters without a paid amount of the plan (AMT*D, SVD)"
NO_NUMBER = "encounters without the plan's number of the claim (REF*F8)"
COMMERCIAL = "claims for another payer than Medicaid (SBR09 CI)"

AROUND = (
    "BHT*0019*00*1*20220210*1200*RP~NM1*41*2*PLAN*****46*1~HL*1**20*1~NM1*85*2*CLINIC*****XX*1234567893~"
    "N4*GARY*IN*46401~HL*2*1*22*0~SBR*S*18*******MC~NM1*IL*1*PUBLIC*JANE****MI*MCD1~N4*COLUMBUS*OH*43004~"
    "DMG*D8*19500203*F~NM1*PR*2*MEDICAID*****PI*STATE"
)
HEAD = "CLM*A1*300***11:B:1*Y*A*Y*Y"
CODES = "HI*ABK:I5023*ABF:E119"
PLAN = "SBR*P*18*******MC~AMT*D*120.5~OI***Y***Y~NM1*IL*1*PUBLIC*JANE****MI*MCD1~NM1*PR*2*PLAN*****PI*MCO1"
DECIDED = "DTP*573*D8*20220131~REF*F8*ICN1"
LINES = (
    "LX*1~SV1*HC:99213:25*200*UN*1***1~DTP*472*D8*20220103~LX*2~SV1*HC:T1019*100*UN*4***1~DTP*472*RD8*20220104-20220107"
)
MEDICARE = (
    "SBR*P*18*******MB~CAS*PR*1*50*0*2*25.5~CAS*CO*45*100~AMT*D*124.5~OI***Y***Y~"
    f"NM1*IL*1*PUBLIC*JANE****MI*{MBI}~NM1*PR*2*MEDICARE*****PI*00882"
)


def parts(*more: str) -> str:
    return "~".join(part for part in more if part)


CLAIM = parts(HEAD, CODES, PLAN, DECIDED, LINES)


def file_of(*claims: str, around: str = AROUND, guide: str = PROFESSIONAL) -> str:
    return x12("837", guide, parts(around, *claims).split("~"))


def of(folder: Path, text: str, *, synthetic: bool = False) -> list[Reading]:
    return read(KIND, written(folder, text), synthetic=synthetic)


def claims(readings: Iterable[Reading]) -> list[MedicaidClaim]:
    return [record.payload for record in records(readings) if isinstance(record.payload, MedicaidClaim)]


def only(folder: Path, text: str) -> MedicaidClaim:
    readings = of(folder, text)
    assert defects(readings) == []
    (claim,) = claims(readings)
    return claim


GOOD = file_of(CLAIM)

# Claims for Medicaid, claims for others, defects: nineteen claims in all.
SAMPLE_CLAIMS: dict[str, tuple[int, int, list[tuple[str, str]]]] = {
    "sample_837_0.txt": (0, 5, []),
    **{f"sample_837_{number}.txt": (0, 1, []) for number in range(1, 11)},
    "sample_837_11.txt": (1, 0, [("SE01", "segment_count_off_by_one")]),
    "sample_837_12.txt": (
        1,
        2,
        [("SE01", "segment_count_off_by_one"), ("GE01", "transaction_set_count_too_small")],
    ),
}


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not here")
@pytest.mark.parametrize("name", SAMPLE_CLAIMS)
def test_public_samples(name: str) -> None:
    medicaid, others, wrong = SAMPLE_CLAIMS[name]
    path = SAMPLES / "837" / name
    readings = read(DeliveryKind.ENCOUNTER_837, path, state="OH")
    # The delivery is dated before the claims; only its name or content could date it, as they do below.
    assert path.read_text().count("~CLM*") == medicaid + others
    assert observations(readings).get(COMMERCIAL, 0) == others
    dated = recognise(path, date(2026, 1, 1)).dated
    readings = list(_read_dated(path, dated))
    assert defects(readings) == wrong
    assert len(claims(readings)) == medicaid
    told = {COMMERCIAL: others, NO_AMOUNT: medicaid, NO_NUMBER: medicaid}
    assert observations(readings) == {what: count for what, count in told.items() if count}


def _read_dated(path: Path, dated: date) -> Iterable[Reading]:
    from services.intake.readers.encounter_837 import read as reader  # noqa: PLC0415 - only this test dates it
    from services.intake.reading import Source  # noqa: PLC0415

    return reader(Source(KIND, path.name, (path,), dated, synthetic_identifiers=False, default_state="OH"))


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not here")
@pytest.mark.parametrize(
    ("name", "reference"), [("sample_837_11.txt", "GA:12345678901"), ("sample_837_12.txt", "CA:TESTMBR000000001")]
)
def test_the_samples_claims_for_medicaid(name: str, reference: str) -> None:
    path = SAMPLES / "837" / name
    (record,) = records(_read_dated(path, date(2023, 5, 16)))
    assert [one.value for one in record.references] == [reference]
    assert isinstance(record.payload, MedicaidClaim)
    found = record.payload.model_dump(mode="json", exclude_defaults=True)
    assert found.pop("record_id").startswith(reference[:3])
    day = {"service_from": "2023-05-15", "service_through": "2023-05-15"}
    assert found == {
        "version": 202305160,
        "file_type": "OT",
        "claim_type_code": "3",
        "provider_npi": "1234567893",
        "diagnosis_codes": ["I109"],
        "paid_cents": 0,
        "lines": [{"line_number": 1, "procedure_code": "J1745", "paid_cents": 0, **day}],
        **day,
    }


def test_an_encounter_in_full(tmp_path: Path) -> None:
    readings = of(tmp_path, GOOD)
    (record,) = records(readings)
    assert [(one.kind, one.value) for one in record.references] == [("medicaid", "OH:MCD1")]
    assert (record.state, record.feed) == ("OH", ClaimsFeed.ENCOUNTER_837)
    (claim,) = claims(readings)
    assert claim.model_dump(mode="json", exclude_defaults=True) == {
        "record_id": "OH:ICN1",
        "version": 202201310,
        "file_type": "OT",
        "claim_type_code": "3",
        "service_from": "2022-01-03",
        "service_through": "2022-01-07",
        "paid_cents": 12_050,
        "plan_id": "MCO1",
        "provider_npi": "1234567893",
        "type_of_service_code": "012",
        "diagnosis_codes": ["I5023", "E119"],
        "lines": [
            {
                "line_number": 1,
                "service_from": "2022-01-03",
                "service_through": "2022-01-03",
                "type_of_service_code": "012",
                "procedure_code": "99213",
                "paid_cents": 0,
            },
            {
                "line_number": 2,
                "service_from": "2022-01-04",
                "service_through": "2022-01-07",
                "type_of_service_code": "051",
                "procedure_code": "T1019",
                "paid_cents": 0,
            },
        ],
    }
    assert (defects(readings), observations(readings)) == ([], {})
    (named,) = (one for one in readings if isinstance(one, Demographics))
    assert (named.family_name, named.given_name, named.birth_date, named.sex_code) == (
        "PUBLIC",
        "JANE",
        date(1950, 2, 3),
        "2",
    )


DECIDED_LINES = (
    "LX*1~SV1*HC:99213*200*UN*1***1~DTP*472*D8*20220103~SVD*MCO1*90.25*HC:99213**1~CAS*CO*45*109.75~DTP*573*D8*20220130~"
    "SVD*00882*50*HC:99213**1~CAS*PR*2*12.5~DTP*573*D8*20220115~"
    "LX*2~SV1*HC:T1019*100*UN*4***1~DTP*472*D8*20220104~SVD*MCO1*30.25*HC:T1019**1~CAS*CO*45*69.75~DTP*573*D8*20220131"
)


def test_payments_of_the_plan_by_line(tmp_path: Path) -> None:
    bare = PLAN.replace("AMT*D*120.5~", "")
    for plan in (PLAN, bare):
        claim = only(tmp_path, file_of(parts(HEAD, CODES, plan, "REF*F8*ICN1", DECIDED_LINES)))
        assert (claim.paid_cents, [line.paid_cents for line in claim.lines]) == (12_050, [9_025, 3_025])
        assert claim.version == 202201310


def test_payments_that_do_not_come_to_the_same_are_told_and_the_claims_own_stands(tmp_path: Path) -> None:
    readings = of(tmp_path, file_of(parts(HEAD, CODES, PLAN.replace("120.5", "121"), DECIDED_LINES)))
    assert defects(readings) == [("AMT02", "payments_do_not_balance")]
    assert [claim.paid_cents for claim in claims(readings)] == [12_100]


def test_what_the_plan_held_back_for_the_claim_as_a_whole_balances(tmp_path: Path) -> None:
    plan = PLAN.replace("AMT*D*120.5", "CAS*CO*253*20.5~AMT*D*100")
    assert only(tmp_path, file_of(parts(HEAD, CODES, plan, "REF*F8*ICN1", DECIDED_LINES))).paid_cents == 10_000


def test_medicare_paid_first(tmp_path: Path) -> None:
    readings = of(tmp_path, file_of(parts(HEAD, CODES, MEDICARE, PLAN, DECIDED, LINES)))
    (claim,) = claims(readings)
    assert claim.crossover
    assert (claim.medicare_paid_cents, claim.medicare_deductible_cents, claim.medicare_coinsurance_cents) == (
        12_450,
        5_000,
        2_550,
    )
    assert (claim.paid_cents, claim.plan_id) == (12_050, "MCO1")
    # Medicare's own loop names the person as Medicare does.
    assert [one.kind for one in records(readings)[0].references] == ["mbi", "medicaid"]


def test_medicares_part_by_line(tmp_path: Path) -> None:
    bare = MEDICARE.replace("CAS*PR*1*50*0*2*25.5~CAS*CO*45*100~AMT*D*124.5~", "")
    claim = only(tmp_path, file_of(parts(HEAD, CODES, bare, PLAN, "REF*F8*ICN1", DECIDED_LINES)))
    assert (claim.crossover, claim.medicare_paid_cents) == (True, 5_000)
    assert (claim.medicare_deductible_cents, claim.medicare_coinsurance_cents) == (0, 1_250)


@pytest.mark.parametrize(
    ("case", "payer"),
    [
        ("Medicare said nothing", "SBR*P*18*******MB~NM1*PR*2*MEDICARE*****PI*00882"),
        ("Medicare paid nothing and left nothing", "SBR*P*18*******MA~CAS*CO*50*300~AMT*D*0~NM1*PR*2*M*****PI*00882"),
        ("a commercial payer", "SBR*P*18*******CI~CAS*PR*1*50~AMT*D*10~NM1*PR*2*X*****PI*9"),
        ("Medicare Advantage", "SBR*P*18*******16~AMT*D*10~NM1*PR*2*X*****PI*9"),
    ],
)
def test_no_crossover(tmp_path: Path, case: str, payer: str) -> None:
    claim = only(tmp_path, file_of(parts(HEAD, CODES, payer, PLAN, DECIDED, LINES)))
    assert (claim.crossover, claim.medicare_paid_cents, claim.paid_cents) == (False, None, 12_050), case


@pytest.mark.parametrize(
    ("bill", "guide", "file_type", "service"),
    [
        ("11:A:1", INSTITUTIONAL, "IP", "001"),
        ("21:A:1", INSTITUTIONAL, "LT", "047"),
        ("65:A:2", INSTITUTIONAL, "LT", "046"),
        ("13:A:1", INSTITUTIONAL, "OT", "002"),
        ("32:A:9", INSTITUTIONAL, "OT", "016"),
        ("89:A:1", INSTITUTIONAL, "OT", None),
        # A place of service is no type of bill, in whatever guide it stands.
        ("11:B:1", INSTITUTIONAL, "OT", None),
        ("21:B:1", PROFESSIONAL, "OT", None),
    ],
)
def test_file_and_type_of_service_by_type_of_bill(
    tmp_path: Path, *, bill: str, guide: str, file_type: str, service: str | None
) -> None:
    head = f"CLM*A1*300***{bill}**A*Y*Y~DTP*434*RD8*20220103-20220107~DTP*435*D8*20220103"
    claim = only(tmp_path, file_of(parts(head, CODES, PLAN, DECIDED, "LX*1~SV2*0120**300*DA*4"), guide=guide))
    assert (claim.file_type, claim.type_of_service_code) == (file_type, service)
    (line,) = claim.lines
    assert (line.revenue_code, line.procedure_code, line.paid_cents) == ("0120", None, 0)
    assert (line.service_from, line.service_through) == (date(2022, 1, 3), date(2022, 1, 7))


@pytest.mark.parametrize(
    ("procedure", "service"),
    [
        ("99213", "012"),
        ("99284", "002"),
        ("G0299", "016"),
        ("G0156", "017"),
        ("T1019", "051"),
        ("H2017", "053"),
        ("A0130", "056"),
        ("T2003", "056"),
        ("J1745", None),
    ],
)
def test_type_of_service_by_procedure(tmp_path: Path, procedure: str, service: str | None) -> None:
    line = f"LX*1~SV1*HC:{procedure}*300*UN*1***1~DTP*472*D8*20220103"
    assert only(tmp_path, file_of(parts(HEAD, CODES, PLAN, DECIDED, line))).type_of_service_code == service


def test_a_dental_encounter(tmp_path: Path) -> None:
    line = "LX*1~SV3*AD:D1110*300****1~DTP*472*D8*20220103"
    claim = only(tmp_path, file_of(parts(HEAD, CODES, PLAN, DECIDED, line), guide=DENTAL))
    assert (claim.lines[0].procedure_code, claim.type_of_service_code, claim.file_type) == ("D1110", "029", "OT")


def test_what_the_state_has_written_about_lines_goes_before_the_tables(tmp_path: Path) -> None:
    said = "K3*LINE0001 TOS016 WVRN~K3*LINE0002 TOS053 WVRY~K3*SOMETHING ELSE"
    claim = only(tmp_path, file_of(parts(HEAD, said, CODES, PLAN, DECIDED, LINES)))
    assert [(line.type_of_service_code, line.waiver_benefit) for line in claim.lines] == [("016", False), ("053", True)]


@pytest.mark.parametrize(
    ("frequency", "number", "voided", "rank"), [("7", "REF*F8*ICN1", False, 1), ("8", "REF*F8*ICN1", True, 2)]
)
def test_replacement_and_void_are_newer_versions_of_the_same_record(
    tmp_path: Path, *, frequency: str, number: str, voided: bool, rank: int
) -> None:
    head = HEAD.replace("11:B:1", f"11:B:{frequency}")
    changed = only(tmp_path, file_of(parts(head, number, CODES, PLAN, "DTP*573*D8*20220205~REF*F8*ICN2", LINES)))
    original = only(tmp_path, GOOD)
    assert (changed.record_id, changed.voided) == (original.record_id, voided)
    assert changed.version == 202202050 + rank > original.version


def test_a_replacement_that_names_nothing_is_not_published(tmp_path: Path) -> None:
    bare = parts(HEAD.replace("11:B:1", "11:B:7"), CODES, PLAN, LINES)
    readings = of(tmp_path, file_of(bare, CLAIM))
    assert defects(readings) == [("REFF8", "original_number_missing")]
    assert len(claims(readings)) == 1


def test_without_the_plans_number_the_providers_stands_as_a_digest(tmp_path: Path) -> None:
    bare = parts(HEAD, CODES, PLAN, LINES)
    readings = of(tmp_path, file_of(bare))
    again, other = only(tmp_path, file_of(bare)), only(tmp_path, file_of(bare.replace("CLM*A1", "CLM*A2")))
    (claim,) = claims(readings)
    assert claim.record_id == again.record_id != other.record_id
    assert "A1" not in claim.record_id
    assert observations(readings) == {NO_NUMBER: 1}
    # The day on which the file was made, where the plan does not say when it decided.
    assert claim.version == 202202100


@pytest.mark.parametrize(
    ("case", "reasons", "paid", "denied"),
    [
        ("refused", "CAS*CO*A1*300", "0", True),
        ("refused for two reasons", "CAS*CO*29*200~CAS*OA*16*100", "0", True),
        ("paid by the month", "CAS*CO*24*300", "0", False),
        ("above the fee", "CAS*CO*45*179.5", "120.5", False),
        ("refused in part", "CAS*CO*A1*179.5", "120.5", False),
        ("no reason", "", "0", False),
    ],
)
def test_denials(tmp_path: Path, case: str, reasons: str, paid: str, *, denied: bool) -> None:
    plan = PLAN.replace("AMT*D*120.5", parts(reasons, f"AMT*D*{paid}"))
    claim = only(tmp_path, file_of(parts(HEAD, CODES, plan, DECIDED, LINES)))
    assert (claim.denied, {line.denied for line in claim.lines}) == (denied, {denied}), case


def test_one_line_denied(tmp_path: Path) -> None:
    lines = DECIDED_LINES.replace("SVD*MCO1*30.25", "SVD*MCO1*0").replace("CAS*CO*45*69.75", "CAS*CO*97*1~CAS*CO*A1*99")
    refused = DECIDED_LINES.replace("SVD*MCO1*30.25", "SVD*MCO1*0").replace("CAS*CO*45*69.75", "CAS*CO*A1*100")
    plan = PLAN.replace("120.5", "90.25")
    covered = only(tmp_path, file_of(parts(HEAD, CODES, plan, "REF*F8*I", lines)))
    assert [line.denied for line in covered.lines] == [False, False]
    denied = only(tmp_path, file_of(parts(HEAD, CODES, plan, "REF*F8*I", refused)))
    assert ([line.denied for line in denied.lines], denied.denied) == ([False, True], False)


def test_claims_of_other_payers_are_counted_and_told_not_published(tmp_path: Path) -> None:
    for code, shown in (("CI", "CI"), ("MB", "MB"), ("", "missing or no code"), ("PUBLIC", "missing or no code")):
        readings = of(tmp_path, file_of(CLAIM, CLAIM, around=AROUND.replace("*******MC", f"*******{code}")))
        assert records(readings) == []
        assert observations(readings) == {f"claims for another payer than Medicaid (SBR09 {shown})": 2}


def test_a_patient_who_is_not_the_subscriber_is_not_taken_for_the_subscriber(tmp_path: Path) -> None:
    newborn = "HL*3*2*23*0~PAT*19~NM1*QC*1*PUBLIC*BABY~DMG*D8*20220101*F"
    readings = of(tmp_path, file_of(newborn, CLAIM, "HL*4*1*22*0", AROUND[AROUND.index("SBR") :], CLAIM))
    assert defects(readings) == [("HL03", "patient_is_not_the_subscriber")]
    assert len(records(readings)) == 1


def test_every_subscriber_and_billing_provider_has_claims_of_their_own(tmp_path: Path) -> None:
    second = "HL*3**20*1~NM1*85*2*OTHER*****XX*1999999984~HL*4*3*22*0~SBR*S*18*******MC~NM1*IL*1*B*C****MI*MCD2"
    readings = of(tmp_path, file_of(CLAIM, CLAIM.replace("ICN1", "ICN2"), second, CLAIM.replace("ICN1", "ICN3")))
    found = [(record.references[0].value, claim.record_id, claim.provider_npi) for record, claim
             in zip(records(readings), claims(readings), strict=True)]  # fmt: skip
    assert found == [
        ("OH:MCD1", "OH:ICN1", "1234567893"),
        ("OH:MCD1", "OH:ICN2", "1234567893"),
        ("OH:MCD2", "OH:ICN3", "1999999984"),
    ]
    assert sum(isinstance(reading, Demographics) for reading in readings) == 2


def test_a_members_number_that_is_an_mbi(tmp_path: Path) -> None:
    (record,) = records(of(tmp_path, file_of(CLAIM, around=AROUND.replace("MI*MCD1", f"MI*{MBI}"))))
    assert [(one.kind, one.value) for one in record.references] == [("mbi", MBI)]


def test_the_payers_state_goes_before_the_members(tmp_path: Path) -> None:
    readings = of(tmp_path, file_of(CLAIM, around=AROUND + "~N4*AUSTIN*TX*78701"))
    assert (records(readings)[0].state, claims(readings)[0].record_id) == ("TX", "TX:ICN1")


BAD: list[tuple[str, str, str, str]] = [
    ("charge is no amount", CLAIM.replace("CLM*A1*300", "CLM*A1*x"), "CLM02", "not_an_amount"),
    ("charge missing", CLAIM.replace("CLM*A1*300", "CLM*A1*"), "CLM02", "missing"),
    ("unknown frequency", CLAIM.replace("11:B:1", "11:B:X"), "CLM05", "not_in_code_list"),
    ("no frequency", CLAIM.replace("11:B:1", "11"), "CLM05", "not_in_code_list"),
    ("paid is no amount", CLAIM.replace("AMT*D*120.5", "AMT*D*1,205"), "AMT02", "not_an_amount"),
    ("adjustment is no amount", CLAIM.replace("AMT*D", "CAS*CO*45*x~AMT*D"), "CAS03", "not_an_amount"),
    ("day of decision is none", CLAIM.replace("20220131", "20220231"), "DTP573", "not_a_date"),
    ("decided after the delivery", CLAIM.replace("20220131", "20230131"), "DTP573", "after_the_delivery"),
    ("no such day of service", CLAIM.replace("D8*20220103", "D8*20221303"), "DTP472", "not_a_date"),
    ("another century", CLAIM.replace("D8*20220103", "D8*18990103"), "DTP472", "date_out_of_range"),
    ("service ends before it begins", CLAIM.replace("20220104-20220107", "20220107-20220104"), "DTP472",
     "ends_before_it_begins"),
    ("half a period", CLAIM.replace("20220104-20220107", "20220104"), "DTP472", "not_a_period"),
    ("no day of service", parts(HEAD, CODES, PLAN, DECIDED, "LX*1~SV1*HC:99213*300*UN*1***1"), "DTP434",
     "no_service_date"),
    ("a line without service", parts(HEAD, CODES, PLAN, DECIDED, "LX*1~DTP*472*D8*20220103"), "LX",
     "line_without_service"),
    ("line charge is no amount", CLAIM.replace("*200*UN", "*2OO*UN"), "SV102", "not_an_amount"),
    ("claim number is the member", CLAIM.replace("ICN1", "MCD1"), "REFF8", "identifier"),
    ("claim number is an MBI", CLAIM.replace("ICN1", MBI), "REFF8", "identifier"),
    ("claim number too long", CLAIM.replace("ICN1", "9" * 41), "REFF8", "not_a_number_of_a_claim"),
    ("NUL in the claim number", CLAIM.replace("ICN1", "I\x00N"), "REFF8", "not_a_number_of_a_claim"),
    ("no number of the claim", parts("CLM**300***11:B:1", CODES, PLAN, LINES), "CLM01", "missing"),
    ("empty loop", "CLM*A1*300***11:B:1", "DTP434", "no_service_date"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "bad", "field", "reason"), BAD, ids=[row[0] for row in BAD])
def test_a_claim_that_cannot_be_read_is_a_defect_and_the_others_go_on(
    tmp_path: Path, case: str, bad: str, field: str, reason: str
) -> None:
    readings = of(tmp_path, file_of(bad, CLAIM))
    assert defects(readings) == [(field, reason)], case
    assert [claim.record_id for claim in claims(readings)] == ["OH:ICN1"]


PARTLY: list[tuple[str, str, str, str, dict[str, Any]]] = [
    ("plan too long", CLAIM.replace("PI*MCO1", "PI*" + "M" * 21), "NM109", "code_too_long", {"plan_id": None}),
    ("plan is the member", CLAIM.replace("PI*MCO1", "PI*MCD1"), "NM109", "identifier", {"plan_id": None}),
    ("no diagnosis", CLAIM.replace("ABK:I5023", "ABK:5023"), "HI01", "not_a_diagnosis_code",
     {"diagnosis_codes": ("E119",)}),
    ("ICD-9", CLAIM.replace("ABK:I5023", "BK:4280"), "HI01", "not_icd_10", {"diagnosis_codes": ("E119",)}),
    ("NUL in a diagnosis", CLAIM.replace("ABF:E119", "ABF:E\x0019"), "HI02", "not_a_diagnosis_code",
     {"diagnosis_codes": ("I5023",)}),
    ("no procedure code", CLAIM.replace("HC:99213", "HC:992"), "SV101", "not_a_procedure_code", {"file_type": "OT"}),
    ("charges", CLAIM.replace("CLM*A1*300", "CLM*A1*301"), "CLM02", "charges_do_not_balance", {"paid_cents": 12_050}),
    ("two plans", CLAIM.replace(LINES, PLAN.replace("120.5", "7") + "~" + LINES), "SBR09", "two_medicaid_payers",
     {"paid_cents": 12_050}),
]  # fmt: skip


@pytest.mark.parametrize(("case", "bad", "field", "reason", "stays"), PARTLY, ids=[row[0] for row in PARTLY])
def test_a_claim_stays_without_what_is_wrong_with_it(
    tmp_path: Path, *, case: str, bad: str, field: str, reason: str, stays: dict[str, Any]
) -> None:
    readings = of(tmp_path, file_of(bad))
    assert defects(readings) == [(field, reason)], case
    (claim,) = claims(readings)
    assert {name: getattr(claim, name) for name in stays} == stays


@pytest.mark.parametrize(
    ("around", "field", "reason"),
    [
        (AROUND.replace("MI*MCD1", "MI*"), "NM109", "no_identifier"),
        (AROUND.replace("MI*MCD1", "34*123456789"), "NM109", "no_identifier"),
        (AROUND.replace("MI*MCD1", "MI*" + "9" * 61), "NM109", "no_identifier"),
        (AROUND.replace("XX*1234567893", "XX*123456789"), "NM109", "not_an_npi"),
        (AROUND.replace("D8*19500203", "D8*195002"), "DMG02", "not_a_date"),
    ],
)
def test_what_stands_around_a_claim_may_be_wrong(tmp_path: Path, around: str, field: str, reason: str) -> None:
    assert defects(of(tmp_path, file_of(CLAIM, around=around))) == [(field, reason)]


def test_defects_tell_place_and_shape(tmp_path: Path) -> None:
    (found,) = (one for one in of(tmp_path, file_of(CLAIM.replace("20220103", "2022-1-3"))) if isinstance(one, Defect))
    assert (found.file, found.field, found.raw) == ("file.x12", "DTP472", b"DTP*472*D8*2022-1-3")
    assert (found.found, found.expected) == ("8 characters: 6 digits, 2 other", "a day as CCYYMMDD")
    text = file_of(CLAIM).split("~")
    assert text[found.line - 1].startswith("DTP*472")


def test_a_service_without_lx_is_a_line_too(tmp_path: Path) -> None:
    claim = only(tmp_path, file_of(CLAIM.replace("LX*1~", "").replace("LX*2~", "")))
    assert [(line.line_number, line.procedure_code) for line in claim.lines] == [(1, "99213"), (2, "T1019")]


def test_more_lines_than_a_claim_can_have(tmp_path: Path) -> None:
    many = parts(HEAD, CODES, PLAN, DECIDED, *["LX*1~SV1*HC:99213*1*UN*1~DTP*472*D8*20220103"] * 1001)
    many = many.replace("CLM*A1*300", "CLM*A1*1001")
    assert defects(of(tmp_path, file_of(many))) == [("LX", "too_many_lines")]


@pytest.mark.parametrize(("damage", "reason"), DAMAGES.values(), ids=DAMAGES)
def test_damages_of_any_x12_file(tmp_path: Path, damage: object, reason: str | None) -> None:
    path = written(tmp_path, damage(GOOD))  # type: ignore[operator]
    if reason is not None:
        with pytest.raises(RefusedDelivery) as refused:
            read(KIND, path)
        assert refused.value.reason_code == reason
    else:
        assert claims(read(KIND, path)) == claims(of(tmp_path, GOOD))


def test_recognised_by_content_and_by_name(tmp_path: Path) -> None:
    found = recognise(written(tmp_path, GOOD, "whatever"), date(2022, 3, 1))
    assert (found.kind, found.source, found.dated) == (KIND, "unnamed", date(2022, 1, 5))
    named = recognise(written(tmp_path, GOOD, "837.MCO9001.D220215.T120000.txt"), date(2022, 3, 1))
    assert (named.kind, named.source, named.dated) == (KIND, "MCO9001", date(2022, 2, 15))
    again = written(tmp_path, GOOD, "the same under another name")
    assert delivery_id(KIND, again) == delivery_id(KIND, tmp_path / "whatever")


def test_without_its_payer_the_claim_has_no_plan(tmp_path: Path) -> None:
    text = file_of(parts(HEAD, CODES, LINES), around=without("~" + AROUND + "~", "NM1").strip("~"))
    readings = of(tmp_path, text.replace("~NM1*PR*2*MEDICAID*****PI*STATE", "").replace("~SE*", "~K3*X~SE*"))
    assert [claim.plan_id for claim in claims(readings)] == [None]
    assert observations(readings) == {NO_AMOUNT: 1, NO_NUMBER: 1}


SECRETS = ("PUBLIC", "JANE", "MCD1", "I5023", "ICN1")


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


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not here")
@given(
    st.integers(0, 12),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from("~*:^;0A-. \n")), max_size=5),
)
def test_mutations_of_the_samples(
    tmp_path_factory: pytest.TempPathFactory, number: int, changes: list[tuple[float, str]]
) -> None:
    text = list((SAMPLES / "837" / f"sample_837_{number}.txt").read_text())
    for place, character in changes:
        text[int(place * len(text))] = character
    try:
        of(tmp_path_factory.mktemp("x12"), "".join(text))
    except RefusedDelivery as refused:
        assert refused.reason_code  # noqa: PT017 - what matters is that nothing else is raised
