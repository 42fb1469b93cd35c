"""One pharmacy ExplanationOfBenefit into one Part D event. Pure.

Source: CMS Blue Button data dictionary (prescription drug event variables); CCLF Information Packet v36.0, CCLF7, for
what the claim types 01 to 04 mean.
"""

from collections.abc import Iterator
from datetime import date

from pydantic import ValidationError

from contracts.claims import Adjustment, ClaimsFeed, PartDEvent
from services.intake.readers import fhir_claim_fields as fields
from services.intake.readers.fhir_claim import (
    Header,
    is_cancelled,
    npi_among,
    organisation_of,
    record_id,
    referenced_npi,
    version_of,
)
from services.intake.readers.fhir_claim_lines import CareTeam, first_code, line_amounts
from services.intake.readers.fhir_resources import ExplanationOfBenefit, Item, Member
from services.intake.readers.fhir_values import (
    UnreadableResource,
    cents_of,
    code_of,
    day_of,
    national_drug_code_of,
    quantity_of,
    whole_number_of,
)

# ADJSTMT_DLTN_CD of versions 1 and 2, as the claim type that CCLF7 and version 3 state.
_TYPE_OF_ADJUSTMENT = {None: "01", "A": "02", "D": "03", "R": "04"}
_ADJUSTMENT_OF_TYPE = {
    "01": Adjustment.ORIGINAL,
    "02": Adjustment.ADJUSTMENT,
    "03": Adjustment.CANCELLATION,
    "04": Adjustment.ADJUSTMENT,
}
_SYSTEMS = frozenset({fields.NATIONAL_DRUG_CODE})


def _claim_type(header: Header) -> str:
    stated = header.codes.get("claim_type")
    adjusted = (header.codes.get("drug_adjustment") or "").strip() or None
    claim_type = stated.zfill(2) if stated else _TYPE_OF_ADJUSTMENT.get(adjusted)
    if claim_type not in _ADJUSTMENT_OF_TYPE:
        raise UnreadableResource("claim_type_unknown", "type", stated or adjusted)
    return claim_type


def _filled_on(claim: ExplanationOfBenefit, item: Item) -> date:
    period = item.serviced_period.start if item.serviced_period else None
    bill = claim.billable_period.start if claim.billable_period else None
    filled = day_of(item.serviced_date or period or bill, "item.servicedDate")
    if filled is None:
        raise UnreadableResource("service_period_missing", "item.servicedDate")
    return filled


def _drug(item: Item) -> str | None:
    details = [detail.product_or_service for detail in item.detail]
    found = (first_code(one, _SYSTEMS) for one in (item.product_or_service, item.service, *details))
    return next((code for text in found if (code := national_drug_code_of(text))), None)


def _quantity(item: Item) -> str | None:
    stated = (one for one in (item.quantity, *(detail.quantity for detail in item.detail)) if one is not None)
    return next((text for one in stated if (text := quantity_of(bytes(one.value)))), None)


def _counts(header: Header, item: Item) -> dict[str, int | None]:
    found: dict[str, int | None] = dict(header.counts)
    for extension in item.quantity.extension if item.quantity else ():
        if (slot := fields.QUANTITY_COUNTS.get(extension.url)) and extension.value_quantity:
            found.setdefault(slot, whole_number_of(bytes(extension.value_quantity.value)))
    return found


def _prescribers(claim: ExplanationOfBenefit, team: CareTeam, item: Item) -> Iterator[Member]:
    for one in claim.care_team:
        if one.role is not None and any(coding.code == fields.PRESCRIBING for coding in one.role.coding):
            yield one
    if (named := team.member(item)) is not None:
        yield named
    yield from claim.care_team


def _pharmacy(claim: ExplanationOfBenefit) -> str | None:
    organisation = organisation_of(claim)
    contained = npi_among(organisation.identifier) if organisation else None
    return referenced_npi(claim.facility, claim.organization) or contained


def _patient_paid(claim: ExplanationOfBenefit, item: Item) -> int | None:
    amounts, _ = line_amounts(item)
    for total in claim.total:
        kinds = total.category.coding if total.category else ()
        if total.amount and any(coding.code == fields.TOTAL_PATIENT_PAID for coding in kinds):
            amounts.setdefault("patient_paid", bytes(total.amount.value))
    return cents_of(amounts.get("patient_paid", b""), "item.adjudication.amount")


def drug_event_from(claim: ExplanationOfBenefit, header: Header, feed: ClaimsFeed, dated: date) -> PartDEvent:
    """Read the drug event that a resource states. Raises :class:`UnreadableResource`."""
    claim_type = _claim_type(header)
    item = claim.item[0] if claim.item else Item()
    team = CareTeam(claim)
    counts = _counts(header, item)
    withdrawn = is_cancelled(claim.status)
    try:
        return PartDEvent(
            record_id=record_id(claim, header),
            version=version_of(claim, header, feed, dated),
            claim_type_code=claim_type,
            adjustment=Adjustment.CANCELLATION if withdrawn else _ADJUSTMENT_OF_TYPE[claim_type],
            filled_on=_filled_on(claim, item),
            national_drug_code=_drug(item),
            days_supply=counts.get("days_supply"),
            quantity=_quantity(item),
            fill_number=counts.get("fill_number"),
            dispensing_status_code=code_of(header.codes.get("dispensing_status")),
            prescriber_npi=next(filter(None, map(team.npi, _prescribers(claim, team, item))), None),
            pharmacy_npi=_pharmacy(claim),
            patient_paid_cents=_patient_paid(claim, item),
        )
    except ValidationError:
        pass
    # Raised out here: an exception raised above would carry the values in its context.
    raise UnreadableResource("outside_of_contract")
