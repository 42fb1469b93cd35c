"""Medicare's Claim and Claim Line Feed: one zip of fixed-width files, every month.

CCLF9 comes first, so that changed MBIs are known before they are used; then CCLF8 (one month's snapshot of each
person), CCLF1 (Part A), CCLF5 and, where delivered, CCLF6 (Part B), whose lines are gathered into claims. The other
files (2-4, 7, A, B) are counted against CCLF0 by name and layout and not read.
Source: CCLF Information Packet v36.0.
"""

import zipfile
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from contracts.coverage import CoverageSource, MedicareCoverageSpan, MedicareCoverageStatedData
from contracts.identifiers import MbiError, normalise_mbi
from contracts.months import month_of
from services.intake.readers.archive import opened
from services.intake.readers.cclf_claims import PartAReader
from services.intake.readers.cclf_columns import BENEFICIARY, CROSS_REFERENCE
from services.intake.readers.cclf_control import Member, checked_members, fixed_width_lines
from services.intake.readers.cclf_part_b import part_b_readings
from services.intake.readers.records import FieldError, RecordParser, field_error
from services.intake.reading import (
    UNRESOLVED_PERSON,
    Defect,
    MbiChange,
    PersonRecord,
    PersonReference,
    Reading,
    Source,
)
from services.intake.states import USPS_OF_FIPS

_OF_AN_MBI = "M"
_COUNTY_DIGITS = 3

Reads = Callable[[str], Reading]


def read(source: Source) -> Iterator[Reading]:
    """Every reading of one CCLF delivery. Raises :class:`services.intake.reading.RefusedDelivery`."""
    path = source.paths[0]
    with opened(path) as archive:
        found = checked_members(archive, path.name)
        reader = BeneficiaryReader(source)
        yield from _each_line(archive, found["CCLF9"], reader.mbi_change)
        yield from _each_line(archive, found["CCLF8"], reader.beneficiary)
        yield from _each_line(archive, found["CCLF1"], PartAReader(reader.reference).claim)
        for file in ("CCLF5", "CCLF6"):
            if file in found:
                yield from part_b_readings(archive, found[file], reader.reference)


def _each_line(archive: zipfile.ZipFile, member: Member, reads: Reads) -> Iterator[Reading]:
    name = member.info.filename
    for number, line in fixed_width_lines(archive, member):
        try:
            yield reads(line)
        except FieldError as error:
            yield Defect(name, number, error.element, error.reason, line.encode("latin-1"))


def mbi_reference(*, synthetic: bool) -> Callable[[str], PersonReference]:
    """Makes references of the feed's identifiers. It raises :class:`FieldError`."""

    @lru_cache(maxsize=1 << 14)
    def reference(text: str) -> PersonReference:
        try:
            return PersonReference("mbi", normalise_mbi(text, synthetic=synthetic))
        except MbiError:
            raise FieldError("BENE_MBI_ID", "not_an_mbi") from None

    return reference


class BeneficiaryReader:
    """The records of CCLF8 and CCLF9, one line each."""

    _beneficiary = RecordParser.fixed_width("CCLF8", BENEFICIARY)
    _cross_reference = RecordParser.fixed_width("CCLF9", CROSS_REFERENCE)

    def __init__(self, source: Source) -> None:
        self._source = source
        self.reference = mbi_reference(synthetic=source.synthetic_identifiers)

    def mbi_change(self, line: str) -> MbiChange:
        """One CCLF9 row. Legacy HICN rows are not of this century's identifiers."""
        values = self._cross_reference(line)
        if values["indicator"] != _OF_AN_MBI:
            raise FieldError("HICN_MBI_XREF_IND", "legacy_identifier")
        return MbiChange(
            self._identifier(values["current"], "CRNT_NUM"),
            self._identifier(values["previous"], "PRVS_NUM"),
            values["obsolete_on"],
        )

    def _identifier(self, text: str, element: str) -> str:
        try:
            return self.reference(text).value
        except FieldError as error:
            raise FieldError(element, error.reason) from None

    def beneficiary(self, line: str) -> PersonRecord:
        """One CCLF8 row: a statement about exactly the month of the file."""
        values = self._beneficiary(line)
        reference = self.reference(values.pop("mbi"))
        state = USPS_OF_FIPS.get(values["state"] or "")
        try:
            return PersonRecord((reference,), state, self._coverage(values, state))
        except ValidationError as failure:
            raise field_error(failure, self._beneficiary.elements) from None

    def _coverage(self, values: dict[str, Any], state: str | None) -> MedicareCoverageStatedData:
        month = month_of(self._source.dated)
        span = MedicareCoverageSpan(
            first_month=month,
            last_month=month,
            entitlement_buy_in_code=values.pop("entitlement_buy_in_code"),
            medicare_status_code=values.pop("medicare_status_code"),
            dual_status_code=values.pop("dual_status_code"),
            county_fips=_county(values["state"], values["county"]),
            in_united_states=None if values["state"] is None else state is not None,
        )
        del values["state"], values["county"]
        return MedicareCoverageStatedData(
            person_id=UNRESOLVED_PERSON,
            state=state or self._source.default_state,
            source=CoverageSource.CCLF8,
            stated_on=self._source.dated,
            spans=(span,),
            **values,
        )


def _county(state: str | None, county: str | None) -> str | None:
    if state is None or state not in USPS_OF_FIPS or county is None:
        return None
    code = state + county.rjust(_COUNTY_DIGITS, "0")
    if not code.isdecimal():
        raise FieldError("BENE_FIPS_CNTY_CD", "not_a_county")
    return code
