"""Access tokens of this installation and of any other provider; who they stand for; how often somebody may ask."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from services.runtime.access.bearer import BearerTokens, Issuer
from services.runtime.access.issuer_keys import FoundKeys, KeysUnreachableError, OwnKeys, own_key, public_set
from services.runtime.access.limits import Limits, OpenRequests, TooManyOpenError
from services.runtime.access.principal import NoPrincipalError, Principal, Tenant, principal_of
from services.runtime.access.signed import ISSUER_ALGORITHMS, Expected, TokenRefusedError, key_id
from services.runtime.exits import SettingsInvalid

NOW = 1_790_000_000
URL = "https://states.example"
KEY = ECKey.generate_key("P-384")
ISSUER = Issuer(URL, "tandem", KEY)
OHIO = Tenant("OH")
MEASURES = frozenset({"measures.read"})


class Clock:
    time = float(NOW)

    def __call__(self) -> float:
        return self.time


def own_tokens(clock: Clock | None = None) -> BearerTokens:
    expected = Expected(URL, ("tandem",), ("ES384",), ("at+jwt",), 300)
    return BearerTokens(expected, OwnKeys(KEY), clock or Clock())


@pytest.mark.parametrize("tenant", [OHIO, Tenant("OH", "D9001")])
async def test_a_token_of_ours_stands_for_its_client(tenant: Tenant) -> None:
    text = ISSUER.token("ohio-medicaid", tenant, MEASURES, "n", NOW)
    assert await own_tokens().principal(text) == Principal("ohio-medicaid", tenant, MEASURES, NOW + 300)


async def test_a_token_is_good_for_five_minutes_though_it_was_read_before() -> None:
    clock = Clock()
    tokens, text = own_tokens(clock), ISSUER.token("ohio-medicaid", OHIO, MEASURES, "n", NOW)
    await tokens.principal(text)
    clock.time += 299
    await tokens.principal(text)
    clock.time += 7
    with pytest.raises(TokenRefusedError, match="expired"):
        await tokens.principal(text)


def made(key: Any = KEY, algorithm: str = "ES384", kind: str = "at+jwt", **changed: Any) -> str:
    claims = {
        "iss": URL, "aud": "tandem", "sub": "ohio-medicaid", "scope": "measures.read", "tandem_state": "OH",
        "iat": NOW, "exp": NOW + 300, **changed,
    }  # fmt: skip
    header = {"alg": algorithm, "typ": kind, "kid": key_id(key)}
    return jwt.encode(header, {k: v for k, v in claims.items() if v is not None}, key, algorithms=[algorithm])


REFUSED: dict[str, Any] = {
    "of another issuer": {"iss": "https://elsewhere.example"},
    "for somebody else": {"aud": "another-system"},
    "good for an hour": {"exp": NOW + 3600},
    "of tomorrow": {"iat": NOW + 86_400},
    "an assertion of a client": {"kind": "JWT"},
    "signed by another": {"key": ECKey.generate_key("P-384")},
    "of no tenant": {"tandem_state": None},
    "of a tenant that cannot be": {"tandem_state": "OH' OR '1'='1"},
    "of an entity without a state": {"tandem_state": None, "tandem_entity": "D9001"},
    "of a tenant that is a list": {"tandem_state": ["OH", "KY"]},
    "of everybody, with a tenant": {"scope": "operations.read"},
    "with scopes that are a number": {"scope": 7},
    "of no client": {"sub": None},
}


@pytest.mark.parametrize("changed", REFUSED.values(), ids=REFUSED.keys())
async def test_a_token_that_is_not_taken(changed: dict[str, Any]) -> None:
    with pytest.raises(TokenRefusedError):
        await own_tokens().principal(made(**changed))


@pytest.mark.parametrize(
    ("algorithm", "key"), [("RS256", RSAKey.generate_key(2048)), ("ES256", ECKey.generate_key("P-256"))]
)
async def test_another_provider_can_take_over(algorithm: str, key: Any, tmp_path: Path) -> None:
    """Its keys, its algorithms, its names for claims; nothing else changes."""
    kept = tmp_path / "keys.json"
    kept.write_text(json.dumps(KeySet([key]).as_dict(private=False)))
    expected = Expected(URL, ("tandem",), ISSUER_ALGORITHMS)
    tokens = BearerTokens(expected, FoundKeys(str(kept), Clock()), Clock())
    text = made(key, algorithm, "JWT", sub="f3c1", azp="ohio-medicaid", scope=None, scp=["measures.read", "openid"],
                exp=NOW + 3600, aud=["tandem", "other"])  # fmt: skip
    assert await tokens.principal(text) == Principal("ohio-medicaid", OHIO, MEASURES, NOW + 3600)


async def test_a_provider_may_change_its_key_and_may_be_away() -> None:
    new, clock, asked = ECKey.generate_key("P-384"), Clock(), 0
    answers: list[Any] = [public_set(KEY), 503, public_set(new), public_set(new)]

    def answer(_: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        found = answers[min(asked, len(answers)) - 1]
        return httpx.Response(found) if isinstance(found, int) else httpx.Response(200, json=found)

    keys = FoundKeys(f"{URL}/keys", clock, httpx.MockTransport(answer))
    tokens = BearerTokens(Expected(URL, ("tandem",), ISSUER_ALGORITHMS), keys, clock)
    await tokens.principal(made())
    with pytest.raises(TokenRefusedError):  # not asked again at once: anybody could make it ask
        await tokens.principal(made(new))
    assert asked == 1
    clock.time += 31
    with pytest.raises(TokenRefusedError):  # away; what was known stays good
        await tokens.principal(made(new))
    await tokens.principal(made(jti="2"))
    clock.time += 31
    await tokens.principal(made(new))
    assert asked == 3


async def test_keys_that_never_were_known_are_an_outage_and_nobody_s_fault() -> None:
    keys = FoundKeys("/nowhere/keys.json", Clock())
    with pytest.raises(KeysUnreachableError):
        await keys(False)


@pytest.mark.parametrize(
    "pem", ["", "hello", KEY.as_pem(private=False).decode(), ECKey.generate_key("P-256").as_pem().decode()]
)
def test_a_key_that_cannot_sign(pem: str) -> None:
    with pytest.raises(SettingsInvalid, match="TANDEM_SIGNING_KEY"):
        own_key(pem)


def test_what_others_check_with_holds_no_private_part() -> None:
    (key,) = public_set(own_key(KEY.as_pem(private=True).decode()))["keys"]
    assert "d" not in key
    assert (key["kid"], key["alg"], key["use"]) == (key_id(KEY), "ES384", "sig")


@pytest.mark.parametrize(
    "claims", [{"exp": 1}, {"exp": 1, "client_id": "a b"}, {"exp": 1, "client_id": "é"}, {"exp": 1, "sub": 7}]
)
def test_claims_that_name_nobody(claims: dict[str, Any]) -> None:
    with pytest.raises(NoPrincipalError):
        principal_of(claims)


def test_only_a_client_without_a_tenant_sees_everything() -> None:
    assert principal_of({"exp": 1, "sub": "nightly-job", "scope": "operations.read"}).tenant is None
    with pytest.raises(NoPrincipalError):
        principal_of({"exp": 1, "sub": "nightly-job", "scope": "measures.read"})


def test_a_limit_lets_a_burst_through_and_then_its_rate() -> None:
    clock = Clock()
    limits = Limits(per_minute=60, burst=3, clock=clock)
    assert [limits.retry_after("a") for _ in range(4)] == [None, None, None, 1]
    assert limits.retry_after("b") is None  # nobody pays for another
    clock.time += 1
    assert [limits.retry_after("a") for _ in range(2)] == [None, 1]
    clock.time += 3600
    assert [limits.retry_after("a") for _ in range(4)] == [None, None, None, 1]


@given(st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=60), st.integers(1, 120), st.integers(1, 5))
def test_no_window_ever_holds_more_than_the_burst_and_the_rate(
    pauses: list[float], per_minute: int, burst: int
) -> None:
    clock = Clock()
    limits = Limits(per_minute, burst, clock)
    admitted: list[float] = []
    for pause in pauses:
        clock.time += pause
        if limits.retry_after("a") is None:
            admitted.append(clock.time)
        else:
            assert clock.time - admitted[-1] < 60 / per_minute + 1e-3
    for first, start in enumerate(admitted):
        for last in range(first, len(admitted)):
            assert last - first + 1 <= burst + (admitted[last] - start) * per_minute / 60 + 1e-3


def test_whoever_waits_as_long_as_told_is_let_in() -> None:
    clock = Clock()
    limits = Limits(per_minute=7, burst=1, clock=clock)
    assert limits.retry_after("a") is None
    wait = limits.retry_after("a")
    assert wait is not None
    clock.time += wait
    assert limits.retry_after("a") is None


def test_so_many_may_be_open_at_once_and_no_more() -> None:
    requests = OpenRequests(2)
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(requests.held("a"))
        with pytest.raises(TooManyOpenError), requests.held("a"):
            raise AssertionError("a third is open")
        with requests.held("b"):  # nobody pays for another
            pass
    with requests.held("a"), requests.held("a"):
        pass


def test_what_fails_is_not_open_any_more() -> None:
    requests = OpenRequests(1)
    for _ in range(3):
        with pytest.raises(ConnectionError), requests.held("a"):
            raise ConnectionError
    assert not requests._open  # whoever is gone is forgotten
