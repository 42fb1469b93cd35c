"""A first look through a state's file: how many rows it holds, and how far it knows."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import accumulate

from contracts.months import month_index, month_of
from services.intake.readers.fields import Unreadable, whole_number
from services.intake.readers.state_mapping import Horizon, StateMapping
from services.intake.readers.state_rows import StateRowParser
from services.intake.readers.tables import CsvTable, Numbered
from services.intake.reading import RefusedDelivery

_TRAILER = "TRL"
_TRAILER_WIDTHS = (2, 3)
_MONTH_DIGITS = 6
_PERCENT = 100


@dataclass(slots=True)
class Survey:
    """Rows in the file, the month that its trailer names, and how many rows begin or cease to cover at each month."""

    rows: int = 0
    trailer_line: int | None = None
    through: str | None = None
    _steps: Counter[int] = field(default_factory=Counter)

    @classmethod
    def of(cls, table: CsvTable, mapping: StateMapping, parser: StateRowParser, delivered: int) -> "Survey":
        """Look through the whole file. Raises :class:`RefusedDelivery` where its trailer does not hold."""
        survey = cls()
        announced: str | None = None
        for number, cells in table.rows():
            if announced is not None:
                raise RefusedDelivery("truncated_file", "there are rows after the trailer")
            if mapping.trailer and len(cells) in _TRAILER_WIDTHS and cells[0].strip() == _TRAILER:
                announced, survey.trailer_line = cells[1], number
                survey.through = cells[2].strip() if len(cells) == max(_TRAILER_WIDTHS) else None
                continue
            survey.rows += 1
            survey._count(parser.days(cells), delivered)
        if mapping.trailer:
            survey._check(announced)
        return survey

    def data_rows(self, table: CsvTable) -> Iterator[Numbered]:
        """The rows again, without the trailer."""
        return ((number, cells) for number, cells in table.rows() if number != self.trailer_line)

    def _count(self, days: tuple[date, date | None] | None, delivered: int) -> None:
        if days is None:
            return
        first, last = (None if day is None else month_index(month_of(day)) for day in days)
        if first is not None and first <= delivered and (last is None or last >= first):
            self._steps[first] += 1
            self._steps[min(delivered, delivered if last is None else last) + 1] -= 1

    def _check(self, announced: str | None) -> None:
        if announced is None:
            raise RefusedDelivery("truncated_file", "the last line is no trailer")
        try:
            count = whole_number(announced)
        except Unreadable:
            count = None
        if count != self.rows:
            raise RefusedDelivery("wrong_record_count", f"the file holds {self.rows} rows, its trailer says otherwise")

    def covered(self) -> dict[int, int]:
        """How many rows cover each month, up to the month of delivery."""
        if not self._steps:
            return {}
        months = range(min(self._steps), max(self._steps))
        return dict(zip(months, accumulate(self._steps[month] for month in months), strict=True))


def horizon_of(mapping: StateMapping, survey: Survey, named: Mapping[str, str], dated: date) -> int:
    """The last month of which the file knows. Raises :class:`RefusedDelivery` where nothing says which, or it is ahead."""
    delivered = month_index(month_of(dated))
    match mapping.horizon.rule:
        case "file_name":
            found = _month("the file's name", named.get("through"))
        case "trailer":
            found = _month("the trailer", survey.through)
        case "delivery_month":
            found = delivered
        case "month_before_delivery":
            found = delivered - 1
        case "latest_covered_month":
            found = _latest_covered(survey.covered(), mapping.horizon)
    if found > delivered:
        raise RefusedDelivery("wrong_period", "the file says that it knows of months after its own date")
    return found


def _month(where: str, digits: str | None) -> int:
    """``YYYYMM`` as a month."""
    if digits is None or len(digits) != _MONTH_DIGITS or not (digits.isascii() and digits.isdigit()):
        raise RefusedDelivery("horizon_not_stated", f"{where} does not say how far the file knows")
    if not 1 <= int(digits[4:]) <= 12:  # noqa: PLR2004 - months of a year
        raise RefusedDelivery("horizon_not_stated", f"{where} names a month that is none")
    return int(digits[:4]) * 12 + int(digits[4:]) - 1


def _latest_covered(covered: Mapping[int, int], rule: Horizon) -> int:
    """The last month that enough rows cover: one row that runs on does not make a file that stops early know more."""
    most = max(covered.values(), default=0)
    enough = [month for month, count in covered.items() if count * _PERCENT >= most * rule.least_percent and count]
    if not enough:
        raise RefusedDelivery("horizon_not_stated", "no row says which months the file knows of")
    return max(enough)
