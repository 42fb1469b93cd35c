"""The provider alignment report: the participants whose care aligned each person to the entity.

Annual under prospective alignment, quarterly under Prospective Plus (GPDC participation agreement, "Beneficiary
Alignment Data"). The columns are data (``policy/report_columns_provider_alignment_report.toml``), because no layout is
published. One row a person and participant, or a person with all of them; rows of one person are brought together.
"""

from collections.abc import Iterator
from typing import Any

from contracts.alignment import ProviderAlignmentReportedData
from services.intake.readers.listed_fields import period
from services.intake.readers.listed_files import listed, mbi_reference, require_own
from services.intake.readers.records import FieldError
from services.intake.reading import UNRESOLVED_PERSON, PersonRecord, Reading, RefusedDelivery, Source
from services.intake.rules.npi_check_digit import npi_check_digit_holds


def read(source: Source) -> Iterator[Reading]:
    """Every row as a record of its own. Raises :class:`services.intake.reading.RefusedDelivery`."""
    yield from listed(source, _Report(source).readings)


class _Report:
    """The rows of one report: all of one entity and period, those that the file's name says."""

    def __init__(self, source: Source) -> None:
        self._source = source
        _, self._entity, named, *_ = source.paths[0].name.split(".")
        self._period = period(named) or ""
        if int(self._period[:4]) > source.dated.year + 1:
            raise RefusedDelivery("wrong_period", "the report's period lies after the day of the file")

    def readings(self, values: dict[str, Any]) -> Iterator[Reading | FieldError]:
        """Whose care aligned one person."""
        require_own(values, self._entity, "period", self._period)
        reference = mbi_reference(self._source, values.pop("mbi"))
        payload = ProviderAlignmentReportedData(
            person_id=UNRESOLVED_PERSON,
            state=self._source.default_state,
            stated_on=self._source.dated,
            **values,
        )
        if not all(map(npi_check_digit_holds, payload.npis)):
            yield FieldError("npis", "npi_check_digit")
        yield PersonRecord((reference,), None, payload)
