"""Puts published sums of two windows and two cohorts into the descriptive effects and their pairs. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from contracts.codes import Payer, ServiceCategory
from contracts.money import shown_cents
from services.cost_shift.answers import CentsPerMonth, Effect, Pair, Ratio, Window
from services.cost_shift.category_policy import CategoryPair
from services.cost_shift.rules.descriptive_effect import BeforeAndAfter, Spending, descriptive_effect
from services.cost_shift.rules.direction import relation

TOTAL = ""
SeriesKey = tuple[str, str]  # payer, category (TOTAL: all services)
_SERVICES = tuple(category.value for category in ServiceCategory if category is not ServiceCategory.CAPITATION)


@dataclass(slots=True)
class CohortWindow:
    """Cents by series and the person-months of one cohort in one window."""

    person_months: int
    cents: dict[SeriesKey, int] = field(default_factory=dict)

    def spending(self, series: SeriesKey) -> Spending:
        """What was spent on a series; nothing recorded is nothing spent."""
        return Spending(self.cents.get(series, 0), self.person_months)


@dataclass(frozen=True, slots=True)
class Windows:
    """The four sums that a difference in differences needs."""

    aligned_before: CohortWindow
    aligned_after: CohortWindow
    comparison_before: CohortWindow
    comparison_after: CohortWindow

    def all(self) -> tuple[CohortWindow, ...]:
        """In the order of the fields."""
        return (self.aligned_before, self.aligned_after, self.comparison_before, self.comparison_after)

    def effect(self, series: SeriesKey) -> Fraction | None:
        """The descriptive effect of one series."""
        a, b, c, d = (window.spending(series) for window in self.all())
        return descriptive_effect(BeforeAndAfter(a, b), BeforeAndAfter(c, d))


def cohort_window(person_months: int, sums: Iterable[tuple[str, str, int]]) -> CohortWindow:
    """Sums of ``(payer, category, cents)`` with the total of services beside them; capitation stays out."""
    window = CohortWindow(person_months)
    for payer, category, cents in sums:
        if category in _SERVICES:
            for series in ((payer, category), (payer, TOTAL)):
                window.cents[series] = window.cents.get(series, 0) + cents
    return window


def _shown(spending: Spending) -> Window:
    return Window(
        cents=spending.cents,
        person_months=spending.person_months,
        pbpm=CentsPerMonth.of(spending.per_person_month()),
    )


def effects(windows: Windows) -> list[Effect]:
    """The total of each payer, then every category in which any window has a dollar."""
    return [_effect(windows, series) for series in _present(windows)]


def _present(windows: Windows) -> Sequence[SeriesKey]:
    found = {series for window in windows.all() for series in window.cents}
    return sorted(found | {(payer.value, TOTAL) for payer in Payer})


def _effect(windows: Windows, series: SeriesKey) -> Effect:
    shown = [_shown(window.spending(series)) for window in windows.all()]
    return Effect(
        payer=Payer(series[0]),
        category=ServiceCategory(series[1]) if series[1] else None,
        aligned_before=shown[0],
        aligned_after=shown[1],
        comparison_before=shown[2],
        comparison_after=shown[3],
        effect=CentsPerMonth.of(windows.effect(series)),
    )


def pairs(windows: Windows, linked: Iterable[CategoryPair]) -> list[Pair]:
    """All services of both payers, then each linked pair of categories."""
    return [_pair(windows, pair) for pair in (CategoryPair("all_services", TOTAL, TOTAL), *linked)]


def _pair(windows: Windows, pair: CategoryPair) -> Pair:
    medicare = windows.effect((Payer.MEDICARE.value, pair.medicare))
    medicaid = windows.effect((Payer.MEDICAID.value, pair.medicaid))
    months = windows.aligned_after.person_months
    related = None if medicare is None or medicaid is None else relation(medicare, medicaid)
    return Pair(
        channel=pair.channel,
        medicare_category=ServiceCategory(pair.medicare) if pair.medicare else None,
        medicaid_category=ServiceCategory(pair.medicaid) if pair.medicaid else None,
        medicare_effect=CentsPerMonth.of(medicare),
        medicaid_effect=CentsPerMonth.of(medicaid),
        net_effect=CentsPerMonth.of(related.net_effect) if related else None,
        offset_ratio=Ratio.of(related.offset_ratio) if related else None,
        direction=related.direction if related else None,
        shifted=CentsPerMonth.of(related.shifted) if related else None,
        aligned_person_months=months,
        shifted_cents=shown_cents(related.shifted * months) if related else None,
        net_cents=shown_cents(related.net_effect * months) if related else None,
    )


def states_of(counts: Mapping[tuple[str, ...], int]) -> list[str]:
    """The states in which anybody is counted, of counts keyed by state."""
    return sorted(key[0] for key, count in counts.items() if count)
