"""CCLF5 and CCLF6: lines of Part B claims, gathered into claims wherever they stand in the file."""

import zipfile
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from contracts.claims import ClaimsFeed
from services.intake.readers.cclf_claims import (
    ICD_9,
    Reference,
    distinct_codes,
    refuse_backward_period,
    validated_claim,
)
from services.intake.readers.cclf_columns import (
    EQUIPMENT_CLAIM,
    EQUIPMENT_LINE,
    PHYSICIAN_CLAIM,
    PHYSICIAN_DIAGNOSES,
    PHYSICIAN_LINE,
)
from services.intake.readers.cclf_control import Member, fixed_width_lines
from services.intake.readers.fields import diagnosis_code
from services.intake.readers.partitions import grouped
from services.intake.readers.records import FieldError, RecordParser, element_of, elements_of, field_error
from services.intake.reading import Defect, PersonRecord, PersonReference, Reading
from services.intake.rules.claim_version import medicare_version
from services.intake.rules.denial import denial_policy, part_b_claim_is_denied, part_b_line_is_denied
from services.intake.rules.substance_use import is_about_substance_use, substance_use_policy

NumberedLine = tuple[int, str]

_CLAIM = {
    "CCLF5": RecordParser.fixed_width("CCLF5", PHYSICIAN_CLAIM),
    "CCLF6": RecordParser.fixed_width("CCLF6", EQUIPMENT_CLAIM),
}
_LINE = {
    "CCLF5": RecordParser.fixed_width("CCLF5", PHYSICIAN_LINE),
    "CCLF6": RecordParser.fixed_width("CCLF6", EQUIPMENT_LINE),
}
# Equipment claims carry no diagnoses.
_DIAGNOSES = {"CCLF5": elements_of("CCLF5", PHYSICIAN_DIAGNOSES)}


def part_b_readings(archive: zipfile.ZipFile, member: Member, reference: Reference) -> Iterator[Reading]:
    """A record a claim, and a defect for each line that cannot be read."""
    claim_number = element_of(member.file, "CUR_CLM_UNIQ_ID")
    lines = fixed_width_lines(archive, member)
    gatherer = _Gatherer(member, reference)
    for group in grouped(lines, lambda row: claim_number(row[1]), member.info.file_size):
        yield from gatherer.readings(group)


class _Gatherer:
    """Makes one claim of the lines of one claim number."""

    def __init__(self, member: Member, reference: Reference) -> None:
        self._name = member.info.filename
        self._claim = _CLAIM[member.file]
        self._line = _LINE[member.file]
        self._codes = _DIAGNOSES.get(member.file)
        self._reference = reference
        self._denials = denial_policy()
        self._substance_use = substance_use_policy()

    def readings(self, group: list[NumberedLine]) -> Iterator[Reading]:
        """The claim, made of every line that can be read; what all lines share comes from the first of them."""
        claim: dict[str, Any] | None = None
        lines: list[dict[str, Any]] = []
        used: list[NumberedLine] = []
        for numbered in group:
            try:
                line = self._read_line(numbered[1])
                claim = self._read_claim(numbered[1]) if claim is None else claim
            except FieldError as error:
                yield self._defect(numbered, error)
                continue
            lines.append(line)
            used.append(numbered)
        if claim is not None:
            yield from self._built(claim, lines, used)

    def _read_claim(self, text: str) -> dict[str, Any]:
        values = self._claim(text)
        values["reference"] = self._reference(values.pop("mbi"))
        values["version"] = medicare_version(values.pop("processed_on"), values.pop("loaded_on"))
        values["denied"] = part_b_claim_is_denied(values.pop("carrier_denial_code"), self._denials)
        refuse_backward_period(values, "CLM_THRU_DT")
        return values

    def _read_line(self, text: str) -> dict[str, Any]:
        values = self._line(text)
        values["denied"] = part_b_line_is_denied(values.pop("processing_code"), self._denials)
        refuse_backward_period(values, "CLM_LINE_THRU_DT")
        return values

    def _built(self, claim: dict[str, Any], lines: list[dict[str, Any]], used: list[NumberedLine]) -> Iterator[Reading]:
        reference: PersonReference = claim.pop("reference")
        claim["diagnosis_codes"] = diagnoses = self._diagnoses(claim.pop("diagnosis_system", None), lines, used[0][1])
        claim["substance_use"] = is_about_substance_use(diagnoses, self._substance_use)
        claim["paid_cents"] = sum(line["paid_cents"] or 0 for line in lines)
        claim["lines"] = tuple(lines)
        try:
            yield PersonRecord((reference,), None, validated_claim(claim), ClaimsFeed.CCLF)
        except ValidationError as failure:
            # What the converters let through and the model does not, spoils the claim: no line of it is sent.
            error = field_error(failure, {**self._line.elements, **self._claim.elements})
            yield from (self._defect(numbered, error) for numbered in used)

    def _diagnoses(self, system: str | None, lines: list[dict[str, Any]], text: str) -> tuple[str, ...]:
        line_codes = [line.pop("line_diagnosis", None) for line in lines]
        if self._codes is None or system == ICD_9:
            return ()
        return distinct_codes((*map(diagnosis_code, self._codes(text)), *line_codes))

    def _defect(self, numbered: NumberedLine, error: FieldError) -> Defect:
        number, text = numbered
        return Defect(self._name, number, error.element, error.reason, text.encode("latin-1"))
