"""Claims on their way through adjudication: FHIR Claim, with the ClaimResponse that tells how far it has come.

They come from the shared systems, FISS (institutional) and MCS (professional), before CMS's warehouses know them: early
signs of care, never money. What Medicare will pay is not known, so nothing counts as paid.
Source: CMS Beneficiary FHIR Data, partially adjudicated claims; National Uniform Billing Committee, type of bill.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from contracts.claims import Adjustment, ClaimsFeed, MedicareClaim
from services.intake.readers import fhir_claim_fields as fields
from services.intake.readers.fhir_claim import (
    Header,
    diagnosis_codes,
    header_of,
    is_cancelled,
    npi_among,
    organisation_of,
    period_of,
    procedures_of,
)
from services.intake.readers.fhir_claim_contract import validated
from services.intake.readers.fhir_claim_lines import CareTeam, lines_of
from services.intake.readers.fhir_explanation import references_of
from services.intake.readers.fhir_lines import Located, defect
from services.intake.readers.fhir_resources import Claim, ClaimResponse, Coding, Extension
from services.intake.readers.fhir_values import (
    UnreadableResource,
    code_of,
    milliseconds_of,
    number_of_a_claim,
    record_id_of,
)
from services.intake.reading import PersonRecord, Reading, Source
from services.intake.rules.bill_type import PROFESSIONAL, claim_type_of_bill
from services.intake.rules.denial import denial_policy
from services.intake.rules.substance_use import is_about_substance_use, substance_use_policy

_FISS: Final = fields.VARIABLES + "fiss/"
_FACILITY_TYPE, _CLASSIFICATION, _FREQUENCY = _FISS + "lob-cd", _FISS + "serv-typ-cd", _FISS + "freq-cd"
_STATUSES = frozenset({_FISS + "curr-status"})
# Third position of the type of bill: 7 replaces a claim, 8 voids one.
_ADJUSTMENTS = {"7": Adjustment.ADJUSTMENT, "8": Adjustment.CANCELLATION}
# FISS status: D denied, R rejected.
_REFUSED = frozenset("DR")


def claim_readings(
    claims: Sequence[tuple[Located, Claim]], responses: Sequence[tuple[Located, ClaimResponse]], source: Source
) -> Iterator[Reading]:
    """The claims of one number; a response without its claim has neither dates nor diagnoses, and is a defect."""
    withdrawn = any(_is_refused(response) for _, response in responses)
    for at, claim in claims:
        notes: list[UnreadableResource] = []
        try:
            references = references_of(claim, source)
            payload = _preliminary(claim, source, notes, withdrawn=withdrawn)
        except UnreadableResource as why:
            notes.append(why)
        else:
            yield PersonRecord(references, None, payload, ClaimsFeed.FHIR_R4, preliminary=True)
        yield from (defect(at, note) for note in notes)
    if not claims:
        yield from (defect(at, UnreadableResource("response_without_claim", "request")) for at, _ in responses)


def _is_refused(response: ClaimResponse) -> bool:
    codes = (one.value_coding.code for one in response.extension if one.url in _STATUSES and one.value_coding)
    return response.status in {"cancelled", "entered-in-error"} or any(code in _REFUSED for code in codes)


def claim_key(claim: Claim) -> str:
    """The number of a claim, by which its response names it."""
    return claim.id or ""


def response_key(response: ClaimResponse) -> str:
    """The number of the claim that is answered."""
    named = (response.request.reference or "").rpartition("/")[2] if response.request is not None else ""
    return named or response.id or ""


def _claim_type(claim: Claim, header: Header) -> str:
    if header.codes.get("generic_type") == "professional":
        return PROFESSIONAL
    facility = _code(_facility(claim), _FACILITY_TYPE)
    classification = _code(claim.extension, _CLASSIFICATION)
    found = claim_type_of_bill(facility, classification)
    if found is None:
        raise UnreadableResource("claim_type_unknown", "facility.extension")
    return found


def _code(extensions: Sequence[Extension], url: str) -> str | None:
    return next((one.value_coding.code for one in extensions if one.url == url and one.value_coding), None)


def _facility(claim: Claim) -> list[Extension]:
    return claim.facility.extension if claim.facility is not None else []


def _frequency(claim: Claim) -> str | None:
    codings: Iterator[Coding] = (coding for one in claim.supporting_info if one.code for coding in one.code.coding)
    return next((coding.code for coding in codings if coding.system == _FREQUENCY), None)


def _preliminary(claim: Claim, source: Source, notes: list[UnreadableResource], *, withdrawn: bool) -> MedicareClaim:
    header = header_of(claim)
    claim_type = _claim_type(claim, header)
    part_b = claim_type == PROFESSIONAL
    period = period_of(claim)
    diagnoses = diagnosis_codes(claim.diagnosis, notes)
    lines, _ = lines_of(claim, CareTeam(claim), period, denial_policy(), part_b=part_b)
    procedures = () if part_b else procedures_of(claim)
    updated = claim.meta.last_updated if claim.meta else None
    organisation = organisation_of(claim)
    number = next((one.value for one in claim.identifier if one.value), None)
    return validated(
        {
            # The id begins with its system (f-, m-), and no final claim has such a number.
            "record_id": record_id_of(claim.id, "id"),
            "version": milliseconds_of(updated or source.dated.isoformat(), "meta.lastUpdated"),
            "claim_type_code": claim_type,
            "adjustment": _ADJUSTMENTS.get(_frequency(claim) or "", Adjustment.ORIGINAL),
            "claim_control_number": number_of_a_claim(number, 40),
            "service_from": period[0],
            "service_through": period[1],
            "paid_cents": 0,
            "facility_npi": npi_among(organisation.identifier) if organisation and not part_b else None,
            "facility_type_code": None if part_b else code_of(_code(_facility(claim), _FACILITY_TYPE)),
            "classification_code": None if part_b else code_of(_code(claim.extension, _CLASSIFICATION)),
            "denied": withdrawn or is_cancelled(claim.status),
            "diagnosis_codes": diagnoses,
            "procedures": procedures,
            "substance_use": is_about_substance_use(
                diagnoses, substance_use_policy(), [one["code"] for one in procedures]
            ),
            "lines": lines,
        }
    )
