"""Explanations of benefit as version 3 writes them: R4, CARIN Blue Button 2, made from the Integrated Data Repository.

The structure is that of CMS's published samples of Beneficiary FHIR Data; each record of CCLF is a resource of its own.
"""

from typing import Final

from infra.simulator.cclf_parts import line_cents
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
    record_number,
    related_group,
    specialty,
)
from infra.simulator.claims import Line, scaled
from infra.simulator.fhir_elements import (
    EOB_TYPES,
    NPI,
    Record,
    Resource,
    coded,
    concept,
    moment,
    money,
    numbered,
    patient_id,
)

SYSTEM: Final = "https://bluebutton.cms.gov/fhir/CodeSystem/"
STRUCTURE: Final = "https://bluebutton.cms.gov/fhir/StructureDefinition/"
CARIN: Final = "http://hl7.org/fhir/us/carin-bb/"
IDENTIFIER_TYPE: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
_PROFILES = {
    "INPATIENT": "Inpatient-Institutional",
    "SNF": "Inpatient-Institutional",
    "OUTPATIENT": "Outpatient-Institutional",
    "HHA": "Outpatient-Institutional",
    "HOSPICE": "Outpatient-Institutional",
    "CARRIER": "Professional-NonClinician",
}
_ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
_CPT, _HCPCS = "http://www.ama-assn.org/go/cpt", "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
_PLACES = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"
_MS_DRG = "https://www.cms.gov/Medicare/Medicare-Fee-for-Service-Payment/AcuteInpatientPPS/MS-DRG-Classifications-and-Software"
_REVENUE_CODES = "https://www.nubc.org/CodeSystem/RevenueCodes"
_ADJUDICATION = "http://terminology.hl7.org/CodeSystem/adjudication"
_INSURER: Resource = {
    "resourceType": "Organization",
    "id": "insurer-org",
    "active": True,
    "name": "Centers for Medicare & Medicaid Services",
}


def explanation(record: Record) -> Resource:
    """The resource of one record."""
    person, claim = record.person, record.claim
    on = adjudicated_on(person.period, record.version.delivery, record.version.number)
    kind = EOB_TYPES[claim.claim_type]
    cents = sum(scaled(line.cents, record.version.permille) for line in claim.lines)
    resource: Resource = {
        "resourceType": "ExplanationOfBenefit",
        "id": record_number(person, record.version),
        "meta": {
            "lastUpdated": moment(on, "000Z"),
            "source": "NCH",
            "profile": [f"{CARIN}StructureDefinition/C4BB-ExplanationOfBenefit-{_PROFILES[kind]}|2.2.0"],
            "tag": [
                {"system": SYSTEM + "System-Type", "code": "NationalClaimsHistory"},
                {"system": SYSTEM + "Final-Action", "code": "FinalAction"},
            ],
        },
        "contained": [_INSURER],
        "identifier": [
            {
                "type": concept((CARIN + "CodeSystem/C4BBIdentifierType", "uc")),
                "value": record_number(person, record.version),
            },
            {
                "system": "https://bluebutton.cms.gov/identifiers/CLM-CNTL-NUM",
                "value": control_number(person, claim),
            },
        ],
        "status": "active",
        "type": concept(
            ("http://terminology.hl7.org/CodeSystem/claim-type", "institutional" if claim.part_a else "professional"),
            (SYSTEM + "CLM-TYPE-CD", claim.claim_type),
            (SYSTEM + "EOB-TYPE", kind),
        ),
        "use": "claim",
        "patient": {"reference": f"Patient/{patient_id(person)}"},
        "billablePeriod": {"start": claim.first.isoformat(), "end": claim.last.isoformat()},
        "created": on.isoformat(),
        "insurer": {"reference": "#insurer-org"},
        "outcome": "complete",
        "insurance": [{"focal": True, "coverage": {"display": "Part A" if claim.part_a else "Part B"}}],
        "payment": {"amount": money(cents)},
    }
    statements = [
        _stated("CLM_ADJSTMT_TYPE_CD", "CLM-ADJSTMT-TYPE-CD", record.version.kind),
        {"category": _information("CLM_IDR_LD_DT"), "timingDate": on.isoformat()},
        {"category": _information("CLM_NCH_WKLY_PROC_DT"), "timingDate": on.isoformat()},
    ]
    (_add_institutional if claim.part_a else _add_professional)(resource, statements, record)
    resource["supportingInfo"] = numbered(statements)
    return resource


def _information(code: str) -> Resource:
    return concept(
        ("http://terminology.hl7.org/CodeSystem/claiminformationcategory", "info"),
        (SYSTEM + "Supporting-Information", code),
    )


def _stated(category: str, system: str, code: str) -> Resource:
    return {"category": _information(category), "code": concept((SYSTEM + system, code))}


def _carin_stated(category: str, *codings: tuple[str, str]) -> Resource:
    return {"category": concept((CARIN + "CodeSystem/C4BBSupportingInfoType", category)), "code": concept(*codings)}


def _diagnosis(code: str, kind: str) -> Resource:
    system = "http://terminology.hl7.org/CodeSystem/ex-diagnosistype"
    if kind == "secondary":
        system = CARIN + "CodeSystem/C4BBClaimDiagnosisType"
    return {"diagnosisCodeableConcept": concept((_ICD_10_CM, code)), "type": [concept((system, kind))]}


