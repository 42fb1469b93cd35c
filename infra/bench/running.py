"""Runs the contestants in turn against one Apache Kafka and one PostgreSQL, and keeps what each round gave."""

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Final
from uuid import uuid4

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from contracts.topics import CLAIMS_MEDICARE, DELIVERIES
from infra.bench.contestants import Outcome
from infra.bench.workload import CLAIMS_A_MESSAGE, SCHEMA, SINGLE_TOPIC, Scale, publish
from services.runtime.provisioning import provision_topics
from services.runtime.settings import Settings

ORDER: Final = ("plain", "worker", "faust", "consume")
_LONGEST_RUN_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the contestants find what they need."""

    kafka: str
    database_url: str

    def environment(self) -> dict[str, str]:
        """Settings of one run, in a group of its own."""
        return {
            "TANDEM_BROKERS": self.kafka,
            "TANDEM_DATABASE_URL": self.database_url,
            "TANDEM_PAYLOAD_KEY": base64.b64encode(bytes(32)).decode(),
            "TANDEM_GROUP": f"bench-{uuid4().hex}",
        }


@dataclass(slots=True)
class Results:
    """Every round's outcomes by contestant."""

    rounds: list[dict[str, Outcome]] = field(default_factory=list)
    growth: list[Outcome] = field(default_factory=list)

    def rate(self, name: str) -> float:
        """Median claims a second."""
        return median(outcome[name].claims / outcome[name].seconds for outcome in self.rounds)

    def ratio(self, name: str, other: str) -> float:
        """Median over the rounds of how many times faster one is than the other in the same round."""
        return median(_rate(outcome[name]) / _rate(outcome[other]) for outcome in self.rounds)

    def cpu(self, name: str) -> float:
        """Median CPU seconds for a million claims, which other work on the machine moves little."""
        return median(_cpu(outcome[name]) for outcome in self.rounds)

    def cpu_ratio(self, name: str, other: str) -> float:
        """Median over the rounds of how many times the CPU of one the other needed for the same claims."""
        return median(_cpu(outcome[other]) / _cpu(outcome[name]) for outcome in self.rounds)

    def peak(self, name: str) -> float:
        """Largest peak of memory, in megabytes."""
        return max(outcome[name].peak_megabytes for outcome in self.rounds)

    def growth_ratio(self) -> float:
        """CPU of a claim when the most were applied, over that when the fewest were."""
        return _cpu(self.growth[-1]) / _cpu(self.growth[0])


def _rate(outcome: Outcome) -> float:
    return outcome.claims / outcome.seconds


def _cpu(outcome: Outcome) -> float:
    return outcome.cpu_seconds * 1e6 / outcome.claims


async def prepare(servers: Servers, scale: Scale) -> None:
    """Create the topics and write all messages."""
    settings = Settings(database_url=servers.database_url, brokers=servers.kafka)
    await provision_topics(settings, (CLAIMS_MEDICARE, DELIVERIES))
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(SINGLE_TOPIC, CLAIMS_MEDICARE.partitions, 1)])
    finally:
        await admin.close()
    await publish(settings.bootstrap_servers(), scale)


async def forget(database_url: str) -> None:
    """Drop what the last run wrote."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def run_one(name: str, messages: int, environment: Mapping[str, str]) -> Outcome:
    """Run one contestant in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "infra.bench.contestant", name, str(messages)],
        env=dict(os.environ) | dict(environment),
        check=False,
        capture_output=True,
        text=True,
        timeout=_LONGEST_RUN_SECONDS,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{name} ended with {done.returncode}: {done.stderr[-2000:]}")
    return Outcome(**json.loads(done.stdout.splitlines()[-1]))


def rounds(servers: Servers, scale: Scale, tell: Callable[[str], None]) -> Iterator[dict[str, Outcome]]:
    """Run all contestants once a round, one after the other, so that all see the machine as it is."""
    for number in range(scale.rounds):
        outcomes = {}
        for name in ORDER:
            tell(f"round {number + 1} of {scale.rounds}: {name}")
            asyncio.run(forget(servers.database_url))
            messages = scale.single_messages if name == "faust" else scale.messages
            outcomes[name] = run_one(name, messages, servers.environment())
        yield outcomes


def grow(servers: Servers, scale: Scale, tell: Callable[[str], None]) -> Iterator[Outcome]:
    """Let our worker apply few claims and many, each from the beginning."""
    for messages in scale.growth:
        tell(f"{messages * CLAIMS_A_MESSAGE:,} claims through the worker")
        asyncio.run(forget(servers.database_url))
        yield run_one("worker", messages, servers.environment())
