"""Effects of groups that enter at different times, each measured by itself and then averaged.

One coefficient for all treated months would compare late entrants with earlier ones, whose effect may still grow, and can come out with the
wrong sign (Goodman-Bacon 2021). So every group and period behind its start has an effect of its own, as in Sun and Abraham
(2021) and Wooldridge (2021); people never aligned, and those not yet aligned, are the comparison. The average, weighted by treated
person-months, is put as one coefficient beside contrasts that add up to nothing, so that the tests of a single coefficient hold for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.cost_shift.rules.clustered_regression import NotIdentifiedError
from services.cost_shift.rules.county_panel import Numbers

Event = tuple[str, int]  # group, period since its start


@dataclass(frozen=True, slots=True, eq=False)
class Averaged:
    """A regressor whose coefficient is the average effect, and the contrasts to hold constant beside it (cells x any number)."""

    regressor: Numbers
    contrasts: Numbers
    events: tuple[Event, ...]
    shares: tuple[float, ...]


def averaged(events: Sequence[Event | None], weight: Numbers) -> Averaged:
    """The average over all events, each counting as much as the person-months in it. ``None``: an untreated cell.

    With c the contrasts, the effect of event e is the average plus c(e), and that of the last event the average less
    the sum of share(e) / share(last) x c(e), which is what makes the coefficient of the regressor the average.
    Raises :class:`NotIdentifiedError` where nobody is treated.
    """
    distinct = tuple(sorted({event for event in events if event is not None}))
    if not distinct:
        raise NotIdentifiedError("nobody is aligned in a month behind the baseline whose earlier months can be seen")
    columns = indicators(events, distinct)
    sums = weight @ columns
    contrasts = columns[:, :-1] - np.outer(columns[:, -1], sums[:-1] / sums[-1])
    shares = tuple(float(one) for one in sums / sums.sum())
    return Averaged(columns.sum(axis=1), contrasts, distinct, shares)


@dataclass(frozen=True, slots=True, eq=False)
class LeadsAndLags:
    """``events``: what has a coefficient of its own; for each period how these are mixed into its regressor, and into what is held constant."""

    events: tuple[Event, ...]
    periods: dict[int, tuple[Numbers, Numbers]]


def indicators(events: Sequence[Event | None], distinct: Sequence[Event]) -> Numbers:
    """A column (cells) for each of the distinct events."""
    number = {event: place for place, event in enumerate(distinct)}
    found = np.zeros((len(events), len(distinct)))
    for cell, event in enumerate(events):
        if event in number:
            found[cell, number[event]] = 1.0
    return found


def leads_and_lags(events: Sequence[Event | None], weight: Numbers, reference: int = -1) -> LeadsAndLags:
    """For each period since the start the average over groups, all other events held constant; ``reference`` is left out.

    Periods before the start tell whether cohorts parted already (Sun and Abraham 2021: every group has leads and lags of its own).
    """
    distinct = tuple(sorted({event for event in events if event is not None and event[1] != reference}))
    sums, single = weight @ indicators(events, distinct), np.eye(len(distinct))
    periods = {}
    for period in sorted({event[1] for event in distinct}):
        own = np.array([event[1] == period for event in distinct])
        last = np.flatnonzero(own)[-1]
        contrasts = single[:, own] - np.outer(single[:, last], sums[own] / sums[last])
        periods[period] = (own.astype(np.float64), np.hstack([contrasts[:, :-1], single[:, ~own]]))
    return LeadsAndLags(distinct, periods)


def joint_level(p_values: Sequence[float]) -> float:
    """Of several tests the probability that the smallest is chance (Holm 1979: the first step), at most one."""
    return min(1.0, len(p_values) * min(p_values)) if p_values else 1.0
