"""The elements of T-MSIS claim headers and lines that are read, by file type."""

from collections.abc import Callable

from services.intake.readers.fields import digits, npi, one_of, procedure_code, required, text, upper, whole_number
from services.intake.readers.medicaid_elements import (
    Element,
    amount,
    claim_number,
    day,
    diagnosis,
    plain,
    state,
)

# Digits in T-MSIS, letters in some states' extracts of it.
_FLAG = one_of(_0=False, _1=True, N=False, Y=True)
_CLAIM_TYPES = (*"12345", *"ABCDE", *"UVWXYZ")
_MOST_DIAGNOSES = 12


def _claim_type() -> Callable[[str], str]:
    return required(one_of(**{f"_{code}" if code.isdigit() else code: code for code in _CLAIM_TYPES}))


# The elements by which a header and its lines find each other: a key made for it, or state, person and claim.
LINK = (("SUBMTG_STATE_CD",), ("MSIS_IDENT_NUM",), ("ICN_ORIG", "ORGNL_CLM_NUM"), ("ICN_ADJ", "ADJSTMT_CLM_NUM"))
LINK_KEY = {"IP": "IP_LINK_KEY", "LT": "LT_LINK_KEY", "OT": "OT_LINK_KEY", "RX": "RX_LINK_KEY"}


def header_elements(file_type: str) -> tuple[Element, ...]:
    """What is read of a claim header."""
    drugs = file_type == "RX"
    diagnoses = () if drugs else tuple(_diagnosis(place) for place in range(1, _MOST_DIAGNOSES + 1))
    return (*_HEADER, *diagnoses)


def _diagnosis(place: int) -> Element:
    return Element(f"diagnosis_{place}", (f"DGNS_{place}_CD",), diagnosis, optional=place > 1)


_HEADER = (
    Element("state", ("SUBMTG_STATE_CD",), required(state)),
    Element("medicaid_id", ("MSIS_IDENT_NUM",), required(plain)),
    Element("original_number", ("ICN_ORIG", "ORGNL_CLM_NUM"), required(claim_number), repeats=False),
    Element("adjustment", ("ADJSTMT_IND",), required(one_of(_0="original", _1="void", _4="replacement"))),
    Element("claim_type_code", ("CLM_TYPE_CD",), _claim_type()),
    Element("adjudicated_on", ("ADJDCTN_DT",), required(day), "day"),
    # An inpatient stay is told by its admission and discharge, a drug by the day on which it was filled.
    Element("service_from", ("SRVC_BGNNG_DT", "ADMSN_DT", "RX_FILL_DT"), required(day), "day"),
    Element("service_through", ("SRVC_ENDG_DT_DRVD", "SRVC_ENDG_DT", "DSCHRG_DT", "RX_FILL_DT"), required(day), "day"),
    Element("plan_id", ("MC_PLAN_ID",), plain),
    Element("provider_npi", ("BLG_PRVDR_NPI_NUM",), npi),
    Element("crossover", ("XOVR_IND",), _FLAG),
    Element("paid_cents", ("TOT_MDCD_PD_AMT",), amount("TOT_MDCD_PD_AMT"), "amount", repeats=False),
    # OT and RX say it by line.
    Element("medicare_paid_cents", ("MDCR_PD_AMT",), amount("MDCR_PD_AMT"), "amount", optional=True, repeats=False),
    Element(
        "medicare_deductible_cents", ("TOT_MDCR_DDCTBL_AMT",), amount("TOT_MDCR_DDCTBL_AMT"), "amount", repeats=False
    ),
    Element(
        "medicare_coinsurance_cents",
        ("TOT_MDCR_COINSRNC_AMT",),
        amount("TOT_MDCR_COINSRNC_AMT"),
        "amount",
        repeats=False,
    ),
    # Analytic files hold no denied claims, and so none of the codes that say so.
    Element("denial_code", ("CLM_DND_IND",), upper, optional=True),
    Element("status_code", ("CLM_STUS_CD",), upper, optional=True),
    Element("status_category", ("CLM_STUS_CTGRY_CD",), upper, optional=True),
)

LINE = (
    Element("line_number", ("LINE_NUM",), required(whole_number), "number"),
    Element("service_from", ("LINE_SRVC_BGNNG_DT", "SRVC_BGNNG_DT"), day, "day", optional=True),
    Element("service_through", ("LINE_SRVC_ENDG_DT", "SRVC_ENDG_DT"), day, "day", optional=True),
    Element("type_of_service_code", ("TOS_CD",), digits(3, 3)),
    Element("procedure_code", ("PRCDR_CD",), procedure_code, optional=True),
    Element("revenue_code", ("REV_CD",), digits(3, 4), optional=True),
    Element("waiver_benefit", ("WVR_BNFT_IND",), _FLAG, optional=True),
    Element("community_service", ("HCBS_SRVC_CD",), text, optional=True),
    Element("paid_cents", ("MDCD_PD_AMT",), amount("MDCD_PD_AMT"), "amount", repeats=False),
    Element("medicare_paid_cents", ("MDCR_PD_AMT",), amount("MDCR_PD_AMT"), "amount", optional=True, repeats=False),
    Element("denial_code", ("LINE_DND_IND",), upper, optional=True),
    Element("status_code", ("CLL_STUS_CD",), upper, optional=True),
)
