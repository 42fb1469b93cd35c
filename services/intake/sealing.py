"""Identifiers and lines made unreadable: by HMAC where they are looked up, by AES-GCM where they are kept."""

import hmac
from typing import Final

from services.intake.reading import PersonReference
from services.runtime.key_ring import KeyRing

_PERSON_DIGITS: Final = 32


class IdentityKeys:
    """The installation's keys. Whoever has them can find people again; nobody else can.

    ``previous`` payload keys still open what was sealed under them. There is one pseudonym key for ever: another one would
    make everybody somebody else.
    """

    def __init__(self, pseudonym_key: bytes, payload_key: bytes, *previous: bytes) -> None:
        self._pseudonym_key = pseudonym_key
        # Another text under the same key: a lookup tells nothing about the person id.
        self._lookup_key = hmac.digest(pseudonym_key, b"tandem vault lookup", "sha256")
        self._blinding_key = hmac.digest(pseudonym_key, b"tandem vault blocks", "sha256")
        self._signing_key = hmac.digest(pseudonym_key, b"tandem identity decisions", "sha256")
        self.vault = KeyRing("identity vault", payload_key, *previous)
        self.lines = KeyRing("quarantined lines", payload_key, *previous)

    def lookup(self, reference: PersonReference) -> bytes:
        """What an identifier is stored under."""
        return hmac.digest(self._lookup_key, _text(reference), "sha256")

    def person_id(self, reference: PersonReference) -> str:
        """The pseudonym of a person whose first identifier this is."""
        return "p" + hmac.digest(self._pseudonym_key, _text(reference), "sha256").hex()[:_PERSON_DIGITS]

    def blinded(self, purpose: str, content: bytes) -> bytes:
        """What tells whether two are equal, and nothing else about them."""
        return hmac.digest(self._blinding_key, purpose.encode() + b"\x00" + content, "sha256")

    def signature(self, text: bytes) -> str:
        """Proves that a decision was written by somebody with the keys."""
        return hmac.digest(self._signing_key, text, "sha256").hex()

    def signs(self, text: bytes, signature: str) -> bool:
        """Whether a signature is that of the text."""
        return hmac.compare_digest(self.signature(text), signature)

    def seal(self, content: bytes, place: bytes) -> bytes:
        """Encrypt for the vault; ``place`` says where it belongs and is checked when it is opened."""
        return self.vault.seal(content, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Decrypt. Raises :class:`cryptography.exceptions.InvalidTag` for another key or place."""
        return self.vault.open(sealed, place)


def _text(reference: PersonReference) -> bytes:
    return f"{reference.kind}:{reference.value}".encode()
