"""Encounters: the nineteen claims of the public samples, and small files with one thing different each."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest
from encounter_files import (
    AROUND,
    CLAIM,
    CODES,
    COMMERCIAL,
    DECIDED,
    DECIDED_LINES,
    DENTAL,
    GOOD,
    HEAD,
    INSTITUTIONAL,
    KIND,
    LINES,
    MBI,
    MEDICARE,
    NO_AMOUNT,
    NO_NUMBER,
    PLAN,
    PROFESSIONAL,
    claims,
    file_of,
    of,
    only,
    parts,
)
from x12_files import SAMPLES, defects, observations, read, records, without, written

from contracts.claims import ClaimsFeed, MedicaidClaim
from contracts.delivery import DeliveryKind
from services.intake.reading import Demographics, Reading
from services.intake.registry import delivery_id, recognise

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


def test_a_service_without_lx_is_a_line_too(tmp_path: Path) -> None:
    claim = only(tmp_path, file_of(CLAIM.replace("LX*1~", "").replace("LX*2~", "")))
    assert [(line.line_number, line.procedure_code) for line in claim.lines] == [(1, "99213"), (2, "T1019")]


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
