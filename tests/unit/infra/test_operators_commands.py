"""What operators' commands say and how they end, with stand-ins for what they ask."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from infra.command import check, dead_letters, deliveries, findings, rebuild, status
from infra.command.findings import Finding
from infra.command.main import main
from infra.command.rebuild import Rebuilt
from infra.local.installation import Addresses, Installation
from services.intake.quarantine import QuarantineCount, QuarantinedLine
from services.intake.shown import DeliveryShown
from services.runtime.dead_letters import Listed, SealBroken
from services.runtime.rebuild import Difference
from services.runtime.replaying import ReplayRefused
from services.runtime.status import OutboxStatus, PartitionStatus, ServiceStatus

Tandem = Callable[..., Result]


@pytest.fixture
def tandem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tandem:
    Installation(tmp_path).prepare()
    for module in (dead_letters, deliveries, rebuild, status):
        monkeypatch.setattr(module, "require_ready", lambda _installation: None)
    environment = {"COLUMNS": "200", "TANDEM_FOLDER": str(tmp_path)}
    return lambda *words: CliRunner(env=environment).invoke(main, [str(word) for word in words])


def _status() -> ServiceStatus:
    partitions = (PartitionStatus("t", 0, 5, 9, 4, 61.0), PartitionStatus("t", 1, 7, 7, 0, None))
    return ServiceStatus("risk", partitions, OutboxStatus(2, 3.5), {"invalid": 3}, last_cut=12, last_delivery=14)


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read(_installation: Installation) -> list[ServiceStatus]:
        return [_status(), ServiceStatus("intake", (), OutboxStatus(0, None), {}, 0, 14)]

    monkeypatch.setattr(status, "read_all", read)


@pytest.mark.usefixtures("standing")
def test_status_for_machines_has_positions_and_their_sums(tandem: Tandem) -> None:
    risk, intake = json.loads(tandem("status", "--json").stdout)["services"]
    assert (risk["service"], risk["lag"], risk["lag_seconds"], risk["last_cut"], risk["last_delivery"]) == (
        "risk", 4, 61.0, 12, 14,
    )  # fmt: skip
    assert risk["partitions"][0] == {
        "topic": "t", "partition": 0, "next_offset": 5, "end_offset": 9, "lag": 4, "lag_seconds": 61.0,
    }  # fmt: skip
    assert risk["outbox"] == {"depth": 2, "age_seconds": 3.5}
    assert (risk["dead_letters"], intake["dead_letters"]) == ({"invalid": 3}, {})
    assert (intake["lag"], intake["lag_seconds"]) == (0, None)


@pytest.mark.usefixtures("standing")
def test_status_for_people_names_what_waits_and_for_how_long(tandem: Tandem) -> None:
    lines = tandem("status").stdout.splitlines()
    (risk,) = [line for line in lines if "risk" in line]
    assert risk.split() == ["risk", "12", "4", "61", "s", "2", "4", "s", "invalid", "3"]
    (intake,) = [line for line in lines if "intake" in line]
    assert intake.split() == ["intake", "0", "0"]


def _letter(number: int) -> Listed:
    return Listed(
        number,
        "t",
        1,
        70 + number,
        "invalid",
        "field: wrong",
        "x.v1",
        None,
        None,
        None,
        9,
        truncated=False,
        status="parked",
    )


def test_dead_letters_are_listed_of_each_service_up_to_the_limit(
    tandem: Tandem, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int]] = []

    def listed(_installation: Installation, service: str, limit: int) -> list[Listed]:
        asked.append((service, limit))
        return [_letter(1), _letter(2)] if service == "risk" else []

    monkeypatch.setattr(dead_letters, "listed", listed)
    result = tandem("dead-letters", "--json", "--limit", 7)
    assert result.exit_code == 0, repr(result.exception)
    told = json.loads(result.stdout)
    assert asked == [("alignment", 7), ("risk", 7), ("cost-shift", 7)]
    assert [(one["service"], one["id"], one["offset"], one["reason"]) for one in told] == [
        ("risk", 1, 71, "invalid"),
        ("risk", 2, 72, "invalid"),
    ]
    assert "field: wrong" in tandem("dead-letters").stdout


def test_no_dead_letters_is_said_to_people_and_an_empty_array_to_machines(
    tandem: Tandem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "listed", lambda *_words: [])
    assert json.loads(tandem("dead-letters", "--json").stdout) == []
    shown = tandem("dead-letters")
    assert shown.stdout == ""
    assert "No dead letters" in shown.stderr


@pytest.mark.parametrize("limit", ["0", "10001", "many"])
def test_a_limit_that_makes_no_sense_is_refused(tandem: Tandem, limit: str) -> None:
    assert tandem("dead-letters", "--limit", limit).exit_code == 2
    assert tandem("deliveries", "quarantine", "--limit", limit).exit_code == 2


@asynccontextmanager
async def _opened(*_words: Any) -> AsyncIterator[str]:
    yield "connection"


@pytest.fixture
def letters(tandem: Tandem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    del tandem
    done: list[tuple[int, str]] = []
    monkeypatch.setattr(Installation, "database_url", lambda _self, service: f"postgresql:///{service}@{tmp_path}")
    monkeypatch.setattr(dead_letters, "connected", _opened)

    async def drop(_connection: Any, identity: int, *, actor: str) -> None:
        if identity == 404:
            raise LookupError("there is no dead letter 404")
        done.append((identity, actor))

    async def replay(_connection: Any, definition: Any, schema: str, identity: int, _seal: Any, *, actor: str) -> None:
        assert schema == definition.schema == "risk"
        errors = {404: LookupError("no 404"), 1: SealBroken("wrong key"), 2: ReplayRefused("invalid")}
        if identity in errors:
            raise errors[identity]
        done.append((identity, actor))

    monkeypatch.setattr(dead_letters.dead_letters, "drop", drop)
    monkeypatch.setattr(dead_letters, "replay", replay)
    return done


@pytest.mark.parametrize("action", ["drop", "replay"])
def test_who_decided_is_handed_on(tandem: Tandem, letters: list[tuple[int, str]], action: str) -> None:
    assert tandem("dead-letters", action, "risk", 9, "--actor", "Ada").exit_code == 0
    assert letters == [(9, "Ada")]


@pytest.mark.parametrize(
    ("action", "identity", "said"),
    [
        ("drop", 404, "there is no dead letter 404"),
        ("replay", 404, "no 404"),
        ("replay", 1, "wrong key"),
        ("replay", 2, "It failed again, and stays parked"),
    ],
)
def test_what_could_not_be_done_is_said_and_ends_with_1(
    tandem: Tandem, letters: list[tuple[int, str]], action: str, identity: int, said: str
) -> None:
    result = tandem("dead-letters", action, "risk", identity)
    assert result.exit_code == 1
    assert said in result.stderr
    assert letters == []


@pytest.mark.parametrize(
    "expected",
    [
        (None, 0, None, "1,234 messages applied into schema risk_rebuild"),
        ((), 0, True, "Equal to the live read model"),
        ((Difference("score", 2, 1, ("p1",)),), 1, False, "score: 2 rows only in the live one, 1 only in the rebuilt"),
    ],
)
def test_a_rebuild_that_differs_ends_with_1_and_says_where(
    tandem: Tandem,
    monkeypatch: pytest.MonkeyPatch,
    expected: tuple[Any, int, bool | None, str],
) -> None:
    differences, code, equal, said = expected

    async def rebuilt(_installation: Any, service: str, _bar: Any, _task: Any, *, compare: bool) -> Rebuilt:
        assert compare is (differences is not None)
        return Rebuilt(service, f"{service}_rebuild", 1_234, 2.5, differences)

    monkeypatch.setattr(rebuild, "rebuild", rebuilt)
    words = ("rebuild", "risk", *(() if differences is None else ("--compare",)))
    told = tandem(*words, "--json")
    assert told.exit_code == code
    assert json.loads(told.stdout)["equal"] is equal
    shown = tandem(*words)
    assert shown.exit_code == code
    assert said in shown.stderr


DELIVERY = DeliveryShown(
    delivery_id="d1",
    sequence=3,
    kind=None,
    source="unknown",
    name="x.834",
    dated=None,
    received_at=None,
    status="refused",
    reason_code="not_x12",
    reason_detail="no ISA",
)
LINE = QuarantinedLine("d2", 1, "CCLF1", 17, "CLM_PMT_AMT", "not_an_amount")
COUNT = QuarantineCount("d2", "CCLF1", None, "short_record", 1_200)


@pytest.fixture
def withheld(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, list[Any]]]:
    held: dict[str, list[Any]] = {"deliveries": [DELIVERY], "counts": [COUNT], "lines": [LINE]}
    monkeypatch.setattr(Installation, "database_url", lambda _self, service: service)
    monkeypatch.setattr(deliveries, "connected", _opened)

    def answering(name: str) -> Callable[..., Any]:
        async def answer(*_words: Any, **_named: Any) -> Any:
            return held[name]

        return answer

    async def find_named(_connection: Any, name: str) -> Any:
        return {"d1": DELIVERY, "d2": SimpleNamespace(delivery_id="d2")}.get(name)

    async def retry(_connection: Any, identity: str, *, actor: str) -> Any:
        return SimpleNamespace(sequence=8) if (identity, actor) == ("d1", "Ada") else None

    for function, name in (
        ("quarantined_deliveries", "deliveries"),
        ("quarantine_counts", "counts"),
        ("quarantined_lines", "lines"),
    ):
        monkeypatch.setattr(deliveries, function, answering(name))
    monkeypatch.setattr(deliveries, "find_named", find_named)
    monkeypatch.setattr(deliveries, "retry", retry)
    return held


def test_quarantine_tells_refused_deliveries_and_faults_apart(tandem: Tandem, withheld: dict[str, list[Any]]) -> None:
    told = json.loads(tandem("deliveries", "quarantine", "--json").stdout)
    (refused,) = told["deliveries"]
    assert (refused["delivery_id"], refused["sequence"], refused["name"]) == ("d1", 3, "x.834")
    assert (refused["reason_code"], refused["reason_detail"]) == ("not_x12", "no ISA")
    assert told["lines"][0]["lines"] == 1_200
    shown = tandem("deliveries", "quarantine").stdout
    assert "refused not_x12: no ISA" in shown
    assert "1,200" in shown
    withheld.update(deliveries=[], counts=[])
    assert "Nothing is in quarantine" in tandem("deliveries", "quarantine").stderr


def test_lines_of_one_delivery_are_shown_by_their_place(tandem: Tandem, withheld: dict[str, list[Any]]) -> None:
    (line,) = json.loads(tandem("deliveries", "quarantine", "d2", "--json").stdout)
    assert (line["file"], line["line"], line["field"], line["reason"]) == ("CCLF1", 17, "CLM_PMT_AMT", "not_an_amount")
    assert "CLM_PMT_AMT" in tandem("deliveries", "quarantine", "d2").stdout
    withheld["lines"] = []
    assert "No line" in tandem("deliveries", "quarantine", "d2").stdout
    assert tandem("deliveries", "quarantine", "d9").exit_code == 1


@pytest.mark.usefixtures("withheld")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [(("d1", "--actor", "Ada"), 0, "delivery 8"), (("d9", "--actor", "Ada"), 1, "There is no delivery d9")],
)
def test_a_refused_delivery_is_taken_again_under_a_new_number(
    tandem: Tandem, words: tuple[str, ...], code: int, said: str
) -> None:
    result = tandem("deliveries", "retry", *words)
    assert result.exit_code == code
    assert said in result.stderr


@pytest.mark.parametrize(("states", "code"), [(["well"], 0), (["well", "optional"], 0), (["well", "wrong", "well"], 1)])
def test_only_what_is_wrong_makes_a_check_fail(
    tandem: Tandem, monkeypatch: pytest.MonkeyPatch, states: list[Any], code: int
) -> None:
    found = [Finding(f"thing {number}", state, "as seen", "do this") for number, state in enumerate(states)]
    monkeypatch.setattr(check, "machine_findings", lambda: found[:1])
    monkeypatch.setattr(check, "installation_findings", lambda _installation: found[1:])
    told = tandem("check", "--json")
    assert told.exit_code == code
    assert [(one["subject"], one["state"]) for one in json.loads(told.stdout)] == [(o.subject, o.state) for o in found]
    shown = tandem("check")
    assert shown.exit_code == code
    assert shown.stdout.count("do this") == len(found)


def test_an_installation_that_does_not_run_is_no_fault(tmp_path: Path) -> None:
    (finding,) = findings.installation_findings(Installation(tmp_path))
    assert (finding.state, finding.advice) == ("optional", "tandem up")


@contextmanager
def _on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, **programs: str) -> Iterator[None]:
    for name, said in programs.items():
        (folder / name).write_text(f"#!/bin/sh\necho '{said}' >&2\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    yield


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ('openjdk version "17.0.15"', "well"),
        ('openjdk version "16.0.2"', "optional"),
        ('java version "1.8.0_401"', "optional"),
        ("Segmentation fault", "optional"),
    ],
)
def test_a_java_too_old_for_the_broker_is_optional_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, state: str
) -> None:
    with _on_path(tmp_path, monkeypatch, java=said):
        finding = findings._java_finding()
    assert finding.state == state
    assert ("apt-get" in finding.advice) is (state == "optional")


def test_without_java_and_maven_the_machine_is_still_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _on_path(tmp_path, monkeypatch):
        found = {one.subject: one.state for one in findings.machine_findings()}
    assert (found["Java"], found["Maven"]) == ("optional", "optional")
    assert "wrong" not in found.values()


def test_a_gateway_that_is_not_ready_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def get(url: str, **_options: Any) -> Any:
        if "risk" in url:
            raise findings.httpx.ConnectError("refused")
        return SimpleNamespace(is_success="alignment" not in url)

    monkeypatch.setattr(findings.httpx, "get", get)
    urls: Any = {name: f"http://{name}" for name in ("intake", "risk", "alignment")}
    finding = findings._gateways_finding(Addresses(1, "h", "d", urls))
    assert (finding.state, finding.detail) == ("wrong", "not ready: risk, alignment")
    assert findings._gateways_finding(Addresses(1, "h", "d", {"intake": "http://intake"})).state == "well"
