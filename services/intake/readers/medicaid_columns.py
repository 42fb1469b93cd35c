"""Which T-MSIS element becomes which field. Source: T-MSIS Data Guide, claim header and line records."""

from services.intake.readers.fields import (
    Unreadable,
    compact_day,
    diagnosis_code,
    digits,
    medicaid_cents,
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
from services.intake.states import usps_state


def _state(field: str) -> str | None:
    trimmed = text(field)
    if trimmed is None:
        return None
    state = usps_state(trimmed)
    if state is None:
        raise Unreadable("not_a_state")
    return state


# Digits in T-MSIS, letters in some states' extracts of it.
_FLAG = one_of(_0=False, _1=True, N=False, Y=True)

HEADER = (
    Column("state", "SUBMTG_STATE_CD", required(_state)),
    Column("medicaid_id", "MSIS_IDENT_NUM", required(text)),
    Column("original_number", "ICN_ORIG", required(number_of_a_claim), repeats=False),
    Column("adjustment", "ADJSTMT_IND", required(one_of(_0="original", _1="void", _4="replacement"))),
    Column("claim_type_code", "CLM_TYPE_CD", required(upper)),
    Column("adjudicated_on", "ADJDCTN_DT", required(compact_day)),
    Column("service_from", "SRVC_BGNNG_DT", required(compact_day)),
    Column("service_through", "SRVC_ENDG_DT", required(compact_day)),
    Column("plan_id", "MC_PLAN_ID", text),
    Column("provider_npi", "BLG_PRVDR_NPI_NUM", npi),
    Column("crossover", "XOVR_IND", _FLAG),
    Column("paid_cents", "TOT_MDCD_PD_AMT", medicaid_cents, repeats=False),
    Column("medicare_paid_cents", "MDCR_PD_AMT", medicaid_cents, repeats=False),
    Column("medicare_deductible_cents", "TOT_MDCR_DDCTBL_AMT", medicaid_cents, repeats=False),
    Column("medicare_coinsurance_cents", "TOT_MDCR_COINSRNC_AMT", medicaid_cents, repeats=False),
    Column("denial_code", "CLM_DND_IND", upper),
)
DIAGNOSES = tuple(Column(f"diagnosis_{place}", f"DGNS_{place}_CD", diagnosis_code) for place in range(1, 6))

LINE = (
    Column("line_number", "LINE_NUM", required(whole_number)),
    Column("service_from", "LINE_SRVC_BGNNG_DT", compact_day),
    Column("service_through", "LINE_SRVC_ENDG_DT", compact_day),
    Column("type_of_service_code", "TOS_CD", digits(3, 3)),
    Column("procedure_code", "PRCDR_CD", procedure_code),
    Column("revenue_code", "REV_CD", digits(3, 4)),
    Column("waiver_benefit", "WVR_BNFT_IND", _FLAG),
    Column("paid_cents", "MDCD_PD_AMT", medicaid_cents, repeats=False),
    Column("denial_code", "LINE_DND_IND", upper),
)

# The columns by which a header and its lines find each other.
LINK = ("SUBMTG_STATE_CD", "MSIS_IDENT_NUM", "ICN_ORIG", "ICN_ADJ")
