"""CCLF records of one person: Part A headers, Part B lines, demographics, identifier changes (v36.0 layouts)."""

from datetime import date
from typing import Literal

from contracts.money import dollars_text
from infra.simulator.claim_facts import (
    ADMISSION_TYPE,
    BILL_TYPES,
    CLAIM_DENIED,
    CLAIM_PAID,
    LINE_ALLOWED,
    LINE_DENIED,
    NON_PAYMENT_REASON,
    adjudicated_on,
    admitting_diagnosis,
    allowed,
    control_number,
    discharge_status,
    facility_number,
    listed_diagnoses,
    place_of_service,
    practice_tax_number,
    record_number,
    related_group,
    specialty,
)
from infra.simulator.claims import MedicareClaim, Version, scaled
from infra.simulator.layouts import record_length, template
from infra.simulator.period import Period, dashed
from infra.simulator.person import Person
from infra.simulator.world import zip_code

ClaimFile = Literal["CCLF1", "CCLF2", "CCLF5", "CCLF7"]
RECORD_FILES = ("CCLF1", "CCLF2", "CCLF5", "CCLF7", "CCLF8", "CCLF9")
FILE_TITLES = {
    "CCLF1": "Part A Claims Header File",
    "CCLF2": "Part A Claims Revenue Center Detail File",
    "CCLF5": "Part B Physicians File",
    "CCLF7": "Part D File",
    "CCLF8": "Beneficiary Demographics File",
    "CCLF9": "Beneficiary XREF File",
}
NO_DATE_LOW, NO_DATE_HIGH = "1000-01-01", "9999-12-31"

PART_A = template(
    "CCLF1",
    (
        "CUR_CLM_UNIQ_ID",
        "PRVDR_OSCAR_NUM",
        "BENE_MBI_ID",
        "CLM_TYPE_CD",
        "CLM_FROM_DT",
        "CLM_THRU_DT",
        "CLM_BILL_FAC_TYPE_CD",
        "CLM_BILL_CLSFCTN_CD",
        "PRNCPL_DGNS_CD",
        "ADMTG_DGNS_CD",
        "CLM_MDCR_NPMT_RSN_CD",
        "CLM_PMT_AMT",
        "BENE_PTNT_STUS_CD",
        "DGNS_DRG_CD",
        "FAC_PRVDR_NPI_NUM",
        "CLM_ADJSMT_TYPE_CD",
        "CLM_EFCTV_DT",
        "CLM_IDR_LD_DT",
        "CLM_CNTL_NUM",
    ),
    {
        "PRVDR_FAC_FIPS_ST_CD": "39",
        "CLM_ADMSN_TYPE_CD": ADMISSION_TYPE,
        "CLM_BILL_FREQ_CD": "1",
        "DGNS_PRCDR_ICD_IND": "0",
    },
    frozenset({"CLM_PMT_AMT"}),
)
PART_B = template(
    "CCLF5",
    (
        "CUR_CLM_UNIQ_ID",
        "CLM_LINE_NUM",
        "BENE_MBI_ID",
        "CLM_TYPE_CD",
        "CLM_FROM_DT",
        "CLM_THRU_DT",
        "CLM_PRVDR_SPCLTY_CD",
        "CLM_POS_CD",
        "CLM_LINE_FROM_DT",
        "CLM_LINE_THRU_DT",
        "CLM_LINE_HCPCS_CD",
        "CLM_LINE_CVRD_PD_AMT",
        "CLM_LINE_DGNS_CD",
        "CLM_RNDRG_PRVDR_TAX_NUM",
        "RNDRG_PRVDR_NPI_NUM",
        "CLM_CARR_PMT_DNL_CD",
        "CLM_PRCSG_IND_CD",
        "CLM_ADJSMT_TYPE_CD",
        "CLM_EFCTV_DT",
        "CLM_IDR_LD_DT",
        "CLM_CNTL_NUM",
        "CLM_LINE_ALOWD_CHRG_AMT",
        "CLM_DGNS_1_CD",
        "CLM_DGNS_2_CD",
        "CLM_DGNS_3_CD",
        "CLM_DGNS_4_CD",
        "CLM_RNDRG_PRVDR_NPI_NUM",
    ),
    {
        "RNDRG_PRVDR_TYPE_CD": "1",
        "RNDRG_PRVDR_FIPS_ST_CD": "39",
        "CLM_FED_TYPE_SRVC_CD": "1",
        "CLM_LINE_SRVC_UNIT_QTY": "1.0000".rjust(24),
        "DGNS_PRCDR_ICD_IND": "0",
        "CLM_DISP_CD": "01",
    },
    frozenset({"CLM_LINE_NUM", "CLM_LINE_CVRD_PD_AMT", "CLM_LINE_ALOWD_CHRG_AMT"}),
)
DEMOGRAPHICS = template(
    "CCLF8",
    (
        "BENE_MBI_ID",
        "BENE_FIPS_CNTY_CD",
        "BENE_ZIP_CD",
        "BENE_DOB",
        "BENE_SEX_CD",
        "BENE_RACE_CD",
        "BENE_AGE",
        "BENE_MDCR_STUS_CD",
        "BENE_DUAL_STUS_CD",
        "BENE_DEATH_DT",
        "BENE_RNG_BGN_DT",
        "BENE_RNG_END_DT",
        "BENE_1ST_NAME",
        "BENE_LAST_NAME",
        "BENE_ORGNL_ENTLMT_RSN_CD",
        "BENE_ENTLMT_BUYIN_IND",
        "BENE_PART_A_ENRLMT_BGN_DT",
        "BENE_PART_B_ENRLMT_BGN_DT",
    ),
    {"BENE_FIPS_STATE_CD": "39", "GEO_USPS_STATE_CD": "OH", "BENE_LINE_1_ADR": "1 SYNTHETIC STREET"},
    frozenset({"BENE_AGE"}),
)
CROSS_REFERENCE = template(
    "CCLF9",
    ("CRNT_NUM", "PRVS_NUM", "PRVS_ID_EFCTV_DT", "PRVS_ID_OBSLT_DT"),
    {"HICN_MBI_XREF_IND": "M"},
    frozenset(),
)


