"""What the client says to an unwell server: waits as told, proves itself anew, keeps what did not change, gives up at last."""

import base64
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwt

import tandem_states
from services.runtime.access.assertions import checked_assertion
from services.runtime.access.signed import key_id, public_key
from tandem_states import Bookmark, Client, Measure, Problem, Unreachable
from tandem_states.figures import row_of
from tandem_states.signing import Signer, load_key, thumbprint

KEY = ec.generate_private_key(ec.SECP384R1())
URL = "https://states.example"


def pem(key: Any = KEY) -> bytes:
    content: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return content


class Server:
    """Answers in turn, and remembers what was asked. A token is good for whoever asks."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.proofs: list[str] = []
        self.waits: list[float] = []
        self.time = 1_790_000_000.0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            self.proofs.append(parse_qs(request.content.decode())["client_assertion"][0])
            return httpx.Response(200, json={"access_token": f"t{len(self.proofs)}", "expires_in": 300})
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds

    def client(self) -> Client:
        return Client(
            URL, "ohio-medicaid", pem(), transport=httpx.MockTransport(self), clock=lambda: self.time, sleep=self.sleep
        )


def found(**document: Any) -> httpx.Response:
    return httpx.Response(200, json={"entities": [], **document})


def problem(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"title": "No", "status": status}, headers=headers)


@pytest.mark.parametrize(
    ("told", "waited"),
    [({"Retry-After": "7"}, 7.0), ({"Retry-After": "9999"}, 120.0), ({"Retry-After": "Mon, 21 Sep 2026 13:33:40 GMT"}, None),
     ({}, None), ({"Retry-After": "soon"}, None)],
)  # fmt: skip
@pytest.mark.parametrize("status", [429, 503])
def test_it_waits_as_long_as_it_is_told(status: int, told: dict[str, str], waited: float | None) -> None:
    server = Server(problem(status, **told), found())
    with server.client() as tandem:
        assert tandem.entities() == []
    assert server.waits == ([waited] if waited is not None else [pytest.approx(server.waits[0])])
    assert 0 <= server.waits[0] <= 120


def test_it_waits_longer_each_time_and_gives_up() -> None:
    server = Server(*[httpx.ConnectError("away")] * 6)
    with server.client() as tandem, pytest.raises(Unreachable, match="6 tries: ConnectError"):
        tandem.entities()
    assert len(server.waits) == 5
    assert all(0.25 * 2**n <= wait <= 0.5 * 2**n for n, wait in enumerate(server.waits))


def test_a_refused_token_is_renewed_once() -> None:
    server = Server(problem(401), found())
    with server.client() as tandem:
        assert tandem.entities() == []
    assert [request.headers["authorization"] for request in server.asked] == ["Bearer t1", "Bearer t2"]
    server = Server(problem(401), problem(401))
    with server.client() as tandem, pytest.raises(Problem, match="401 No"):
        tandem.entities()


def test_one_token_serves_until_shortly_before_its_end() -> None:
    server = Server(*[found() for _ in range(4)])
    with server.client() as tandem:
        for seconds in (0, 200, 69, 2):
            server.time += seconds
            tandem.entities()
    assert len(server.proofs) == 2
    assert len(set(server.proofs)) == 2


def test_what_did_not_change_is_kept() -> None:
    entity = {"entity_id": "D9001", "state": "OH", "first_month": "2022-01", "last_month": "2022-02"}
    first = httpx.Response(200, json={"entities": [entity]}, headers={"ETag": '"a"'})
    server = Server(first, httpx.Response(304, headers={"ETag": '"a"'}))
    with server.client() as tandem:
        assert tandem.entities() == tandem.entities()
    assert server.asked[1].headers["if-none-match"] == '"a"'


def test_pages_are_of_one_revision() -> None:
    pages = [httpx.Response(200, json={"measures": [], "revision": 41, "next_offset": 10}),
             httpx.Response(200, json={"measures": [], "revision": 41, "next_offset": None})]  # fmt: skip
    server = Server(*pages)
    with server.client() as tandem:
        assert list(tandem.measures(payer="medicaid", group_by=["payer", "month"])) == []
    asked = server.asked[1].url.params
    assert asked.get_list("group_by") == ["payer", "month"]
    assert (asked["payer"], asked["offset"], asked["as_of"]) == ("medicaid", "10", "41")


@pytest.mark.parametrize("content", [b"<html>", b"[]", b""])
def test_a_failure_that_is_no_problem_document_is_one_all_the_same(content: bytes) -> None:
    server = Server(httpx.Response(500, content=content))
    with server.client() as tandem, pytest.raises(Problem) as caught:
        tandem.entities()
    assert caught.value.status == 500


@pytest.mark.parametrize("key", [KEY, rsa.generate_private_key(65537, 2048)])
def test_its_proofs_are_those_that_the_gateway_takes(key: Any) -> None:
    signer = Signer("ohio-medicaid", load_key(pem(key).decode()), lambda: 1_790_000_000.0)
    stored = public_key(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())
    assert thumbprint(key) == key_id(stored)
    keys = [json.dumps({**stored.as_dict(private=False), "kid": key_id(stored)})]
    assert checked_assertion(signer.assertion(URL), keys, (URL,), 1_790_000_000).client_id == "ohio-medicaid"
    assert jwt.decode(signer.assertion(URL), stored, algorithms=["ES384", "RS384"]).claims["aud"] == URL
    named = Signer("ohio-medicaid", key, lambda: 0.0, key_id="ours").assertion(URL)
    assert json.loads(base64.urlsafe_b64decode(named.split(".")[0] + "=="))["kid"] == "ours"


@pytest.mark.parametrize("make", [lambda: ec.generate_private_key(ec.SECP256R1())])
def test_a_key_of_another_kind_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="P-384"):
        load_key(pem(make()))


def test_a_bookmark_is_whole_or_not_there(tmp_path: Path) -> None:
    bookmark = Bookmark(tmp_path / "bookmark")
    assert bookmark.read() is None
    (tmp_path / "bookmark.part").write_text("half")
    bookmark.write("cursor")
    assert bookmark.read() == "cursor"
    assert [path.name for path in tmp_path.iterdir()] == ["bookmark"]


def test_members_of_later_versions_are_left_out() -> None:
    row = {"cents": 1, "claims": "suppressed", "crossover_cents": 0, "crossover_claims": 0, "person_months": 4,
           "pbpm": {"numerator": 1, "denominator": 4, "shown_cents": 0}, "figure_revision": 3, "moon": "full"}  # fmt: skip
    figure = row_of(Measure, row)
    assert (figure.pbpm, figure.claims, figure.state) == (Fraction(1, 4), "suppressed", None)


def test_what_is_public_is_said_once_and_in_order() -> None:
    assert tandem_states.__all__ == sorted(tandem_states.__all__, key=lambda name: (not name.isupper(), name))
    assert all(hasattr(tandem_states, name) for name in tandem_states.__all__)
