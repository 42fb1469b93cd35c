"""``tandem reconcile``: what it asks of the gateway, what it shows, and how it ends."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from infra.command import reconcile
from infra.command.main import main
from infra.local.installation import Addresses, Installation

PERSON = f"p{7:032x}"
DIFFERENCE = {
    "person_id": PERSON, "state": "OH", "entity_id": "D9001", "month": "2022-03", "outcome": "only_theirs", "theirs": True,
    "their_reason": None, "their_evidence": ["alignment report 2022-03-10"], "ours": False, "our_reasons": ["DUAL_PARTIAL"],
    "our_evidence": ["834 2022-03-10", "CCLF8 2022-03-05"], "forecast": "not_aligned", "known_since": 41, "differs_since": 41,
    "differs_since_time": "2022-03-11T06:00:00Z", "age_days": 31, "claims_not_shared": True, "resolution": None,
    "closed_by": None, "closed_at": None, "note": None,
}  # fmt: skip
COUNT = {
    "entity_id": "D9001", "month": "2022-03", "agreed": 1200, "only_ours": 0, "only_theirs": 1, "different_month": 0,
    "different_reason": 0, "closed": 0,
}  # fmt: skip
CLOSING = {
    "person_id": PERSON, "entity_id": "D9001", "month": "2022-03", "outcome": "only_theirs", "resolution": "disputed",
    "actor": "j.doe", "note": "Sent.", "closed_at": "2022-04-01T08:00:00Z",
}  # fmt: skip


class Gateway:
    """Answers as the gateway does, two differences a page, and keeps what it was asked."""

    def __init__(self, differences: list[dict[str, Any]]) -> None:
        self.differences = differences
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.refusal: httpx.Response | None = None

    def get(self, url: str, params: dict[str, Any], timeout: float) -> httpx.Response:
        del timeout
        path = url.partition("/v1/reconciliation")[2]
        self.asked.append(("GET", path, params))
        if self.refusal is not None:
            return self.refusal
        if path == "/months":
            return httpx.Response(200, json=[COUNT])
        if path.startswith("/people/"):
            return httpx.Response(200, json=[CLOSING])
        left = [one for one in self.differences if f"{one['person_id']}:{one['month']}" > params.get("after", "")]
        page = left[: min(params["limit"], 2)]
        more = f"{page[-1]['person_id']}:{page[-1]['month']}" if len(left) > len(page) else None
        return httpx.Response(200, json={"as_of": 57, "differences": page, "next_after": more})

    def post(self, url: str, json: dict[str, Any], timeout: float) -> httpx.Response:
        del timeout
        self.asked.append(("POST", url.partition("/v1/reconciliation")[2], json))
        return self.refusal or httpx.Response(202, json=CLOSING)


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    standing = Gateway([{**DIFFERENCE, "person_id": f"p{number:032x}"} for number in (7, 8, 9)])
    monkeypatch.setattr(reconcile, "require_ready", lambda _installation: None)
    addresses = Addresses(1, "h:1", "postgresql://", {"alignment": "http://a"})
    monkeypatch.setattr(Installation, "addresses", lambda _self: addresses)
    monkeypatch.setattr(reconcile.httpx, "get", standing.get)
    monkeypatch.setattr(reconcile.httpx, "post", standing.post)
    return standing


@pytest.fixture
def tandem(tmp_path: Path) -> Callable[..., Result]:
    environment = {"COLUMNS": "200", "TANDEM_FOLDER": str(tmp_path)}
    return lambda *words: CliRunner(env=environment).invoke(main, ["reconcile", *map(str, words)])


def test_a_list_shows_both_sides_and_counts_what_agrees(gateway: Gateway, tandem: Callable[..., Result]) -> None:
    told = tandem("list", "--entity", "D9001", "--month", "2022-03", "--as-of", "2022-04-11")
    assert told.exit_code == 0, told.output
    assert "only_theirs" in told.stdout
    assert "not aligned: DUAL_PARTIAL" in told.stdout
    assert "shares no claims" in told.stdout
    assert "1,200 person-months aligned by both, 1 that differ, 0 of them closed." in told.stderr
    asked = {"entity": "D9001", "month": "2022-03", "as_of": "2022-04-11", "status": "open", "limit": 50}
    assert gateway.asked[0] == ("GET", "", asked)


def test_nothing_differs(gateway: Gateway, tandem: Callable[..., Result]) -> None:
    gateway.differences = []
    assert "Nothing differs." in tandem("list").stdout


def test_a_list_for_machines(gateway: Gateway, tandem: Callable[..., Result]) -> None:
    told = json.loads(tandem("list", "--json").stdout)
    assert (told["as_of"], len(told["differences"]), told["months"]) == (57, 2, [COUNT])
    assert len(gateway.asked) == 2


@pytest.mark.usefixtures("gateway")
def test_one_difference_in_plain_words(tandem: Callable[..., Result]) -> None:
    assert tandem("show", PERSON, "2022-03").stdout.splitlines() == [
        "only_theirs for 31 days, known since delivery 41, D9001.",
        "CMS: aligned (alignment report 2022-03-10).",
        "We: not aligned: DUAL_PARTIAL (834 2022-03-10; CCLF8 2022-03-05).",
        "Before the report we had said: not aligned.",
        "The person lets Medicare share no claims with the entity; that changes no alignment.",
        "2022-04-01T08:00:00Z: disputed by j.doe: Sent.",
    ]


def test_closing_says_what_was_seen(gateway: Gateway, tandem: Callable[..., Result]) -> None:
    told = tandem("close", PERSON, "2022-03", "--as", "disputed", "--actor", "j.doe", "--note", "Sent.")
    assert told.exit_code == 0, told.output
    said = {name: value for name, value in CLOSING.items() if name != "closed_at"}
    assert gateway.asked[-1] == ("POST", "/closings", said)


def test_an_export_holds_every_page_as_known_at_the_first(
    gateway: Gateway, tandem: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "dispute.csv"
    assert tandem("export", file, "--status", "all").exit_code == 0
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [row["person_id"] for row in rows] == [f"p{number:032x}" for number in (7, 8, 9)]
    assert rows[0]["our_evidence"] == "834 2022-03-10;CCLF8 2022-03-05"
    assert [asked[2].get("as_of") for asked in gateway.asked] == [None, 57]
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (("show", "somebody", "2022-03"), "is not a person's pseudonym", 2),
        (("show", PERSON, "2022-13"), "is not a month", 2),
        (("list", "--as-of", "yesterday"), "is not a delivery's number or a day", 2),
        (("show", f"p{6:032x}", "2022-03"), "Nothing differs about", 1),
        (("close", PERSON, "2022-03", "--as", "ignored", "--note", "x"), "is not one of", 2),
    ],
)
@pytest.mark.usefixtures("gateway")
def test_what_cannot_be_done(tandem: Callable[..., Result], words: tuple[str, ...], told: str, code: int) -> None:
    result = tandem(*words)
    assert result.exit_code == code
    assert told in result.output


def test_a_refusal_is_told(gateway: Gateway, tandem: Callable[..., Result]) -> None:
    gateway.refusal = httpx.Response(
        409, json={"title": "Conflict", "detail": "The month differs in another way by now."}
    )
    result = tandem("list")
    assert result.exit_code == 1
    assert "The month differs in another way by now." in result.output
