"""Who asks: a client, whose rows it may see, and what it may do."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

# Whoever has it sees every tenant, unsuppressed: only for clients without a tenant.
OPERATIONS: Final = "operations.read"
SCOPES: Final = ("measures.read", "effects.read", OPERATIONS)

STATE_CLAIM: Final = "tandem_state"
ENTITY_CLAIM: Final = "tandem_entity"

CLIENT_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,62}[a-z0-9]")
_FOREIGN_CLIENT: Final = re.compile(r"[\x21-\x7e]{1,128}")
_STATE: Final = re.compile(r"[A-Z]{2}")
_ENTITY: Final = re.compile(r"D\d{4}", re.ASCII)


class NoPrincipalError(ValueError):
    """The claims name nobody who could be let in. The message repeats nothing."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose rows: those of a state, or of one entity in it."""

    state: str
    entity: str | None = None

    def __post_init__(self) -> None:
        """Raises :class:`NoPrincipalError` for what no row could belong to."""
        if not _STATE.fullmatch(self.state) or (self.entity is not None and not _ENTITY.fullmatch(self.entity)):
            raise NoPrincipalError("not a tenant: a state is two capitals, an entity D and four digits")

    def __str__(self) -> str:
        return self.state if self.entity is None else f"{self.state}/{self.entity}"


@dataclass(frozen=True, slots=True)
class Principal:
    """A client as its token names it. ``expires`` in seconds of Unix time; without a tenant it is an operator's."""

    client_id: str
    tenant: Tenant | None
    scopes: frozenset[str]
    expires: int

    def __post_init__(self) -> None:
        """Raises :class:`NoPrincipalError`: what shows everybody's rows is for nobody's tenant, and the other way round."""
        if (self.tenant is None) != (OPERATIONS in self.scopes):
            raise NoPrincipalError(f"the scope {OPERATIONS} is for clients without a tenant, and they have no other")


def principal_of(claims: Mapping[str, Any]) -> Principal:
    """The principal of an access token's claims (RFC 9068; ``azp`` and ``scp`` as other providers write them).

    Raises:
        NoPrincipalError: they name no client, or a tenant that cannot be.
    """
    client = claims.get("client_id") or claims.get("azp") or claims.get("sub")
    if not isinstance(client, str) or not _FOREIGN_CLIENT.fullmatch(client):
        raise NoPrincipalError("the token names no client")
    return Principal(client, _tenant(claims), _scopes(claims), int(claims["exp"]))


def _tenant(claims: Mapping[str, Any]) -> Tenant | None:
    state, entity = claims.get(STATE_CLAIM), claims.get(ENTITY_CLAIM)
    if state is None and entity is None:
        return None
    if not isinstance(state, str) or not isinstance(entity, str | None):
        raise NoPrincipalError("the token names no tenant")
    return Tenant(state, entity)


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    found = claims.get("scope", claims.get("scp", ""))
    names = found.split() if isinstance(found, str) else found
    if not isinstance(names, list):
        raise NoPrincipalError("the token has no scopes")
    # Those of other systems of the same provider mean nothing here.
    return frozenset(name for name in names if name in SCOPES)
