"""What somebody says has become of an action: checked, kept, and put on the log, all or nothing.

A report counts from the next delivery on, so that nothing that was answered as known at an earlier one changes. It is kept at
once, and again, as the same, when the worker comes to it on the topic of reports: so it is there in a rebuild.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

import asyncpg

from contracts.care import CareActionReported, CareActionReportedData
from services.risk import care_actions, care_store
from services.risk.care_actions import Cut
from services.risk.rules.report_admissible import Known, Report, contradicts, incomplete
from services.runtime import outbox
from services.runtime.database import Connection


class Refused(NamedTuple):
    """Why a report was not taken."""

    kind: Literal["unknown", "incomplete", "contradicts"]
    reason: str


def _known(row: asyncpg.Record) -> Known:
    return Known(row["status"], row["by_claim"], row["raised_on"])


def _event(  # noqa: PLR0913, PLR0917 - what is said, about what, when
    row: asyncpg.Record, report: Report, reported_by: str, cut: Cut, number: int, at: datetime
) -> CareActionReported:
    data = CareActionReportedData(
        person_id=row["person_id"],
        state=row["state"],
        action_id=row["action_id"],
        action=row["kind"],
        verdict=report.verdict,
        done_on=report.done_on,
        dismissal_reason=report.dismissal_reason,
        reported_by=reported_by,
    )
    return CareActionReported.of(
        service="risk",
        key=row["person_id"],
        version=f"{row['action_id']}:{number}",
        time=at,
        delivery_id=cut.delivery_id,
        sequence=cut.sequence + 1,
        data=data,
    )


async def take_report(
    connection: Connection, action_id: str, report: Report, reported_by: str, now: datetime
) -> Refused | None:
    """Take a report, inside a transaction; the same once more is no second one."""
    cut = await care_actions.last_cut(connection)
    row = await care_actions.action(connection, action_id)
    if cut is None or row is None:
        return Refused("unknown", "There is no such action.")
    wrong = incomplete(report, row["raised_on"], now.date())
    if wrong is not None:
        return Refused("incomplete", wrong)
    earlier = await care_actions.reports(connection, action_id)
    if earlier and Report(*(earlier[-1][name] for name in Report._fields)) == report:
        return None
    against = contradicts(report, _known(row))
    if against is not None:
        return Refused("contradicts", against)
    # Reports about one action are in the order in which they were taken, whatever clocks say.
    at = max(now, earlier[-1]["reported_at"] + timedelta(microseconds=1)) if earlier else now
    # Those of another name come and go with what is known of who is who: only its own number an action's reports.
    number = 1 + sum(one["action_id"] == action_id for one in earlier)
    event = _event(row, report, reported_by, cut, number, at.astimezone(UTC))
    await care_store.insert_report(connection, event)
    await outbox.queue(connection, [outbox.outgoing(event)])
    return None
