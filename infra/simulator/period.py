"""The simulated period as month numbers: 0 is the first service month, then run-out months without services."""

from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property

from contracts.months import add_months, first_day, last_day


@cache
def compact(day: date) -> str:
    """``YYYYMMDD``; a million claims share a few hundred days."""
    return f"{day:%Y%m%d}"


@cache
def dashed(day: date) -> str:
    """``YYYY-MM-DD``."""
    return day.isoformat()


@dataclass(frozen=True)
class Period:
    """``months`` months with services, then ``run_out`` months in which only news about them arrives."""

    first_month: str
    months: int
    run_out: int

    @property
    def last_service(self) -> int:
        """Number of the last month in which services happen."""
        return self.months - 1

    @property
    def last_delivery(self) -> int:
        """Number of the last month in which files arrive."""
        return self.months + self.run_out - 1

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Every month of the period and one more, as text."""
        return tuple(add_months(self.first_month, number) for number in range(self.months + self.run_out + 1))

    @cached_property
    def first_days(self) -> tuple[date, ...]:
        """The first day of each month."""
        return tuple(first_day(month) for month in self.texts)

    @cached_property
    def last_days(self) -> tuple[date, ...]:
        """The last day of each month."""
        return tuple(last_day(month) for month in self.texts)

    def number(self, day: date) -> int:
        """The number of the month that a day lies in."""
        first = self.first_days[0]
        return (day.year - first.year) * 12 + day.month - first.month
