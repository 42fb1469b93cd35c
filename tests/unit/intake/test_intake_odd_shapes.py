"""What feeds are allowed to do and rarely do: claims by parts, other separators, several transaction sets."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from intake_files import HEADER_ROW, LINE_ROW, defects, listed, medicaid, records, source
from test_enrolment_834 import interchange, isa, loop, member, read_text
from test_explanation_of_benefit import resource

from contracts.alignment import AlignmentReportedData
from contracts.claims import MedicaidClaim, MedicareClaim
from contracts.delivery import DeliveryKind
from contracts.provider import ProviderRosterStatedData
from infra.simulator.world import npi
from services.intake.readers import alignment_report, explanation_of_benefit, medicaid_claims, provider_roster
from services.intake.readers.column_maps import layouts_of
from services.intake.reading import EntityRecord, PersonReference, Reading, RefusedDelivery


def medicaid_readings(folder: Path, headers: list[str], lines: list[str], file_type: str = "OT") -> list[Reading]:
    path = medicaid(folder, headers, lines, file_type=file_type)
    return list(medicaid_claims.read(source(DeliveryKind.MEDICAID_CLAIMS, path)))


def medicaid_claim(folder: Path, header: str, *lines: str) -> MedicaidClaim:
    (record,) = records(medicaid_readings(folder, [header], list(lines)))
    assert isinstance(record.payload, MedicaidClaim)
    return record.payload


def test_a_capitation_payment_has_its_plan_and_may_have_no_line(tmp_path: Path) -> None:
    row = HEADER_ROW.replace(",0,1,2022", ",0,2,2022").replace(",,1999999999", ",MCO1,").replace("120.00", "950.00")
    claim = medicaid_claim(tmp_path, row)
    assert (claim.claim_type_code, claim.plan_id, claim.provider_npi) == ("2", "MCO1", None)
    assert (claim.paid_cents, claim.lines, claim.type_of_service_code) == (95_000, (), None)


@pytest.mark.parametrize(("flag", "crossover"), [("1", True), ("Y", True), ("0", False), ("n", False), ("", False)])
def test_crossover_in_digits_and_letters(tmp_path: Path, flag: str, crossover: bool) -> None:  # noqa: FBT001 - a column
    claim = medicaid_claim(tmp_path, HEADER_ROW.replace("1999999999,0,", f"1999999999,{flag},"), LINE_ROW)
    assert claim.crossover is crossover


def test_a_line_without_days_has_those_of_its_claim_and_missing_amounts_add_nothing(tmp_path: Path) -> None:
    bare = LINE_ROW.replace("20220103,20220107", ",").replace("120.00", "888888888.88")
    second = LINE_ROW.replace(",1,2022", ",2,2022", 1).replace("120.00", "7.50").replace(",012,", ",013,")
    claim = medicaid_claim(tmp_path, HEADER_ROW.replace("120.00", ""), bare, second)
    assert (claim.lines[0].service_from, claim.lines[0].service_through) == (date(2022, 1, 3), date(2022, 1, 7))
    assert (claim.paid_cents, [line.paid_cents for line in claim.lines]) == (750, [0, 750])
    assert claim.type_of_service_code == "012"


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_on_one_day_a_void_goes_before_a_replacement_in_any_order(tmp_path: Path, order: list[int]) -> None:
    rows = [HEADER_ROW.replace("C1,,0,", f"C1,A{code},{code},") for code in ("0", "4", "1")]
    found = [record.payload for record in records(medicaid_readings(tmp_path, [rows[place] for place in order], []))]
    newest = max((claim for claim in found if isinstance(claim, MedicaidClaim)), key=lambda claim: claim.version)
    assert (len(found), newest.voided) == (3, True)


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [
        (",1,2022", ",,2022", "LINE_NUM", "missing"),
        ("20220107", "20220229", "LINE_SRVC_ENDG_DT", "not_a_date"),
        (",012,", ",12,", "TOS_CD", "not_a_code"),
        ("99213", "9921", "PRCDR_CD", "not_a_procedure_code"),
        (",0,120.00", ",2,120.00", "WVR_BNFT_IND", "not_in_code_list"),
        ("120.00", "$120", "MDCD_PD_AMT", "not_an_amount"),
    ],
)
def test_a_bad_line_is_left_out_of_its_claim(tmp_path: Path, old: str, new: str, field: str, reason: str) -> None:
    readings = medicaid_readings(tmp_path, [HEADER_ROW], [LINE_ROW.replace(old, new, 1), LINE_ROW])
    assert defects(readings) == [(2, field, reason)]
    (record,) = records(readings)
    assert isinstance(record.payload, MedicaidClaim)
    assert len(record.payload.lines) == 1


def test_a_row_of_another_state_is_told_and_joins_nobody_with_the_same_number(tmp_path: Path) -> None:
    readings = medicaid_readings(tmp_path, [HEADER_ROW, HEADER_ROW.replace("39,", "KY,", 1)], [LINE_ROW])
    assert defects(readings) == [(3, "SUBMTG_STATE_CD", "wrong_state")]
    lines = {record.references[0].value: len(record.payload.lines) for record in records(readings)}  # type: ignore[union-attr]
    assert lines == {"OH:M1": 1}


@pytest.mark.parametrize("separators", ["|!>\n", "+^:'", "\x1d\x1c\x1f\x1e"])
def test_an_interchange_with_any_separators_says_the_same(tmp_path: Path, separators: str) -> None:
    plain = interchange(member(loop("20220101")))
    body = plain[len(isa()) :].replace("*", separators[0]).replace("~", separators[3])
    assert records(read_text(tmp_path, isa(separators) + body)) == records(read_text(tmp_path, plain))


def two_sets(second: str) -> str:
    plain = interchange(member(loop("20220101")))
    sets = second.replace("~SE*", "~").count("~")
    return plain.replace("GE*1*1~", f"ST*834*0002*005010X220A1~{second}SE*{sets + 2}*0002~GE*2*1~")


def test_every_transaction_set_dates_its_own_statements(tmp_path: Path) -> None:
    other = member(loop("20220101"), mbi="6U50TE7GG18", medicaid="MCD2")
    found = records(read_text(tmp_path, two_sets(f"BGN*00*2*20220301*1200****2~{other}~")))
    assert [record.payload.stated_on for record in found] == [  # type: ignore[union-attr]
        date(2022, 1, 5),
        date(2022, 3, 1),
    ]
    with pytest.raises(RefusedDelivery, match="no_statement_date"):
        read_text(tmp_path, two_sets(f"{other}~"))


@pytest.mark.parametrize("trailer", ["IEA*1*000000007", "GE*1*1", "SE*"])
def test_an_endless_number_in_an_envelope_refuses_it(tmp_path: Path, trailer: str) -> None:
    name = trailer.split("*", maxsplit=1)[0]
    text = interchange(member(loop("20220101")))
    start = text.index(f"~{name}*") + len(name) + 2
    with pytest.raises(RefusedDelivery, match="envelope_broken"):
        read_text(tmp_path, text[:start] + "9" * 5_000 + text[text.index("*", start) :])


def test_a_plan_with_a_nul_character_is_a_defect_and_the_span_stays(tmp_path: Path) -> None:
    readings = read_text(tmp_path, interchange(member(loop("20220101", plan="MC\x001"))))
    assert [(field, reason) for _, field, reason in defects(readings)] == [("HD04", "nul_character")]
    (record,) = records(readings)
    assert [span.plan_id for span in record.payload.spans] == [None]  # type: ignore[union-attr]


def benefit(folder: Path, **changes: Any) -> MedicareClaim:
    path = folder / "claims.ndjson"
    path.write_text(json.dumps(resource(**changes)) + "\n")
    (record,) = records(explanation_of_benefit.read(source(DeliveryKind.EXPLANATION_OF_BENEFIT, path)))
    assert isinstance(record.payload, MedicareClaim)
    return record.payload


@pytest.mark.parametrize("number", ["12345", "\u0661" * 10, "149775854A"])
def test_a_descriptive_number_of_another_shape_is_absent_and_spoils_nothing(tmp_path: Path, number: str) -> None:
    team = [{"sequence": 2, "provider": {"identifier": {"value": number}}}]
    (line,) = benefit(tmp_path, careTeam=team).lines
    assert (line.rendering_npi, line.provider_specialty_code, line.paid_cents) == (None, None, 3750)


def test_a_line_that_names_nobody_of_the_care_team_has_no_provider(tmp_path: Path) -> None:
    assert benefit(tmp_path, careTeam=[]).lines[0].rendering_npi is None
    assert benefit(tmp_path, item=[{"sequence": 4}]).lines[0].service_through == date(2021, 3, 2)


@pytest.mark.parametrize(("amount", "cents"), [(0, 0), (-12.5, -1250), (1e3, 100_000), (19, 1900)])
def test_amounts_as_json_writes_numbers(tmp_path: Path, amount: float, cents: int) -> None:
    assert benefit(tmp_path, payment={"amount": {"value": amount}}).paid_cents == cents


REPORT = "ALIGNMENT_REPORT.D9001.202202.D220210.csv"
REPORT_HEADER = ",".join(column.label for column in layouts_of(DeliveryKind.ALIGNMENT_REPORT)[0].columns)


def test_each_span_of_a_person_is_a_record_with_its_own_months(tmp_path: Path) -> None:
    rows = [
        "202202,D9001,1EG4TE5MK73,20210115,20210630,MOVED,,,",
        "202202,D9001,1eg4-te5-mk73,20220101,,,voluntary,,n",
    ]
    path = listed(tmp_path, REPORT, REPORT_HEADER, rows)
    found = records(alignment_report.read(source(DeliveryKind.ALIGNMENT_REPORT, path)))
    stated = [record.payload for record in found if isinstance(record.payload, AlignmentReportedData)]
    assert {record.references for record in found} == {(PersonReference("mbi", "1EG4TE5MK73"),)}
    assert [(one.spans[0].first_month, one.spans[0].last_month) for one in stated] == [
        ("2021-01", "2021-06"),
        ("2022-01", None),
    ]
    assert [(one.basis, one.data_sharing_opt_out) for one in stated] == [(None, None), ("voluntary", False)]


def test_a_page_boundary_falls_after_five_hundred_readable_rows(tmp_path: Path) -> None:
    good = [f"D9001,{npi(number)},,39049,20220101,20220331" for number in range(500)]
    path = listed(
        tmp_path,
        "PROVIDER_ROSTER.D9001.OH.D220105.csv",
        "DCE_ID,NPI,SPCLTY_CD,CNTY_FIPS_CD,EFCTV_DT,TERM_DT",
        ["D9001,1,,39051,20220101,", "D9001,1000000000,,39051,20220101,20211231", *good],
    )
    readings = list(provider_roster.read(replace(source(DeliveryKind.PROVIDER_ROSTER, path), default_state="KY")))
    pages = [reading.payload for reading in readings if isinstance(reading, EntityRecord)]
    assert defects(readings) == [(2, "NPI", "not_an_npi"), (3, "TERM_DT", "ends_before_it_begins")]
    (page,) = pages
    assert isinstance(page, ProviderRosterStatedData)
    assert (page.page, page.pages, page.state, page.service_area_counties) == (1, 1, "OH", ("39049",))
    assert {provider.last_month for provider in page.providers} == {"2022-03"}
