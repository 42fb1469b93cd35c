"""The database, and in it a role and a schema for each service, before any service starts.

Idempotent: run again, it changes only what differs.
"""

from collections.abc import Iterable, Mapping

import asyncpg

from contracts.topics import Service
from infra.local.installation import role_of, schema_of

DATABASE = "tandem"


async def provision_database(superuser_url: str, passwords: Mapping[Service, str]) -> None:
    """Make the database and, in it, a role and its own schemas for each service named in ``passwords``.

    A role may sign in to this database and owns its schema, and nothing else.
    """
    connection = await asyncpg.connect(superuser_url)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE}")
        await connection.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
        for service, password in passwords.items():
            await _make_role(connection, role_of(service), password)
            await connection.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {DATABASE} TO {role_of(service)}")
    finally:
        await connection.close()
    await _provision_schemas(in_database(superuser_url, DATABASE), passwords)


def in_database(url: str, database: str) -> str:
    """The same address with another database."""
    head, _, query = url.partition("?")
    server = head.rsplit("/", 1)[0]
    return f"{server}/{database}" + (f"?{query}" if query else "")


async def _make_role(connection: "asyncpg.Connection[asyncpg.Record]", role: str, password: str) -> None:
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
        await connection.execute(f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS")
    statement = await connection.fetchval(
        "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)", role, password
    )
    await connection.execute(statement)


async def _provision_schemas(url: str, services: Iterable[Service]) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        for service in services:
            await connection.execute(
                f"CREATE SCHEMA IF NOT EXISTS {schema_of(service)} AUTHORIZATION {role_of(service)}"
            )
    finally:
        await connection.close()
