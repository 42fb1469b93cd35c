"""Which reports about an action are taken."""

from datetime import date
from typing import Any

import pytest

from services.risk.rules.report_admissible import Known, Report, contradicts, incomplete

RAISED, TODAY = date(2022, 10, 5), date(2022, 12, 1)
WHOLE: list[tuple[Report, str | None]] = [
    (Report("done", date(2022, 11, 1)), None),
    (Report("done", TODAY), None),
    (Report("done", date(2022, 9, 1)), None),
    (Report("done"), "done_on goes with"),
    (Report("done", date(2022, 12, 2)), "future"),
    (Report("done", date(2021, 9, 1)), "more than a year"),
    (Report("done", TODAY, "declined"), "dismissal_reason goes with"),
    (Report("dismissed", None, "declined"), None),
    (Report("dismissed"), "dismissal_reason goes with"),
    (Report("dismissed", TODAY, "declined"), "done_on goes with"),
    (Report("reopened"), None),
    (Report("reopened", TODAY), "done_on goes with"),
]


@pytest.mark.parametrize(("report", "wrong"), WHOLE)
def test_a_report_is_whole_and_possible(report: Report, wrong: str | None) -> None:
    found = incomplete(report, RAISED, TODAY)
    assert found is None if wrong is None else wrong in (found or "")


DONE, DISMISSED, REOPENED = Report("done", TODAY), Report("dismissed", None, "declined"), Report("reopened")
STANDING: list[tuple[Any, bool, Report, bool]] = [
    ("open", False, DONE, True),
    ("open", False, DISMISSED, True),
    ("open", False, REOPENED, False),
    ("lapsed", False, DONE, True),
    ("done", False, REOPENED, True),
    ("done", False, DISMISSED, False),
    ("dismissed", False, DONE, False),
    ("dismissed", False, REOPENED, True),
    ("done", True, REOPENED, False),
    ("done", True, DISMISSED, False),
    ("withdrawn", False, DONE, False),
]


@pytest.mark.parametrize(("status", "by_claim", "report", "taken"), STANDING)
def test_a_report_does_not_contradict_what_stands(status: Any, by_claim: bool, report: Report, taken: bool) -> None:  # noqa: FBT001
    assert (contradicts(report, Known(status, by_claim, RAISED)) is None) is taken
