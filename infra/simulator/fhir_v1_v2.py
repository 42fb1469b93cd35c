"""Explanations of benefit as versions 1 (STU3) and 2 (R4) write them, made from the Chronic Conditions Warehouse.

Both name things by the Blue Button variables; what differs is where they stand. The structure is that of CMS's published
samples (AB2D). No code of adjustment is carried: a claim that was cancelled comes again with status ``cancelled``.
"""

from typing import Any, Final, Literal

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
    VARIABLES,
    Record,
    Resource,
    coded,
    concept,
    moment,
    money,
    numbered,
    patient_id,
)

Generation = Literal["v1", "v2"]

_BLUE_BUTTON: Final = "https://bluebutton.cms.gov/resources/codesystem/"
_CARIN: Final = "http://hl7.org/fhir/us/carin-bb/"
_ICD_10: Final = "http://hl7.org/fhir/sid/icd-10"
_GENERAL_TYPE: Final = {
    "v1": "http://hl7.org/fhir/ex-claimtype",
    "v2": "http://terminology.hl7.org/CodeSystem/claim-type",
}
_DIAGNOSIS_TYPE: Final = {
    "v1": _BLUE_BUTTON + "diagnosis-type",
    "v2": "http://terminology.hl7.org/CodeSystem/ex-diagnosistype",
}


def explanation(record: Record, generation: Generation) -> Resource:
    """The resource of one record: what it says of itself, then what institutional or professional claims have."""
    person, claim = record.person, record.claim
    processed = adjudicated_on(person.period, record.version.delivery, record.version.number)
    number, kind = record_number(person, record.version), EOB_TYPES[claim.claim_type]
    cents = sum(scaled(line.cents, record.version.permille) for line in claim.lines)
    resource: Resource = {
        "resourceType": "ExplanationOfBenefit",
        "id": f"{kind.lower()}-{number}",
        "meta": {"lastUpdated": moment(record.withdrawn_on or processed, "+00:00")},
        "extension": [],
        "identifier": [
            {"system": VARIABLES + "clm_id", "value": number},
            {
                "system": "https://bluebutton.cms.gov/resources/identifier/claim-group",
                "value": f"{person.traits.index}{claim.number:05d}",
            },
        ],
        "status": "active" if record.withdrawn_on is None else "cancelled",
        "type": concept(
            (VARIABLES + "nch_clm_type_cd", claim.claim_type),
            (_BLUE_BUTTON + "eob-type", kind),
            (_GENERAL_TYPE[generation], "institutional" if claim.part_a else "professional"),
        ),
        "patient": {"reference": f"Patient/{patient_id(person)}"},
        "billablePeriod": {"start": claim.first.isoformat(), "end": claim.last.isoformat()},
        "insurance": _insurance(record, generation),
        "payment": {"amount": _money(cents, generation)},
    }
    if generation == "v2":
        resource |= {"use": "claim", "outcome": "complete", "created": moment(processed, "+00:00")}
        resource["insurer"] = {"identifier": {"value": "CMS"}}
    statements = [
        {
            "category": concept((_BLUE_BUTTON + "information", VARIABLES + "nch_wkly_proc_dt")),
            "timingDate": processed.isoformat(),
        }
    ]
    (_add_institutional if claim.part_a else _add_professional)(resource, statements, record, generation)
    resource["information" if generation == "v1" else "supportingInfo"] = numbered(statements)
    return resource


def _insurance(record: Record, generation: Generation) -> Any:  # noqa: ANN401 - an object in STU3, a list in R4
    part = "a" if record.claim.part_a else "b"
    coverage = {"reference": f"Coverage/part-{part}-{patient_id(record.person)}"}
    return {"coverage": coverage} if generation == "v1" else [{"focal": True, "coverage": coverage}]


def _money(cents: int, generation: Generation) -> Resource:
    if generation == "v2":
        return money(cents)
    return {"value": money(cents)["value"], "system": "urn:iso:std:iso:4217", "code": "USD"}


def _stated(variable: str, code: str) -> Resource:
    return {
        "category": concept((_BLUE_BUTTON + "information", VARIABLES + variable)),
        "code": concept((VARIABLES + variable, code)),
    }


def _diagnosis(code: str, kind: str, generation: Generation) -> Resource:
    system = _DIAGNOSIS_TYPE[generation]
    if kind == "secondary":
        system = _CARIN + "CodeSystem/C4BBClaimDiagnosisType"
    found: Resource = {"diagnosisCodeableConcept": concept((_ICD_10, code))}
    if kind != "secondary" or generation == "v2":
        found["type"] = [concept((system, kind))]
    return found


def _add_institutional(resource: Resource, statements: list[Resource], record: Record, generation: Generation) -> None:
    person, claim = record.person, record.claim
    facility_type, classification = BILL_TYPES[claim.claim_type]
    resource["facility"] = {"extension": [coded(VARIABLES + "clm_fac_type_cd", facility_type)]}
    diagnoses = [_diagnosis(claim.diagnosis_codes[0], "principal", generation)]
    if admitting := admitting_diagnosis(claim):
        diagnoses.append(_diagnosis(admitting, "admitting", generation))
    statements += [
        _stated("clm_ip_admsn_type_cd", ADMISSION_TYPE),
        _stated("ptnt_dschrg_stus_cd", discharge_status(person, claim)),
    ]
    control = {"system": VARIABLES + "fi_doc_clm_cntl_num", "value": control_number(person, claim)}
    resource["extension"].append({"url": control["system"], "valueIdentifier": control})
    if claim.denied:
        resource["extension"].append(coded(VARIABLES + "clm_mdcr_non_pmt_rsn_cd", NON_PAYMENT_REASON))
    _add_facility(resource, record, classification, generation)
    if group := related_group(claim):
        if generation == "v1":
            diagnoses[0]["packageCode"] = concept((VARIABLES + "clm_drg_cd", group))
        else:
            statements.append(_stated("clm_drg_cd", group))
    resource["diagnosis"] = numbered(diagnoses)
    if claim.revenue_center:
        resource["item"] = numbered([_revenue_item(record, generation)])


