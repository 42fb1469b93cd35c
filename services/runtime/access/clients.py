"""The clients of this installation: whose rows they see, what they may do, and their public keys."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from services.runtime.access.assertions import Assertion
from services.runtime.access.principal import CLIENT_ID, SCOPES, Principal, Tenant
from services.runtime.access.signed import key_id, public_key
from services.runtime.database import Connection

_KEPT_NAME: Final = re.compile(r"[\x20-\x7e]{1,64}")


class ClientError(ValueError):
    """What was asked for cannot be done; the message is for the operator."""


class Client(NamedTuple):
    """A client as it is registered."""

    client_id: str
    tenant: Tenant | None
    scopes: frozenset[str]
    revoked: bool
    key_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grant:
    """Whose rows a client sees, and what it may do."""

    tenant: Tenant | None
    scopes: frozenset[str]

    def check(self, client_id: str) -> None:
        """Raises :class:`ClientError`, or :class:`~services.runtime.access.principal.NoPrincipalError`."""
        if not CLIENT_ID.fullmatch(client_id):
            raise ClientError("a client is named with 3 to 64 small letters, digits and hyphens")
        if not self.scopes or not self.scopes <= set(SCOPES):
            raise ClientError(f"scopes are of {', '.join(SCOPES)}")
        Principal(client_id, self.tenant, self.scopes, 0)


async def add(connection: Connection, client_id: str, grant: Grant, key: str, actor: str) -> str:
    """Register a client with its first public key (PEM or JSON Web Key); the key's id.

    Raises:
        ClientError: it is there already, or cannot be.
        ValueError: the key is none that can be used.
    """
    grant.check(client_id)
    tenant = grant.tenant
    async with connection.transaction():
        try:
            await connection.execute(
                "INSERT INTO runtime_client (client_id, state, entity, scopes) VALUES ($1, $2, $3, $4)",
                client_id,
                tenant and tenant.state,
                tenant and tenant.entity,
                sorted(grant.scopes),
            )
        except asyncpg.UniqueViolationError:
            raise ClientError(f"{client_id} is registered already; a name is never used twice") from None
        kid = await _add_key(connection, client_id, key)
        await _note(connection, client_id, "add", actor)
    return kid


async def rotate(connection: Connection, client_id: str, key: str, old_until: datetime, actor: str) -> str:
    """Add a public key; those before it stay good until then. Raises as :func:`add`."""
    async with connection.transaction():
        await _require(connection, client_id)
        kid = await _add_key(connection, client_id, key)
        await connection.execute(
            "UPDATE runtime_client_key SET until = least(until, $3) WHERE client_id = $1 AND kid <> $2",
            client_id,
            kid,
            old_until,
        )
        await _note(connection, client_id, "rotate", actor)
    return kid


async def revoke(connection: Connection, client_id: str, actor: str) -> None:
    """Shut a client out for good, tokens that it has included. Raises :class:`ClientError`."""
    async with connection.transaction():
        await _require(connection, client_id)
        await connection.execute("UPDATE runtime_client SET revoked = true WHERE client_id = $1", client_id)
        await _note(connection, client_id, "revoke", actor)


async def _require(connection: Connection, client_id: str) -> None:
    if not await connection.fetchval(
        "SELECT true FROM runtime_client WHERE client_id = $1 AND NOT revoked FOR UPDATE", client_id
    ):
        raise ClientError("there is no such client, or it was revoked")


async def _add_key(connection: Connection, client_id: str, text: str) -> str:
    key = public_key(json.loads(text) if text.lstrip().startswith("{") else text)
    kid = key_id(key)
    if not _KEPT_NAME.fullmatch(kid):
        raise ClientError("the key's id (kid) must be plain text of at most 64 characters")
    try:
        await connection.execute(
            "INSERT INTO runtime_client_key (client_id, kid, jwk) VALUES ($1, $2, $3)",
            client_id,
            kid,
            json.dumps(key.as_dict(private=False)),
        )
    except asyncpg.UniqueViolationError:
        raise ClientError("the client has a key of this id already") from None
    return kid


async def _note(connection: Connection, client_id: str, action: str, actor: str) -> None:
    await connection.execute(
        "INSERT INTO runtime_client_action (client_id, action, actor) VALUES ($1, $2, $3)", client_id, action, actor
    )


_CLIENTS: Final = """
    SELECT client_id, state, entity, scopes, revoked, ARRAY(
        SELECT kid FROM runtime_client_key AS key
        WHERE key.client_id = client.client_id AND (until IS NULL OR until > now()) ORDER BY kid
    ) AS key_ids
    FROM runtime_client AS client ORDER BY client_id
"""


async def clients(connection: Connection) -> list[Client]:
    """Everybody who was ever registered, with the keys that are good now."""
    return [
        Client(
            row["client_id"], _tenant(row), frozenset(row["scopes"]), row["revoked"], tuple(row["key_ids"])
        )
        for row in await connection.fetch(_CLIENTS)
    ]  # fmt: skip


def _tenant(row: asyncpg.Record) -> Tenant | None:
    return Tenant(row["state"], row["entity"]) if row["state"] else None


async def grant_of(connection: Connection, client_id: str) -> Grant | None:
    """What a client may have; none for one that does not exist or was revoked."""
    row = await connection.fetchrow(
        "SELECT state, entity, scopes FROM runtime_client WHERE client_id = $1 AND NOT revoked", client_id
    )
    return None if row is None else Grant(_tenant(row), frozenset(row["scopes"]))


async def keys_of(connection: Connection, client_id: str, now: datetime) -> list[str]:
    """Its public keys that are good now; none for a client that does not exist or was revoked."""
    rows = await connection.fetch(
        "SELECT jwk FROM runtime_client_key JOIN runtime_client USING (client_id) "
        "WHERE client_id = $1 AND NOT revoked AND (until IS NULL OR until > $2)",
        client_id,
        now,
    )
    return [row["jwk"] for row in rows]


async def first_use(connection: Connection, assertion: Assertion, keep_until: datetime, now: datetime) -> bool:
    """Whether an assertion is used for the first time, in whatever process; it is remembered as long as it is good."""
    await connection.execute("DELETE FROM runtime_assertion WHERE expires_at < $1", now)
    added = await connection.fetchval(
        "INSERT INTO runtime_assertion (client_id, number, expires_at) VALUES ($1, $2, $3) "
        "ON CONFLICT DO NOTHING RETURNING true",
        assertion.client_id,
        hashlib.sha256(assertion.number.encode()).digest(),
        keep_until,
    )
    return bool(added)


async def revoked_among(connection: Connection) -> frozenset[str]:
    """Clients that were shut out."""
    return frozenset(
        row["client_id"] for row in await connection.fetch("SELECT client_id FROM runtime_client WHERE revoked")
    )


def told(found: Iterable[Client]) -> list[dict[str, object]]:
    """As machines want it."""
    return [
        {
            "client_id": client.client_id,
            "tenant": str(client.tenant) if client.tenant else None,
            "scopes": sorted(client.scopes),
            "revoked": client.revoked,
            "key_ids": list(client.key_ids),
        }
        for client in found
    ]
