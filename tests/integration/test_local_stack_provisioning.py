"""Each service owns its schema and is refused everywhere else."""

from urllib.parse import quote, urlsplit

import asyncpg
import pytest

from contracts.topics import Service
from infra.command.services import definition_of
from infra.local.installation import SERVICES, reading_role_of, role_of, schema_of
from infra.local.postgresql import PostgreSQL
from infra.local.provisioning import DATABASE, in_database, provision_database
from services.runtime.database import apply_migrations, connect

pytestmark = pytest.mark.broker

_PASSWORDS = {service: f"password of {service}, with 'quotes'" for service in SERVICES}


async def _connect(server: PostgreSQL, service: Service) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(in_database(server.url, DATABASE), user=role_of(service), password=_PASSWORDS[service])


@pytest.fixture
async def provisioned(postgresql: PostgreSQL) -> PostgreSQL:
    await provision_database(postgresql.url, _PASSWORDS)
    for service in SERVICES:
        connection = await _connect(postgresql, service)
        await connection.execute(f"CREATE TABLE {schema_of(service)}.held (n int)")
        await connection.close()
    return postgresql


@pytest.mark.security
async def test_no_role_gets_into_the_schema_of_another(provisioned: PostgreSQL) -> None:
    for reader in SERVICES:
        connection = await _connect(provisioned, reader)
        for owner in SERVICES:
            statement = f"SELECT count(*) FROM {schema_of(owner)}.held"
            if reader == owner:
                assert await connection.fetchval(statement) == 0
            else:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.fetchval(statement)
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(f"CREATE TABLE {schema_of(owner)}.intruder (n int)")
        await connection.close()


@pytest.mark.security
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.shared (n int)",
        "CREATE SCHEMA another",
        "CREATE ROLE another LOGIN",
        "CREATE DATABASE another",
        "ALTER ROLE tandem_risk SUPERUSER",
        "SET ROLE tandem_intake",
    ],
)
async def test_a_role_can_do_nothing_outside_its_schema(provisioned: PostgreSQL, statement: str) -> None:
    connection = await _connect(provisioned, "risk")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)
    await connection.close()


@pytest.mark.security
async def test_a_role_needs_its_own_password(provisioned: PostgreSQL) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(
            in_database(provisioned.url, DATABASE), user=role_of("risk"), password=_PASSWORDS["intake"]
        )


async def test_provisioning_again_keeps_what_is_there(provisioned: PostgreSQL) -> None:
    await provision_database(provisioned.url, _PASSWORDS | {"risk": "another one"})
    connection = await asyncpg.connect(
        in_database(provisioned.url, DATABASE), user=role_of("risk"), password="another one"
    )
    assert await connection.fetchval("SELECT count(*) FROM risk.held") == 0
    await connection.close()


@pytest.mark.security
@pytest.mark.parametrize("older", [False, True], ids=["role before tables", "tables before role"])
async def test_figures_are_read_for_others_in_a_role_that_owns_nothing(postgresql: PostgreSQL, older: bool) -> None:  # noqa: FBT001
    """Whether the migrations find the role, or the role comes to a database that is older."""
    reading: dict[Service, str] = {"cost-shift": "reads"}
    await provision_database(postgresql.url, _PASSWORDS, None if older else reading)
    owner = in_database(postgresql.url, DATABASE).replace("postgres:", f"{role_of('cost-shift')}:", 1)
    address = urlsplit(owner)
    owner = owner.replace(f":{address.password}@", f":{quote(_PASSWORDS['cost-shift'], safe='')}@", 1)
    service = definition_of("cost-shift")
    connection = await connect(owner, service.schema)
    await apply_migrations(connection, service.schema, service.migrations)
    await connection.close()
    await provision_database(postgresql.url, _PASSWORDS, reading)
    reader = await asyncpg.connect(
        in_database(postgresql.url, DATABASE), user=reading_role_of("cost-shift"), password="reads"
    )
    await reader.execute("SET search_path TO cost_shift")
    for table in ("released_measure", "released_person_months", "signal", "cell_delta", "revision"):
        assert await reader.fetchval(f"SELECT count(*) FROM {table}") == 0
    for statement in (
        "SELECT * FROM claim_contribution",
        "SELECT * FROM published_measure",
        "DELETE FROM released_measure",
        "CREATE TABLE cost_shift.mine (n int)",
        "CREATE TEMPORARY TABLE mine (n int)",
        "SELECT * FROM risk.runtime_position",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute(statement)
    assert await reader.fetchval("SELECT runtime_audit_append('{}','{}','{}','{}','{}','{}','{}')") == 0
    await reader.close()
