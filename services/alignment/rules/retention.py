"""Who is about to be lost or gained, and on which visit that hangs. CMS decides; this is what we compute beforehand.

Source: what an entity does with its alignment report (GPDC participation agreement, "Beneficiary Alignment Data"): it works
before the next performance year on those whom it would lose. A decision hangs on a visit if without it another decision
would be made.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from contracts.alignment import Outcome
from services.alignment.paths_policy import Pack
from services.alignment.rules.claims_based import (
    ClaimsResult,
    Participants,
    Visit,
    Weighed,
    claims_based,
    competitor_of,
    weighed,
)
from services.alignment.rules.computed import Computed

Kind = Literal["retained", "lost", "gained", "open", "not_ours"]


class HangsOn(NamedTuple):
    """The latest visit without which another decision would be made. ``thirds``: what it is worth."""

    day: int
    npi: str | None
    thirds: int
    would_be: str | None


def kind(now: str | None, after: Computed) -> Kind:
    """Name what becomes of somebody aligned to the entity ``now`` (``None``: to none)."""
    if after.outcome is Outcome.UNKNOWN:
        return "open" if now is not None else "not_ours"
    if after.outcome is Outcome.PASS:
        return "gained" if now is None else "retained" if after.entity_id == now else "lost"
    return "lost" if now is not None else "not_ours"


def hangs_on(
    visits: Sequence[Visit], participants: Participants, pack: Pack, year: int, result: ClaimsResult
) -> HangsOn | None:
    """The latest visit on which a claims-based result hangs; ``None`` where no single one would change it."""
    if not result.scores or result.tie == "undecided":
        return None
    qualified = list(weighed(visits, pack))
    winner = result.scores[0].competitor
    own = [one for one in qualified if competitor_of(one[0], participants, pack, year) == winner]
    together: dict[tuple[int, str], list[Weighed]] = {}
    for one in own:
        together.setdefault((one[0].day, one[0].npi or ""), []).append(one)
    for (day, npi), lines in sorted(together.items(), reverse=True):
        left = [visit for visit, thirds in qualified if (visit, thirds) not in lines]
        otherwise = claims_based(left, participants, pack, year)
        if otherwise.entity_id != result.entity_id or otherwise.outcome is not result.outcome:
            would_be = otherwise.scores[0].competitor.shown() if otherwise.scores else None
            return HangsOn(day, npi or None, sum(thirds for _, thirds in lines), would_be)
    return None
