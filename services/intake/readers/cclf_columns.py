"""Which CCLF element becomes which field. Source: CCLF Information Packet v36.0, record layouts.

These columns are the only place that says so: a single record is read by them, and the statements that read millions
of records at once are made of them (``cclf_statements``).
"""

import re
from decimal import Decimal

from contracts.claims import Adjustment
from contracts.codes import CodeError, dual_status_code
from contracts.model import LARGEST_NUMBER
from services.intake.readers.fields import (
    Unreadable,
    cents,
    diagnosis_code,
    digits,
    iso_day,
    npi,
    number_of_a_claim,
    one_of,
    procedure_code,
    required,
    text,
    upper,
    whole_number,
)
from services.intake.readers.records import Column

# DGNS_PRCDR_ICD_IND: codes of the ninth revision are no codes that anything here understands.
ICD_9 = "9"
# An identifier of a prescriber or pharmacy is a National Provider Identifier where its qualifier says so.
NPI_QUALIFIER = "01"
_STATE_DIGITS = 2
_PROCEDURE = re.compile(r"[0-9A-Z]{3,7}")
_QUANTITY = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,4})?")
_ADJUSTMENT = required(one_of(_0=Adjustment.ORIGINAL, _1=Adjustment.CANCELLATION, _2=Adjustment.ADJUSTMENT))


def _dual_status(field: str) -> str | None:
    # The feed writes ~ for "unknown" here, where elsewhere it means "not given".
    try:
        return dual_status_code(field)
    except CodeError:
        raise Unreadable("not_in_code_list") from None


def _state_number(field: str) -> str | None:
    # Producers that hold it as a number lose the zero in front of it.
    trimmed = text(field)
    return None if trimmed is None else trimmed.rjust(_STATE_DIGITS, "0")


def institutional_procedure_code(field: str) -> str | None:
    """An ICD-10-PCS code without its dot."""
    trimmed = upper(field)
    if trimmed is None:
        return None
    code = trimmed.replace(".", "")
    if not _PROCEDURE.fullmatch(code):
        raise Unreadable("not_a_procedure_code")
    return code


def line_number(field: str) -> int | None:
    """The number of a line, from 1."""
    number = whole_number(field)
    if number is not None and not 1 <= number <= LARGEST_NUMBER:
        raise Unreadable("number_out_of_range")
    return number


def quantity(field: str) -> str | None:
    """Units with up to four decimals, as the shortest decimal number that says the same."""
    trimmed = text(field)
    if trimmed is None:
        return None
    if not _QUANTITY.fullmatch(trimmed):
        raise Unreadable("not_a_quantity")
    number = Decimal(trimmed)
    return f"{abs(number) if number == 0 else number:f}".rstrip("0").rstrip(".") if "." in trimmed else f"{int(number)}"


_KEY = (
    Column("record_id", "CUR_CLM_UNIQ_ID", required(number_of_a_claim), repeats=False),
    Column("mbi", "BENE_MBI_ID", required(upper)),
)
_CLAIM = (
    *_KEY,
    Column("claim_type_code", "CLM_TYPE_CD", required(digits(2, 2))),
    Column("adjustment", "CLM_ADJSMT_TYPE_CD", _ADJUSTMENT),
    Column("processed_on", "CLM_EFCTV_DT", iso_day),
    Column("loaded_on", "CLM_IDR_LD_DT", iso_day),
)
_PERIOD = (
    Column("service_from", "CLM_FROM_DT", required(iso_day)),
    Column("service_through", "CLM_THRU_DT", required(iso_day)),
    Column("claim_control_number", "CLM_CNTL_NUM", number_of_a_claim, repeats=False),
)

