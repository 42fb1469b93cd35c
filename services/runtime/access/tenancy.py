"""Whose rows a transaction sees: row-level security of the database reads it from here, and without it shows nothing."""

from fastapi import Request

from services.runtime.access.principal import Principal, Tenant
from services.runtime.database import Connection

_ENTER = "SELECT set_config('tandem.state', $1, true), set_config('tandem.entity', $2, true)"


async def enter_tenant(connection: Connection, tenant: Tenant) -> None:
    """See what belongs to a tenant, up to the end of the open transaction."""
    await connection.execute(_ENTER, tenant.state, tenant.entity or "")


def principal_of_request(request: Request) -> Principal | None:
    """Who asks; none where the gateway lets everybody in."""
    found: Principal | None = getattr(request.state, "principal", None)
    return found
