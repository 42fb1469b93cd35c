"""The one way in which handlers, intake and cuts change anything: a transaction that also carries the outbox."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from contracts.topics import AnyEvent
from services.runtime import outbox
from services.runtime.database import Connection
from services.runtime.dead_letters import DeadLetter, Seal, park
from services.runtime.ledger import Message, Spot
from services.runtime.service import Received

# Called with the name of each point at which a process may die; tests pass one that kills.
Probe = Callable[[str], None]


def no_probe(_: str) -> None:
    """What runs outside tests."""


_NO_MESSAGES: Final[Mapping[int, Message]] = {}


class ServiceTransaction:
    """See :class:`services.runtime.service.Transaction`."""

    def __init__(self, connection: Connection, seal: Seal, messages: Mapping[int, Message] = _NO_MESSAGES) -> None:
        self._connection = connection
        self._seal = seal
        self._messages = messages
        self._events: list[outbox.Outgoing] = []
        self._letters: list[DeadLetter] = []

    @property
    def connection(self) -> Connection:
        """The open transaction; its search path is the service's own schema."""
        return self._connection

    def publish(self, event: AnyEvent) -> None:
        """Queue an event. Raises :class:`services.runtime.outbox.EventTooLarge`."""
        self._events.append(outbox.outgoing(event))

    def announce(self, event: AnyEvent) -> None:
        """Queue an event whose ``data.end_offsets`` is filled in when everything queued before it is on the log."""
        self._events.append(outbox.outgoing(event, fence=True))

    def reject(self, received: Received, reason: str, detail: str = "") -> None:
        """Park an event as a dead letter."""
        message = self._messages.get(received.offset) or _rebuilt(received)
        self._letters.append(DeadLetter(message, reason, detail, received.event))

    def park(self, letter: DeadLetter) -> None:
        """Park what did not become an event."""
        self._letters.append(letter)

    @property
    def parked(self) -> tuple[DeadLetter, ...]:
        """Every letter of this transaction."""
        return tuple(self._letters)

    async def flush(self) -> None:
        """Write outbox and dead letters: two round trips at most, none where there is nothing."""
        await outbox.queue(self._connection, self._events)
        await park(self._connection, self._letters, self._seal)


def _rebuilt(received: Received) -> Message:
    event = received.event
    spot = Spot(received.topic, received.partition)
    return Message(spot, received.offset, event.subject.encode(), event.encode(), event.time)


@asynccontextmanager
async def open_transaction(connection: Connection, seal: Seal) -> AsyncIterator[ServiceTransaction]:
    """A transaction outside of a batch, for intake and commands: flushed and committed at the end of the block."""
    async with connection.transaction():
        transaction = ServiceTransaction(connection, seal)
        yield transaction
        await transaction.flush()
