"""Whether a report about a care action can be taken: what it says must be whole, possible, and not already so.

Source: convention of this product. What a claim has shown, nobody can report away; what somebody reported, somebody can take
back; an action whose reason is gone is no longer anybody's work.
"""

from datetime import date
from typing import Literal, NamedTuple

from contracts.care import DismissalReason, Verdict

Status = Literal["open", "done", "dismissed", "lapsed", "withdrawn"]
# How long before it was raised something may have been done: the action did not know of it.
_EARLIEST_DAYS = 366


class Report(NamedTuple):
    """What somebody says."""

    verdict: Verdict
    done_on: date | None = None
    dismissal_reason: DismissalReason | None = None


class Known(NamedTuple):
    """What is known of the action. ``by_claim``: that it is done, a claim shows."""

    status: Status
    by_claim: bool
    raised_on: date


def incomplete(report: Report, raised_on: date, today: date) -> str | None:
    """What is wrong with the report in itself."""
    if (report.done_on is not None) != (report.verdict == "done"):
        return "done_on goes with the verdict done, and with no other."
    if (report.dismissal_reason is not None) != (report.verdict == "dismissed"):
        return "dismissal_reason goes with the verdict dismissed, and with no other."
    if report.done_on is not None and not (report.done_on - raised_on).days >= -_EARLIEST_DAYS:
        return "done_on lies more than a year before the action was raised."
    return "done_on lies in the future." if report.done_on is not None and report.done_on > today else None


def contradicts(report: Report, known: Known) -> str | None:
    """Why the action cannot take the report as it stands."""
    if known.by_claim:
        return "A claim shows this action done."
    if known.status == "withdrawn":
        return "This action was withdrawn."
    reported = known.status in {"done", "dismissed"}
    if report.verdict == "reopened":
        return None if reported else "Only what was reported can be reopened."
    return f"This action was reported {known.status} already; reopen it first." if reported else None
