"""Access tokens: made by this installation's own key, or by an identity provider's, and read the same way (RFC 9068)."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from services.runtime.access.principal import (
    ENTITY_CLAIM,
    STATE_CLAIM,
    NoPrincipalError,
    Principal,
    Tenant,
    principal_of,
)
from services.runtime.access.signed import Expected, TokenRefusedError, check_claims, key_id, read_signed

LIFETIME_SECONDS: Final = 300
OWN_ALGORITHM: Final = "ES384"
TYPE: Final = "at+jwt"
_REMEMBERED: Final = 4096

# The issuer's keys; asked again with True where a token names a key that was not among them.
Keys = Callable[[bool], Awaitable[KeySet]]


@dataclass(frozen=True, slots=True)
class Issuer:
    """What makes tokens in this installation."""

    url: str
    audience: str
    key: ECKey

    def token(self, client_id: str, tenant: Tenant | None, scopes: frozenset[str], number: str, now: int) -> str:
        """An access token of five minutes."""
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": self.audience,
            "sub": client_id,
            "client_id": client_id,
            "scope": " ".join(sorted(scopes)),
            "jti": number,
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
        }
        if tenant is not None:
            claims |= {STATE_CLAIM: tenant.state} | ({ENTITY_CLAIM: tenant.entity} if tenant.entity else {})
        header = {"alg": OWN_ALGORITHM, "typ": TYPE, "kid": key_id(self.key)}
        return jwt.encode(header, claims, self.key, algorithms=[OWN_ALGORITHM])


@dataclass(slots=True)
class BearerTokens:
    """Reads the tokens of one issuer, whoever that is. A token that was read once is remembered until it expires."""

    expected: Expected
    keys: Keys
    clock: Callable[[], float]
    _known: "OrderedDict[str, Principal]" = field(default_factory=OrderedDict)

    async def principal(self, text: str) -> Principal:
        """Whom a token stands for.

        Raises:
            TokenRefusedError: nobody.
        """
        now = int(self.clock())
        known = self._known.get(text)
        if known is not None and known.expires > now:
            return known
        found = await self._read(text, now)
        self._known[text] = found
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return found

    async def _read(self, text: str, now: int) -> Principal:
        try:
            header, claims = read_signed(text, await self.keys(False), self.expected.algorithms)
        except TokenRefusedError:
            # The issuer may have another key by now.
            header, claims = read_signed(text, await self.keys(True), self.expected.algorithms)
        check_claims(header, claims, self.expected, now)
        try:
            return principal_of(claims)
        except NoPrincipalError as error:
            raise TokenRefusedError(str(error)) from None
