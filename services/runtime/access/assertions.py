"""How a client proves who it is: a JSON Web Token that its own key has signed (RFC 7523, ``private_key_jwt``)."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from joserfc.jwk import KeySet

from services.runtime.access.principal import CLIENT_ID
from services.runtime.access.signed import (
    CLIENT_ALGORITHMS,
    Expected,
    TokenRefusedError,
    check_claims,
    public_key,
    read_signed,
)

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_SECONDS: Final = 300
_LONGEST_NUMBER: Final = 128


@dataclass(frozen=True, slots=True)
class Assertion:
    """A proof that holds, not yet known to be the first use of its number."""

    client_id: str
    number: str
    expires: int


def claimed_client(text: str) -> str:
    """Which client an assertion says that it is of, before anything of it is believed.

    Raises:
        TokenRefusedError: it is no assertion.
    """
    try:
        part = text.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, binascii.Error, RecursionError):
        raise TokenRefusedError("the signature does not hold") from None
    client = claims.get("sub") if isinstance(claims, dict) else None
    if not isinstance(client, str) or not CLIENT_ID.fullmatch(client):
        raise TokenRefusedError("the signature does not hold")
    return client


def checked_assertion(text: str, keys: Sequence[str], audiences: tuple[str, ...], now: int) -> Assertion:
    """Hold an assertion against the keys of the client that it claims to be of.

    Args:
        text: as it came.
        keys: that client's public keys as JSON Web Keys; none where there is no such client.
        audiences: the issuer and its token endpoint.
        now: seconds of Unix time.

    Raises:
        TokenRefusedError: a wrong signature says nothing more; a right one is told what else is wrong.
    """
    client = claimed_client(text)
    if not keys:
        raise TokenRefusedError("the signature does not hold")
    header, claims = read_signed(text, KeySet([public_key(json.loads(key)) for key in keys]), CLIENT_ALGORITHMS)
    expected = Expected(client, audiences, CLIENT_ALGORITHMS, longest_seconds=LONGEST_SECONDS)
    # iat is no claim that every library sets; what it would tell is bounded by exp.
    check_claims(header, {"iat": 0, **claims}, expected, now)
    return Assertion(client, _number(claims), int(claims["exp"]))


def _number(claims: Mapping[str, Any]) -> str:
    number = claims.get("jti")
    if not isinstance(number, str) or not 0 < len(number) <= _LONGEST_NUMBER:
        raise TokenRefusedError("the token has no jti")
    return number
