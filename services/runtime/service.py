"""What a service declares, and all that its handlers ever see.

A handler gets a batch of decoded events of one topic-partition and a transaction in which to read, write,
publish and reject. It has no clock, no offsets to move and no way to commit.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

import asyncpg

from contracts.topics import AnyEvent, Service, Topic


@dataclass(frozen=True, slots=True)
class Received:
    """A decoded event and where it stood."""

    event: AnyEvent
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive events of one topic-partition, oldest first."""

    topic: str
    partition: int
    received: tuple[Received, ...]


class Transaction(Protocol):
    """One database transaction: everything in it happens, or nothing."""

    @property
    def connection(self) -> "asyncpg.Connection[asyncpg.Record]":
        """The open transaction; its search path is the service's own schema."""

    def publish(self, event: AnyEvent) -> None:
        """Queue an event for the topic that the registry gives its type; sent after commit, in this order."""

    def reject(self, received: Received, reason: str, detail: str = "") -> None:
        """Park an event as a dead letter. ``reason`` is snake_case; ``detail`` must hold nothing personal."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Delivery ``sequence`` has been applied, together with every delivery before it.

    ``time`` is when it was received, ``dated`` of when its sender says it is.
    """

    sequence: int
    delivery_id: str
    time: datetime
    dated: date


Handle = Callable[[Batch, Transaction], Awaitable[None]]
AtCut = Callable[[Cut, Transaction], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ServiceDefinition:
    """A service. ``waits_for`` names the services whose vectors a cut of this one needs.

    ``settle`` puts facts in order before a delivery is cut, in a transaction of its own; it may be called again.
    """

    name: Service
    schema: str
    topics: tuple[Topic, ...]
    handle: Handle
    migrations: Path
    waits_for: tuple[Service, ...] = ("intake",)
    at_cut: AtCut | None = None
    settle: AtCut | None = None
