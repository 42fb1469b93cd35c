"""CCLF1: Part A claims, and what Part A and Part B claims have in common."""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from contracts.claims import ClaimsFeed, MedicareClaim
from services.intake.readers.cclf_columns import PART_A
from services.intake.readers.records import FieldError, RecordParser, field_error
from services.intake.reading import PersonRecord, PersonReference
from services.intake.rules.claim_version import medicare_version
from services.intake.rules.denial import part_a_is_denied
from services.intake.rules.substance_use import is_about_substance_use, substance_use_policy

Reference = Callable[[str], PersonReference]

# DGNS_PRCDR_ICD_IND: codes of the ninth revision are no diagnoses that anything here understands.
ICD_9 = "9"


class PartAReader:
    """The records of CCLF1, one line each."""

    _parser = RecordParser.fixed_width("CCLF1", PART_A)

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._policy = substance_use_policy()

    def claim(self, line: str) -> PersonRecord:
        """One institutional claim. Raises :class:`FieldError`."""
        values = self._parser(line)
        reference = self._reference(values.pop("mbi"))
        codes = (values.pop("principal_diagnosis"), values.pop("admitting_diagnosis"))
        diagnoses = () if values.pop("diagnosis_system") == ICD_9 else distinct_codes(codes)
        values["diagnosis_codes"] = diagnoses
        values["substance_use"] = is_about_substance_use(diagnoses, self._policy)
        values["denied"] = part_a_is_denied(values.pop("non_payment_reason"))
        values["version"] = medicare_version(values.pop("processed_on"), values.pop("loaded_on"))
        refuse_backward_period(values, "CLM_THRU_DT")
        try:
            return PersonRecord((reference,), None, validated_claim(values), ClaimsFeed.CCLF)
        except ValidationError as failure:
            raise field_error(failure, self._parser.elements) from None


def validated_claim(values: dict[str, Any]) -> MedicareClaim:
    """The claim and, as plain values, its lines, checked in one pass: a third of the time of one by one."""
    claim: MedicareClaim = MedicareClaim.__pydantic_validator__.validate_python(values)
    return claim


def distinct_codes(codes: tuple[str | None, ...]) -> tuple[str, ...]:
    """The codes that are there, once each, in their order."""
    return tuple(dict.fromkeys(filter(None, codes)))


def refuse_backward_period(values: dict[str, Any], element: str) -> None:
    """Raises :class:`FieldError` for a claim or line that ends before it begins."""
    if values["service_through"] < values["service_from"]:
        raise FieldError(element, "ends_before_it_begins")
