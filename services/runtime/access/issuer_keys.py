"""Where the keys of the issuer of tokens come from: this installation's own key, a file, or the issuer's address."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from services.runtime.exits import SettingsInvalid
from services.runtime.telemetry import log

# So long are keys believed without asking again, and so long after asking in vain.
_GOOD_FOR_SECONDS: Final = 600.0
_ASK_AGAIN_AFTER_SECONDS: Final = 30.0
_TIMEOUT_SECONDS: Final = 5.0
_LARGEST_BYTES: Final = 256 * 1024


class KeysUnreachableError(ConnectionError):
    """The issuer does not say its keys, and none are known."""


def own_key(pem: str) -> ECKey:
    """The key that signs this installation's tokens; its lines may be one, as files of variables want it.

    Raises:
        SettingsInvalid: it is no such key.
    """
    try:
        key = ECKey.import_key(pem.replace("\\n", "\n"))
    except (JoseError, ValueError, TypeError):
        raise SettingsInvalid("TANDEM_SIGNING_KEY: not a private key of EC in PEM") from None
    if not key.is_private or key.curve_name != "P-384":
        raise SettingsInvalid("TANDEM_SIGNING_KEY: a private key on P-384 is needed (ES384)")
    key.ensure_kid()
    return key


@dataclass(slots=True)
class OwnKeys:
    """Nobody else's."""

    key: ECKey

    async def __call__(self, _again: bool) -> KeySet:  # noqa: FBT001 - the shape of every source of keys
        """The public half."""
        return KeySet([self.key])


def read_key_set(text: str | bytes) -> KeySet:
    """A JSON Web Key Set. Raises :class:`ValueError`."""
    try:
        return KeySet.import_key_set(json.loads(text))
    except (JoseError, KeyError, TypeError) as error:
        raise ValueError(f"not a set of keys: {type(error).__name__}") from None


@dataclass(slots=True)
class FoundKeys:
    """Keys at an address or in a file, asked for again when they are old or do not fit."""

    source: str
    clock: Callable[[], float]
    transport: httpx.AsyncBaseTransport | None = None
    _keys: KeySet | None = None
    _asked: float = float("-inf")
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __call__(self, again: bool) -> KeySet:  # noqa: FBT001 - the shape of every source of keys
        """The keys as far as they are known.

        Raises:
            KeysUnreachableError: they never were.
        """
        async with self._lock:
            age = self.clock() - self._asked
            if age > (_ASK_AGAIN_AFTER_SECONDS if again or self._keys is None else _GOOD_FOR_SECONDS):
                await self._ask()
        if self._keys is None:
            raise KeysUnreachableError("the keys of the issuer of tokens are not known")
        return self._keys

    async def _ask(self) -> None:
        self._asked = self.clock()
        try:
            self._keys = read_key_set(await self._text())
        except (httpx.HTTPError, OSError, ValueError) as error:
            # Those known before stay good: an issuer that is away must not shut everybody out at once.
            log("issuer_keys_unreachable", level="warning", error=type(error).__name__)

    async def _text(self) -> bytes:
        if not self.source.startswith(("https://", "http://")):
            return await asyncio.to_thread(Path(self.source).read_bytes)
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, transport=self.transport) as client:
            answer = await client.get(self.source, headers={"Accept": "application/json"})
        answer.raise_for_status()
        if len(answer.content) > _LARGEST_BYTES:
            raise ValueError("the set of keys is too large")
        return answer.content


def public_set(key: ECKey) -> dict[str, Any]:
    """What others check this installation's tokens with."""
    return {"keys": [{**key.as_dict(private=False), "alg": "ES384", "use": "sig"}]}
