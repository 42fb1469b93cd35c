"""What one FHIR Patient says: who it is, under which numbers, and what only this resource states of coverage.

Versions 1 and 2 mark an identifier as current or historic; version 3 says from when to when it was in use. The state
of residence is a number of the Social Security Administration in versions 1 and 2 and letters in version 3.
Source: CMS Beneficiary FHIR Data, Patient; CMS Blue Button data dictionary.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final

from contracts.codes import SexCode
from contracts.coverage import CoverageSource, MedicareCoverageSpan, MedicareCoverageStatedData
from contracts.months import month_of
from services.intake.readers import fhir_claim_fields as fields
from services.intake.readers.fhir_coverage_spans import monthly_spans
from services.intake.readers.fhir_lines import Located, defect
from services.intake.readers.fhir_resources import Patient, PatientIdentifier
from services.intake.readers.fhir_values import UnreadableResource, day_of, mbi_of
from services.intake.reading import (
    UNRESOLVED_PERSON,
    Defect,
    Demographics,
    MbiChange,
    PersonRecord,
    PersonReference,
    Reading,
    Source,
)
from services.intake.states import usps_state_of_social_security

_CURRENCY = "https://bluebutton.cms.gov/resources/codesystem/identifier-currency"
_HISTORIC = "historic"
_SEX: Final[dict[str | None, SexCode]] = {"male": "1", "female": "2", "unknown": "0", "other": "0"}
_SAME_PERSON = frozenset({"replaces", "replaced-by"})
_Mbi = tuple[str, date | None, bool]


def person_readings(patient: Patient, at: Located, source: Source) -> Iterator[Reading]:
    """Changes of numbers, who it is, and the statement. A number that cannot be read is a defect beside them."""
    numbers: list[_Mbi] = []
    for identifier in patient.identifier:
        if identifier.system == fields.MBI and identifier.value:
            try:
                numbers.append(_mbi(identifier, source))
            except UnreadableResource as why:
                yield defect(at, why)
    current = next((mbi for mbi, _, historic in numbers if not historic), None)
    yield from _changes(numbers, current)
    references = _references(patient, current or next((mbi for mbi, _, _ in numbers), None))
    letters = (usps_state_of_social_security(one.state) for one in patient.address if one.state)
    state = next(filter(None, letters), None)
    yield _demographics(patient, references[0], state)
    yield from _statement(patient, references, state, at, source)


def _mbi(identifier: PatientIdentifier, source: Source) -> _Mbi:
    mbi = mbi_of(identifier.value or "", "identifier", synthetic=source.synthetic_identifiers)
    period = identifier.period
    ended = day_of(period.end, "identifier.period") if period is not None else None
    marked = any(
        one.url == _CURRENCY and one.value_coding is not None and one.value_coding.code == _HISTORIC
        for one in identifier.extension
    )
    return mbi, ended, marked or ended is not None


def _changes(numbers: list[_Mbi], current: str | None) -> Iterator[MbiChange]:
    if current is not None:
        for mbi, ended, historic in numbers:
            if historic and mbi != current:
                yield MbiChange(current=current, previous=mbi, obsolete_on=ended)


def _references(patient: Patient, mbi: str | None) -> tuple[PersonReference, ...]:
    found = [PersonReference("mbi", mbi)] if mbi is not None else []
    if patient.id:
        found.append(PersonReference("fhir_patient", patient.id))
    for link in patient.link:
        named = (link.other.reference or "").rpartition("/")[2] if link.other is not None else ""
        if named and link.type in _SAME_PERSON:
            found.append(PersonReference("fhir_patient", named))
    if not found:
        raise UnreadableResource("patient_missing", "id")
    return tuple(dict.fromkeys(found))


def _demographics(patient: Patient, reference: PersonReference, state: str | None) -> Demographics:
    name = patient.name[0] if patient.name else None
    return Demographics(
        reference=reference,
        family_name=name.family if name else None,
        given_name=name.given[0] if name and name.given else None,
        birth_date=day_of(patient.birth_date, "birthDate"),
        sex_code=_SEX.get(patient.gender),
        state=state,
    )


def stated_on(last_updated: str | None, source: Source) -> date:
    """The day on which a resource says what it says."""
    return day_of(last_updated, "meta.lastUpdated") or source.dated


def _statement(
    patient: Patient, references: tuple[PersonReference, ...], state: str | None, at: Located, source: Source
) -> Iterator[PersonRecord | Defect]:
    on = stated_on(patient.meta.last_updated if patient.meta else None, source)
    notes: list[UnreadableResource] = []
    spans = monthly_spans(patient.extension, on, notes)
    if state is not None:
        month = month_of(on)
        spans = (*spans, MedicareCoverageSpan(first_month=month, last_month=month, in_united_states=True))
    yield PersonRecord(
        references,
        state,
        MedicareCoverageStatedData(
            person_id=UNRESOLVED_PERSON,
            state=state or source.default_state,
            source=CoverageSource.FHIR,
            stated_on=on,
            birth_date=day_of(patient.birth_date, "birthDate"),
            sex_code=_SEX.get(patient.gender),
            death_date=day_of(patient.deceased_date_time, "deceasedDateTime"),
            spans=spans,
        ),
    )
    yield from (defect(at, note) for note in notes)
