"""Reads signed JSON Web Tokens: which keys and algorithms may have signed, and which claims must hold.

Asymmetric algorithms alone: a key that everybody may read must never be taken for a shared secret, and ``none`` is no
signature (RFC 8725, 3.1 and 3.2).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, RSAKey

# What clients sign with (SMART Backend Services, 2.0: both must be supported).
CLIENT_ALGORITHMS: Final = ("ES384", "RS384")
# What identity providers sign with.
ISSUER_ALGORITHMS: Final = ("ES256", "ES384", "RS256", "RS384", "PS256", "PS384")

_LONGEST: Final = 8192
_SMALLEST_RSA_BITS: Final = 2048
_LEEWAY_SECONDS: Final = 5


class TokenRefusedError(ValueError):
    """The text is no token that can be trusted. The message repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say. ``types``: the values of ``typ`` that are taken, in lower case; empty: any."""

    issuer: str
    audiences: tuple[str, ...]
    algorithms: tuple[str, ...]
    types: tuple[str, ...] = ()
    longest_seconds: int | None = None


def read_signed(text: str, keys: KeySet, algorithms: Collection[str]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims of a token that one of the keys has signed.

    Raises:
        TokenRefusedError: whatever is wrong with the signature; it is not told what.
    """
    if len(text) > _LONGEST or not text.isascii():
        raise TokenRefusedError("the signature does not hold")
    try:
        token = jwt.decode(text, keys, algorithms=list(algorithms))
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        # The library's own word would tell which keys there are.
        raise TokenRefusedError("the signature does not hold") from None
    return token.header, token.claims


def check_claims(header: Mapping[str, Any], claims: Mapping[str, Any], expected: Expected, now: int) -> None:
    """Hold a signed token's claims against what they must be.

    Raises:
        TokenRefusedError: with what is wrong; whoever signed may know.
    """
    kind = str(header.get("typ", "")).lower().removeprefix("application/")
    if expected.types and kind not in expected.types:
        raise TokenRefusedError("the token is of another type")
    if claims.get("iss") != expected.issuer:
        raise TokenRefusedError("the token is of another issuer")
    if not _audiences(claims) & set(expected.audiences):
        raise TokenRefusedError("the token is for another audience")
    _check_times(claims, expected, now)


def _audiences(claims: Mapping[str, Any]) -> set[str]:
    found = claims.get("aud")
    named = found if isinstance(found, list) else [found]
    return {one for one in named if isinstance(one, str)}


def _check_times(claims: Mapping[str, Any], expected: Expected, now: int) -> None:
    expires, issued = _seconds(claims, "exp"), _seconds(claims, "iat")
    begins = _seconds(claims, "nbf") if "nbf" in claims else issued
    if expires <= now - _LEEWAY_SECONDS:
        raise TokenRefusedError("the token has expired")
    if max(issued, begins) > now + _LEEWAY_SECONDS:
        raise TokenRefusedError("the token is of a time to come")
    if expected.longest_seconds is not None and expires - now > expected.longest_seconds + _LEEWAY_SECONDS:
        raise TokenRefusedError(f"the token is good for more than {expected.longest_seconds} seconds")


def _seconds(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        raise TokenRefusedError(f"the token has no {name}")
    return int(value)


def public_key(text: str | Mapping[str, Any]) -> Key:
    """A client's public key, of PEM or of a JSON Web Key: EC on P-384, or RSA of 2,048 bits and more.

    Raises:
        ValueError: it is of another kind; the message is for people.
    """
    key = _imported(text)
    if isinstance(key, RSAKey):
        if key.raw_value.key_size < _SMALLEST_RSA_BITS:
            raise ValueError(f"an RSA key needs {_SMALLEST_RSA_BITS} bits")
    elif not isinstance(key, ECKey) or key.curve_name != "P-384":
        raise ValueError("the key must be EC on P-384 (ES384) or RSA (RS384)")
    if key.is_private:
        raise ValueError("that is a private key: keep it, and hand over the public one")
    return key


def key_id(key: Key) -> str:
    """Its ``kid``; where it has none of its own, its thumbprint (RFC 7638)."""
    key.ensure_kid()
    return str(key.kid)


def _imported(text: str | Mapping[str, Any]) -> Key:
    if not isinstance(text, str):
        kinds: dict[Any, type[ECKey | RSAKey]] = {"EC": ECKey, "RSA": RSAKey}
        if text.get("kty") not in kinds:
            raise ValueError("the key must be EC on P-384 (ES384) or RSA (RS384)")
        return _first(dict(text), kinds[text["kty"]])
    return _first(text, ECKey, RSAKey)


def _first(value: Any, *kinds: type[ECKey | RSAKey]) -> Key:  # noqa: ANN401 - what the library reads
    for kind in kinds:
        try:
            return kind.import_key(value)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    raise ValueError("that is no public key: PEM or a JSON Web Key is needed")
