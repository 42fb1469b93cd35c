"""One ExplanationOfBenefit into one Medicare claim. Pure: a parsed resource in, a claim or a reason out.

Fields that decide money, time, person or diagnosis are strict: what cannot be read exactly makes the resource
defective. Descriptive codes that do not have their declared shape count as absent.
Source: HL7 FHIR ExplanationOfBenefit (STU3, R4); CMS Blue Button data dictionary; CARIN Blue Button profiles.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from contracts.claims import Adjustment, ClaimsFeed
from services.intake.readers import fhir_claim_fields as fields
from services.intake.readers.fhir_claim_contract import ClaimValues
from services.intake.readers.fhir_claim_lines import CareTeam, lines_of
from services.intake.readers.fhir_resources import (
    Claim,
    Coding,
    Contained,
    Diagnosis,
    ExplanationOfBenefit,
    Identifier,
    Information,
    Reference,
)
from services.intake.readers.fhir_values import (
    UnreadableResource,
    cents_of,
    code_of,
    day_of,
    diagnosis_of,
    institutional_procedure_of,
    milliseconds_of,
    npi_of,
    number_of_a_claim,
    record_id_of,
    whole_number_of,
)
from services.intake.rules.bill_type import claim_type_of_phase, is_preliminary
from services.intake.rules.claim_version import medicare_version
from services.intake.rules.denial import denial_policy, part_a_is_denied, part_b_claim_is_denied
from services.intake.rules.substance_use import is_about_substance_use, substance_use_policy

CLAIM_TYPES: Final = frozenset({"10", "20", "30", "40", "50", "60", "61", "71", "72", "81", "82"})
PART_B_TYPES: Final = frozenset({"71", "72", "81", "82"})
# Of these CCLF states the supplier that was paid, not who rendered the service (CCLF6, PAYTO_PRVDR_NPI_NUM).
EQUIPMENT_TYPES: Final = frozenset({"81", "82"})
_CANCELLED = frozenset({"cancelled", "canceled", "entered-in-error"})
_ADJUSTMENTS = {
    None: Adjustment.ORIGINAL,
    "0": Adjustment.ORIGINAL,
    "1": Adjustment.CANCELLATION,
    "2": Adjustment.ADJUSTMENT,
}
_AUTHORISATIONS = frozenset({"preauthorization", "predetermination"})
_NOTICES_OF_ELECTION = frozenset({"1900", "2900"})
_LONGEST_CONTROL_NUMBER, _LONGEST_FACILITY_NUMBER = 40, 20


class Skipped(StrEnum):
    """Resources that are no claim: outside of the expenditure, and nothing is wrong with them."""

    NOT_A_CLAIM = "not_a_claim"


@dataclass(slots=True)
class Header:
    """What the header's coded elements say, by slot (:mod:`services.intake.readers.fhir_claim_fields`)."""

    codes: dict[str, str]
    days: dict[str, str]
    counts: dict[str, int | None]
    control_number: str | None = None
    # Part D, and still in adjudication.
    is_drug: bool = False
    is_preliminary: bool = False


def header_of(claim: Claim) -> Header:
    """Look at every coded element of the header once; of two that say the same thing the first counts."""
    header = Header({}, {}, {})
    codes = header.codes
    if claim.type is not None:
        _take(codes, claim.type.coding)
        code = codes.get("claim_type", "--")
        header.is_drug = codes.get("generic_type") == "pharmacy" or codes.get("kind") == "PDE" or len(code) == 1
        header.is_preliminary = is_preliminary(code)
    for extension in claim.extension:
        coded, slot = extension.value_coding, fields.HEADER.get(extension.url)
        if coded is not None:
            slot = slot or fields.HEADER.get(coded.system)
            if slot is not None and coded.code and slot not in codes:
                codes[slot] = coded.code
        elif extension.value_identifier is not None:
            if extension.url in fields.CONTROL_NUMBERS:
                header.control_number = header.control_number or extension.value_identifier.value
        elif extension.value_date and (slot := fields.DAYS.get(extension.url)):
            header.days.setdefault(slot, extension.value_date)
    if claim.facility is not None:
        _take(codes, (one.value_coding for one in claim.facility.extension if one.value_coding))
    _take_statements(header, claim.supporting_info)
    if isinstance(claim, ExplanationOfBenefit):
        _take_statements(header, claim.information)
    return header


