"""Nobody's identifier or name is anywhere but in intake's vault, whatever the files and messages were poisoned with."""

import asyncio
import json
import shutil
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import what_leaves_the_vault as evidence_of
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from personal_data import People, people_of
from poisoned_files import Victim, poisoned

from infra.command.delivering import Handed, hand_over, outcomes, wait_until_published, wait_until_ready
from infra.command.gateways import open_gateways
from infra.command.stack import Stack, running
from infra.command.status import read_all
from infra.command.tail import describe
from infra.local.installation import Installation
from infra.simulator import simulate
from services.intake.sealing import IdentityKeys
from services.runtime.dead_letters import Seal, unpack
from services.runtime.ledger import Spot

pytestmark = [pytest.mark.security, pytest.mark.broker, pytest.mark.e2e, pytest.mark.timeout(400)]

_POISONED_TOPICS = (
    "tandem.coverage.v1",
    "tandem.claims-medicaid.v1",
    "tandem.medicaid-enrolment.v1",
    "tandem.deliveries.v1",
)
_PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class World:
    """What was found before and after the poison, and whose data to look for."""

    folder: Path
    people: People
    victim: Victim
    evidence: dict[str, evidence_of.Evidence]
    outcomes: list[Any]
    poisoned_messages: int
    keys: IdentityKeys
    seal: Seal
    sealed: dict[str, list[asyncpg.Record]]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    folder = Path(tempfile.mkdtemp(prefix="tandem-test-"))
    folder.chmod(0o711)
    simulate(folder / "made", people=80, months=3, seed=21)
    stack = Stack(
        Installation(folder / "installation"),
        "embedded",
        durable=False,
        synthetic_identifiers=True,
        tell=lambda _: None,
    )
    try:
        with running(stack):
            yield _observed(stack, folder)
    finally:
        shutil.rmtree(folder)


def _observed(stack: Stack, folder: Path) -> World:
    good = sorted(file for file in (folder / "made" / "deliveries").rglob("*") if file.is_file())
    people, installation = people_of(good), stack.installation
    victim = _victim(folder / "made" / "deliveries" / "001-2022-01")
    wait_until_ready(installation, tend=stack.tend)
    bad = poisoned(folder / "bad", folder / "made" / "deliveries" / "002-2022-02", victim)
    handed = _delivered(stack, [*good, *bad])
    addresses = installation.addresses()
    evidence = {"topics": asyncio.run(evidence_of.topics(addresses.brokers))}
    sent = asyncio.run(_poison(addresses.brokers, victim))
    _wait_until_applied(stack)
    gateways = open_gateways(addresses)
    with gateways.client:
        gateways.wait_until_ready(stack.tend)
    known = asyncio.run(evidence_of.known_values(installation))
    personal = [victim.mbi, victim.last, f"{victim.mbi[:4]}-{victim.mbi[4:7]}-{victim.mbi[7:]}"]
    evidence |= {
        "answers": evidence_of.answers(addresses, known, personal),
        "metrics": evidence_of.metrics(addresses),
        "logs": evidence_of.logs(installation.folder),
        "tables": asyncio.run(evidence_of.tables(installation.superuser_url())),
        "tail": {"tail": asyncio.run(_tailed(addresses.brokers))},
    }
    kept = installation.secrets
    keys = IdentityKeys(b64decode(kept.pseudonym_key), b64decode(kept.payload_key))
    found = asyncio.run(outcomes(installation, handed))
    sealed = asyncio.run(_sealed(installation))
    return World(folder, people, victim, evidence, found, sent, keys, Seal(b64decode(kept.payload_key)), sealed)


def _victim(month: Path) -> Victim:
    text = next(file for file in sorted(month.glob("834.*")) if b"REF*6P" in file.read_bytes()).read_text()
    member = text.split("INS*")[1]
    named = member.split("NM1*IL*1*")[1].split("~")[0].split("*")
    return Victim(_after(member, "REF*6P*"), _after(member, "REF*1D*"), first=named[1], last=named[0])


def _after(text: str, mark: str) -> str:
    return text.split(mark)[1].split("~", maxsplit=1)[0]


def _delivered(stack: Stack, files: list[Path]) -> list[Handed]:
    handed = asyncio.run(hand_over(stack.installation, files))
    last = max(one.registration.sequence for one in handed)
    wait_until_published(stack.installation, last, tend=stack.tend, tell=lambda _: None)
    return handed


async def _poison(brokers: str, victim: Victim) -> int:
    """Append to each topic what is almost an event, and holds a person's data; the number of messages."""
    sent = 0
    async with (
        AIOKafkaConsumer(bootstrap_servers=brokers) as consumer,
        AIOKafkaProducer(bootstrap_servers=brokers, enable_idempotence=False) as producer,
    ):
        for topic in _POISONED_TOPICS:
            place = TopicPartition(topic, 0)
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
            real = json.loads((await consumer.getone()).value)
            for key, value in _malformed(real, victim):
                await producer.send_and_wait(topic, value, key, partition=0, headers=[("mbi", victim.mbi.encode())])
                sent += 1
    return sent


