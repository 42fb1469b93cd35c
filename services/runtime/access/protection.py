"""Whether a gateway is protected, and by whose tokens: decided by settings alone, never by chance."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

from fastapi import FastAPI

from services.runtime.access.audit import AuditTrail, Pool
from services.runtime.access.bearer import LIFETIME_SECONDS, OWN_ALGORITHM, TYPE, BearerTokens, Issuer, Keys
from services.runtime.access.guard import TOKEN_PATH, Door, Revoked
from services.runtime.access.issuer_keys import FoundKeys, OwnKeys, own_key
from services.runtime.access.limits import Limits, OpenRequests
from services.runtime.access.principal import SCOPES
from services.runtime.access.signed import ISSUER_ALGORITHMS, Expected
from services.runtime.access.token_endpoint import TokenMaker
from services.runtime.exits import SettingsInvalid
from services.runtime.settings import Settings

_MEANINGS: Final = {
    "measures.read": "figures, what changed of them and why, entities, deliveries",
    "effects.read": "estimates and what follows from them",
    "operations.read": "everything of every tenant, small cells included: for the operator's own programs",
}


@dataclass(frozen=True, slots=True)
class Protection:
    """How a protected gateway is protected. ``issuer``: where it makes the tokens itself."""

    settings: Settings
    issuer: Issuer | None

    def open_door(self, app: FastAPI, service: str, pool: Pool, clock: Callable[[], float] = time.time) -> None:
        """Put what decides who comes in where the guard looks for it."""
        limits = Limits(self.settings.requests_per_minute, self.settings.requests_at_once, time.monotonic)
        tokens = BearerTokens(self._expected(), self._keys(), clock)
        revoked = Revoked(pool, time.monotonic) if self.issuer is not None else None
        held = OpenRequests(self.settings.requests_open)
        door = Door(service, tokens, limits, held, AuditTrail(pool), clock, revoked)
        app.state.door = door
        if self.issuer is not None:
            app.state.token_maker = TokenMaker(self.issuer, pool, door)

    def _expected(self) -> Expected:
        url, audiences = self.settings.issuer or "", (self.settings.audience,)
        if self.issuer is None:
            return Expected(url, audiences, ISSUER_ALGORITHMS)
        return Expected(url, audiences, (OWN_ALGORITHM,), (TYPE,), LIFETIME_SECONDS)

    def _keys(self) -> Keys:
        if self.issuer is not None:
            return OwnKeys(self.issuer.key)
        return FoundKeys(self.settings.issuer_keys or "", time.monotonic)


def protection_of(settings: Settings) -> Protection | None:
    """None: everybody who can reach the gateway may read.

    Raises:
        SettingsInvalid: it is not told whether, or by what, the gateway is protected.
    """
    mode = settings.access or ("token" if settings.issuer else "open")
    if mode == "open":
        _require_nearness(settings)
        return None
    if settings.issuer is None:
        raise SettingsInvalid("TANDEM_ISSUER is not set: with TANDEM_ACCESS=token somebody must make the tokens")
    pem = settings.signing_key_text()
    if (pem is None) == (settings.issuer_keys is None):
        raise SettingsInvalid("TANDEM_ISSUER: one of TANDEM_SIGNING_KEY and TANDEM_ISSUER_KEYS must be set")
    return Protection(settings, None if pem is None else Issuer(settings.issuer, settings.audience, own_key(pem)))


def _require_nearness(settings: Settings) -> None:
    if settings.issuer is not None:
        raise SettingsInvalid("TANDEM_ACCESS is open and TANDEM_ISSUER is set: one of them is a mistake")
    if settings.access is None and not _is_loopback(settings.gateway_host):
        raise SettingsInvalid(
            "TANDEM_ACCESS is not set, and others can reach TANDEM_GATEWAY_HOST: say 'token', or 'open' where only "
            "those who may see everything can come"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def document_access(schema: dict[str, Any], issuer: str) -> dict[str, Any]:
    """Write into an OpenAPI document how to come in."""
    flow = {"tokenUrl": issuer.rstrip("/") + TOKEN_PATH, "scopes": {name: _MEANINGS[name] for name in SCOPES}}
    schemes = schema.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes["token"] = {"type": "oauth2", "flows": {"clientCredentials": flow}}
    schema["security"] = [{"token": []}]
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            if not path.startswith("/v1/"):
                operation["security"] = []
    return schema
