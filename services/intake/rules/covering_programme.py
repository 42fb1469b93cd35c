"""Which one programme covered a person in a month, out of all that the source's rows say of it.

Source: 42 CFR 435.404 (a person is put in one category of eligibility); state files overlap all the same, because a row
is closed late or a Medicare savings programme runs beside full benefits. The order of programmes is the mapping's; what
it does not decide stays undecided: a contradiction is told, never resolved by guessing.
"""

from collections.abc import Sequence
from typing import NamedTuple

_MOST_CHARACTERS = 120


class ProgrammeRow(NamedTuple):
    """A row of the source that covers the month: where it stands, the state's code, and what the code means."""

    number: int
    code: str
    programme: str
    dual_status_code: str | None


class Covered(NamedTuple):
    """The answer: the programme, what it says of dual status, the rows that say so, and why they do."""

    programme: str
    dual_status_code: str | None
    rows: tuple[int, ...]
    basis: str


class ContradictionError(ValueError):
    """The rows say two things and nothing ranks them. ``rows`` are those that disagree."""

    def __init__(self, reason: str, rows: Sequence[ProgrammeRow]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rows = tuple(row.number for row in rows)


def covering_programme(rows: Sequence[ProgrammeRow], precedence: Sequence[frozenset[str]]) -> Covered:
    """The programme of the first rank that any row names.

    Raises :class:`ContradictionError` where two programmes of one rank, or two dual status codes of one programme,
    stand side by side.
    """
    rank = next(rank for rank in precedence if any(row.programme in rank for row in rows))
    first = [row for row in rows if row.programme in rank]
    if len({row.programme for row in first}) > 1:
        raise ContradictionError("contradicting_programmes", first)
    codes = {row.dual_status_code for row in first if row.dual_status_code is not None}
    if len(codes) > 1:
        raise ContradictionError("contradicting_dual_status", first)
    others = [row for row in rows if row.programme not in rank]
    return Covered(
        first[0].programme, next(iter(codes), None), tuple(row.number for row in first), _basis(first, others)
    )


def _basis(first: Sequence[ProgrammeRow], others: Sequence[ProgrammeRow]) -> str:
    said = f"{_rows(first)} says {first[0].code}"
    if others:
        codes = ", ".join(dict.fromkeys(row.code for row in others))
        whole = f"{said}, ranked before {_rows(others)}: {codes}"
        said = whole if len(whole) <= _MOST_CHARACTERS else f"{said}, ranked before {len(others)} other rows"
    return said[:_MOST_CHARACTERS]


def _rows(rows: Sequence[ProgrammeRow]) -> str:
    if len(rows) == 1:
        return f"row {rows[0].number}"
    return f"row {rows[0].number} and {len(rows) - 1} more"
