"""By which code system, extension or category an element of an ExplanationOfBenefit is told, for three generations.

STU3 (v1), R4 (v2, CARIN Blue Button 1.x) and R4 (v3, CARIN Blue Button 2.x) name the same things differently and
never contradict each other, so one table serves all three. Source: CMS Blue Button data dictionary (variable names
``clm_*``, ``line_*``), CMS Beneficiary FHIR Data's code systems (version 3) and the CARIN Blue Button profiles.
"""

from typing import Final

VARIABLES: Final = "https://bluebutton.cms.gov/resources/variables/"
VERSION_3: Final = "https://bluebutton.cms.gov/fhir/CodeSystem/"
_STRUCTURE: Final = "https://bluebutton.cms.gov/fhir/StructureDefinition/"
_EOB_TYPE: Final = "https://bluebutton.cms.gov/resources/codesystem/eob-type"

CLAIM_TYPE_VERSION_3: Final = VERSION_3 + "CLM-TYPE-CD"
GENERIC_TYPE_R4: Final = "http://terminology.hl7.org/CodeSystem/claim-type"
GENERIC_TYPE_STU3: Final = "http://hl7.org/fhir/ex-claimtype"
MBI: Final = "http://hl7.org/fhir/sid/us-mbi"
NPI: Final = "http://hl7.org/fhir/sid/us-npi"
CCN: Final = "http://terminology.hl7.org/NamingSystem/CCN"
NATIONAL_DRUG_CODE: Final = "http://hl7.org/fhir/sid/ndc"
CLAIM_IDS: Final = frozenset({VARIABLES + "clm_id", VARIABLES + "pde_id"})
CONTROL_NUMBERS: Final = frozenset(
    {
        VARIABLES + "carr_clm_cntl_num",
        VARIABLES + "fi_doc_clm_cntl_num",
        "https://bluebutton.cms.gov/identifiers/CLM-CNTL-NUM",
    }
)
UNIQUE_CLAIM: Final = "uc"
PROVIDER_NUMBER: Final = VARIABLES + "prvdr_num"
PROVIDER_NUMBER_TYPE: Final = "PRN"
KINDS: Final = frozenset({_EOB_TYPE, VERSION_3 + "EOB-TYPE"})
# How the kind stands before the number in the id of a resource of versions 1 and 2.
ID_KINDS: Final = frozenset({"carrier", "dme", "hha", "hospice", "inpatient", "outpatient", "pde", "snf"})

