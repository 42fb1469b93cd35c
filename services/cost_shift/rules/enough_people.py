"""Whether an effect may be told outside: no mean of one to ten people, and no cost that one to ten people had.

Source: CMS cell-size policy as data use agreements state it; the number is a dated parameter (``policy/disclosure.toml``). An effect sets people
against people and later months against earlier ones: each of these groups must be large enough, and so must those of them who had a cost
of the series, or nobody had one.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Behind(NamedTuple):
    """One cohort in one window, and how many of them had a cost. Both are counts that are reached, and may be larger."""

    people: int
    claimants: int


def enough_people(groups: Iterable[Behind], smallest: int) -> bool:
    """Whether every group is large enough."""
    return all(group.people >= smallest and (group.claimants == 0 or group.claimants >= smallest) for group in groups)
