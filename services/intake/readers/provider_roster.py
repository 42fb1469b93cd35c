"""The entity's participant list, version 1. The whole list is one statement, in pages that fit into an event."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from contracts.months import month_of
from contracts.provider import ParticipantProvider, ProviderRosterStatedData
from services.intake.readers.fields import Unreadable, compact_day, npi, required, text, upper
from services.intake.readers.records import Column, FieldError, RecordParser, field_error
from services.intake.readers.trailed_csv import TrailedCsv
from services.intake.reading import Defect, EntityRecord, Reading, RefusedDelivery, Source

PROVIDERS_A_PAGE = 500
_COUNTY_DIGITS = 5


def _county(field: str) -> str | None:
    trimmed = text(field)
    if trimmed is not None and not (len(trimmed) == _COUNTY_DIGITS and trimmed.isdecimal()):
        raise Unreadable("not_a_county")
    return trimmed


COLUMNS = (
    Column("entity_id", "DCE_ID", required(upper)),
    Column("npi", "NPI", required(npi)),
    Column("specialty_code", "SPCLTY_CD", text),
    Column("county_fips", "CNTY_FIPS_CD", _county),
    Column("first_day", "EFCTV_DT", required(compact_day)),
    Column("last_day", "TERM_DT", compact_day),
)


def read(source: Source) -> Iterator[Reading]:
    """Defects first, then the pages. A list is some thousand rows: it is held whole.

    Raises :class:`services.intake.reading.RefusedDelivery`.
    """
    path = source.paths[0]
    _, entity, state, *_ = path.name.split(".")
    rows = TrailedCsv(path)
    try:
        parser = RecordParser.delimited(rows.header, COLUMNS)
    except FieldError as error:
        raise RefusedDelivery("missing_column", f"the file has no column {error.element}") from error
    providers: list[ParticipantProvider] = []
    for number, row in rows:
        try:
            providers.append(_provider(parser, row, entity))
        except FieldError as error:
            yield Defect(path.name, number, error.element, error.reason, ",".join(row).encode("latin-1"))
    yield from _pages(source, entity, state, providers)


def _provider(parser: RecordParser, row: list[str], entity: str) -> ParticipantProvider:
    values: dict[str, Any] = parser(row)
    if values.pop("entity_id") != entity:
        raise RefusedDelivery("mislabelled_file", "the rows are of another entity than the file's name")
    first_day, last_day = values.pop("first_day"), values.pop("last_day")
    if last_day is not None and last_day < first_day:
        raise FieldError("TERM_DT", "ends_before_it_begins")
    try:
        return ParticipantProvider(
            first_month=month_of(first_day), last_month=None if last_day is None else month_of(last_day), **values
        )
    except ValidationError as failure:
        raise field_error(failure, parser.elements) from None


def _pages(source: Source, entity: str, state: str, providers: list[ParticipantProvider]) -> Iterator[EntityRecord]:
    counties = tuple(sorted({provider.county_fips for provider in providers if provider.county_fips}))
    shares = [providers[start : start + PROVIDERS_A_PAGE] for start in range(0, len(providers), PROVIDERS_A_PAGE)]
    for page, share in enumerate(shares or [[]], start=1):
        yield EntityRecord(
            ProviderRosterStatedData(
                entity_id=entity,
                state=state,
                stated_on=source.dated,
                page=page,
                pages=max(1, len(shares)),
                service_area_counties=counties,
                providers=tuple(share),
            )
        )
