"""The entity's participant list. The whole list is one statement, in pages that fit into an event.

The columns are data (``policy/report_columns_provider_roster.toml``), because no layout is published.
"""

from collections.abc import Iterator
from typing import Any

from contracts.months import month_of
from contracts.provider import ParticipantProvider, ProviderRosterStatedData
from services.intake.readers.listed_files import listed, require_own
from services.intake.readers.records import FieldError
from services.intake.reading import EntityRecord, Reading, Source
from services.intake.rules.npi_check_digit import npi_check_digit_holds

PROVIDERS_A_PAGE = 500


def read(source: Source) -> Iterator[Reading]:
    """Defects first, then the pages. A list is some thousand rows: it is held whole.

    Raises :class:`services.intake.reading.RefusedDelivery`.
    """
    roster = _Roster(source)
    yield from listed(source, roster.take)
    yield from roster.pages()


class _Roster:
    """The participants of one entity, as far as read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        _, self._entity, self._state, *_ = source.paths[0].name.split(".")
        self._providers: dict[ParticipantProvider, None] = {}

    def take(self, values: dict[str, Any]) -> Iterator[FieldError]:
        """Keep one participant; tell what is doubtful about the row."""
        require_own(values, self._entity)
        del values["entity_id"]
        provider = _provider(values)
        if provider in self._providers:
            yield FieldError("npi", "duplicate_row")
            return
        if not npi_check_digit_holds(provider.npi):
            yield FieldError("npi", "npi_check_digit")
        self._providers[provider] = None

    def pages(self) -> Iterator[EntityRecord]:
        """The list in pages, at least one: an empty list is a statement too."""
        providers = list(self._providers)
        counties = tuple(sorted({provider.county_fips for provider in providers if provider.county_fips}))
        shares = [providers[start : start + PROVIDERS_A_PAGE] for start in range(0, len(providers), PROVIDERS_A_PAGE)]
        for page, share in enumerate(shares or [[]], start=1):
            yield EntityRecord(
                ProviderRosterStatedData(
                    entity_id=self._entity,
                    state=self._state,
                    stated_on=self._source.dated,
                    page=page,
                    pages=max(1, len(shares)),
                    service_area_counties=counties,
                    providers=tuple(share),
                )
            )


def _provider(values: dict[str, Any]) -> ParticipantProvider:
    first_day, last_day = values.pop("first_day"), values.pop("last_day")
    if last_day is not None and last_day < first_day:
        raise FieldError("last_day", "ends_before_it_begins")
    return ParticipantProvider(
        first_month=month_of(first_day), last_month=None if last_day is None else month_of(last_day), **values
    )
