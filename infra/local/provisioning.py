"""The database, and in it a role and a schema for each service, before any service starts.

Idempotent: run again, it changes only what differs.
"""

from collections.abc import Iterable, Mapping

import asyncpg

from contracts.topics import Service
from infra.local.installation import reading_role_of, role_of, schema_of

DATABASE = "tandem"


async def provision_database(
    superuser_url: str, passwords: Mapping[Service, str], reading: Mapping[Service, str] | None = None
) -> None:
    """Make the database and, in it, a role and its own schemas for each service named in ``passwords``.

    A role may sign in to this database and owns its schema, and nothing else. ``reading``: passwords of the roles in which
    figures are read for others; they own nothing, and their service's migrations say what they may read.
    """
    connection = await asyncpg.connect(superuser_url)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE}")
        await connection.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
        for service, password in passwords.items():
            await _make_role(connection, role_of(service), password)
            await connection.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {DATABASE} TO {role_of(service)}")
        for service, password in (reading or {}).items():
            await _make_role(connection, reading_role_of(service), password)
            await connection.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {reading_role_of(service)}")
    finally:
        await connection.close()
    await _provision_schemas(in_database(superuser_url, DATABASE), passwords)
    await _grant_reading(in_database(superuser_url, DATABASE), reading or {})


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


async def _grant_reading(url: str, services: Iterable[Service]) -> None:
    """Where the tables are older than the role, they are granted now; else the migration that makes them does it."""
    connection = await asyncpg.connect(url)
    try:
        for service in services:
            for function in ("runtime_grant_reading", "grant_reading"):
                if await connection.fetchval("SELECT to_regproc($1) IS NOT NULL", f"{schema_of(service)}.{function}"):
                    await connection.execute(f"SET search_path TO {schema_of(service)}")
                    await connection.execute(f"SELECT {function}()")
    finally:
        await connection.close()