def _part_a(person: Person, claim: MedicareClaim, version: Version, common: tuple[str, str, str]) -> str:
    unique, mbi, on = common
    line = claim.lines[0]
    return PART_A % (
        unique,
        facility_number(claim),
        mbi,
        claim.claim_type,
        dashed(claim.first),
        dashed(claim.last),
        *BILL_TYPES[claim.claim_type],
        claim.diagnosis_codes[0],
        admitting_diagnosis(claim),
        NON_PAYMENT_REASON if claim.denied else "",
        dollars_text(scaled(line.cents, version.permille)),
        discharge_status(person, claim),
        related_group(claim),
        claim.npi,
        version.kind,
        on,
        on,
        control_number(person, claim),
    )


def _part_b(person: Person, claim: MedicareClaim, version: Version, common: tuple[str, str, str]) -> str:
    unique, mbi, on = common
    codes = (*listed_diagnoses(claim), "", "", "")[:4]
    denied = claim.denied
    rows = []
    for number, line in enumerate(claim.lines, start=1):
        cents = scaled(line.cents, version.permille)
        rows.append(
            PART_B
            % (
                unique,
                number,
                mbi,
                claim.claim_type,
                dashed(claim.first),
                dashed(claim.last),
                specialty(claim),
                place_of_service(person),
                dashed(line.first),
                dashed(line.last),
                line.procedure,
                dollars_text(cents),
                codes[0],
                practice_tax_number(claim),
                claim.npi,
                CLAIM_DENIED if denied else CLAIM_PAID,
                LINE_DENIED if denied else LINE_ALLOWED,
                version.kind,
                on,
                on,
                control_number(person, claim),
                dollars_text(allowed(cents)),
                *codes,
                claim.npi,
            )
        )
    return "".join(rows)


def claim_record(person: Person, claim: MedicareClaim, version: Version) -> tuple[ClaimFile, str]:
    """One record of a claim, with the identifier that the person had when it was made, and its file."""
    unique = record_number(person, version)
    mbi = person.traits.mbi(person.life.mbi_version(version.delivery))
    common = (unique, mbi, dashed(adjudicated_on(person.period, version.delivery, version.number)))
    if claim.part_a:
        return "CCLF1", _part_a(person, claim, version, common)
    return "CCLF5", _part_b(person, claim, version, common)


def _medicare_status(person: Person, age: int) -> str:
    return ("1" if age >= 65 else "2") + ("1" if person.traits.renal_failure else "0")  # noqa: PLR2004


def _age(birth: date, on: date) -> int:
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))


def demographics(person: Person, month: int) -> str:
    """The snapshot of one month. CMS writes a missing date as either of two impossible ones."""
    traits, life, period = person.traits, person.life, person.period
    age = _age(traits.birth, period.first_days[month])
    missing = NO_DATE_LOW if traits.index % 2 else NO_DATE_HIGH
    death = life.death.isoformat() if life.death is not None and month == life.last_stated else missing
    return DEMOGRAPHICS % (
        traits.mbi(life.mbi_version(month)),
        life.counties[month][2:],
        zip_code(life.counties[month]),
        traits.birth.isoformat(),
        traits.sex,
        traits.race,
        age,
        _medicare_status(person, age),
        life.as_known(month, month).dual or "NA",
        death,
        NO_DATE_LOW,
        NO_DATE_HIGH,
        f"GIVEN{traits.index}",
        f"SYNTHETIC{traits.index}",
        traits.original_entitlement,
        life.buy_ins[month],
        traits.part_a_began.isoformat(),
        traits.part_b_began.isoformat(),
    )


def cross_references(person: Person, month: int, *, all_earlier: bool) -> str:
    """Rows that tell of new identifiers: those of the month, or every one so far."""
    life, traits = person.life, person.traits
    rows = []
    for version, change in enumerate(life.mbi_changes, start=1):
        if change == month or (all_earlier and change < month):
            began = person.period.first_days[life.mbi_changes[version - 2]] if version > 1 else traits.part_a_began
            ended = person.period.first_days[change]
            rows.append(
                CROSS_REFERENCE % (traits.mbi(version), traits.mbi(version - 1), began.isoformat(), ended.isoformat())
            )
    return "".join(rows)


def control_file(counts: dict[str, int]) -> str:
    """CCLF0: number and length of the records of each file."""
    lines = [f"{'File Number':<13}|{'File Description':<20}|{'Total Records Count':<20}|{'Record Length':<13}\n"]
    lines += [
        f"{file:<7}|{FILE_TITLES[file]:<43}|{counts[file]:>11}|{record_length(file):>5} \n" for file in RECORD_FILES
    ]
    return "".join(lines)


def file_name(feed: str, file_number: str, period: Period, month: int) -> str:
    """``P.D####.ACO.ZC#Y##.Dyymmdd.Thhmmsst``; without a number, the zip of all of them."""
    on = period.first_days[month].replace(day=10)
    return f"P.{feed}.ACO.ZC{file_number}Y{on:%y}.D{on:%y%m%d}.T1000000"
