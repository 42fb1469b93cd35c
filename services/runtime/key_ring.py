"""Sealing under keys that can be changed: one key an installation sets, and from it one for each purpose.

A sealed value says under which key it was sealed, so that values of two keys can lie side by side while one is replaced
by the other. Purposes are kept apart (HKDF, RFC 5869): what opens quarantined lines opens no identifier.
"""

from hashlib import sha256
from os import urandom
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32
# First of all a byte that says how the rest is written, then which key.
_FORMAT: Final = b"\x01"
_KEY_ID_BYTES: Final = 8
MARK_BYTES: Final = len(_FORMAT) + _KEY_ID_BYTES


def derived_key(key: bytes, purpose: str) -> bytes:
    """The key of one purpose. Nothing about ``key`` can be told from it."""
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=f"tandem {purpose}".encode()).derive(key)


class KeyRing:
    """Seals under the newest key of one purpose, opens under it and those before it."""

    def __init__(self, purpose: str, key: bytes, *previous: bytes) -> None:
        self._ciphers: dict[bytes, AESGCM] = {}
        for older in (*reversed(previous), key):
            own = derived_key(older, purpose)
            self.mark = _FORMAT + sha256(b"tandem key id" + own).digest()[:_KEY_ID_BYTES]
            self._ciphers[self.mark] = AESGCM(own)
        # As values were sealed before keys had purposes.
        self._unmarked = [AESGCM(older) for older in (key, *previous)]

    @property
    def key_id(self) -> str:
        """Tells the newest key from others, and nothing else about it."""
        return self.mark.hex()[2:]

    def seal(self, content: bytes, place: bytes) -> bytes:
        """Encrypt; ``place`` says where it belongs and is checked when it is opened."""
        nonce = urandom(_NONCE_BYTES)
        return self.mark + nonce + self._ciphers[self.mark].encrypt(nonce, content, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Decrypt. Raises :class:`cryptography.exceptions.InvalidTag` for another key or place."""
        cipher = self._ciphers.get(sealed[:MARK_BYTES])
        if cipher is not None:
            return _opened(cipher, sealed[MARK_BYTES:], place)
        for cipher in self._unmarked:
            try:
                return _opened(cipher, sealed, place)
            except InvalidTag:
                continue
        raise InvalidTag


def _opened(cipher: AESGCM, sealed: bytes, place: bytes) -> bytes:
    if len(sealed) < _NONCE_BYTES:
        raise InvalidTag
    return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place)
