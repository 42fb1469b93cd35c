"""The monthly alignment report: who is aligned to the entity, since when, until when and why not.

One row a person and aligned span; the spans of one person are brought together when people are resolved. Content as the
GPDC and ACO REACH participation agreements list it ("Beneficiary Alignment Data"); the columns are data
(``policy/report_columns_alignment_report.toml``), because no layout is published.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from contracts.alignment import AlignmentReportedData, ReportedSpan
from contracts.months import month_index, month_of
from services.intake.readers.listed_files import listed, mbi_reference, require_own
from services.intake.readers.records import FieldError
from services.intake.reading import (
    UNRESOLVED_PERSON,
    Demographics,
    PersonRecord,
    PersonReference,
    Reading,
    RefusedDelivery,
    Source,
)

# A report may be sent shortly before its month begins.
_MONTHS_AHEAD = 1
_WHO = ("family_name", "given_name", "birth_date", "sex_code")


def read(source: Source) -> Iterator[Reading]:
    """Every row as a record of its own. Raises :class:`services.intake.reading.RefusedDelivery`."""
    yield from listed(source, _Report(source).readings)


class _Report:
    """The rows of one report: all of one entity and month, those that the file's name says."""

    def __init__(self, source: Source) -> None:
        self._source = source
        _, self._entity, month, *_ = source.paths[0].name.split(".")
        self._month = f"{month[:4]}-{month[4:6]}"
        if month_index(self._month) > month_index(month_of(source.dated)) + _MONTHS_AHEAD:
            raise RefusedDelivery("wrong_period", "the report's month lies after the day of the file")

    def readings(self, values: dict[str, Any]) -> Iterator[Reading | FieldError]:
        """One span of one person, and who the person is where the report says so."""
        require_own(values, self._entity, "report_month", self._month)
        reference = mbi_reference(self._source, values.pop("mbi"))
        state = values.pop("state", None)
        who = {name: values.pop(name, None) for name in _WHO}
        payload = AlignmentReportedData(
            person_id=UNRESOLVED_PERSON,
            state=state or self._source.default_state,
            stated_on=self._source.dated,
            spans=(_span(values),),
            **values,
        )
        if any(who.values()):
            yield _demographics(reference, who, self._source.dated)
        yield PersonRecord((reference,), state, payload)


def _demographics(reference: PersonReference, who: dict[str, Any], dated: date) -> Demographics:
    if who["birth_date"] is not None and who["birth_date"] > dated:
        raise FieldError("birth_date", "after_the_file")
    return Demographics(reference, **who)


def _span(values: dict[str, Any]) -> ReportedSpan:
    first_day, last_day = values.pop("first_day"), values.pop("last_day", None)
    if last_day is not None and last_day < first_day:
        raise FieldError("last_day", "ends_before_it_begins")
    removed_from, status = values.pop("removed_from", None), values.pop("status", None)
    _require_agreement(status, removed_from, first_day)
    if removed_from is not None:
        # A removal from the first day on takes the whole span back: its last month lies before its first.
        last_day = removed_from - timedelta(days=1)
    return ReportedSpan(
        first_month=month_of(first_day),
        last_month=None if last_day is None else month_of(last_day),
        removal_reason=values.pop("removal_reason"),
    )


def _require_agreement(status: str | None, removed_from: date | None, first_day: date) -> None:
    if status == "removed" and removed_from is None:
        raise FieldError("removed_from", "missing")
    if status == "aligned" and removed_from is not None:
        raise FieldError("removed_from", "contradicts_status")
    if removed_from is not None and removed_from < first_day:
        raise FieldError("removed_from", "ends_before_it_begins")
