"""Medicare's Claim and Claim Line Feed: one zip of fixed-width files, every month.

CCLF9 comes first, so that changed MBIs are known before they are used; then CCLF8, one month's snapshot of each
person; both are read line by line. The files about claims (1-7, A and B) are read together and at once, by
:mod:`services.intake.readers.cclf_engine`. Source: CCLF Information Packet v36.0.
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
from services.intake.readers.cclf_columns import BENEFICIARY, CROSS_REFERENCE
from services.intake.readers.cclf_control import Member, checked_members, fixed_width_lines
from services.intake.readers.cclf_engine import ClaimEngine
from services.intake.readers.masking import shape_of
from services.intake.readers.records import FieldError, RecordParser, field_error, layout, record_length
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
from services.intake.states import USPS_OF_FIPS

_OF_AN_MBI = "M"
_COUNTY_DIGITS = 3

Reads = Callable[[str], Iterator[Reading]]


def read(source: Source) -> Iterator[Reading]:
    """Every reading of one CCLF delivery. Raises :class:`services.intake.reading.RefusedDelivery`."""
    path = source.paths[0]
    with opened(path) as archive:
        found = checked_members(archive, path.name)
        reader = BeneficiaryReader(source)
        yield from _each_line(archive, found.pop("CCLF9"), reader.mbi_change)
        yield from _each_line(archive, found.pop("CCLF8"), reader.beneficiary)
        yield from ClaimEngine(archive, found, source.synthetic_identifiers).readings()


def _each_line(archive: zipfile.ZipFile, member: Member, reads: Reads) -> Iterator[Reading]:
    places = {element.label: slice(element.start - 1, element.end) for element in layout(member.file)}
    whole = record_length(member.file)
    for number, line in fixed_width_lines(archive, member):
        try:
            if len(line) != member.length:
                raise FieldError(None, "wrong_length")  # noqa: TRY301 - told as every other fault of the line
            # What an older packet's record does not hold was not given.
            yield from reads(line.ljust(whole))
        except FieldError as error:
            found = shape_of(line[places[error.element]] if error.element else line)
            expected = None if error.element else f"{member.length} characters"
            raw = line.encode("latin-1")
            yield Defect(member.info.filename, number, error.element, error.reason, raw, found, expected)


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

    def mbi_change(self, line: str) -> Iterator[Reading]:
        """One CCLF9 row. Legacy HICN rows are not of this century's identifiers."""
        values = self._cross_reference(line)
        if values["indicator"] != _OF_AN_MBI:
            raise FieldError("HICN_MBI_XREF_IND", "legacy_identifier")
        yield MbiChange(
            self._identifier(values["current"], "CRNT_NUM"),
            self._identifier(values["previous"], "PRVS_NUM"),
            values["obsolete_on"],
        )

    def _identifier(self, text: str, element: str) -> str:
        try:
            return self.reference(text).value
        except FieldError as error:
            raise FieldError(element, error.reason) from None

    def beneficiary(self, line: str) -> Iterator[Reading]:
        """One CCLF8 row: a statement about exactly the month of the file, and who the person is."""
        values = self._beneficiary(line)
        reference = self.reference(values.pop("mbi"))
        family, given = values.pop("family_name"), values.pop("given_name")
        state = USPS_OF_FIPS.get(values["state"] or "")
        try:
            record = PersonRecord((reference,), state, self._coverage(dict(values), state))
        except ValidationError as failure:
            raise field_error(failure, self._beneficiary.elements) from None
        if family is not None or given is not None:
            yield Demographics(reference, family, given, values["birth_date"], values["sex_code"])
        yield record

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