def _add_institutional(resource: Resource, statements: list[Resource], record: Record) -> None:
    person, claim = record.person, record.claim
    facility_type, classification = BILL_TYPES[claim.claim_type]
    resource["contained"] = [
        _INSURER,
        {
            "resourceType": "Organization",
            "id": claim.npi,
            "identifier": [
                {"type": concept((IDENTIFIER_TYPE, "NPI")), "system": NPI, "value": claim.npi},
                {"system": "http://terminology.hl7.org/NamingSystem/CCN", "value": facility_number(claim)},
            ],
            "active": True,
        },
    ]
    resource["provider"] = {"reference": f"#{claim.npi}"}
    resource["diagnosis"] = numbered([_diagnosis(claim.diagnosis_codes[0], "principal")])
    if admitting := admitting_diagnosis(claim):
        resource["diagnosis"] = numbered(
            [_diagnosis(claim.diagnosis_codes[0], "principal"), _diagnosis(admitting, "admitting")]
        )
    discharge = discharge_status(person, claim)
    statements += [
        _carin_stated(
            "discharge-status",
            ("https://www.nubc.org/CodeSystem/PatDischargeStatus", discharge),
            (SYSTEM + "BENE-PTNT-STUS-CD", discharge),
        ),
        _carin_stated("admtype", (SYSTEM + "CLM-ADMSN-TYPE-CD", ADMISSION_TYPE)),
        _carin_stated(
            "typeofbill",
            ("https://www.nubc.org/CodeSystem/TypeOfBill", f"0{facility_type}{classification}1"),
            (SYSTEM + "CLM-BILL-FAC-TYPE-CD", facility_type),
            (SYSTEM + "CLM-BILL-CLSFCTN-CD", facility_type + classification),
            (SYSTEM + "CLM-BILL-FREQ-CD", facility_type + classification + "1"),
        ),
    ]
    if claim.revenue_center:
        resource["item"] = numbered([_revenue_item(record)])
    if claim.denied:
        statements.append(_stated("CLM_MDCR_NPMT_RSN_CD", "CLM-MDCR-NPMT-RSN-CD", NON_PAYMENT_REASON))
    if group := related_group(claim):
        statements.append(_carin_stated("drg", (_MS_DRG, group)))


def _revenue_item(record: Record) -> Resource:
    line, cents = record.claim.lines[0], line_cents(record.claim, record.version)
    item: Resource = {
        "revenue": concept((_REVENUE_CODES, record.claim.revenue_center)),
        "servicedPeriod": {"start": line.first.isoformat(), "end": line.last.isoformat()},
    }
    if line.procedure:
        item["productOrService"] = concept((_CPT, line.procedure))
    if cents is not None:
        item["adjudication"] = [_amount("benefit", "CLM_LINE_CVRD_PD_AMT", cents)]
    return item


def _add_professional(resource: Resource, statements: list[Resource], record: Record) -> None:
    claim = record.claim
    resource["contained"] = [
        _INSURER,
        {
            "resourceType": "Practitioner",
            "id": claim.npi,
            "identifier": [{"type": concept((IDENTIFIER_TYPE, "NPI")), "system": NPI, "value": claim.npi}],
        },
    ]
    resource["provider"] = {"reference": f"#{claim.npi}"}
    npi = {"type": concept((IDENTIFIER_TYPE, "NPI")), "system": NPI, "value": claim.npi}
    role = concept((CARIN + "CodeSystem/C4BBClaimCareTeamRole", "rendering"))
    resource["careTeam"] = numbered([{"provider": {"type": "Practitioner", "identifier": npi}, "role": role}])
    kinds = ("principal", "secondary", "secondary", "secondary")
    resource["diagnosis"] = numbered(
        [_diagnosis(code, kind) for code, kind in zip(listed_diagnoses(claim), kinds, strict=False)]
    )
    statements.append(
        _stated("CLM_CARR_PMT_DNL_CD", "CLM-CARR-PMT-DNL-CD", CLAIM_DENIED if claim.denied else CLAIM_PAID)
    )
    resource["item"] = numbered([_item(record, line) for line in claim.lines])


def _item(record: Record, line: Line) -> Resource:
    claim, cents = record.claim, scaled(line.cents, record.version.permille)
    processing = LINE_DENIED if claim.denied else LINE_ALLOWED
    return {
        "extension": [
            coded(STRUCTURE + "CLM-PRCSG-IND-CD", processing, SYSTEM + "CLM-PRCSG-IND-CD"),
            coded(STRUCTURE + "CLM-PRVDR-SPCLTY-CD", specialty(claim), SYSTEM + "CLM-PRVDR-SPCLTY-CD"),
        ],
        "careTeamSequence": [1],
        "diagnosisSequence": [1],
        "productOrService": concept((_CPT if line.procedure.isdecimal() else _HCPCS, line.procedure)),
        "servicedPeriod": {"start": line.first.isoformat(), "end": line.last.isoformat()},
        "locationCodeableConcept": concept((_PLACES, place_of_service(record.person))),
        "quantity": {"value": 1},
        "adjudication": [
            _amount("eligible", "CLM_LINE_ALOWD_CHRG_AMT", allowed(cents)),
            _amount("benefit", "CLM_LINE_CVRD_PD_AMT", cents),
        ],
    }


def _amount(general: str, code: str, cents: int) -> Resource:
    return {"category": concept((_ADJUDICATION, general), (SYSTEM + "Adjudication", code)), "amount": money(cents)}
