"""Proves who a client is: a JSON Web Token that its private key signs (RFC 7523; ES384 or RS384)."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

_GOOD_FOR_SECONDS = 120
_P384_BYTES = 48
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _number(value: int, size: int | None = None) -> str:
    return _text(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def load_key(key: Path | bytes | str) -> PrivateKey:
    """A private key in PEM, or the file that holds it. Raises :class:`ValueError` for one of another kind."""
    content = key.read_bytes() if isinstance(key, Path) else key.encode() if isinstance(key, str) else key
    loaded = serialization.load_pem_private_key(content, None)
    if isinstance(loaded, ec.EllipticCurvePrivateKey) and isinstance(loaded.curve, ec.SECP384R1):
        return loaded
    if isinstance(loaded, rsa.RSAPrivateKey):
        return loaded
    raise ValueError("a private key of EC on P-384 or of RSA is needed")


def thumbprint(key: PrivateKey) -> str:
    """The key's id, where it was given no other (RFC 7638)."""
    if isinstance(key, rsa.RSAPrivateKey):
        rsa_numbers = key.public_key().public_numbers()
        members = {"e": _number(rsa_numbers.e), "kty": "RSA", "n": _number(rsa_numbers.n)}
    else:
        point = key.public_key().public_numbers()
        members = {"crv": "P-384", "kty": "EC", "x": _number(point.x, _P384_BYTES), "y": _number(point.y, _P384_BYTES)}
    return _text(hashlib.sha256(json.dumps(members, separators=(",", ":"), sort_keys=True).encode()).digest())


@dataclass(frozen=True)
class Signer:
    """Makes assertions of one client. ``clock``: seconds of Unix time."""

    client_id: str
    key: PrivateKey
    clock: Callable[[], float]
    key_id: str | None = None

    def assertion(self, audience: str) -> str:
        """A fresh proof for one token endpoint; each is good once, for two minutes."""
        algorithm = "RS384" if isinstance(self.key, rsa.RSAPrivateKey) else "ES384"
        header = {"alg": algorithm, "typ": "JWT", "kid": self.key_id or thumbprint(self.key)}
        now = int(self.clock())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": audience,
            "jti": str(uuid4()),
            "iat": now,
            "exp": now + _GOOD_FOR_SECONDS,
        }
        signing = f"{_text(json.dumps(header).encode())}.{_text(json.dumps(claims).encode())}"
        return f"{signing}.{_text(self._signature(signing.encode()))}"

    def _signature(self, content: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(content, padding.PKCS1v15(), hashes.SHA384())
        r, s = decode_dss_signature(self.key.sign(content, ec.ECDSA(hashes.SHA384())))
        return r.to_bytes(_P384_BYTES, "big") + s.to_bytes(_P384_BYTES, "big")