PART_A = (
    *_CLAIM,
    *_PERIOD,
    Column("facility_number", "PRVDR_OSCAR_NUM", text),
    Column("facility_type_code", "CLM_BILL_FAC_TYPE_CD", text),
    Column("classification_code", "CLM_BILL_CLSFCTN_CD", text),
    Column("principal_diagnosis", "PRNCPL_DGNS_CD", diagnosis_code),
    Column("admitting_diagnosis", "ADMTG_DGNS_CD", diagnosis_code),
    Column("code_system", "DGNS_PRCDR_ICD_IND", upper),
    Column("non_payment_reason", "CLM_MDCR_NPMT_RSN_CD", text),
    Column("paid_cents", "CLM_PMT_AMT", required(cents), repeats=False),
    Column("primary_payer_code", "CLM_NCH_PRMRY_PYR_CD", text),
    Column("discharge_status_code", "BENE_PTNT_STUS_CD", text),
    Column("diagnosis_related_group_code", "DGNS_DRG_CD", text),
    Column("facility_npi", "FAC_PRVDR_NPI_NUM", npi),
    Column("admission_type_code", "CLM_ADMSN_TYPE_CD", text),
)
REVENUE_LINE = (
    *_KEY,
    Column("line_number", "CLM_LINE_NUM", required(line_number)),
    Column("line_from", "CLM_LINE_FROM_DT", iso_day),
    Column("line_through", "CLM_LINE_THRU_DT", iso_day),
    Column("served_on", "CLM_LINE_INSTNL_REV_CTR_DT", iso_day),
    Column("revenue_center_code", "CLM_LINE_PROD_REV_CTR_CD", text),
    Column("procedure_code", "CLM_LINE_HCPCS_CD", procedure_code),
    Column("paid_cents", "CLM_LINE_CVRD_PD_AMT", cents, repeats=False),
)
_SEQUENCE = Column("sequence", "CLM_VAL_SQNC_NUM", required(whole_number))
PROCEDURE = (
    *_KEY,
    _SEQUENCE,
    Column("code", "CLM_PRCDR_CD", required(institutional_procedure_code)),
    Column("performed_on", "CLM_PRCDR_PRFRM_DT", iso_day),
    Column("code_system", "DGNS_PRCDR_ICD_IND", upper),
)
DIAGNOSIS = (
    *_KEY,
    _SEQUENCE,
    Column("code", "CLM_DGNS_CD", required(diagnosis_code)),
    Column("code_system", "DGNS_PRCDR_ICD_IND", upper),
)
PART_A_AMOUNTS = (
    *_KEY,
    Column("inclusion_cents", "CLM_PBP_INCLSN_AMT", cents),
    Column("reduction_cents", "CLM_PBP_RDCTN_AMT", cents),
)
PART_B_AMOUNTS = (*PART_A_AMOUNTS, Column("line_number", "CLM_LINE_NUM", required(line_number)))

