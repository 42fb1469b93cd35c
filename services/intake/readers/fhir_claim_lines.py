"""The lines of a claim, and who gave the care of each, out of a FHIR resource. Pure."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from services.intake.readers import fhir_claim_fields as fields
from services.intake.readers.fhir_resources import Claim, Coding, Concept, Item, Member
from services.intake.readers.fhir_values import UnreadableResource, cents_of, code_of, day_of, npi_of, procedure_of
from services.intake.rules.denial import DenialPolicy, part_b_line_is_denied

_RENDERING = frozenset({"rendering", "performing"})


class CareTeam:
    """Those who gave the care. ``supplier`` is the number that stands for a line of which no member is named."""

    def __init__(self, claim: Claim, supplier: str | None = None) -> None:
        self._claim = claim
        self._supplier = supplier

    def member(self, item: Item) -> Member | None:
        """The first member that the line names; without a name the claim's only one who rendered services."""
        links = item.care_team_sequence or item.care_team_link_id
        if not links:
            return _only_rendering(self._claim)
        for link in links:
            for one in self._claim.care_team:
                if one.sequence == link:
                    return one
        return None

    def npi(self, member: Member | None) -> str | None:
        """The member's National Provider Identifier, from its reference or the contained resource that it names."""
        provider = member.provider if member is not None else None
        if provider is None:
            return self._supplier
        if provider.identifier is not None:
            return npi_of(provider.identifier.value)
        named = (provider.reference or "").removeprefix("#")
        found = (number for one in self._claim.contained if one.id == named for number in one.identifier)
        return next((npi for number in found if number.system == fields.NPI and (npi := npi_of(number.value))), None)


def _only_rendering(claim: Claim) -> Member | None:
    found = [
        one
        for one in claim.care_team
        if one.role is not None and any(kind.code in _RENDERING for kind in one.role.coding)
    ]
    return found[0] if len(found) == 1 else None


def _specialty(member: Member | None) -> str | None:
    codings = member.qualification.coding if member is not None and member.qualification is not None else ()
    return next((one.code for one in codings if one.system in fields.SPECIALTIES), None)


def first_code(concept: Concept | None, systems: frozenset[str]) -> str | None:
    """The first code of any of the systems."""
    if concept is not None:
        for coding in concept.coding:
            if coding.system in systems and coding.code:
                return coding.code
    return None


def line_amounts(item: Item) -> tuple[dict[str, bytes], dict[str, str]]:
    """The amounts and the codes of a line, by slot; of two for one slot the first counts."""
    amounts: dict[str, bytes] = {}
    codes: dict[str, str] = {}
    slots = fields.LINE_AMOUNTS
    for adjudication in item.adjudication:
        if adjudication.amount is None:
            _take(codes, adjudication.reason.coding if adjudication.reason is not None else ())
        elif adjudication.category is not None:
            for coding in adjudication.category.coding:
                if (slot := slots.get(coding.code)) is not None and slot not in amounts:
                    amounts[slot] = bytes(adjudication.amount.value)
    _take(codes, [one.value_coding for one in item.extension if one.value_coding is not None])
    return amounts, codes


def _take(codes: dict[str, str], codings: Iterable[Coding]) -> None:
    for coding in codings:
        if coding.code and (slot := fields.LINE_CODES.get(coding.system)) is not None:
            codes.setdefault(slot, coding.code)


def _days(item: Item, claim: tuple[date, date]) -> tuple[date, date]:
    if item.serviced_period is not None:
        began = day_of(item.serviced_period.start, "item.servicedPeriod")
        ended = day_of(item.serviced_period.end, "item.servicedPeriod")
    elif item.serviced_date:
        began = ended = day_of(item.serviced_date, "item.servicedDate")
    else:
        return claim
    days = began or ended or claim[0], ended or began or claim[1]
    if days[1] < days[0]:
        raise UnreadableResource("service_period_reversed", "item.servicedPeriod")
    return days


def _line(
    item: Item, team: CareTeam, claim: tuple[date, date], policy: DenialPolicy, *, part_b: bool
) -> tuple[dict[str, Any], str | None]:
    number = item.sequence
    if number is None or number < 1:
        raise UnreadableResource("line_number_malformed", "item.sequence")
    amounts, codes = line_amounts(item)
    member = team.member(item)
    began, ended = _days(item, claim)
    # In the contract's order.
    line = {
        "line_number": number,
        "service_from": began,
        "service_through": ended,
        "procedure_code": procedure_of(first_code(item.product_or_service or item.service, fields.PROCEDURES)),
        "revenue_center_code": None if part_b else code_of(first_code(item.revenue, fields.REVENUE_CENTERS)),
        "place_of_service_code": code_of(first_code(item.location_codeable_concept, fields.PLACES_OF_SERVICE)),
        "provider_specialty_code": code_of(_specialty(member) or codes.get("specialty")),
        "rendering_npi": team.npi(member),
        "paid_cents": cents_of(amounts.get("paid", b""), "item.adjudication.amount"),
        "allowed_cents": cents_of(amounts.get("allowed", b""), "item.adjudication.amount") if part_b else None,
        "denied": part_b_line_is_denied(codes.get("processing"), policy),
    }
    return line, codes.get("primary_payer")


def lines_of(
    claim: Claim, team: CareTeam, period: tuple[date, date], policy: DenialPolicy, *, part_b: bool
) -> tuple[tuple[dict[str, Any], ...], str | None]:
    """The lines as plain values, and the primary payer that the first of them states."""
    pairs = [_line(item, team, period, policy, part_b=part_b) for item in claim.item]
    return tuple(line for line, _ in pairs), pairs[0][1] if pairs else None
