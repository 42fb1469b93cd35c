"""Whether a remittance can be counted: it is dated, has a trace number, and adds up: the payment (BPR02) is the sum of what stands in its lines (RMR04).

RMR04 is the net of a line: where RMR05 is there, RMR05 and the adjustments (ADX01) make it up, so that adding them
again would count them twice. Source: ASC X12N 005010X218, BPR and loop 2300B.
"""

from collections.abc import Iterator

from contracts.money import dollars_text
from services.intake.readers.x12_segments import Segment
from services.intake.readers.x12_values import ElementError, day, required_amount
from services.intake.reading import Defect, RefusedDelivery

WATCHED = frozenset({"BPR", "TRN", "RMR"})
_DEBIT = "D"


class PaymentTotals:
    """One remittance."""

    def __init__(self) -> None:
        self._payment: Segment | None = None
        self._traced = False
        self._paid = 0
        self._summed = 0

    def take(self, segment: Segment) -> None:
        """Take BPR, TRN or RMR. Raises :class:`RefusedDelivery` for an amount or a day that is none."""
        if segment.name == "TRN":
            self._traced = self._traced or bool(segment.element(2))
        elif segment.name == "RMR":
            self._summed += _cents(segment, 4, "RMR04")
        else:
            cents = _cents(segment, 2, "BPR02")
            self._payment, self._paid = segment, -cents if segment.element(3) == _DEBIT else cents
            _require_day(segment)

    def judged(self, _file: str) -> Iterator[Defect]:
        """Refuse a remittance that does not add up."""
        if self._payment is None:
            raise RefusedDelivery("unverifiable_total", "there is no BPR")
        if not self._traced:
            raise RefusedDelivery("no_trace_number", "TRN02 is missing: no payment could be told from another")
        off = self._paid - self._summed
        if off:
            detail = f"BPR02 at segment {self._payment.number} is {dollars_text(off)} off the sum of RMR04"
            raise RefusedDelivery("total_does_not_match", detail)
        return iter(())


def _cents(segment: Segment, position: int, name: str) -> int:
    try:
        return required_amount(segment, position, name)
    except ElementError as error:
        raise RefusedDelivery("unverifiable_total", f"{name} at segment {segment.number}: {error.reason}") from None


def _require_day(segment: Segment) -> None:
    try:
        paid_on = day(segment, segment.element(16), "BPR16")
    except ElementError:
        paid_on = None
    if paid_on is None:
        raise RefusedDelivery("no_payment_date", f"BPR16 at segment {segment.number} is no day")
