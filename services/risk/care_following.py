"""Reports follow the person: what was said of an action of somebody who turned out to be another counts for the other's, too.

Both actions are of one kind and occasion, so that whoever declined under one name is not asked again under the other. Nothing is
copied: who is whom as known at a delivery decides, and where two turn out not to be one after all, each has their own again.
"""

from collections.abc import Sequence
from typing import Final

from services.runtime.database import Connection
from services.runtime.person_moves import is_gone


def _now(move: str, as_of: str) -> str:
    """SQL: whether a move is the last of its source, and the source is still gone."""
    return (
        f"{move}.aliases IS NULL AND {move}.sequence <= {as_of} AND {is_gone(f'{move}.source', as_of)}"
        f" AND NOT EXISTS (SELECT FROM person_move later WHERE later.source = {move}.source AND later.aliases IS NULL"
        f" AND later.sequence > {move}.sequence AND later.sequence <= {as_of})"
    )


def reports_of_actions(as_of: str) -> str:
    """SQL: every report, once for each action that it counts for as known at a delivery, in ``counts_for``.

    ``as_of`` is an expression of the query around.
    """
    return f"""
        SELECT action_id AS counts_for, report.* FROM care_report report WHERE sequence <= {as_of}
        UNION ALL
        SELECT own.action_id, report.*
        FROM (
            WITH RECURSIVE known (was, person_id) AS (
                SELECT source, target FROM person_move first WHERE {_now("first", as_of)}
                UNION
                SELECT known.was, next.target
                FROM known JOIN person_move next ON next.source = known.person_id AND {_now("next", as_of)}
            ) SELECT * FROM known) AS known
        JOIN care_action other ON other.person_id = known.was
        JOIN care_action own ON own.person_id = known.person_id AND own.kind = other.kind AND own.occasion = other.occasion
        JOIN care_report report ON report.action_id = other.action_id AND report.sequence <= {as_of}
    """  # noqa: S608 - expressions of our own queries


_ANSWERED: Final = f"""
    SELECT counts_for FROM (
        SELECT DISTINCT ON (counts_for) counts_for, verdict
        FROM ({reports_of_actions("$2")}) AS said WHERE counts_for = ANY($1)
        ORDER BY counts_for, reported_at DESC, report_id DESC) AS newest
    WHERE verdict <> 'reopened'
"""  # noqa: S608 - a fixed query


async def answered(connection: Connection, action_ids: Sequence[str], sequence: int) -> set[str]:
    """Of which actions somebody has said, as known at a delivery, what became of them, under whatever name."""
    return {row["counts_for"] for row in await connection.fetch(_ANSWERED, action_ids, sequence)}
