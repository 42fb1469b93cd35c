"""Identifiers and lines made unreadable: by HMAC where they are looked up, by AES-GCM where they are kept."""

import hmac
from os import urandom

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.intake.reading import PersonReference

_NONCE_BYTES = 12
_PERSON_DIGITS = 32


class IdentityKeys:
    """The installation's two keys. Whoever has them can find people again; nobody else can."""

    def __init__(self, pseudonym_key: bytes, payload_key: bytes) -> None:
        self._pseudonym_key = pseudonym_key
        # Another text under the same key: a lookup tells nothing about the person id.
        self._lookup_key = hmac.digest(pseudonym_key, b"tandem vault lookup", "sha256")
        self._cipher = AESGCM(payload_key)

    def lookup(self, reference: PersonReference) -> bytes:
        """What an identifier is stored under."""
        return hmac.digest(self._lookup_key, _text(reference), "sha256")

    def person_id(self, reference: PersonReference) -> str:
        """The pseudonym of a person whose first identifier this is."""
        return "p" + hmac.digest(self._pseudonym_key, _text(reference), "sha256").hex()[:_PERSON_DIGITS]

    def seal(self, content: bytes, place: bytes) -> bytes:
        """Encrypt; ``place`` says where it belongs and is checked when it is opened."""
        nonce = urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Decrypt. Raises :class:`cryptography.exceptions.InvalidTag` for another key or place."""
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place)


def _text(reference: PersonReference) -> bytes:
    return f"{reference.kind}:{reference.value}".encode()