# A header's code, by the system of its coding; slots that begin with ``_`` are not of the claim itself.
HEADER: Final[dict[str | None, str]] = {
    VARIABLES + "nch_clm_type_cd": "claim_type",
    CLAIM_TYPE_VERSION_3: "claim_type",
    _EOB_TYPE: "kind",
    VERSION_3 + "EOB-TYPE": "kind",
    GENERIC_TYPE_R4: "generic_type",
    GENERIC_TYPE_STU3: "generic_type",
    VARIABLES + "clm_fac_type_cd": "facility_type",
    VERSION_3 + "CLM-BILL-FAC-TYPE-CD": "facility_type",
    VARIABLES + "clm_srvc_clsfctn_type_cd": "classification",
    VERSION_3 + "CLM-BILL-CLSFCTN-CD": "classification",
    VARIABLES + "clm_drg_cd": "diagnosis_related_group",
    (
        "https://www.cms.gov/Medicare/Medicare-Fee-for-Service-Payment/AcuteInpatientPPS"
        "/MS-DRG-Classifications-and-Software"
    ): "diagnosis_related_group",
    VARIABLES + "ptnt_dschrg_stus_cd": "discharge_status",
    VERSION_3 + "BENE-PTNT-STUS-CD": "discharge_status",
    "https://www.nubc.org/CodeSystem/PatDischargeStatus": "discharge_status",
    VARIABLES + "clm_ip_admsn_type_cd": "admission_type",
    VERSION_3 + "CLM-ADMSN-TYPE-CD": "admission_type",
    VARIABLES + "nch_prmry_pyr_cd": "primary_payer",
    VERSION_3 + "CLM-NCH-PRMRY-PYR-CD": "primary_payer",
    VERSION_3 + "CLM-PRMRY-PYR-CD": "primary_payer",
    VARIABLES + "clm_mdcr_non_pmt_rsn_cd": "non_payment_reason",
    VERSION_3 + "CLM-MDCR-NPMT-RSN-CD": "non_payment_reason",
    _STRUCTURE + "CLM-MDCR-NPMT-RSN-CD": "non_payment_reason",
    VARIABLES + "carr_clm_pmt_dnl_cd": "carrier_denial",
    VERSION_3 + "CLM-CARR-PMT-DNL-CD": "carrier_denial",
    _STRUCTURE + "CLM-CARR-PMT-DNL-CD": "carrier_denial",
    VERSION_3 + "CLM-ADJSTMT-TYPE-CD": "adjustment",
    VARIABLES + "adjstmt_dltn_cd": "drug_adjustment",
    VARIABLES + "dspnsng_stus_cd": "dispensing_status",
    VERSION_3 + "CLM-DSPNSNG-STUS-CD": "dispensing_status",
}
# A header's day, by the category of its further statement or the address of its extension.
DAYS: Final[dict[str | None, str]] = {
    VARIABLES + "nch_wkly_proc_dt": "weekly_processed",
    "CLM_NCH_WKLY_PROC_DT": "weekly_processed",
    "CLM_IDR_LD_DT": "loaded",
    _STRUCTURE + "CLM-IDR-LD-DT": "loaded",
}
# A header's count, by the category of its further statement (CARIN Blue Button).
COUNTS: Final[dict[str | None, str]] = {"dayssupply": "days_supply", "refillnum": "fill_number"}
# A count of a drug's quantity, by the address of its extension.
QUANTITY_COUNTS: Final[dict[str, str]] = {
    VARIABLES + "days_suply_num": "days_supply",
    VARIABLES + "fill_num": "fill_number",
}

ICD_10_CM: Final = frozenset({"http://hl7.org/fhir/sid/icd-10", "http://hl7.org/fhir/sid/icd-10-cm"})
ICD_10_PCS: Final = frozenset({"http://hl7.org/fhir/sid/icd-10", "http://www.cms.gov/Medicare/Coding/ICD10"})
PRINCIPAL, ADMITTING = "principal", "admitting"

PROCEDURES: Final = frozenset(
    {
        "https://bluebutton.cms.gov/resources/codesystem/hcpcs",
        VARIABLES + "hcpcs_cd",
        "http://www.ama-assn.org/go/cpt",
        "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    }
)
REVENUE_CENTERS: Final = frozenset(
    {VARIABLES + "rev_cntr", VERSION_3 + "CLM-REV-CNTR-CD", "https://www.nubc.org/CodeSystem/RevenueCodes"}
)
PLACES_OF_SERVICE: Final = frozenset(
    {
        VARIABLES + "line_place_of_srvc_cd",
        "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set",
    }
)
SPECIALTIES: Final = frozenset({VARIABLES + "prvdr_spclty", VERSION_3 + "CLM-PRVDR-SPCLTY-CD"})
# A line's code, by the system of an extension's coding or of the reason of an adjudication.
LINE_CODES: Final[dict[str | None, str]] = {
    VARIABLES + "line_prcsg_ind_cd": "processing",
    VERSION_3 + "CLM-PRCSG-IND-CD": "processing",
    VERSION_3 + "CLM-PRVDR-SPCLTY-CD": "specialty",
    VARIABLES + "line_bene_prmry_pyr_cd": "primary_payer",
}
# A line's amount, by the code of its category.
LINE_AMOUNTS: Final[dict[str | None, str]] = {
    VARIABLES + "line_nch_pmt_amt": "paid",
    VARIABLES + "rev_cntr_pmt_amt_amt": "paid",
    "CLM_LINE_CVRD_PD_AMT": "paid",
    VARIABLES + "line_alowd_chrg_amt": "allowed",
    "CLM_LINE_ALOWD_CHRG_AMT": "allowed",
    VARIABLES + "ptnt_pay_amt": "patient_paid",
    "CLM_LINE_BENE_PMT_AMT": "patient_paid",
}
TOTAL_PATIENT_PAID: Final = "CLM_BENE_PMT_AMT"
PRESCRIBING: Final = "prescribing"
