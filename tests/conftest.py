"""Servers for tests: started once a session when first asked for, or privately for a test that breaks them.

Under pytest-xdist every worker has servers of its own, and a file stays with one worker (``--dist loadfile``).
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from infra.kafka.apache_kafka import ApacheKafka, running_apache_kafka
from infra.local.embedded_broker import running_embedded_broker
from infra.local.postgresql import PostgreSQL

# How fast a machine is says nothing of a property. On a build machine (CI) the examples are the same every time.
settings.register_profile(
    "tandem",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
    print_blob=True,
)
settings.load_profile("tandem")

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


def _make_folder() -> Path:
    # Not pytest's own folder: as root, PostgreSQL runs as another account, which must be able to enter.
    folder = Path(tempfile.mkdtemp(prefix="tandem-test-"))
    folder.chmod(0o711)
    return folder


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder for the session's servers."""
    folder = _make_folder()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def private_folder() -> Iterator[Path]:
    """A folder for a test's own servers, which any account may enter."""
    folder = _make_folder()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_url(server_folder: Path) -> Iterator[str]:
    """The superuser's address of the session's PostgreSQL 18."""
    server = PostgreSQL(server_folder / "postgresql-session", durable=False)
    server.start()
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def embedded_broker_address(server_folder: Path) -> Iterator[str]:
    """The session's embedded broker."""
    with running_embedded_broker(server_folder / "embedded-broker") as address:
        yield address


@pytest.fixture(scope="session")
def kafka_address(server_folder: Path) -> Iterator[str]:
    """The session's Apache Kafka. Topics outlive a test: use names of your own."""
    with running_apache_kafka(server_folder / "apache-kafka") as broker:
        yield broker.address


@pytest.fixture
def apache_kafka(private_folder: Path) -> Iterator[ApacheKafka]:
    """A private Apache Kafka to kill, pause and restart."""
    with running_apache_kafka(private_folder / "apache-kafka") as broker:
        yield broker


@pytest.fixture
def postgresql(private_folder: Path) -> Iterator[PostgreSQL]:
    """A private PostgreSQL to kill and restart."""
    server = PostgreSQL(private_folder / "postgresql", durable=False)
    server.start()
    yield server
    server.stop()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def _fresh_database(postgres_url: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    asyncio.run(_execute(postgres_url, f"CREATE DATABASE {name}"))
    yield postgres_url.replace("/postgres?", f"/{name}?")
    asyncio.run(_execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    """A fresh, empty database, dropped afterwards."""
    with _fresh_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(postgres_url: str) -> Iterator[str]:
    """A database that the tests of a file share, which fill it once and only read it."""
    with _fresh_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real test data beside the checkout."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder of real test data is not there")
    return SHARED_DATA
