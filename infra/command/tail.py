"""``tandem tail``: follow what the processes log, or which events stand on a topic. Payloads are never shown."""

import asyncio
import json
import time
from contextlib import ExitStack
from pathlib import Path

import click
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from contracts.decoding import UndecodableEvent, check_key, decode
from contracts.topics import TOPICS
from infra.command.output import Failure, folder_option, people
from infra.local.installation import Installation

_LOOK_EVERY_SECONDS = 0.3
_ENVELOPE = ("type", "subject", "deliveryseq", "time")


def _topic_named(name: str) -> str:
    for topic in TOPICS:
        if name in (topic.name, topic.name.removeprefix("tandem.").removesuffix(".v1")):
            return topic.name
    known = ", ".join(topic.name.removeprefix("tandem.").removesuffix(".v1") for topic in TOPICS)
    raise Failure(f"There is no topic '{name}'. Topics: {known}")


def describe(record: "ConsumerRecord[bytes | None, bytes | None]") -> dict[str, object]:
    """Where an event stands and what it is about, without what it says. Of what is no event, only why it is none."""
    line: dict[str, object] = {"partition": record.partition, "offset": record.offset}
    try:
        event = decode(record.topic, record.value)
        check_key(event, record.key)
    except UndecodableEvent as undecodable:
        return line | {"type": "unreadable", "reason": undecodable.reason}
    stated = event.model_dump(mode="json", include=set(_ENVELOPE))
    return line | {key: stated[key] for key in _ENVELOPE}


async def _follow_topic(brokers: str, topic: str, *, from_beginning: bool, follow: bool) -> None:
    async with AIOKafkaConsumer(
        topic,
        bootstrap_servers=brokers,
        enable_auto_commit=False,
        auto_offset_reset="earliest" if from_beginning else "latest",
    ) as consumer:
        if from_beginning:
            await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(consumer.assignment())
        while follow or any([await consumer.position(partition) < end for partition, end in ends.items()]):
            batches = await consumer.getmany(timeout_ms=500)
            for records in batches.values():
                for record in records:
                    click.echo(json.dumps(describe(record), separators=(",", ":")))


def _logs(installation: Installation, name: str | None) -> list[Path]:
    found = sorted(installation.logs.glob(f"{name or '*'}.log"))
    if not found:
        raise Failure(f"No log '{name}' in {installation.logs}." if name else f"No logs in {installation.logs}.")
    return found


def _follow_logs(logs: list[Path], *, follow: bool) -> None:
    with ExitStack() as stack:
        files = [(log.stem, stack.enter_context(log.open(errors="replace"))) for log in logs]
        while True:
            for name, file in files:
                for line in file:
                    click.echo(f"{name}: {line}", nl=False)
            if not follow:
                return
            time.sleep(_LOOK_EVERY_SECONDS)


@click.command("tail")
@folder_option
@click.argument("topic", required=False)
@click.option("--log", "log_name", help="Only this process, for example risk-worker.")
@click.option("--from-beginning", is_flag=True, help="Of a topic: all that stands on it, not only what is new.")
@click.option("--follow/--no-follow", default=True, show_default=True, help="Wait for more.")
def command(
    installation: Installation, topic: str | None, log_name: str | None, from_beginning: bool, follow: bool
) -> None:
    """Follow the logs of the running processes, or with TOPIC the events on it (what and about whom, not what they say)."""
    if topic is None:
        _follow_logs(_logs(installation, log_name), follow=follow)
        return
    name = _topic_named(topic)
    people.print(f"{name}, Ctrl-C to end")
    brokers = installation.addresses().brokers
    asyncio.run(_follow_topic(brokers, name, from_beginning=from_beginning, follow=follow))
