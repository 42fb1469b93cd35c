"""What statements say that no decision rests on: kept with the fact, shown with it, told in plain values.

A value that is ``None``, and a mark that is not set, are left out.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from contracts.alignment import (
    AlignmentReportedData,
    DesignationRecordedData,
    ProviderAlignmentReportedData,
    SharingPreferenceStatedData,
)

SayingData = (
    AlignmentReportedData | DesignationRecordedData | ProviderAlignmentReportedData | SharingPreferenceStatedData
)
# Values are texts, numbers, truth values, or tuples of texts.
Said = tuple[tuple[str, Any], ...]

_FIELDS: Mapping[type[SayingData], tuple[str, ...]] = {
    AlignmentReportedData: (
        "basis",
        "performance_year",
        "data_sharing_opt_out",
        "administrative_opt_out",
        "alignment_year",
        "part_d_covered",
        "high_needs_criteria",
    ),
    DesignationRecordedData: ("channel", "withdrawn", "clinician_npi", "response", "rejection_reason"),
    ProviderAlignmentReportedData: ("period", "basis", "npis"),
    SharingPreferenceStatedData: (
        "shares_claims",
        "shares_claims_from",
        "source_code",
        "shares_substance_use",
        "shares_substance_use_from",
        "substance_use_source_code",
    ),
}


def said_in(data: SayingData) -> Said:
    """What a statement says besides what is decided upon, in the order of its fields."""
    return tuple(_said(data, _FIELDS[type(data)]))


def _said(data: SayingData, fields: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for field in fields:
        value = getattr(data, field)
        if value is not None and not (field == "withdrawn" and value is False):
            yield field, value.isoformat() if isinstance(value, date) else value


def said_again(stored: Mapping[str, Any]) -> Said:
    """The inverse of writing it as a JSON object."""
    return tuple((field, tuple(value) if isinstance(value, list) else value) for field, value in stored.items())
