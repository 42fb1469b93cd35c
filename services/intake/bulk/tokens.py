"""Bearer tokens: asked for when needed, and again shortly before they expire. They are never written down.

Sources: BCDA documentation, Get a Bearer Token (Basic, 20 minutes); HL7 SMART Backend Services (signed assertion, DPC).
"""

import base64
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from services.intake.bulk.answers import Answer
from services.intake.bulk.credentials import Credentials
from services.intake.bulk.failures import AnswerInvalid, CredentialsMissing, CredentialsRefused
from services.intake.bulk.profiles import Profile
from services.intake.bulk.sending import Outgoing, Sender

# A request that is on its way must not arrive with a token that has just expired.
EARLY_SECONDS: Final = 60.0
_USUAL_SECONDS: Final = 1200.0
_ASSERTION_LIFE: Final = timedelta(minutes=5)
_REFUSED: Final = (400, 401, 403)


@dataclass(slots=True)
class Tokens:
    """The token in force."""

    sender: Sender
    profile: Profile
    credentials: Credentials
    new_id: Callable[[], str] = field(default=lambda: str(uuid.uuid4()))
    _token: str | None = field(default=None)
    _renew_at: datetime | None = field(default=None)

    async def bearer(self) -> str:
        """The value of the Authorization header. Raises :class:`CredentialsRefused`."""
        now = self.sender.now()
        if self._token is None or self._renew_at is None or now >= self._renew_at:
            self._token, seconds = _read(await self.sender.patiently(self._request(now)))
            # Of a token that lives shorter than the margin at least half its life is used.
            self._renew_at = now + timedelta(seconds=max(seconds - EARLY_SECONDS, seconds / 2))
        return f"Bearer {self._token}"

    def forget(self) -> None:
        """Ask anew at the next use."""
        self._token = None

    def _request(self, now: datetime) -> Outgoing:
        if self.profile.signs_assertion:
            form = {
                "grant_type": "client_credentials",
                "scope": "system/*.*",
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": assertion(self.credentials, self.profile.token_url, now, self.new_id()),
            }
            return Outgoing("POST", self.profile.token_url, {"Accept": "application/json"}, form)
        pair = f"{self.credentials.client_id.get_secret_value()}:{self.credentials.secret.get_secret_value()}"
        basic = "Basic " + base64.b64encode(pair.encode()).decode()
        return Outgoing("POST", self.profile.token_url, {"Accept": "application/json", "Authorization": basic})


def _read(answer: Answer) -> tuple[str, float]:
    if answer.status in _REFUSED:
        raise CredentialsRefused(
            "The server refuses the credentials. BCDA's expire 90 days after they were made: get new ones and set them."
        )
    if answer.status != 200:  # noqa: PLR2004 - what HTTP calls OK
        raise AnswerInvalid(f"The server gives no token: status {answer.status}.")
    found = answer.document()
    token, seconds = found.get("access_token"), _seconds(found.get("expires_in"))
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
        raise AnswerInvalid("The server's answer holds no token.")
    return token, seconds


def _seconds(value: object) -> float:
    """BCDA writes the number as text."""
    text = str(value)
    return float(text) if text.isascii() and text.isdecimal() and 0 < int(text) <= 10**6 else _USUAL_SECONDS


def assertion(credentials: Credentials, audience: str, now: datetime, number: str) -> str:
    """A JSON Web Token that the private key signs (RS384). Raises :class:`CredentialsMissing` for another key."""
    client = credentials.client_id.get_secret_value()
    expires = int((now + _ASSERTION_LIFE).timestamp())
    head = {"alg": "RS384", "kid": credentials.key_id, "typ": "JWT"}
    claims = {"iss": client, "sub": client, "aud": audience, "exp": expires, "jti": number}
    signed = f"{_part(head)}.{_part(claims)}"
    try:
        key = load_pem_private_key(credentials.secret.get_secret_value().encode(), password=None)
    except (ValueError, TypeError):
        raise CredentialsMissing("The private key cannot be read: an unencrypted PEM file is needed.") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise CredentialsMissing("The private key is not an RSA key.")
    return f"{signed}.{_encoded(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA384()))}"


def _part(value: dict[str, Any]) -> str:
    return _encoded(json.dumps(value, separators=(",", ":")).encode())


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
