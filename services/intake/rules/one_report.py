"""All that one alignment report says about one person, as one statement: it replaces what older reports said.

A report has a row for every aligned span, and may name a person by an old and a new MBI.
"""

from collections.abc import Iterable, Sequence

from contracts.alignment import AlignmentReportedData, ReportedSpan


def one_report(rows: Sequence[AlignmentReportedData]) -> AlignmentReportedData:
    """The rows' spans together, oldest first, doubles once; every other field as the row of the newest span has it."""
    newest = max(rows, key=lambda row: row.spans[-1].first_month)
    spans: dict[ReportedSpan, None] = dict.fromkeys(span for row in rows for span in row.spans)
    return newest.model_copy(
        update={
            "spans": tuple(sorted(spans, key=lambda span: (span.first_month, span.last_month or "9999-12"))),
            # Someone who opted out under one of their numbers has opted out.
            "data_sharing_opt_out": _any_known(row.data_sharing_opt_out for row in rows),
            "administrative_opt_out": _any_known(row.administrative_opt_out for row in rows),
        }
    )


def _any_known(answers: Iterable[bool | None]) -> bool | None:
    known = [answer for answer in answers if answer is not None]
    return any(known) if known else None
