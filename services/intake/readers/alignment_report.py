"""The monthly alignment report, version 1: who is aligned to the entity, since when, until when and why not.

One row a person and aligned span; the spans of one person are brought together when people are resolved.
"""

from collections.abc import Callable, Iterator
from typing import Any

from pydantic import ValidationError

from contracts.alignment import AlignmentReportedData, ReportedSpan
from contracts.identifiers import MbiError, normalise_mbi
from contracts.months import month_of
from services.intake.readers.fields import Unreadable, compact_day, one_of, required, text, upper, whole_number
from services.intake.readers.records import Column, FieldError, RecordParser, field_error
from services.intake.readers.trailed_csv import TrailedCsv
from services.intake.reading import (
    UNRESOLVED_PERSON,
    Defect,
    PersonRecord,
    PersonReference,
    Reading,
    RefusedDelivery,
    Source,
)


def _month(field: str) -> str | None:
    trimmed = text(field)
    day = None if trimmed is None else compact_day(f"{trimmed}01")
    if trimmed is not None and day is None:
        raise Unreadable("not_a_month")
    return None if day is None else month_of(day)


COLUMNS = (
    Column("report_month", "REPORT_MONTH", required(_month)),
    Column("entity_id", "DCE_ID", required(upper)),
    Column("mbi", "BENE_MBI_ID", required(upper)),
    Column("first_day", "ALGNMT_EFCTV_DT", required(compact_day)),
    Column("last_day", "ALGNMT_TERM_DT", compact_day),
    Column("removal_reason", "RMVL_RSN_CD", text),
    Column("basis", "ALGNMT_TYPE_CD", one_of(CLAIMS="claims", VOLUNTARY="voluntary", ROSTER="roster")),
    Column("performance_year", "PRFRMNC_YR", whole_number),
    Column("data_sharing_opt_out", "DATA_SHRNG_OPT_OUT_IND", one_of(Y=True, N=False)),
)


def read(source: Source) -> Iterator[Reading]:
    """Every row as a record of its own. Raises :class:`services.intake.reading.RefusedDelivery`."""
    yield from rows_of(source, COLUMNS, lambda parser: _Report(source, parser).record)


def rows_of(
    source: Source, columns: tuple[Column, ...], reads: Callable[[RecordParser], Callable[[list[str]], Reading]]
) -> Iterator[Reading]:
    """The rows of a file with a trailer, those that cannot be read as defects."""
    path = source.paths[0]
    rows = TrailedCsv(path)
    try:
        read_row = reads(RecordParser.delimited(rows.header, columns))
    except FieldError as error:
        raise RefusedDelivery("missing_column", f"the file has no column {error.element}") from error
    for number, row in rows:
        try:
            yield read_row(row)
        except FieldError as error:
            yield Defect(path.name, number, error.element, error.reason, ",".join(row).encode("latin-1"))


class _Report:
    """The rows of one report: all of one entity and month, those that the file's name says."""

    def __init__(self, source: Source, parser: RecordParser) -> None:
        self._source = source
        self._parser = parser
        _, self._entity, month, *_ = source.paths[0].name.split(".")
        self._month = f"{month[:4]}-{month[4:6]}"

    def record(self, row: list[str]) -> PersonRecord:
        """One span of one person."""
        values = self._parser(row)
        self._require_own(values)
        reference = self._reference(values.pop("mbi"))
        try:
            return PersonRecord((reference,), None, self._stated(values))
        except ValidationError as failure:
            raise field_error(failure, self._parser.elements) from None

    def _require_own(self, values: dict[str, Any]) -> None:
        if values["entity_id"] != self._entity or values["report_month"] != self._month:
            raise RefusedDelivery("mislabelled_file", "the rows are of another entity or month than the file's name")

    def _reference(self, mbi: str) -> PersonReference:
        try:
            return PersonReference("mbi", normalise_mbi(mbi, synthetic=self._source.synthetic_identifiers))
        except MbiError:
            raise FieldError("BENE_MBI_ID", "not_an_mbi") from None

    def _stated(self, values: dict[str, Any]) -> AlignmentReportedData:
        first_day, last_day = values.pop("first_day"), values.pop("last_day")
        if last_day is not None and last_day < first_day:
            raise FieldError("ALGNMT_TERM_DT", "ends_before_it_begins")
        span = ReportedSpan(
            first_month=month_of(first_day),
            last_month=None if last_day is None else month_of(last_day),
            removal_reason=values.pop("removal_reason"),
        )
        return AlignmentReportedData(
            person_id=UNRESOLVED_PERSON,
            state=self._source.default_state,
            stated_on=self._source.dated,
            spans=(span,),
            **values,
        )
