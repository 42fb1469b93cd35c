"""What proves who a client is, and everything that only looks like it."""

import base64
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import ECKey, RSAKey

from services.runtime.access.assertions import Assertion, checked_assertion, claimed_client
from services.runtime.access.signed import TokenRefusedError, key_id, public_key

NOW = 1_790_000_000
CLIENT = "ohio-medicaid"
AUDIENCES = ("https://states.example", "https://states.example/oauth/token")
EC = ECKey.generate_key("P-384")
RSA = RSAKey.generate_key(2048)
OTHER = ECKey.generate_key("P-384")


def stored(*keys: ECKey | RSAKey) -> list[str]:
    return [json.dumps({**key.as_dict(private=False), "kid": key_id(key)}) for key in keys]


def claims(**changed: Any) -> dict[str, Any]:
    whole = {"iss": CLIENT, "sub": CLIENT, "aud": AUDIENCES[1], "exp": NOW + 300, "iat": NOW, "jti": "one", **changed}
    return {name: value for name, value in whole.items() if value is not None}


def signed(key: Any = EC, algorithm: str = "ES384", header: dict[str, Any] | None = None, **changed: Any) -> str:
    whole = {"alg": algorithm, "kid": key_id(key), **(header or {})}
    return jwt.encode(whole, claims(**changed), key, algorithms=[algorithm])


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(("key", "algorithm"), [(EC, "ES384"), (RSA, "RS384")])
@pytest.mark.parametrize("audience", [*AUDIENCES, ["https://elsewhere.example", AUDIENCES[0]]])
def test_a_client_is_known_by_its_key(key: Any, algorithm: str, audience: Any) -> None:
    text = signed(key, algorithm, aud=audience)
    assert checked_assertion(text, stored(EC, RSA), AUDIENCES, NOW) == Assertion(CLIENT, "one", NOW + 300)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"exp": NOW - 10}, "the token has expired"),
        ({"exp": None}, "the token has no exp"),
        ({"exp": "soon"}, "the token has no exp"),
        ({"exp": True}, "the token has no exp"),
        ({"exp": float("1e300")}, "the token has no exp"),
        ({"exp": NOW + 3600}, "the token is good for more than 300 seconds"),
        ({"iat": NOW + 60}, "the token is of a time to come"),
        ({"nbf": NOW + 60}, "the token is of a time to come"),
        ({"aud": "https://elsewhere.example"}, "the token is for another audience"),
        ({"aud": AUDIENCES[1] + "/"}, "the token is for another audience"),
        ({"aud": None}, "the token is for another audience"),
        ({"aud": {"a": 1}}, "the token is for another audience"),
        ({"iss": "kentucky-medicaid"}, "the token is of another issuer"),
        ({"jti": None}, "the token has no jti"),
        ({"jti": ""}, "the token has no jti"),
        ({"jti": "x" * 129}, "the token has no jti"),
    ],
)
def test_what_a_signed_assertion_must_say(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(TokenRefusedError, match=f"^{told}$"):
        checked_assertion(signed(**changed), stored(EC), AUDIENCES, NOW)


def _shared_secret() -> str:
    # The public key taken for a shared secret: what a verifier that believes the header would accept.
    signing = f"{part({'alg': 'HS256', 'kid': key_id(EC)})}.{part(claims())}"
    signature = hmac.digest(EC.as_pem(private=False), signing.encode(), "sha256")
    return f"{signing}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def _unsigned(algorithm: str = "none") -> str:
    return f"{part({'alg': algorithm, 'kid': key_id(EC)})}.{part(claims())}."


def _changed_after_signing() -> str:
    head, _, signature = signed().split(".")
    return f"{head}.{part(claims(jti='two'))}.{signature}"


def _key_in_the_header() -> str:
    return signed(OTHER, header={"jwk": OTHER.as_dict(private=False), "kid": key_id(EC)})


FORGED = {
    "signed by another key under the right name": lambda: signed(OTHER, header={"kid": key_id(EC)}),
    "a key that the client does not have": lambda: signed(OTHER),
    "a key brought along": _key_in_the_header,
    "none": _unsigned,
    "None": lambda: _unsigned("None"),
    "an algorithm that is none": lambda: _unsigned("XX999"),
    "the public key as a secret": _shared_secret,
    "changed after it was signed": _changed_after_signing,
    "a shorter digest": lambda: signed(RSA, "RS256"),
    "no algorithm": lambda: f"{part({})}.{part(claims())}.AAAA",
    "claims that are a list": lambda: jws.serialize_compact({"alg": "ES384"}, b"[]", EC, ["ES384"]),
    "nothing": lambda: "",
    "two parts": lambda: "a.b",
    "too long": lambda: signed(jti="x" * 9000),
    "not of this alphabet": lambda: signed() + "é",
    "a critical header that nobody knows": lambda: f"{part({'alg': 'ES384', 'crit': ['exp']})}.{part(claims())}.AAAA",
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED.keys())
def test_whatever_is_wrong_with_a_signature_is_told_alike(forged: Any) -> None:
    with pytest.raises(TokenRefusedError, match=r"^the signature does not hold$"):
        checked_assertion(forged(), stored(EC, RSA), AUDIENCES, NOW)


def test_a_client_that_nobody_knows_is_told_the_same() -> None:
    with pytest.raises(TokenRefusedError, match=r"^the signature does not hold$"):
        checked_assertion(signed(), [], AUDIENCES, NOW)


@given(st.text(max_size=200))
def test_any_text_is_refused_and_breaks_nothing(text: str) -> None:
    with pytest.raises(TokenRefusedError):
        checked_assertion(text, stored(EC), AUDIENCES, NOW)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_claims_that_nobody_signed_are_refused(value: Any) -> None:
    with pytest.raises(TokenRefusedError):
        checked_assertion(f"{part({'alg': 'ES384'})}.{part(value)}.AAAA", stored(EC), AUDIENCES, NOW)


@pytest.mark.parametrize("name", ["A", "../etc", "a b", "x" * 70, 7, None, "-a-"])
def test_a_name_that_no_client_can_have(name: Any) -> None:
    with pytest.raises(TokenRefusedError):
        claimed_client(f"{part({})}.{part({'sub': name})}.")


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (EC.as_pem(private=True).decode(), "that is a private key"),
        (ECKey.generate_key("P-256").as_pem(private=False).decode(), "EC on P-384"),
        ({"kty": "oct", "k": "AAAA"}, "EC on P-384"),
        ({"kty": "EC", "crv": "P-384"}, "no public key"),
        ("hello", "no public key"),
        ("", "no public key"),
    ],
)
def test_keys_that_are_not_taken(key: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        public_key(key)


def test_a_short_rsa_key_is_not_taken() -> None:
    with pytest.warns(Warning, match="2048"):
        short = RSAKey.generate_key(1024)
    with pytest.raises(ValueError, match="2048 bits"), pytest.warns(Warning, match="2048"):
        public_key(short.as_pem(private=False).decode())
