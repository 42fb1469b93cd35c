"""ALIVE: not dead before the first day of the month.

Source: GPDC participation agreement, Appendix B; CCLF Information Packet v36.0, CCLF8 BENE_DEATH_DT.
"""

from services.alignment.rules.known_month import Answer, KnownMonth, fails, passes, unknown


def alive(known: KnownMonth) -> Answer:
    """Judge by the death date, if any source that would carry one has spoken at all."""
    stated = known.dead
    if stated is None:
        return unknown("NO_STATEMENT")
    return fails("DECEASED", stated) if stated.value else passes(stated)
