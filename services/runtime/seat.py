"""A worker's place in its group, held in the database for as long as the worker lives.

Kafka lets a second process of one static name in and throws the first out, who comes back and throws the second
out, without end. Here the second waits, and gives up with a clear word.
"""

from typing import Final

from services.runtime.database import Connection, Patience, close, connect, connect_patiently, lock_number
from services.runtime.exits import SlotTaken
from services.runtime.retrying import Backoff
from services.runtime.settings import Settings

# Several looks at the lag, which is when the connection is used.
_SHORTEST_SECONDS: Final = 30.0


class Seat:
    """An advisory lock on a connection of its own, which is used every few seconds: a frozen worker loses it."""

    def __init__(self, settings: Settings, schema: str) -> None:
        self._settings = settings
        self._schema = schema
        self._connection: Connection | None = None

    async def take(self) -> None:
        """Sit down, waiting for a while. Raises :class:`SlotTaken`, :class:`DatabaseUnreachable`."""
        seconds = self._settings.start_timeout_seconds
        self._connection = await connect_patiently(self._settings.database_url, self._schema, seconds, self._patience)
        await self._take(self._connection, seconds)

    async def connection(self) -> Connection:
        """The connection that holds the seat; where it was lost, the seat is taken again.

        Raises :class:`SlotTaken`, and what is transient.
        """
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._settings.database_url, self._schema, self._patience)
            await self._take(self._connection, self._settings.start_timeout_seconds)
        return self._connection

    @property
    def _patience(self) -> Patience:
        return Patience(between=max(self._settings.idle_transaction_seconds, _SHORTEST_SECONDS))

    async def _take(self, connection: Connection, seconds: float) -> None:
        slot = self._settings.slot
        number = lock_number(f"worker {slot} of {self._schema}")
        backoff = Backoff(give_up_after=seconds)
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1, 2)", number):
            if not await backoff.wait():
                raise SlotTaken(f"another worker of {self._schema} runs as slot {slot} (TANDEM_SLOT)")

    async def leave(self) -> None:
        """Give the seat up."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await close(connection)
