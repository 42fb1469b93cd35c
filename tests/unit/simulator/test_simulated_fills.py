"""Part D fills and revenue lines: who has them, when, and every field of the record as the published layout places it."""

import csv
from collections import defaultdict
from datetime import date, timedelta
from importlib.resources import files
from itertools import pairwise

import pytest
from people_of_simulation import PERIOD, life, person
from test_simulated_prospects import prospects

from infra.simulator.cclf_parts import drug_record, line_cents, revenue_record
from infra.simulator.claims import Line, MedicareClaim, Version
from infra.simulator.fills import DAYS_SUPPLIED, FIRST_NUMBER, Fill, fills_of
from infra.simulator.life import Enrolment
from infra.simulator.person import Person


def _fields(file: str, record: str) -> dict[str, str]:
    text = files("contracts.wire").joinpath("cclf_layouts.csv").read_text(encoding="utf-8")
    places = [row for row in csv.DictReader(text.splitlines()) if row["file"] == file and row["record"] == "data"]
    assert len(record) == int(places[-1]["end"]) + 1
    return {row["label"]: record[int(row["start"]) - 1 : int(row["end"])].strip() for row in places}


def with_drugs(
    drugs: int, *, drug_plan: bool = True, course: dict[str, object] | None = None, index: int = 7
) -> Person:
    made = person(life(**(course or {})), index=index)
    made.prospects = prospects(drugs=drugs, drug_plan=drug_plan)
    return made


@pytest.mark.parametrize("drugs", [1, 4, 12])
def test_every_product_is_filled_every_ninety_days_but_for_the_few_that_are_skipped(drugs: int) -> None:
    rounds: dict[date, set[str]] = defaultdict(set)
    for fill in fills_of(with_drugs(drugs)):
        rounds[fill.filled_on].add(fill.drug[:9])
    products = set().union(*rounds.values())
    assert len(products) == drugs
    assert len(rounds) <= 4
    assert sum(map(len, rounds.values())) >= 0.7 * 4 * drugs - 1
    days = sorted(rounds)
    assert all(timedelta(days=58) < later - day < timedelta(days=124) for day, later in pairwise(days))


def test_only_people_with_a_drug_plan_and_in_fee_for_service_have_fills() -> None:
    assert fills_of(with_drugs(5, drug_plan=False)) == []
    assert fills_of(with_drugs(5, course={"start": Enrolment("02", "MCO9001", "H9001")})) == []
    assert fills_of(person()) == []


def test_fills_end_with_life_and_begin_with_entry() -> None:
    for index in range(3):
        made = with_drugs(6, course={"entry": 2, "death": date(2022, 8, 3)}, index=index)
        found = fills_of(made)
        assert found
        assert all(date(2022, 3, 1) <= fill.filled_on <= date(2022, 8, 3) for fill in found)


def test_fills_have_numbers_of_their_own_and_come_the_month_after() -> None:
    made = with_drugs(9)
    found = fills_of(made)
    assert [fill.number for fill in found] == list(range(FIRST_NUMBER + 1, FIRST_NUMBER + 1 + len(found)))
    assert all(fill.delivery == PERIOD.number(fill.filled_on) + 1 <= PERIOD.last_delivery for fill in found)
    assert found == fills_of(made), "the same each time they are asked for"
    assert made.records_made == 0


def test_a_drug_record_says_what_was_filled() -> None:
    made = person(life(mbi_changes=(5,)))
    fill = Fill(80_003, "00090001230", date(2022, 5, 9), 1, "1999920010", "1999910018", 345, 5)
    told = _fields("CCLF7", drug_record(made, fill))
    assert {name: value for name, value in told.items() if value} == {
        "CUR_CLM_UNIQ_ID": "1000000780003",
        "BENE_MBI_ID": "1S010000007",
        "CLM_LINE_NDC_CD": "00090001230",
        "CLM_TYPE_CD": "01",
        "CLM_LINE_FROM_DT": "2022-05-09",
        "PRVDR_SRVC_ID_QLFYR_CD": "01",
        "CLM_SRVC_PRVDR_GNRC_ID_NUM": "1999910018",
        "CLM_DAW_PROD_SLCTN_CD": "0",
        "CLM_LINE_SRVC_UNIT_QTY": "90.0000",
        "CLM_LINE_DAYS_SUPLY_QTY": str(DAYS_SUPPLIED),
        "PRVDR_PRSBNG_ID_QLFYR_CD": "01",
        "CLM_PRSBNG_PRVDR_GNRC_ID_NUM": "1999920010",
        "CLM_LINE_BENE_PMT_AMT": "3.45",
        "CLM_ADJSMT_TYPE_CD": "0",
        "CLM_EFCTV_DT": "2022-06-04",
        "CLM_IDR_LD_DT": "2022-06-04",
        "CLM_LINE_RX_SRVC_RFRNC_NUM": "000080003",
        "CLM_LINE_RX_FILL_NUM": "1",
        "CLM_PHRMCY_SRVC_TYPE_CD": "01",
    }


def _claim(claim_type: str) -> MedicareClaim:
    line = Line(date(2022, 3, 4), date(2022, 3, 6), "99284" if claim_type == "40" else "", 8_000, 8_000)
    return MedicareClaim(3, claim_type, line.first, line.last, ("J189",), "1999910018", [line], revenue_center="0450")


@pytest.mark.parametrize(
    ("claim_type", "permille", "paid"),
    [("40", 1000, "80.00"), ("40", 850, "68.00"), ("60", 1000, ""), ("20", 1000, "")],
)
def test_a_revenue_line_carries_the_payment_unless_the_header_does(claim_type: str, permille: int, paid: str) -> None:
    claim, version = _claim(claim_type), Version("2", 4, 12, permille)
    told = _fields("CCLF2", revenue_record(person(), claim, version))
    assert {name: value for name, value in told.items() if value} == {
        "CUR_CLM_UNIQ_ID": "1000000700012",
        "CLM_LINE_NUM": "1",
        "BENE_MBI_ID": "1S000000007",
        "CLM_TYPE_CD": claim_type,
        "CLM_LINE_FROM_DT": "2022-03-04",
        "CLM_LINE_THRU_DT": "2022-03-06",
        "CLM_LINE_PROD_REV_CTR_CD": "0450",
        **({"CLM_LINE_HCPCS_CD": "99284"} if claim_type == "40" else {}),
        "PRVDR_OSCAR_NUM": "361001",
        "CLM_FROM_DT": "2022-03-04",
        "CLM_THRU_DT": "2022-03-06",
        "CLM_LINE_SRVC_UNIT_QTY": "1.0000",
        **({"CLM_LINE_CVRD_PD_AMT": paid} if paid else {}),
    }
    assert (line_cents(claim, version) is None) is (paid == "")
