"""Deliveries that are held: why, and what somebody decided about them. Every decision is recorded with its actor."""

from contracts.delivery import DeliveryKind
from services.intake.deliveries import SEQUENCE_LOCK, Delivery, Registration, announce_received, announce_unused, find
from services.intake.reading import Recognised
from services.intake.rules.holding import Hold
from services.runtime.database import Connection

_HOLD = """
    UPDATE delivery SET status = 'held', reason_code = $2, reason_detail = $3
    WHERE delivery_id = $1 AND status = 'registered' RETURNING delivery_id
"""


async def hold(connection: Connection, identity: str, reason: Hold) -> None:
    """Hold a delivery that was read. Its number is used up, as that of a refused one. Inside a transaction."""
    if await connection.fetchval(_HOLD, identity, reason.reason_code, reason.detail) is not None:
        delivery = await find(connection, identity)
        assert delivery is not None  # noqa: S101 - it was updated in this transaction
        await announce_unused(connection, delivery, reason.reason_code)


_RELEASE = """
    UPDATE delivery SET status = 'registered', sequence = $2, released = true, reason_code = NULL,
        reason_detail = NULL, published_through = '', events = 0
    WHERE delivery_id = $1
"""
_REJECT = """
    UPDATE delivery SET status = 'refused', reason_code = 'rejected', reason_detail = 'somebody looked at it: ' || $2
    WHERE delivery_id = $1
"""
_NOTE = """
    INSERT INTO delivery_decision (delivery_id, held_sequence, decision, sequence, reason_code, actor, reason)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


async def _held(connection: Connection, identity: str) -> tuple[Delivery, Recognised] | None:
    found = await find(connection, identity)
    if found is None or found.status != "held" or found.kind is None or found.dated is None:
        return None
    return found, Recognised(DeliveryKind(found.kind), found.source, found.dated, found.substance_use_withheld)


async def release(connection: Connection, identity: str, *, actor: str, reason: str) -> Registration | None:
    """Take a held delivery after all, under a new number: what it says is known from now on.

    ``None`` where no such delivery is held.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1, 0)", SEQUENCE_LOCK)
        held = await _held(connection, identity)
        if held is None:
            return None
        delivery, recognised = held
        sequence = await connection.fetchval("SELECT max(sequence) + 1 FROM delivery")
        await connection.execute(_RELEASE, identity, sequence)
        told = (delivery.reason_code, actor, reason)
        await connection.execute(_NOTE, identity, delivery.sequence, "released", sequence, *told)
        await announce_received(connection, (identity, sequence, delivery.received_at), recognised)
    return Registration(identity, sequence, "registered", known=False)


async def reject(connection: Connection, identity: str, *, actor: str, reason: str) -> bool:
    """Refuse a held delivery for good. ``False`` where no such delivery is held."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1, 0)", SEQUENCE_LOCK)
        held = await _held(connection, identity)
        if held is None:
            return False
        delivery, _ = held
        await connection.execute(
            _NOTE, identity, delivery.sequence, "rejected", None, delivery.reason_code, actor, reason
        )
        await connection.execute(_REJECT, identity, delivery.reason_code)
    return True