def _take(codes: dict[str, str], codings: Iterable[Coding]) -> None:
    for coding in codings:
        if coding.code and (slot := fields.HEADER.get(coding.system)):
            codes.setdefault(slot, coding.code)


def _take_statements(header: Header, statements: list[Information]) -> None:
    codes, header_slots = header.codes, fields.HEADER
    for statement in statements:
        if statement.code is not None:
            for coding in statement.code.coding:
                if coding.code and (slot := header_slots.get(coding.system)):
                    codes.setdefault(slot, coding.code)
        elif statement.category is not None:
            for category in statement.category.coding:
                if statement.timing_date and (slot := fields.DAYS.get(category.code)):
                    header.days.setdefault(slot, statement.timing_date)
                elif statement.value_quantity and (slot := fields.COUNTS.get(category.code)):
                    header.counts.setdefault(slot, whole_number_of(bytes(statement.value_quantity.value)))


def feed_of(claim: ExplanationOfBenefit) -> ClaimsFeed:
    """Tell the generation by what only it has."""
    systems = {coding.system for coding in claim.type.coding} if claim.type else frozenset[str | None]()
    if fields.CLAIM_TYPE_VERSION_3 in systems:
        return ClaimsFeed.FHIR_R4_V3
    if fields.GENERIC_TYPE_STU3 in systems:
        return ClaimsFeed.FHIR_STU3
    newer = claim.use or claim.outcome or claim.supporting_info or any(item.product_or_service for item in claim.item)
    return ClaimsFeed.FHIR_R4 if newer or fields.GENERIC_TYPE_R4 in systems else ClaimsFeed.FHIR_STU3


def skipped(claim: Claim, header: Header) -> Skipped | None:
    """Why a resource is left out without being a defect: prior authorisations and notices of a hospice election."""
    if claim.use in _AUTHORISATIONS or header.codes.get("claim_type") in _NOTICES_OF_ELECTION:
        return Skipped.NOT_A_CLAIM
    return None


def record_id(claim: Claim, header: Header) -> str:
    """The number that the claim has in CMS's data, the same in every feed that is made of the same data."""
    found = next(_claim_ids(claim.identifier), None) or _id_without_kind(claim.id)
    identity = record_id_of(found, "id")
    # A claim in adjudication must never pass for the final one.
    return f"preliminary:{identity}" if header.is_preliminary else identity


def _claim_ids(identifiers: list[Identifier]) -> Iterator[str]:
    for identifier in identifiers:
        unique = identifier.system is None and _is_unique_claim(identifier)
        if identifier.value and (unique or identifier.system in fields.CLAIM_IDS):
            yield identifier.value


def _is_unique_claim(identifier: Identifier) -> bool:
    return identifier.type is not None and any(one.code == fields.UNIQUE_CLAIM for one in identifier.type.coding)


def _id_without_kind(identity: str | None) -> str | None:
    kind, dash, number = (identity or "").partition("-")
    return number if dash and kind in fields.ID_KINDS else identity


def _control_number(claim: Claim, header: Header) -> str | None:
    stated = (one.value for one in claim.identifier if one.system in fields.CONTROL_NUMBERS)
    return number_of_a_claim(header.control_number or next(stated, None), _LONGEST_CONTROL_NUMBER)


def is_cancelled(status: str | None) -> bool:
    """Whether a resource was withdrawn. Raises :class:`UnreadableResource` for a status that says neither."""
    if status is None or status == "active":
        return False
    if status in _CANCELLED:
        return True
    raise UnreadableResource("status_unknown", "status", status)


def period_of(claim: Claim) -> tuple[date, date]:
    """The first and the last day of service."""
    stated = claim.billable_period
    began = day_of(stated.start, "billablePeriod.start") if stated else None
    ended = day_of(stated.end, "billablePeriod.end") if stated else None
    if began is None or ended is None:
        raise UnreadableResource("service_period_missing", "billablePeriod")
    if ended < began:
        raise UnreadableResource("service_period_reversed", "billablePeriod")
    return began, ended


