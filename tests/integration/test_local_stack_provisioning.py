"""Each service owns its schema and is refused everywhere else."""

import asyncpg
import pytest

from contracts.topics import Service
from infra.local.installation import SERVICES, role_of, schema_of
from infra.local.postgresql import PostgreSQL
from infra.local.provisioning import DATABASE, in_database, provision_database

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
