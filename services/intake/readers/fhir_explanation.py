"""What one ExplanationOfBenefit says about a person: a Medicare claim, a claim in adjudication, or a drug event."""

from collections.abc import Iterator

from contracts.claims import MedicareClaim
from services.intake.readers import fhir_claim_fields as fields
from services.intake.readers.fhir_claim import Skipped, claim_from, feed_of, header_of, skipped
from services.intake.readers.fhir_claim_contract import encoded, validated
from services.intake.readers.fhir_drug import drug_event_from
from services.intake.readers.fhir_resources import Claim, ExplanationOfBenefit, Identifier
from services.intake.readers.fhir_values import UnreadableResource, mbi_of
from services.intake.reading import EncodedClaims, PersonRecord, PersonReference, Source


def references_of(claim: Claim, source: Source) -> tuple[PersonReference, ...]:
    """The MBI if the resource carries one, then the patient resource that it names."""
    found: list[PersonReference] = []
    for identifier in _patient_identifiers(claim):
        if identifier.system == fields.MBI and identifier.value:
            mbi = mbi_of(identifier.value, "patient.identifier", synthetic=source.synthetic_identifiers)
            found.append(PersonReference("mbi", mbi))
            break
    named = (claim.patient.reference or "") if claim.patient else ""
    patient = "" if named.startswith("#") else named.rpartition("/")[2]
    if patient:
        found.append(PersonReference("fhir_patient", patient))
    if not found:
        raise UnreadableResource("patient_missing", "patient.reference")
    return tuple(found)


def _patient_identifiers(claim: Claim) -> Iterator[Identifier]:
    if claim.patient is not None and claim.patient.identifier is not None:
        yield claim.patient.identifier
    for contained in claim.contained:
        if contained.resource_type == "Patient":
            yield from contained.identifier


def record_from(
    claim: ExplanationOfBenefit, source: Source, notes: list[UnreadableResource]
) -> PersonRecord | EncodedClaims | Skipped:
    """The claim or drug event and whose it is. Raises :class:`UnreadableResource`.

    A final claim of which one identifier is told, as nearly all are, comes encoded.
    """
    header = header_of(claim)
    left_out = skipped(claim, header)
    if left_out is not None:
        return left_out
    feed = feed_of(claim)
    references = references_of(claim, source)
    if header.is_drug:
        event = drug_event_from(claim, header, feed, source.dated)
        return PersonRecord(references, None, event, feed, preliminary=header.is_preliminary)
    values = claim_from(claim, header, feed, source.dated, notes)
    if header.is_preliminary or len(references) > 1:
        return PersonRecord(references, None, validated(values), feed, preliminary=header.is_preliminary)
    return EncodedClaims(references[0], MedicareClaim, feed, (encoded(values),))
