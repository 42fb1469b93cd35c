"""Voluntary alignment: the newest valid word of the person, from the first addition whose deadline it kept.

Source: GPDC participation agreement, "Prospective Plus Alignment" (additions before quarters, deadlines); public summaries
of both channels, Medicare.gov and the signed form. A designation is valid if its clinician is on the entity's participant
list and CMS has not rejected it. That the latest wins, the deadline and what an unanswered form is worth are values of the
pack.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from contracts.alignment import Outcome
from services.alignment.paths_policy import Pack
from services.alignment.rules.claims_based import Participants

_MONTHS_A_YEAR = 12


class Designated(NamedTuple):
    """A clinician named, or a designation withdrawn, and CMS's answer if there was one. Months are month numbers."""

    entity_id: str
    channel: str
    signed_on: int
    month: int
    clinician_npi: str | None
    withdrawn: bool
    response: str | None
    rejection_reason: str | None
    sequence: int


class Judged(NamedTuple):
    """What a designation is worth for a month, and the first month in which it counts."""

    designated: Designated
    outcome: Outcome
    reason: str | None
    entity_id: str | None
    counts_from: int


class VoluntaryResult(NamedTuple):
    """Whether the person's own word aligns them. ``judged``: every designation, the newest first."""

    outcome: Outcome
    reason: str | None = None
    entity_id: str | None = None
    judged: tuple[Judged, ...] = ()


def voluntary(
    designations: Iterable[Designated], participants: Participants, rostered: frozenset[str], pack: Pack, month: int
) -> VoluntaryResult:
    """Judge a month by its number. ``rostered``: entities whose participant list is known at all."""
    newest = sorted(_answered(designations), key=lambda one: (one.signed_on, one.sequence), reverse=True)
    judged = tuple(_judged(one, participants, rostered, pack, month) for one in newest)
    if not judged:
        return VoluntaryResult(Outcome.FAIL, "NO_DESIGNATION")
    deciding = next((one for one in judged if _decides(one)), judged[0])
    return VoluntaryResult(deciding.outcome, deciding.reason, deciding.entity_id, judged)


def _decides(one: Judged) -> bool:
    return one.outcome is not Outcome.FAIL or one.reason == "WITHDRAWN"


def _answered(designations: Iterable[Designated]) -> list[Designated]:
    """One a form: CMS's answer repeats the form that it answers, and the newest answer stands."""
    forms: dict[tuple[str, str, int, str | None, bool], Designated] = {}
    for one in sorted(designations, key=lambda one: (one.sequence, one.response or "")):
        key = (one.entity_id, one.channel, one.signed_on, one.clinician_npi, one.withdrawn)
        there = forms.get(key)
        answer = one if one.response is not None or there is None else there
        forms[key] = one._replace(response=answer.response, rejection_reason=answer.rejection_reason)
    return list(forms.values())


def _judged(one: Designated, participants: Participants, rostered: frozenset[str], pack: Pack, month: int) -> Judged:
    counts_from = first_addition(one.month, pack.addition_months, pack.designation_months_before)
    if one.response == "rejected":
        return Judged(one, Outcome.FAIL, "REJECTED_BY_CMS", None, counts_from)
    if counts_from > month:
        return Judged(one, Outcome.FAIL, "AFTER_DEADLINE", None, counts_from)
    if one.withdrawn:
        return Judged(one, Outcome.FAIL, "WITHDRAWN", None, counts_from)
    if one.clinician_npi is None:
        return Judged(one, Outcome.UNKNOWN, "CLINICIAN_NOT_NAMED", None, counts_from)
    return _of_a_clinician(one, one.clinician_npi, participants, rostered, pack, month, counts_from)


def _of_a_clinician(  # noqa: PLR0913, PLR0917 - all that the last step of one judgement needs
    one: Designated,
    npi: str,
    participants: Participants,
    rostered: frozenset[str],
    pack: Pack,
    month: int,
    counts_from: int,
) -> Judged:
    own = [participation.entity_id for participation in participants.get(npi, ()) if participation.covers(month)]
    if not own and one.entity_id not in rostered:
        return Judged(one, Outcome.UNKNOWN, "NO_ROSTER", None, counts_from)
    if not own:
        return Judged(one, Outcome.FAIL, "CLINICIAN_NOT_ON_ROSTER", None, counts_from)
    if one.channel == "signed_form" and pack.signed_form_needs_acceptance and one.response is None:
        return Judged(one, Outcome.UNKNOWN, "NOT_ANSWERED_BY_CMS", None, counts_from)
    entity = one.entity_id if one.entity_id in own else own[0]
    return Judged(one, Outcome.PASS, None, entity, counts_from)


def first_addition(signed: int, additions: Sequence[int], months_before: int) -> int:
    """The first month in which people are added whose deadline, some months before, was not over.

    ``signed`` is a month number; ``additions`` are months of the year, 1 to 12.
    """
    earliest = signed + months_before
    return min(candidate for candidate in range(earliest, earliest + _MONTHS_A_YEAR) if candidate % 12 + 1 in additions)
