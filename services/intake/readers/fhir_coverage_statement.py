"""All FHIR Coverage resources of one person in one delivery as one statement of Medicare coverage.

A resource is one part of Medicare (A, B, C, D) or, in version 3, the dual status. One alone says little: that somebody
has Part A says nothing about Part B, so entitlement is stated only where the delivery holds both parts of the person.
Source: CMS Beneficiary FHIR Data, Coverage; CMS Blue Button data dictionary.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from pydantic import ValidationError

from contracts.codes import HealthPlan, OriginalEntitlementCode
from contracts.coverage import CoverageSource, MedicareCoverageSpan, MedicareCoverageStatedData
from contracts.months import month_of
from services.intake.readers import fhir_claim_fields as fields
from services.intake.readers.fhir_coverage_spans import (
    Notes,
    Period,
    entitlement_spans,
    medicare_status_of,
    monthly_spans,
    read_dual_status,
)
from services.intake.readers.fhir_lines import Located, defect
from services.intake.readers.fhir_person import stated_on
from services.intake.readers.fhir_resources import Coverage, Extension
from services.intake.readers.fhir_values import UnreadableResource, day_of, mbi_of
from services.intake.reading import UNRESOLVED_PERSON, PersonRecord, PersonReference, Reading, Source
from services.intake.rules.dual_type import contradicts
from services.intake.states import usps_state_of_social_security

PARTS: Final = ("Part A", "Part B", "Part C", "Part D", "Dual Medicare/Medicaid")
_STRUCTURE = "https://bluebutton.cms.gov/fhir/StructureDefinition/"
_DUAL_STATUS, _DUAL_TYPE = _STRUCTURE + "BENE-DUAL-STUS-CD", _STRUCTURE + "BENE-DUAL-TYPE-CD"
_MEDICARE_STATUS, _MEDICAID_STATE = _STRUCTURE + "BENE-MDCR-STUS-CD", _STRUCTURE + "MEDICAID-STATE-CD"
_ORIGINAL_ENTITLEMENT = fields.VARIABLES + "orec"
_ORIGINAL_ENTITLEMENTS: Final[dict[str | None, OriginalEntitlementCode]] = {"0": "0", "1": "1", "2": "2", "3": "3"}
_ENDED = frozenset({"cancelled", "canceled"})
_VOID = frozenset({"entered-in-error", "draft"})


def part_of(coverage: Coverage) -> str:
    """Which part of Medicare the resource is about."""
    stated = [one.value for one in coverage.classes] + [coverage.grouping.sub_plan if coverage.grouping else None]
    for part in stated:
        if part in PARTS:
            return part
    raise UnreadableResource("coverage_part_unknown", "class")


def person_key(coverage: Coverage) -> str:
    """By what the resources of one person belong together."""
    named = coverage.beneficiary.reference if coverage.beneficiary else None
    return named or coverage.subscriber_id or ""


@dataclass(slots=True)
class _Statement:
    """What was gathered so far."""

    on: date
    spans: list[MedicareCoverageSpan] = field(default_factory=list)
    periods: dict[str, list[Period]] = field(default_factory=dict)
    began: dict[str, date] = field(default_factory=dict)
    original_entitlement: OriginalEntitlementCode | None = None
    state: str | None = None


def statement_readings(group: Sequence[tuple[Located, Coverage]], source: Source) -> Iterator[Reading]:
    """The statement, and a defect for each resource or element that could not be used."""
    updates: list[date] = []
    for at, one in group:
        try:
            updates.append(stated_on(one.meta.last_updated if one.meta else None, source))
        except UnreadableResource as why:
            yield defect(at, why)
    statement = _Statement(max(updates, default=source.dated))
    references: dict[PersonReference, None] = {}
    for at, coverage in group:
        notes: Notes = []
        try:
            references.update(dict.fromkeys(_references(coverage, source, notes)))
            _gather(statement, coverage, notes)
        except UnreadableResource as why:
            notes.append(why)
        yield from (defect(at, note) for note in notes)
    if references:
        yield from _record(statement, tuple(sorted(references, key=_strongest_first)), group[0][0], source)


def _strongest_first(reference: PersonReference) -> tuple[bool, str]:
    return reference.kind != "mbi", reference.value


def _references(coverage: Coverage, source: Source, notes: Notes) -> Iterator[PersonReference]:
    named = (coverage.beneficiary.reference or "").rpartition("/")[2] if coverage.beneficiary else ""
    if named:
        yield PersonReference("fhir_patient", named)
    number = next((one.value for one in coverage.identifier if one.system == fields.MBI and one.value), None)
    if number is not None:
        try:
            yield PersonReference("mbi", mbi_of(number, "identifier", synthetic=source.synthetic_identifiers))
        except UnreadableResource as why:
            notes.append(why)
    elif not named:
        raise UnreadableResource("patient_missing", "beneficiary.reference")


def _gather(statement: _Statement, coverage: Coverage, notes: Notes) -> None:
    part = part_of(coverage)
    if coverage.status in _VOID:
        raise UnreadableResource("coverage_void", "status")
    statement.spans += monthly_spans(coverage.extension, statement.on, notes)
    month = month_of(statement.on)
    if (status := medicare_status_of(coverage.extension, _MEDICARE_STATUS, notes)) is not None:
        statement.spans.append(MedicareCoverageSpan(first_month=month, last_month=month, medicare_status_code=status))
    original = _ORIGINAL_ENTITLEMENTS.get(_code(coverage.extension, _ORIGINAL_ENTITLEMENT))
    statement.original_entitlement = statement.original_entitlement or original
    period = _period(coverage)
    if period is not None:
        _gather_period(statement, part, coverage, period, notes)


def _gather_period(statement: _Statement, part: str, coverage: Coverage, period: Period, notes: Notes) -> None:
    if part in ("Part A", "Part B"):
        statement.periods.setdefault(part, []).append(period)
        began = day_of(coverage.period.start if coverage.period else None, "period.start")
        if began is not None:
            statement.began[part] = min(began, statement.began.get(part, began))
    elif part == "Part C":
        statement.spans.append(_span(period, health_plan=HealthPlan.MEDICARE_ADVANTAGE))
    elif part != "Part D":
        statement.state = statement.state or usps_state_of_social_security(
            _code(coverage.extension, _MEDICAID_STATE) or ""
        )
        if (dual := _dual(coverage, notes)) is not None:
            statement.spans.append(_span(period, dual_status_code=dual))


def _dual(coverage: Coverage, notes: Notes) -> str | None:
    code = _code(coverage.extension, _DUAL_STATUS)
    dual = read_dual_status(code, notes) if code else None
    if contradicts(dual, _code(coverage.extension, _DUAL_TYPE)):
        notes.append(UnreadableResource("dual_code_contradicts_type", "BENE-DUAL-TYPE-CD"))
        return None
    return dual


def _code(extensions: list[Extension], url: str) -> str | None:
    return next((one.value_coding.code for one in extensions if one.url == url and one.value_coding), None)


def _period(coverage: Coverage) -> Period | None:
    stated = coverage.period
    began = day_of(stated.start, "period.start") if stated else None
    if stated is None or began is None:
        return None
    ended = day_of(stated.end, "period.end")
    if ended is None and coverage.status in _ENDED:
        raise UnreadableResource("coverage_without_end", "period.end")
    if ended is not None and ended < began:
        raise UnreadableResource("service_period_reversed", "period")
    return month_of(began), None if ended is None else month_of(ended)


def _span(period: Period, **said: object) -> MedicareCoverageSpan:
    return MedicareCoverageSpan.model_validate({"first_month": period[0], "last_month": period[1], **said})


def _record(
    statement: _Statement, references: tuple[PersonReference, ...], at: Located, source: Source
) -> Iterator[Reading]:
    parts = statement.periods
    if "Part A" in parts and "Part B" in parts:
        # In front: what a month's own code says stands over what follows from periods.
        statement.spans[:0] = entitlement_spans(parts["Part A"], parts["Part B"])
    if not (statement.spans or statement.began or statement.original_entitlement):
        return
    try:
        stated = MedicareCoverageStatedData(
            person_id=UNRESOLVED_PERSON,
            state=statement.state or source.default_state,
            source=CoverageSource.FHIR,
            stated_on=statement.on,
            original_entitlement_code=statement.original_entitlement,
            part_a_began=statement.began.get("Part A"),
            part_b_began=statement.began.get("Part B"),
            spans=tuple(dict.fromkeys(statement.spans)),
        )
    except ValidationError:
        yield defect(at, UnreadableResource("outside_of_contract"))
    else:
        yield PersonRecord(references, statement.state, stated)
