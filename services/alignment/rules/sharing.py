"""Whether an entity is sent a person's claims: the statement that stands, of all that there are.

Source: the 1-800-MEDICARE data-sharing preferences that CMS sends accountable entities, and the data-sharing preference
in the monthly alignment report (GPDC participation agreement, "Beneficiary Alignment Data"). The preference with the
newest effective day stands, then the one stated last, then the one delivered last; of two that say different things at
once, the one that shares less. A report has no effective day: it speaks for its month from the first day on. Alignment
and the entity's financial responsibility are as they were: nothing here is seen by a decision.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Literal, NamedTuple

from contracts.months import first_day, month_at
from services.alignment.statements import Fact

About = Literal["claims", "substance_use"]


class Sharing(NamedTuple):
    """One statement about sharing: with whom, of what, whether and since when."""

    entity_id: str
    about: About
    shares: bool
    effective_from: date
    source: str
    stated_on: date
    known_since: int


def sharing(facts: Iterable[Fact]) -> list[Sharing]:
    """What stands, for every entity and every matter about which anything was stated."""
    standing: dict[tuple[str, About], Sharing] = {}
    for statement in (stated for fact in facts for stated in _stated(fact)):
        there = standing.get(statement[:2])
        if there is None or _newness(there) < _newness(statement):
            standing[statement[:2]] = statement
    return [standing[key] for key in sorted(standing)]


def _newness(stated: Sharing) -> tuple[date, date, int, bool]:
    return stated.effective_from, stated.stated_on, stated.known_since, not stated.shares


def _stated(fact: Fact) -> Iterator[Sharing]:
    said, stated_on = dict(fact.said), date.fromordinal(fact.stated_on)
    entity = fact.entity_id or ""
    if fact.kind == "report" and "data_sharing_opt_out" in said:
        since = stated_on if fact.report_month is None else first_day(month_at(fact.report_month))
        yield Sharing(entity, "claims", not said["data_sharing_opt_out"], since, fact.source, stated_on, fact.sequence)
    if fact.kind == "sharing":
        matters: tuple[tuple[About, str], ...] = (
            ("claims", "shares_claims"),
            ("substance_use", "shares_substance_use"),
        )
        for about, field in matters:
            if field in said:
                day = said.get(f"{field}_from")
                since = stated_on if day is None else date.fromisoformat(day)
                yield Sharing(entity, about, said[field], since, fact.source, stated_on, fact.sequence)
