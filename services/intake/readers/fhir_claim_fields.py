"""Where each field of a claim stands in an ExplanationOfBenefit, for each generation of CMS's bulk APIs.

STU3 (v1), R4 (v2, CARIN Blue Button 1.x) and R4 (v3, CARIN Blue Button 2.x) name the same things differently and
never contradict each other, so every field has one list of paths that are tried in order.
Source: CMS Blue Button data dictionary (variable names ``clm_*``, ``line_*``) and the CARIN Blue Button profiles.
"""

from typing import Final

_V3 = "https://bluebutton.cms.gov/fhir/CodeSystem/"

CLAIM_TYPE: Final = (
    "type.coding[system=BB:nch_clm_type_cd].code",
    f"type.coding[system={_V3}CLM-TYPE-CD].code",
)
KIND: Final = (
    "type.coding[system=https://bluebutton.cms.gov/resources/codesystem/eob-type].code",
    f"type.coding[system={_V3}EOB-TYPE].code",
)
GENERIC_TYPE: Final = (
    "type.coding[system=http://terminology.hl7.org/CodeSystem/claim-type|http://hl7.org/fhir/ex-claimtype].code",
)
CLAIM_ID: Final = ("id", "identifier[system=BB:clm_id].value")
CONTROL_NUMBER: Final = (
    "extension[url=BB:carr_clm_cntl_num|BB:fi_doc_clm_cntl_num].valueIdentifier.value",
    "identifier[system=https://bluebutton.cms.gov/identifiers/CLM-CNTL-NUM].value",
)
PATIENT: Final = ("patient.reference",)
MBI: Final = (
    "patient.identifier[system=http://hl7.org/fhir/sid/us-mbi].value",
    "contained[resourceType=Patient].identifier[system=http://hl7.org/fhir/sid/us-mbi].value",
)
LAST_UPDATED: Final = ("meta.lastUpdated",)
BEGAN: Final = ("billablePeriod.start",)
ENDED: Final = ("billablePeriod.end",)
PAYMENT: Final = ("payment.amount.value",)

FACILITY_TYPE: Final = (
    "facility.extension[url=BB:clm_fac_type_cd].valueCoding.code",
    f"supportingInfo.code.coding[system={_V3}CLM-BILL-FAC-TYPE-CD].code",
)
CLASSIFICATION: Final = (
    "type.coding[system=BB:clm_srvc_clsfctn_type_cd].code",
    "extension[url=BB:clm_srvc_clsfctn_type_cd].valueCoding.code",
    f"supportingInfo.code.coding[system={_V3}CLM-BILL-CLSFCTN-CD].code",
)
FACILITY_NUMBER: Final = (
    "provider.identifier[system=BB:prvdr_num].value",
    "contained[resourceType=Organization].identifier[system=http://terminology.hl7.org/NamingSystem/CCN].value",
    "contained[resourceType=Organization].identifier[type.coding.code=PRN].value",
)
FACILITY_NPI: Final = (
    "facility.identifier[system=http://hl7.org/fhir/sid/us-npi].value",
    "organization.identifier[system=http://hl7.org/fhir/sid/us-npi].value",
    "contained[resourceType=Organization].identifier[system=http://hl7.org/fhir/sid/us-npi].value",
)
DIAGNOSIS_RELATED_GROUP: Final = (
    "supportingInfo.code.coding[system=BB:clm_drg_cd].code",
    "diagnosis.packageCode.coding[system=BB:clm_drg_cd].code",
    (
        "supportingInfo.code.coding[system=https://www.cms.gov/Medicare/Medicare-Fee-for-Service-Payment/AcuteInpatientPPS"
        "/MS-DRG-Classifications-and-Software].code"
    ),
)
DISCHARGE_STATUS: Final = (
    "information.code.coding[system=BB:ptnt_dschrg_stus_cd].code",
    "supportingInfo.code.coding[system=BB:ptnt_dschrg_stus_cd].code",
    f"supportingInfo.code.coding[system={_V3}BENE-PTNT-STUS-CD|https://www.nubc.org/CodeSystem/PatDischargeStatus].code",
)
ADMISSION_TYPE: Final = (
    "information.code.coding[system=BB:clm_ip_admsn_type_cd].code",
    "supportingInfo.code.coding[system=BB:clm_ip_admsn_type_cd].code",
    f"supportingInfo.code.coding[system={_V3}CLM-ADMSN-TYPE-CD].code",
)
PRIMARY_PAYER: Final = (
    "information.code.coding[system=BB:nch_prmry_pyr_cd].code",
    "supportingInfo.code.coding[system=BB:nch_prmry_pyr_cd].code",
    f"supportingInfo.code.coding[system={_V3}CLM-PRMRY-PYR-CD].code",
)
PART_A_NONPAYMENT: Final = (
    "extension[url=BB:clm_mdcr_non_pmt_rsn_cd].valueCoding.code",
    f"supportingInfo.code.coding[system={_V3}CLM-MDCR-NPMT-RSN-CD].code",
)
CARRIER_DENIAL: Final = (
    "extension[url=BB:carr_clm_pmt_dnl_cd].valueCoding.code",
    f"supportingInfo.code.coding[system={_V3}CLM-CARR-PMT-DNL-CD].code",
)
ADJUSTMENT_TYPE: Final = (f"supportingInfo.code.coding[system={_V3}CLM-ADJSTMT-TYPE-CD].code",)

DIAGNOSIS: Final = (
    "diagnosisCodeableConcept.coding[system=http://hl7.org/fhir/sid/icd-10|http://hl7.org/fhir/sid/icd-10-cm].code",
)
ANY_DIAGNOSIS: Final = ("diagnosisCodeableConcept.coding.code",)

PROCEDURE: Final = tuple(
    f"{element}.coding[system=https://bluebutton.cms.gov/resources/codesystem/hcpcs|BB:hcpcs_cd|http://www.ama-assn.org/go/cpt"
    "|https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets].code"
    for element in ("productOrService", "service")
)
REVENUE_CENTER: Final = (
    f"revenue.coding[system=BB:rev_cntr|{_V3}CLM-REV-CNTR-CD|https://www.nubc.org/CodeSystem/RevenueCodes].code",
)
PLACE_OF_SERVICE: Final = (
    (
        "locationCodeableConcept.coding[system=BB:line_place_of_srvc_cd"
        "|https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set].code"
    ),
)
LINE_BEGAN: Final = ("servicedPeriod.start", "servicedDate")
LINE_ENDED: Final = ("servicedPeriod.end", "servicedDate")
LINE_PAID: Final = (
    "adjudication[category.coding.code=BB:line_nch_pmt_amt].amount.value",
    "adjudication[category.coding.code=CLM_LINE_CVRD_PD_AMT].amount.value",
)
LINE_ALLOWED: Final = (
    "adjudication[category.coding.code=BB:line_alowd_chrg_amt].amount.value",
    "adjudication[category.coding.code=CLM_LINE_ALOWD_CHRG_AMT].amount.value",
)
LINE_PROCESSING: Final = (
    "adjudication.reason.coding[system=BB:line_prcsg_ind_cd].code",
    f"extension.valueCoding[system={_V3}CLM-PRCSG-IND-CD].code",
)
CARE_TEAM_OF_LINE: Final = ("careTeamSequence", "careTeamLinkId")
MEMBER_NPI: Final = ("provider.identifier.value",)
MEMBER_SPECIALTY: Final = (f"qualification.coding[system=BB:prvdr_spclty|{_V3}CLM-PRVDR-SPCLTY-CD].code",)
