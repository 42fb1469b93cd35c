"""Everything of a running installation that anybody but intake's vault could show, as bytes to be searched."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.topics import TOPICS
from infra.local.installation import Addresses, Installation
from services.runtime.ledger import Spot
from services.runtime.log import reading

Evidence = dict[str, bytes]
_PARAMETERS = {
    "arrangement": "mco_based_dce",
    "baseline_from": "2022-01",
    "change": "added",
    "entity": "D9001",
    "first_day": "2022-01-01",
    "last_day": "2022-12-31",
    "first_month": "2022-01",
    "last_month": "2022-03",
    "month": "2022-02",
    "payment_year": "2023",
    "performance_year": "PY2022",
    "pre_from": "2022-01",
    "pre_to": "2022-01",
    "post_from": "2022-02",
    "post_to": "2022-03",
    "since": "1",
    "start": "2022-02",
}


async def topics(brokers: str) -> Evidence:
    """Keys, values and headers of every message, by topic."""
    spots = [Spot(topic.name, partition) for topic in TOPICS for partition in range(topic.partitions)]
    async with reading([brokers], 30.0) as reader:
        ends = await reader.ends(spots)
    found: Evidence = {topic.name: b"" for topic in TOPICS}
    async with AIOKafkaConsumer(bootstrap_servers=brokers, enable_auto_commit=False) as consumer:
        waiting = {TopicPartition(*spot): end for spot, end in ends.items() if end}
        consumer.assign(list(waiting))
        await consumer.seek_to_beginning(*waiting)
        while any([await consumer.position(place) < end for place, end in waiting.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    headers = b" ".join(key.encode() + b"=" + value for key, value in record.headers)
                    found[record.topic] += b"\n".join((record.key or b"", record.value or b"", headers, b""))
    return found


async def tables(url: str) -> Evidence:
    """Every value of every table of every service, by table; bytes as they are."""
    connection = await asyncpg.connect(url)
    try:
        named = await connection.fetch(
            "SELECT schemaname AS schema, tablename AS name FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        found = {}
        for table in named:
            rows = await connection.fetch(f'SELECT * FROM {table["schema"]}."{table["name"]}"')
            values = (value for row in rows for value in row.values())
            found[f"{table['schema']}.{table['name']}"] = b"\n".join(map(_as_bytes, values))
        return found
    finally:
        await connection.close()


def _as_bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def logs(folder: Path) -> Evidence:
    """What the processes, the database and the broker have written."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.log*") if file.is_file()}


# The fraction of a sample's value, at the end of its line: seconds such as 1.3900000000000001 hold the digits of somebody's
# identifier by chance, and a fraction names nobody.
_FRACTION = re.compile(rb"( -?[0-9]+)\.[0-9]+(?=(?:e[+-]?[0-9]+)?$)", re.MULTILINE)


def metrics(addresses: Addresses) -> Evidence:
    """What every process tells Prometheus, but for the fractions of values."""
    return {
        name: _FRACTION.sub(rb"\1", httpx.get(url).raise_for_status().content)
        for name, url in addresses.metrics.items()
    }


def answers(addresses: Addresses, known: dict[str, str], personal: list[str]) -> Evidence:
    """Every route of every gateway: answered, and asked with people's data in every place that takes a text."""
    found: Evidence = {}
    with httpx.Client(timeout=60) as client:
        for service, url in addresses.gateways.items():
            document = client.get(f"{url}/openapi.json").json()
            found[f"{service} /openapi.json"] = json.dumps(document).encode()
            for asked in _requests(document, known, personal):
                told = _told(client, asked | {"url": url + asked["url"]})
                found[f"{service} {asked['method']} {asked['url']} {asked.get('params', '')}"] = told
    return found


def _told(client: httpx.Client, asked: dict[str, Any]) -> bytes:
    """What was asked is the caller's; what is told is status, headers and content. A stream is read until it waits."""
    with client.stream(**asked) as answer:
        content = b""
        for block in answer.iter_bytes():
            content += block
            if content.endswith(b": nothing new\n\n"):
                break
        return f"{answer.status_code} {answer.headers}\n".encode() + content


def _requests(document: dict[str, Any], known: dict[str, str], personal: list[str]) -> Iterator[dict[str, Any]]:
    for path, operations in document["paths"].items():
        if "get" not in operations:
            continue
        parameters = operations["get"].get("parameters", [])
        required = {one["name"]: _PARAMETERS[one["name"]] for one in parameters if _must_be_given(one)}
        yield {"method": "GET", "url": path.format_map(known), "params": required}
        for text in personal:
            yield {"method": "GET", "url": path.format_map(dict.fromkeys(known, text)), "params": required}
            yield {"method": "POST", "url": path.format_map(known), "json": {"mbi": text}}
            queried = [one["name"] for one in parameters if one["in"] == "query"]
            yield {"method": "GET", "url": path.format_map(known), "params": dict.fromkeys([*queried, "mbi"], text)}
            for name in queried:
                yield {"method": "GET", "url": path.format_map(known), "params": required | {name: text}}
    for text in personal:
        yield {"method": "GET", "url": f"/v1/{text}"}
        yield {"method": "GET", "url": "/ready", "headers": {"X-Request-ID": text, "Accept": text}}


def _must_be_given(parameter: dict[str, Any]) -> bool:
    return parameter["in"] == "query" and parameter.get("required", False)


async def known_values(installation: Installation) -> dict[str, str]:
    """A value for every parameter in a path."""
    connection = await asyncpg.connect(installation.superuser_url())
    try:
        person = await connection.fetchval("SELECT min(person_id) FROM intake.vault_person")
        delivery = await connection.fetchval("SELECT min(delivery_id) FROM intake.quarantined_line")
        action = await connection.fetchval("SELECT min(action_id) FROM risk.care_action")
    finally:
        await connection.close()
    # Signals need two years of months, which a world that is only searched for names does not have.
    fixed = {"entity_id": "D9001", "signal_id": "D9001.home_health.42", "month": "2022-02", "tier": "1"}
    return {"person_id": person, "delivery_id": delivery, "action_id": action, **fixed}
