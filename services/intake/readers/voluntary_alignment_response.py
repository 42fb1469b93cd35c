"""CMS's answer to signed attestation forms: which designations of a primary clinician it took, and which not and why.

Quarterly (GPDC participation agreement, "Prospective Plus Alignment"). The columns are data
(``policy/report_columns_voluntary_alignment_response.toml``), because no layout is published.
"""

from collections.abc import Iterator
from typing import Any

from contracts.alignment import DesignationRecordedData
from services.intake.readers.listed_fields import period
from services.intake.readers.listed_files import listed, mbi_reference, require_own
from services.intake.readers.records import FieldError
from services.intake.reading import UNRESOLVED_PERSON, PersonRecord, Reading, Source
from services.intake.rules.npi_check_digit import npi_check_digit_holds


def read(source: Source) -> Iterator[Reading]:
    """Every form's answer as a record. Raises :class:`services.intake.reading.RefusedDelivery`."""
    yield from listed(source, _Responses(source).readings)


class _Responses:
    """The rows of one file: all of one entity and quarter, those that the file's name says."""

    def __init__(self, source: Source) -> None:
        self._source = source
        _, self._entity, named, *_ = source.paths[0].name.split(".")
        self._period = period(named) or ""

    def readings(self, values: dict[str, Any]) -> Iterator[Reading | FieldError]:
        """The answer to one form."""
        require_own(values, self._entity, "period", self._period)
        reference = mbi_reference(self._source, values.pop("mbi"))
        del values["period"]
        self._require_sound(values)
        payload = DesignationRecordedData(
            person_id=UNRESOLVED_PERSON, state=self._source.default_state, channel="signed_form", **values
        )
        if payload.clinician_npi is not None and not npi_check_digit_holds(payload.clinician_npi):
            yield FieldError("clinician_npi", "npi_check_digit")
        yield PersonRecord((reference,), None, payload)

    def _require_sound(self, values: dict[str, Any]) -> None:
        if values["signed_on"] > self._source.dated:
            raise FieldError("signed_on", "after_the_file")
        if values["response"] == "accepted" and values["rejection_reason"] is not None:
            raise FieldError("rejection_reason", "reason_without_rejection")