def _add_facility(resource: Resource, record: Record, classification: str, generation: Generation) -> None:
    npi = {"system": NPI, "value": record.claim.npi}
    number = facility_number(record.claim)
    if generation == "v1":
        resource["type"]["coding"].append({"system": VARIABLES + "clm_srvc_clsfctn_type_cd", "code": classification})
        resource["facility"]["identifier"] = npi
        resource["organization"] = {"identifier": npi}
        resource["provider"] = {"identifier": {"system": VARIABLES + "prvdr_num", "value": number}}
        return
    resource["extension"].append(coded(VARIABLES + "clm_srvc_clsfctn_type_cd", classification))
    kind = concept(("http://terminology.hl7.org/CodeSystem/v2-0203", "PRN"))
    resource["contained"] = [
        {
            "resourceType": "Organization",
            "id": "provider-org",
            "identifier": [
                {"type": kind, "value": number},
                {"type": concept((_CARIN + "CodeSystem/C4BBIdentifierType", "npi")), **npi},
            ],
            "active": True,
        }
    ]
    resource["provider"] = {"reference": "#provider-org"}


def _revenue_item(record: Record, generation: Generation) -> Resource:
    line, cents = record.claim.lines[0], line_cents(record.claim, record.version)
    item: Resource = {
        "revenue": concept((VARIABLES + "rev_cntr", record.claim.revenue_center)),
        "servicedPeriod": {"start": line.first.isoformat(), "end": line.last.isoformat()},
    }
    if line.procedure:
        item["service" if generation == "v1" else "productOrService"] = concept(
            (_BLUE_BUTTON + "hcpcs", line.procedure)
        )
    if cents is not None:
        item["adjudication"] = [_amount("rev_cntr_pmt_amt_amt", cents, generation)]
    return item


def _add_professional(resource: Resource, _statements: list[Resource], record: Record, generation: Generation) -> None:
    person, claim = record.person, record.claim
    control = {"system": VARIABLES + "carr_clm_cntl_num", "value": control_number(person, claim)}
    resource["extension"] += [
        {"url": control["system"], "valueIdentifier": control},
        coded(VARIABLES + "carr_clm_pmt_dnl_cd", CLAIM_DENIED if claim.denied else CLAIM_PAID),
    ]
    resource["careTeam"] = numbered([_rendering(record, generation)])
    kinds = ("principal", "secondary", "secondary", "secondary")
    resource["diagnosis"] = numbered(
        [_diagnosis(code, kind, generation) for code, kind in zip(listed_diagnoses(claim), kinds, strict=False)]
    )
    resource["item"] = numbered([_item(record, line, generation) for line in claim.lines])


def _rendering(record: Record, generation: Generation) -> Resource:
    identifier: Resource = {"system": NPI, "value": record.claim.npi}
    if generation == "v2":
        identifier = {"type": concept((_CARIN + "CodeSystem/C4BBIdentifierType", "npi")), "value": record.claim.npi}
    return {
        "provider": {"identifier": identifier},
        "role": concept((_CARIN + "CodeSystem/C4BBClaimCareTeamRole", "performing"))
        if generation == "v2"
        else concept(("http://hl7.org/fhir/claimcareteamrole", "primary")),
        "qualification": concept((VARIABLES + "prvdr_spclty", specialty(record.claim))),
    }


def _item(record: Record, line: Line, generation: Generation) -> Resource:
    claim, cents = record.claim, scaled(line.cents, record.version.permille)
    product, link = ("service", "careTeamLinkId") if generation == "v1" else ("productOrService", "careTeamSequence")
    item: Resource = {
        link: [1],
        product: concept((_BLUE_BUTTON + "hcpcs", line.procedure)),
        "servicedPeriod": {"start": line.first.isoformat(), "end": line.last.isoformat()},
        "locationCodeableConcept": concept((VARIABLES + "line_place_of_srvc_cd", place_of_service(record.person))),
        "quantity": {"value": 1},
        "adjudication": [
            _amount("line_nch_pmt_amt", cents, generation),
            _amount("line_alowd_chrg_amt", allowed(cents), generation),
        ],
    }
    variable, code = "line_prcsg_ind_cd", LINE_DENIED if claim.denied else LINE_ALLOWED
    if generation == "v2":
        item["extension"] = [coded(VARIABLES + variable, code)]
    else:
        category = concept((_BLUE_BUTTON + "adjudication", VARIABLES + variable))
        item["adjudication"].append({"category": category, "reason": concept((VARIABLES + variable, code))})
    return item


def _amount(variable: str, cents: int, generation: Generation) -> Resource:
    category = concept((_BLUE_BUTTON + "adjudication", VARIABLES + variable))
    return {"category": category, "amount": _money(cents, generation)}
