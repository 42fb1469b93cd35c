"""Which CCLF element becomes which field. Source: CCLF Information Packet v36.0, record layouts."""

from contracts.claims import Adjustment
from contracts.codes import CodeError, dual_status_code
from services.intake.readers.fields import (
    Unreadable,
    cents,
    diagnosis_code,
    iso_day,
    npi,
    one_of,
    procedure_code,
    required,
    text,
    upper,
    whole_number,
)
from services.intake.readers.records import Column

_STATE_DIGITS = 2
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


PART_A = (
    Column("record_id", "CUR_CLM_UNIQ_ID", required(text), repeats=False),
    Column("mbi", "BENE_MBI_ID", required(upper)),
    Column("claim_type_code", "CLM_TYPE_CD", required(text)),
    Column("service_from", "CLM_FROM_DT", required(iso_day)),
    Column("service_through", "CLM_THRU_DT", required(iso_day)),
    Column("facility_number", "PRVDR_OSCAR_NUM", text),
    Column("facility_type_code", "CLM_BILL_FAC_TYPE_CD", text),
    Column("classification_code", "CLM_BILL_CLSFCTN_CD", text),
    Column("principal_diagnosis", "PRNCPL_DGNS_CD", diagnosis_code),
    Column("admitting_diagnosis", "ADMTG_DGNS_CD", diagnosis_code),
    Column("diagnosis_system", "DGNS_PRCDR_ICD_IND", upper),
    Column("non_payment_reason", "CLM_MDCR_NPMT_RSN_CD", text),
    Column("paid_cents", "CLM_PMT_AMT", required(cents), repeats=False),
    Column("primary_payer_code", "CLM_NCH_PRMRY_PYR_CD", text),
    Column("discharge_status_code", "BENE_PTNT_STUS_CD", text),
    Column("diagnosis_related_group_code", "DGNS_DRG_CD", text),
    Column("facility_npi", "FAC_PRVDR_NPI_NUM", npi),
    Column("adjustment", "CLM_ADJSMT_TYPE_CD", _ADJUSTMENT),
    Column("processed_on", "CLM_EFCTV_DT", iso_day),
    Column("loaded_on", "CLM_IDR_LD_DT", iso_day),
    Column("admission_type_code", "CLM_ADMSN_TYPE_CD", text),
    Column("claim_control_number", "CLM_CNTL_NUM", text, repeats=False),
)

_PART_B_CLAIM = (
    Column("record_id", "CUR_CLM_UNIQ_ID", required(text), repeats=False),
    Column("mbi", "BENE_MBI_ID", required(upper)),
    Column("claim_type_code", "CLM_TYPE_CD", required(text)),
    Column("service_from", "CLM_FROM_DT", required(iso_day)),
    Column("service_through", "CLM_THRU_DT", required(iso_day)),
    Column("carrier_denial_code", "CLM_CARR_PMT_DNL_CD", upper),
    Column("adjustment", "CLM_ADJSMT_TYPE_CD", _ADJUSTMENT),
    Column("processed_on", "CLM_EFCTV_DT", iso_day),
    Column("loaded_on", "CLM_IDR_LD_DT", iso_day),
    Column("claim_control_number", "CLM_CNTL_NUM", text, repeats=False),
)
# Read apart, because they make one field: the claim's codes in their order.
PHYSICIAN_DIAGNOSES = tuple(f"CLM_DGNS_{place}_CD" for place in range(1, 13))
_PART_B_LINE = (
    Column("line_number", "CLM_LINE_NUM", required(whole_number)),
    Column("service_from", "CLM_LINE_FROM_DT", required(iso_day)),
    Column("service_through", "CLM_LINE_THRU_DT", required(iso_day)),
    Column("procedure_code", "CLM_LINE_HCPCS_CD", procedure_code),
    Column("place_of_service_code", "CLM_POS_CD", text),
    Column("paid_cents", "CLM_LINE_CVRD_PD_AMT", cents, repeats=False),
    Column("allowed_cents", "CLM_LINE_ALOWD_CHRG_AMT", cents, repeats=False),
    Column("processing_code", "CLM_PRCSG_IND_CD", upper),
)

PHYSICIAN_CLAIM = (
    *_PART_B_CLAIM,
    Column("primary_payer_code", "CLM_LINE_PRMRY_PYR_CD", text),
    Column("diagnosis_system", "DGNS_PRCDR_ICD_IND", upper),
)
PHYSICIAN_LINE = (
    *_PART_B_LINE,
    Column("provider_specialty_code", "CLM_PRVDR_SPCLTY_CD", text),
    Column("rendering_npi", "RNDRG_PRVDR_NPI_NUM", npi),
    Column("line_diagnosis", "CLM_LINE_DGNS_CD", diagnosis_code),
)
EQUIPMENT_CLAIM = (*_PART_B_CLAIM, Column("primary_payer_code", "CLM_PRMRY_PYR_CD", text))
EQUIPMENT_LINE = (*_PART_B_LINE, Column("rendering_npi", "PAYTO_PRVDR_NPI_NUM", npi))

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
)

CROSS_REFERENCE = (
    Column("indicator", "HICN_MBI_XREF_IND", required(upper)),
    Column("current", "CRNT_NUM", required(upper)),
    Column("previous", "PRVS_NUM", required(upper)),
    Column("obsolete_on", "PRVS_ID_OBSLT_DT", iso_day),
)
