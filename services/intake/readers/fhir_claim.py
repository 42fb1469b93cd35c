"""One ExplanationOfBenefit into one Medicare claim. Pure: a parsed resource in, a claim or a reason out.

Fields that decide money, time, person or diagnosis are strict: what cannot be read exactly makes the resource
defective. Descriptive codes that do not have their declared shape count as absent.
Source: HL7 FHIR ExplanationOfBenefit (STU3, R4); CMS Blue Button data dictionary; CARIN Blue Button profiles.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from contracts.claims import Adjustment, MedicareClaim, MedicareClaimLine
from contracts.money import AmountError, cents_from_text
from services.intake.readers import fhir_claim_fields as fields
from services.intake.readers.fhir_path import Json, first_text, texts, values
from services.intake.rules.denial import (
    denial_policy,
    part_a_is_denied,
    part_b_claim_is_denied,
    part_b_line_is_denied,
)
from services.intake.rules.substance_use import is_about_substance_use, substance_use_policy

CLAIM_TYPES: Final = frozenset({"10", "20", "30", "40", "50", "60", "61", "71", "72", "81", "82"})
_CANCELLED = frozenset({"cancelled", "canceled", "entered-in-error"})
_STATUSES = _CANCELLED | {"active"}
_ADJUSTMENTS = {"1": Adjustment.CANCELLATION, "2": Adjustment.ADJUSTMENT}
_ICD10 = re.compile(r"[A-Z][0-9A-Z]{2,6}")
_PROCEDURE = re.compile(r"[0-9A-Z]{5}")
_NPI = re.compile(r"[0-9]{10}")
_CODE = re.compile(r"[0-9A-Z]{1,8}")


class Skipped(StrEnum):
    """Resources that are no Part A or Part B claim: outside of the expenditure, and nothing is wrong with them."""

    PART_D = "part_d"
    NOT_A_CLAIM = "not_a_claim"


class UnreadableClaim(Exception):  # noqa: N818 - a verdict about one line of a file
    """Why a resource is no claim that can be used. Neither argument may hold personal data."""

    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason if field is None else f"{reason}: {field}")
        self.reason = reason
        self.field = field


def skipped(resource: Json) -> Skipped | None:
    """Say why a resource is left out without being a defect: drug events (Part D) and prior authorisations."""
    if "PDE" in texts(resource, fields.KIND[0]) or "pharmacy" in texts(resource, fields.GENERIC_TYPE[0]):
        return Skipped.PART_D
    return Skipped.NOT_A_CLAIM if first_text(resource, ("use",)) in ("preauthorization", "predetermination") else None


def claim_kind(resource: Json) -> str:
    """Name the kind of bill as the source does (``CARRIER``, ``INPATIENT`` ...), else its claim type."""
    return first_text(resource, (*fields.KIND, *fields.CLAIM_TYPE)) or "unknown"


def _required(resource: Json, paths: tuple[str, ...], reason: str) -> str:
    found = first_text(resource, paths)
    if not found:
        raise UnreadableClaim(reason, paths[0].split("[")[0])
    return found


def _shaped(element: Json, paths: Iterable[str], shape: re.Pattern[str] = _CODE) -> str | None:
    found = (first_text(element, (path,)) for path in paths)
    return next((text for text in found if text and shape.fullmatch(text)), None)


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise UnreadableClaim("date_malformed", field) from None


def _cents(amount: Json, field: str) -> int:
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal):
        raise UnreadableClaim("amount_malformed", field)
    try:
        return cents_from_text(format(amount, "f") if isinstance(amount, Decimal) else str(amount))
    except AmountError:
        raise UnreadableClaim("amount_malformed", field) from None


def _amount(element: Json, paths: tuple[str, ...], field: str) -> int | None:
    found = next((amount for path in paths for amount in values(element, path)), None)
    return None if found is None else _cents(found, field)


def _claim_type(resource: Json) -> str:
    code = _required(resource, fields.CLAIM_TYPE, "claim_type_missing")
    if code not in CLAIM_TYPES:
        # Longer codes are claims of the shared systems that are not yet adjudicated.
        raise UnreadableClaim("claim_not_final" if len(code) > 2 else "claim_type_unknown", "type.coding")  # noqa: PLR2004
    return code


def diagnosis_codes(resource: Json) -> tuple[str, ...]:
    """List ICD-10-CM codes without dots, each once, in the order of the claim; codes of other systems are left out."""
    found: dict[str, None] = {}
    for diagnosis in values(resource, "diagnosis"):
        if not texts(diagnosis, fields.ANY_DIAGNOSIS[0]):
            raise UnreadableClaim("diagnosis_without_code", "diagnosis")
        for text in texts(diagnosis, fields.DIAGNOSIS[0]):
            code = text.replace(".", "").upper()
            if _ICD10.fullmatch(code):
                found[code] = None
    return tuple(found)


def _care_team(resource: Json) -> dict[int, Json]:
    members = values(resource, "careTeam")
    return {
        sequence: member for member in members for sequence in values(member, "sequence") if isinstance(sequence, int)
    }


def _line_member(item: Json, team: dict[int, Json]) -> Json:
    links = (link for path in fields.CARE_TEAM_OF_LINE for link in values(item, path))
    return next((team[link] for link in links if isinstance(link, int) and link in team), None)


def _line_number(item: Json) -> int:
    number = next(iter(values(item, "sequence")), None)
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise UnreadableClaim("line_number_malformed", "item.sequence")
    return number


def _line(item: Json, claim: tuple[date, date], team: dict[int, Json]) -> MedicareClaimLine:
    began, ended = first_text(item, fields.LINE_BEGAN), first_text(item, fields.LINE_ENDED)
    processing, member = first_text(item, fields.LINE_PROCESSING), _line_member(item, team)
    return MedicareClaimLine(
        line_number=_line_number(item),
        service_from=_day(began, "item.servicedPeriod") if began else claim[0],
        service_through=_day(ended, "item.servicedPeriod") if ended else claim[1],
        procedure_code=_shaped(item, fields.PROCEDURE, _PROCEDURE),
        revenue_center_code=_shaped(item, fields.REVENUE_CENTER),
        place_of_service_code=_shaped(item, fields.PLACE_OF_SERVICE),
        provider_specialty_code=_shaped(member, fields.MEMBER_SPECIALTY),
        rendering_npi=_shaped(member, fields.MEMBER_NPI, _NPI),
        paid_cents=_amount(item, fields.LINE_PAID, "item.adjudication"),
        allowed_cents=_amount(item, fields.LINE_ALLOWED, "item.adjudication"),
        denied=part_b_line_is_denied(processing, denial_policy()),
    )


def _classification(resource: Json) -> str | None:
    """Read the second digit of the type of bill; version 3 writes it behind the first."""
    code = _shaped(resource, fields.CLASSIFICATION)
    return None if code is None else code[-1]


def _lines(resource: Json, claim: tuple[date, date]) -> Iterator[MedicareClaimLine]:
    team = _care_team(resource)
    return (_line(item, claim, team) for item in values(resource, "item"))


def _cancelled(resource: Json) -> bool:
    status = first_text(resource, ("status",)) or "active"
    if status not in _STATUSES:
        raise UnreadableClaim("status_unknown", "status")
    return status in _CANCELLED


def _denied(resource: Json) -> bool:
    nonpayment = (first_text(resource, fields.PART_A_NONPAYMENT) or "").strip() or None
    carrier = first_text(resource, fields.CARRIER_DENIAL)
    return part_a_is_denied(nonpayment) or part_b_claim_is_denied(carrier, denial_policy())


def _version(resource: Json, otherwise: date) -> int:
    """Count the milliseconds of ``meta.lastUpdated``: a resource that changes keeps its id and grows in time."""
    text = first_text(resource, fields.LAST_UPDATED)
    if text is None:
        return int(datetime(otherwise.year, otherwise.month, otherwise.day, tzinfo=UTC).timestamp() * 1000)
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        raise UnreadableClaim("date_malformed", "meta.lastUpdated") from None
    return int((stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp() * 1000)


def _period(resource: Json) -> tuple[date, date]:
    began = _day(_required(resource, fields.BEGAN, "service_period_missing"), "billablePeriod.start")
    ended = _day(_required(resource, fields.ENDED, "service_period_missing"), "billablePeriod.end")
    if ended < began:
        raise UnreadableClaim("service_period_reversed", "billablePeriod")
    return began, ended


def _paid(resource: Json) -> int:
    paid = _amount(resource, fields.PAYMENT, "payment.amount")
    if paid is None:
        raise UnreadableClaim("payment_missing", "payment.amount")
    return paid


def claim_from(resource: Json, dated: date) -> MedicareClaim:
    """Read the claim that a resource states; ``dated`` is the delivery's date, for resources without a time of update.

    A cancelled resource replaces its own earlier version by nothing, unlike a CCLF cancellation, which is a record
    beside the one that it cancels: so it is a claim that counts nothing (``denied``), not one with a minus sign.
    Raises :class:`UnreadableClaim`, and ``ValueError`` where a value is outside of the contract.
    """
    period, cancelled, diagnoses = _period(resource), _cancelled(resource), diagnosis_codes(resource)
    return MedicareClaim(
        record_id=_required(resource, fields.CLAIM_ID, "claim_id_missing"),
        version=_version(resource, dated),
        claim_type_code=_claim_type(resource),
        adjustment=_ADJUSTMENTS.get(first_text(resource, fields.ADJUSTMENT_TYPE) or "", Adjustment.ORIGINAL),
        claim_control_number=first_text(resource, fields.CONTROL_NUMBER),
        service_from=period[0],
        service_through=period[1],
        paid_cents=_paid(resource),
        facility_type_code=_shaped(resource, fields.FACILITY_TYPE),
        classification_code=_classification(resource),
        facility_number=first_text(resource, fields.FACILITY_NUMBER),
        facility_npi=_shaped(resource, fields.FACILITY_NPI, _NPI),
        diagnosis_related_group_code=_shaped(resource, fields.DIAGNOSIS_RELATED_GROUP),
        discharge_status_code=_shaped(resource, fields.DISCHARGE_STATUS),
        admission_type_code=_shaped(resource, fields.ADMISSION_TYPE),
        primary_payer_code=_shaped(resource, fields.PRIMARY_PAYER),
        denied=cancelled or _denied(resource),
        diagnosis_codes=diagnoses,
        substance_use=is_about_substance_use(diagnoses, substance_use_policy()),
        lines=tuple(_lines(resource, period)),
    )
