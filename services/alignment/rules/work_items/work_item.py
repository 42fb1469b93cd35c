"""Something to do about one person: what, about which month, and on what it rests."""

from typing import Literal, NamedTuple

Kind = Literal["part_a_buy_in", "dual_lapse"]


class WorkItem(NamedTuple):
    """``month``: in which it holds, or by whose end it must be done."""

    kind: Kind
    month: int
    reasons: tuple[str, ...]
    evidence: tuple[str, ...]
