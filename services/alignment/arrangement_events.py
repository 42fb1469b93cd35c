"""What is told to others about arrangements and differences: everything known of a person since a delivery, in parts."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, cast

from contracts.arrangements import ArrangementMonth, ArrangementsDecided, ArrangementsDecidedData
from contracts.reconciliation import (
    Outcome,
    ReconciledMonth,
    ReconciliationDiffered,
    ReconciliationDifferedData,
    Side,
)
from services.alignment.arrangement_store import ArrangementRow, DifferenceRow, standings_of
from services.alignment.known_person import Forecast
from services.alignment.store import Delivery
from services.runtime.service import Transaction

# The events take no more months than this.
_MOST_MONTHS = 240
Row = TypeVar("Row", ArrangementRow, DifferenceRow)
Deliveries = dict[int, Delivery]


class Telling:
    """One person's news since a delivery. ``state``: of whose state it is."""

    def __init__(
        self, person_id: str, state: str, since: int, deliveries: Deliveries, transaction: Transaction
    ) -> None:
        self._about = (person_id, state, since)
        self._deliveries = deliveries
        self._transaction = transaction

    def arrangements(self, rows: Sequence[ArrangementRow], revision: int, *, restates: bool) -> int:
        """Tell standings. Gives the newest revision."""
        return self._tell(rows, revision, restates, self._arranged)

    def differences(self, rows: Sequence[DifferenceRow], revision: int, *, restates: bool) -> int:
        """Tell differences. Gives the newest revision."""
        return self._tell(rows, revision, restates, self._differed)

    def _tell(
        self,
        rows: Sequence[Row],
        revision: int,
        restates: bool,  # noqa: FBT001 - handed on
        publish: Callable[[Sequence[Row], int, int, bool], None],
    ) -> int:
        if not rows and not restates:
            return revision
        newest = max([row.sequence for row in rows], default=self._about[2])
        for place, part in enumerate(_parts(rows)):
            revision += 1
            publish(part, revision, newest, place > 0)
        return revision

    def _arranged(self, rows: Sequence[ArrangementRow], revision: int, newest: int, continues: bool) -> None:  # noqa: FBT001
        person_id, state, since = self._about
        data = ArrangementsDecidedData(
            person_id=person_id,
            state=state,
            revision=revision,
            known_from=since,
            continues=continues,
            months=tuple(map(_arrangement_month, rows)),
        )
        delivery = self._deliveries[newest]
        self._transaction.publish(
            ArrangementsDecided.of(
                service="alignment",
                key=person_id,
                version=str(revision),
                time=delivery.received_at,
                delivery_id=delivery.delivery_id,
                sequence=newest,
                data=data,
            )
        )

    def _differed(self, rows: Sequence[DifferenceRow], revision: int, newest: int, continues: bool) -> None:  # noqa: FBT001
        person_id, state, since = self._about
        data = ReconciliationDifferedData(
            person_id=person_id,
            state=state,
            revision=revision,
            known_from=since,
            continues=continues,
            months=tuple(map(_reconciled_month, rows)),
        )
        delivery = self._deliveries[newest]
        self._transaction.publish(
            ReconciliationDiffered.of(
                service="alignment",
                key=person_id,
                version=str(revision),
                time=delivery.received_at,
                delivery_id=delivery.delivery_id,
                sequence=newest,
                data=data,
            )
        )


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, max(len(rows), 1), _MOST_MONTHS):
        yield rows[start : start + _MOST_MONTHS]


def _arrangement_month(row: ArrangementRow) -> ArrangementMonth:
    return ArrangementMonth(
        month=row.month,
        known_since=row.sequence,
        county_fips=row.county_fips,
        standings=standings_of(row.standings),
        open_reasons=tuple(row.open_reasons),
    )


def _reconciled_month(row: DifferenceRow) -> ReconciledMonth:
    theirs = (row.their_reason,) if row.their_reason else ()
    return ReconciledMonth(
        entity_id=row.entity_id,
        month=row.month,
        known_since=row.sequence,
        outcome=cast("Outcome", row.outcome),
        theirs=Side(aligned=row.theirs, reasons=theirs, evidence=tuple(row.their_evidence)),
        ours=Side(aligned=row.ours, reasons=tuple(row.our_reasons), evidence=tuple(row.our_evidence)),
        forecast=cast("Forecast", row.forecast),
    )