def version_of(claim: Claim, header: Header, feed: ClaimsFeed, dated: date) -> int:
    """The days on which the claim was processed and loaded, as CCLF's version has them."""
    updated = day_of(claim.meta.last_updated, "meta.lastUpdated") if claim.meta else None
    if header.is_preliminary and claim.meta and claim.meta.last_updated:
        return milliseconds_of(claim.meta.last_updated, "meta.lastUpdated")
    processed = day_of(claim.created, "created") if feed is ClaimsFeed.FHIR_R4_V3 else None
    if processed is None:
        processed = day_of(header.days.get("weekly_processed"), "supportingInfo.timingDate")
    loaded = day_of(header.days.get("loaded"), "supportingInfo.timingDate")
    updated = updated or dated
    return medicare_version(processed or updated, loaded or updated)


def diagnosis_codes(diagnoses: list[Diagnosis], notes: list[UnreadableResource]) -> tuple[str, ...]:
    """ICD-10-CM codes, each once: the principal, the admitting, then the others as they come.

    A diagnosis without a code breaks FHIR and is noted. STU3 resources of inpatient claims have one: it holds the
    diagnosis-related group, which is read all the same (:func:`_related_group`).
    """
    codeless = False
    first: list[str] = []
    second: list[str] = []
    others: list[str] = []
    for diagnosis in diagnoses:
        concept = diagnosis.diagnosis_codeable_concept
        place = _place_of(diagnosis, first, second, others) if diagnosis.type else others
        coded = False
        for one in concept.coding if concept is not None else ():
            coded = coded or bool(one.code)
            if one.system in fields.ICD_10_CM and (code := diagnosis_of(one.code)):
                place.append(code)
        codeless = codeless or not coded
    if codeless:
        notes.append(UnreadableResource("diagnosis_without_code", "diagnosis"))
    return tuple(dict.fromkeys((*first, *second, *others)))


def _place_of(diagnosis: Diagnosis, first: list[str], second: list[str], others: list[str]) -> list[str]:
    place = others
    for kind in diagnosis.type:
        for coding in kind.coding:
            if coding.code == fields.PRINCIPAL:
                return first
            if coding.code == fields.ADMITTING:
                place = second
    return place


def procedures_of(claim: Claim) -> tuple[dict[str, Any], ...]:
    """ICD-10-PCS procedures as plain values."""
    return tuple(
        {"code": code, "performed_on": day_of(procedure.date, "procedure.date")}
        for procedure in claim.procedure
        if procedure.procedure_codeable_concept is not None
        for coding in procedure.procedure_codeable_concept.coding
        if coding.system in fields.ICD_10_PCS and (code := institutional_procedure_of(coding.code))
    )


def _related_group(claim: Claim, header: Header) -> str | None:
    packages = (one.package_code for one in claim.diagnosis if one.package_code)
    for package in packages:
        _take(header.codes, package.coding)
    return code_of(header.codes.get("diagnosis_related_group"))


def organisation_of(claim: Claim) -> Contained | None:
    """The organisation within the resource that its provider is, else the first that has a number."""
    found = [one for one in claim.contained if one.resource_type == "Organization" and one.identifier]
    named = (claim.provider.reference or "").removeprefix("#") if claim.provider else ""
    return next((one for one in found if one.id == named), found[0] if found else None)


def npi_among(identifiers: list[Identifier]) -> str | None:
    """The first National Provider Identifier."""
    return next((found for one in identifiers if one.system == fields.NPI and (found := npi_of(one.value))), None)


def referenced_npi(*references: Reference | None) -> str | None:
    """The first National Provider Identifier by which another resource is named."""
    named = [one.identifier for one in references if one is not None and one.identifier is not None]
    return npi_among(named)


def _facility_number(claim: Claim, organisation: Contained | None) -> str | None:
    named = claim.provider.identifier if claim.provider else None
    if named is not None and named.system == fields.PROVIDER_NUMBER:
        return number_of_a_claim(named.value, _LONGEST_FACILITY_NUMBER)
    for one in organisation.identifier if organisation else ():
        kinds = {coding.code for coding in one.type.coding} if one.type else ()
        if one.system == fields.CCN or fields.PROVIDER_NUMBER_TYPE in kinds:
            return number_of_a_claim(one.value, _LONGEST_FACILITY_NUMBER)
    return None