_PART_B = (
    *_CLAIM,
    *_PERIOD,
    Column("carrier_denial_code", "CLM_CARR_PMT_DNL_CD", upper),
    Column("line_number", "CLM_LINE_NUM", required(line_number)),
    Column("line_from", "CLM_LINE_FROM_DT", required(iso_day)),
    Column("line_through", "CLM_LINE_THRU_DT", required(iso_day)),
    Column("procedure_code", "CLM_LINE_HCPCS_CD", procedure_code),
    Column("place_of_service_code", "CLM_POS_CD", text),
    Column("paid_cents", "CLM_LINE_CVRD_PD_AMT", cents, repeats=False),
    Column("allowed_cents", "CLM_LINE_ALOWD_CHRG_AMT", cents, repeats=False),
    Column("processing_code", "CLM_PRCSG_IND_CD", upper),
)
PHYSICIAN_DIAGNOSES = tuple(f"diagnosis_{place}" for place in range(1, 13))
PHYSICIAN = (
    *_PART_B,
    Column("primary_payer_code", "CLM_LINE_PRMRY_PYR_CD", text),
    Column("provider_specialty_code", "CLM_PRVDR_SPCLTY_CD", text),
    Column("rendering_npi", "RNDRG_PRVDR_NPI_NUM", npi),
    Column("practice_tax_number", "CLM_RNDRG_PRVDR_TAX_NUM", text),
    Column("code_system", "DGNS_PRCDR_ICD_IND", upper),
    *(Column(f"diagnosis_{place}", f"CLM_DGNS_{place}_CD", diagnosis_code) for place in range(1, 13)),
    Column("line_diagnosis", "CLM_LINE_DGNS_CD", diagnosis_code),
)
# Equipment claims carry no diagnoses.
EQUIPMENT = (
    *_PART_B,
    Column("primary_payer_code", "CLM_PRMRY_PYR_CD", text),
    Column("rendering_npi", "PAYTO_PRVDR_NPI_NUM", npi),
)
PART_D = (
    *_CLAIM,
    Column("filled_on", "CLM_LINE_FROM_DT", required(iso_day)),
    Column("national_drug_code", "CLM_LINE_NDC_CD", digits(11, 11)),
    Column("days_supply", "CLM_LINE_DAYS_SUPLY_QTY", whole_number),
    Column("quantity", "CLM_LINE_SRVC_UNIT_QTY", quantity),
    Column("fill_number", "CLM_LINE_RX_FILL_NUM", whole_number),
    Column("dispensing_status_code", "CLM_DSPNSNG_STUS_CD", text),
    Column("prescriber_qualifier", "PRVDR_PRSBNG_ID_QLFYR_CD", text),
    Column("prescriber", "CLM_PRSBNG_PRVDR_GNRC_ID_NUM", text),
    Column("pharmacy_qualifier", "PRVDR_SRVC_ID_QLFYR_CD", text),
    Column("pharmacy", "CLM_SRVC_PRVDR_GNRC_ID_NUM", text),
    Column("patient_paid_cents", "CLM_LINE_BENE_PMT_AMT", cents, repeats=False),
)

# The files about claims: by these a delivery is cut and read.
CLAIM_FILES = {
    "CCLF1": PART_A,
    "CCLF2": REVENUE_LINE,
    "CCLF3": PROCEDURE,
    "CCLF4": DIAGNOSIS,
    "CCLF5": PHYSICIAN,
    "CCLF6": EQUIPMENT,
    "CCLF7": PART_D,
    "CCLFA": PART_A_AMOUNTS,
    "CCLFB": PART_B_AMOUNTS,
}

BENEFICIARY = (
    Column("mbi", "BENE_MBI_ID", required(upper)),
    Column("state", "BENE_FIPS_STATE_CD", _state_number),
    Column("county", "BENE_FIPS_CNTY_CD", text),
    Column("birth_date", "BENE_DOB", iso_day),
    Column("sex_code", "BENE_SEX_CD", text),
    Column("medicare_status_code", "BENE_MDCR_STUS_CD", text),
    Column("dual_status_code", "BENE_DUAL_STUS_CD", _dual_status),
    Column("death_date", "BENE_DEATH_DT", iso_day),
    Column("original_entitlement_code", "BENE_ORGNL_ENTLMT_RSN_CD", text),
    Column("entitlement_buy_in_code", "BENE_ENTLMT_BUYIN_IND", upper),
    Column("part_a_began", "BENE_PART_A_ENRLMT_BGN_DT", iso_day),
    Column("part_b_began", "BENE_PART_B_ENRLMT_BGN_DT", iso_day),
    Column("given_name", "BENE_1ST_NAME", text),
    Column("family_name", "BENE_LAST_NAME", text),
)

CROSS_REFERENCE = (
    Column("indicator", "HICN_MBI_XREF_IND", required(upper)),
    Column("current", "CRNT_NUM", required(upper)),
    Column("previous", "PRVS_NUM", required(upper)),
    Column("obsolete_on", "PRVS_ID_OBSLT_DT", iso_day),
)
