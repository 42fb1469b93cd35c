"""A dead letter goes through the handler again, when what was wrong has been put right.

It changes no position. Versions make it harmless that newer messages were applied in between.
"""

from services.runtime.applying import examine, hand_over, location_of
from services.runtime.database import Connection, is_transient, lock_number
from services.runtime.dead_letters import Seal, open_letter, record_action, settle
from services.runtime.ledger import Message
from services.runtime.service import Batch, Received, ServiceDefinition
from services.runtime.transactions import ServiceTransaction


class ReplayRefused(Exception):  # noqa: N818 - names the outcome
    """It failed again. Nothing changed but the audit."""


async def replay(  # noqa: PLR0913 - what is replayed, where, and by whom
    connection: Connection, definition: ServiceDefinition, schema: str, dead_letter_id: int, seal: Seal, *, actor: str
) -> None:
    """Apply a parked letter. Raises :class:`LookupError`, :class:`ReplayRefused`, and what is transient."""
    try:
        async with connection.transaction():
            message = await open_letter(connection, dead_letter_id, seal)
            await _apply(connection, definition, schema, message, seal)
            await settle(connection, dead_letter_id, "replayed")
            await record_action(connection, dead_letter_id, action="replay", outcome="replayed", actor=actor)
    except ReplayRefused as refusal:
        await record_action(connection, dead_letter_id, action="replay", outcome=str(refusal), actor=actor)
        raise


async def _apply(
    connection: Connection, definition: ServiceDefinition, schema: str, message: Message, seal: Seal
) -> None:
    candidate = examine(message)
    if candidate.event is None:
        raise ReplayRefused(str(candidate.refusal))
    spot = message.spot
    # The same turn as the workers': no batch of these people runs meanwhile.
    await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", lock_number(f"worker of {schema}"), spot.partition)
    transaction = ServiceTransaction(connection, seal)
    received = Received(candidate.event, spot.topic, spot.partition, message.offset)
    try:
        await hand_over(definition, Batch(spot.topic, spot.partition, (received,)), transaction)
    except Exception as error:
        if is_transient(error, connection):
            raise
        raise ReplayRefused(f"{type(error).__name__} at {location_of(error)}") from error
    if transaction.parked:
        raise ReplayRefused(transaction.parked[0].reason)
    await transaction.flush()