def _malformed(real: dict[str, Any], victim: Victim) -> list[tuple[bytes | None, bytes]]:
    mbi, key = victim.mbi, real["subject"].encode()
    changed: list[dict[str, Any]] = [
        real | {"subject": mbi},
        real | {"type": f"tandem.{mbi}.v1"},
        real | {"type": mbi},
        real | {"time": victim.last},
        real | {"deliveryid": mbi},
        real | {"data": real["data"] | {"person_id": mbi, "kind": victim.last}},
        real | {"data": {mbi: {victim.last: victim.medicaid_id}}},
        real
        | {"data": real["data"] | {"spans": [{mbi: victim.first}], "claims": victim.last, "end_offsets": {mbi: 1}}},
    ]
    values = [json.dumps(one).encode() for one in changed]
    raw = [mbi.encode(), f'{{"mbi": "{mbi}"'.encode(), f'{{"{mbi}": 1, "{mbi}": 2}}'.encode(), b"\xff" + mbi.encode()]
    return [
        *((key, value) for value in (*values, *raw)),
        (mbi.encode(), json.dumps(real).encode()),
        (None, mbi.encode()),
    ]


def _wait_until_applied(stack: Stack) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while any(status.lag for status in asyncio.run(read_all(stack.installation))):
        stack.tend()
        assert time.monotonic() < deadline


async def _tailed(brokers: str) -> bytes:
    lines = []
    async with AIOKafkaConsumer(bootstrap_servers=brokers, enable_auto_commit=False) as consumer:
        for topic in _POISONED_TOPICS:
            place = TopicPartition(topic, 0)
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
            for records in (await consumer.getmany(timeout_ms=5000)).values():
                lines += [json.dumps(describe(record)) for record in records]
    return "\n".join(lines).encode()


async def _sealed(installation: Installation) -> dict[str, list[asyncpg.Record]]:
    connection = await asyncpg.connect(installation.superuser_url())
    try:
        return {
            "vault": await connection.fetch("SELECT lookup, value_sealed FROM intake.vault_identifier"),
            "names": await connection.fetch(
                "SELECT lookup, fingerprint, content_sealed FROM intake.vault_demographics"
            ),
            "quarantine": await connection.fetch("SELECT delivery_id, number, raw_sealed FROM intake.quarantined_line"),
            "dead_letters": await connection.fetch(
                "SELECT topic, partition, message_offset, payload FROM risk.runtime_dead_letter"
            ),
        }
    finally:
        await connection.close()


@pytest.mark.parametrize("place", ["topics", "answers", "metrics", "logs", "tables", "tail"])
def test_nobody_is_found(world: World, place: str) -> None:
    searched = world.evidence[place]
    assert sum(map(len, searched.values())) > 1_000, "nothing was searched"
    found = {name: sorted(world.people.found_in(content))[:5] for name, content in searched.items()}
    assert {name: texts for name, texts in found.items() if texts} == {}


def test_the_search_was_complete(world: World) -> None:
    assert len(world.people.texts) > 80 * 4
    assert {"intake", "alignment", "risk", "cost_shift"} <= {name.split(".")[0] for name in world.evidence["tables"]}
    assert len(world.evidence["metrics"]) == 13  # twelve processes of services, and the gateway for states
    assert len([name for name in world.evidence["logs"] if name.startswith("logs/")]) == 13
    assert all(content for content in world.evidence["metrics"].values())
    full = {name for name, content in world.evidence["topics"].items() if content}
    assert len(full) >= 8, full
    routes = {name.split("?")[0].split(" ")[0] for name in world.evidence["answers"]}
    assert routes == {"intake", "alignment", "risk", "cost-shift"}
    codes = {content[:3] for content in world.evidence["answers"].values()}
    assert {b"200", b"404", b"405", b"422"} <= codes
    assert b"500" not in codes


def test_the_poison_was_met(world: World) -> None:
    refused = {one.reason.split(":")[0] for one in world.outcomes if one.reason}
    assert {"identifier_in_name", "corrupted_archive"} <= refused
    assert "reader_error" not in refused
    assert sum(one.quarantined for one in world.outcomes) > 100
    assert len(world.sealed["dead_letters"]) >= 3 * 10
    assert world.poisoned_messages == len(_POISONED_TOPICS) * 14
    assert world.evidence["tail"]["tail"].count(b"unreadable") >= world.poisoned_messages / 2


def test_the_search_finds_people_in_what_was_delivered(world: World) -> None:
    for pattern in ("made/deliveries/*/834.*", "made/deliveries/*/ALIGNMENT_REPORT*", "bad/*/*.ndjson"):
        files = list(world.folder.glob(pattern))
        assert files, pattern
        assert all(world.people.found_in(file.read_bytes()) for file in files if file.stat().st_size > 500)


def test_the_search_finds_people_behind_every_seal(world: World) -> None:
    opened = [world.keys.open(row["value_sealed"], row["lookup"]) for row in world.sealed["vault"]]
    assert all(world.people.found_in(value) for value in opened)
    names = [
        world.keys.open(row["content_sealed"], row["lookup"] + row["fingerprint"]) for row in world.sealed["names"]
    ]
    assert len(names) > 80
    assert all(world.people.found_in(value) for value in names)
    lines = [
        world.keys.lines.open(row["raw_sealed"], f"{row[0]}/{row[1]}".encode()) for row in world.sealed["quarantine"]
    ]
    assert any(world.people.found_in(line) for line in lines)
    letters = [
        unpack(world.seal.open(row["payload"], Spot(row["topic"], row["partition"]), row["message_offset"]))
        for row in world.sealed["dead_letters"]
    ]
    assert all(world.people.found_in((key or b"") + (value or b"")) for key, value in letters)


def test_only_the_owner_can_list_what_was_delivered(world: World) -> None:
    installation = Installation(world.folder / "installation")
    for private in (installation.inbox, installation.delivered, installation.logs):
        assert private.stat().st_mode & 0o077 == 0, private
    assert (installation.folder / "secrets.json").stat().st_mode & 0o077 == 0