def _facility(claim: ExplanationOfBenefit, header: Header) -> dict[str, Any]:
    """What only an institutional claim has."""
    organisation = organisation_of(claim)
    npi = referenced_npi(claim.facility, claim.organization)
    classification = code_of(header.codes.get("classification"))
    return {
        "facility_type_code": code_of(header.codes.get("facility_type")),
        # Version 3 writes the second digit of the type of bill behind the first.
        "classification_code": classification[-1] if classification else None,
        "facility_number": _facility_number(claim, organisation),
        "facility_npi": npi or (npi_among(organisation.identifier) if organisation else None),
        "diagnosis_related_group_code": _related_group(claim, header),
        "discharge_status_code": code_of(header.codes.get("discharge_status")),
        "admission_type_code": code_of(header.codes.get("admission_type")),
    }


def claim_type_of(header: Header) -> str:
    """The claim type, of a claim in adjudication the one that it will have."""
    code = header.codes.get("claim_type")
    if not code:
        raise UnreadableResource("claim_type_missing", "type")
    known = claim_type_of_phase(code) if is_preliminary(code) else code if code in CLAIM_TYPES else None
    if known is None:
        raise UnreadableResource("claim_type_unknown", "type", code)
    return known


def adjustment_of(header: Header, notes: list[UnreadableResource]) -> Adjustment:
    """Original, cancellation or adjustment; a code that CCLF does not have is noted, and changes no sign."""
    code = header.codes.get("adjustment")
    if code not in _ADJUSTMENTS:
        notes.append(UnreadableResource("adjustment_type_unknown", "supportingInfo.CLM_ADJSTMT_TYPE_CD", code))
    return _ADJUSTMENTS.get(code, Adjustment.ORIGINAL)


def _paid(claim: ExplanationOfBenefit) -> int:
    stated = claim.payment.amount if claim.payment else None
    paid = cents_of(bytes(stated.value), "payment.amount") if stated else None
    if paid is None:
        raise UnreadableResource("payment_missing", "payment.amount")
    return paid


def claim_from(
    claim: ExplanationOfBenefit, header: Header, feed: ClaimsFeed, dated: date, notes: list[UnreadableResource]
) -> ClaimValues:
    """Read the claim that a resource states; ``dated`` is the delivery's date, for resources without a time of update.

    A cancelled resource replaces its own earlier version by nothing, unlike a CCLF cancellation, which is a record
    beside the one that it cancels: so it is a claim that counts nothing (``denied``), not one with a minus sign.
    What is odd and decides nothing is appended to ``notes``. Raises :class:`UnreadableResource`.
    """
    codes, policy = header.codes, denial_policy()
    claim_type = claim_type_of(header)
    part_b = claim_type in PART_B_TYPES
    period = period_of(claim)
    diagnoses = diagnosis_codes(claim.diagnosis, notes)
    billing = organisation_of(claim) if claim_type in EQUIPMENT_TYPES else None
    team = CareTeam(claim, npi_among(billing.identifier) if billing else None)
    procedures = () if part_b else procedures_of(claim)
    lines, line_payer = lines_of(claim, team, period, policy, part_b=part_b)
    non_payment = (codes.get("non_payment_reason") or "").strip() or None
    denied = part_a_is_denied(non_payment) or part_b_claim_is_denied(codes.get("carrier_denial"), policy)
    return {
        "record_id": record_id(claim, header),
        "version": version_of(claim, header, feed, dated),
        "claim_type_code": claim_type,
        "adjustment": adjustment_of(header, notes),
        "claim_control_number": _control_number(claim, header),
        "service_from": period[0],
        "service_through": period[1],
        "paid_cents": _paid(claim),
        **({} if part_b else _facility(claim, header)),
        "primary_payer_code": code_of(codes.get("primary_payer") or line_payer),
        "denied": is_cancelled(claim.status) or denied,
        "diagnosis_codes": diagnoses,
        "procedures": procedures,
        "lines": lines,
        "substance_use": is_about_substance_use(diagnoses, substance_use_policy(), [one["code"] for one in procedures]),
    }
