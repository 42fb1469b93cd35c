"""Whatever is typed wrongly is answered in words that say what to do, with an exit code, and never with a traceback."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from contracts.delivery import DeliveryProcessed, DeliveryProcessedData
from contracts.topics import DELIVERIES
from infra.command.main import main
from infra.command.stack import Stack
from infra.command.tail import describe
from infra.local.installation import SERVICES, Installation
from infra.local.ports import StartError
from infra.local.supervisor import ProcessSpecification

Tandem = Callable[..., Result]
MBI = "1S000000042"
_MOMENT = datetime(2022, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def tandem() -> Tandem:
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


def assert_clear(result: Result, code: int, *said: str) -> None:
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    for text in said:
        assert text in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("demolish",), "No such command 'demolish'"),
        (("rebuild", "intake"), "'alignment', 'risk', 'cost-shift'"),
        (("rebuild",), "Missing argument 'SERVICE'"),
        (("run", "worker", "intake"), "'alignment', 'risk', 'cost-shift'"),
        (("run", "gateway", "payroll"), "'intake', 'alignment', 'risk', 'cost-shift'"),
        (("dead-letters", "replay", "risk", "first"), "'first' is not a valid integer"),
        (("dead-letters", "drop", "risk"), "Missing argument 'ID'"),
        (("deliver",), "Missing argument 'PATHS...'"),
        (("deliver", "no-such-file"), "'no-such-file' does not exist"),
        (("check", "no-such-file"), "'no-such-file' does not exist"),
        (("score", "no-such-file", "--model", "V28"), "'no-such-file' does not exist"),
        (("score", "no-such-file"), "does not exist"),
        (("simulate", "made"), "Missing option '--people'"),
        (("up", "--broker", "rabbit"), "'embedded', 'kafka'"),
        (("up", "--state", "Ohio"), "two capital letters"),
        (("check", "--state", "o"), "two capital letters"),
        (("demo", "--people", "0"), "x>=1"),
    ],
)
def test_wrong_words_are_named_with_what_would_be_right(tandem: Tandem, words: tuple[str, ...], said: str) -> None:
    assert_clear(tandem(*words), 2, said, "Usage: ")


@pytest.mark.parametrize("words", [("up",), ("status",), ("check",), ("tail",)])
def test_a_folder_that_is_a_file_is_refused(tandem: Tandem, tmp_path: Path, words: tuple[str, ...]) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert_clear(tandem(*words, "--folder", file), 2, "is a file")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "column missing: age, sex, orec, medicaid, segment, icd10"),
        (b"age,sex\n70,F\n", "column missing: orec, medicaid, segment, icd10"),
        (b"\xff\xfe\x00", "not a CSV file in UTF-8"),
        (b"age,sex,orec,medicaid,segment,icd10\n70,F,0,1,CFA\n", "row 1: not as many values as columns"),
        (b"age,sex,orec,medicaid,segment,icd10\n70,F,0,1,XYZ,E119\n", "row 1: column segment: not one of"),
        (b"age,sex,orec,medicaid,segment,icd10\n70,F,0,1,CFA,\xff\n", "not a CSV file in UTF-8"),
    ],
)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_file_that_cannot_be_scored_is_named_with_its_fault(
    tandem: Tandem, tmp_path: Path, content: bytes, said: str, form: tuple[str, ...]
) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(content)
    assert_clear(tandem("score", file, "--model", "V28", *form), 2, str(file), said)


def test_no_log_is_a_message(tandem: Tandem, tmp_path: Path) -> None:
    assert_clear(tandem("tail", "--folder", tmp_path), 1, f"No logs in {tmp_path}")
    assert_clear(tandem("tail", "--log", "risk-worker", "--folder", tmp_path), 1, "No log 'risk-worker'")


def test_logs_are_shown_with_the_process_that_wrote_them(tandem: Tandem, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "risk-worker.log").write_text('{"event":"one"}\n{"event":"two"}\n')
    (tmp_path / "logs" / "risk-relay.log").write_text('{"event":"three"}\n')
    shown = tandem("tail", "--no-follow", "--log", "risk-worker", "--folder", tmp_path)
    assert shown.stdout.splitlines() == ['risk-worker: {"event":"one"}', 'risk-worker: {"event":"two"}']
    assert "risk-relay: " in tandem("tail", "--no-follow", "--folder", tmp_path).stdout


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TANDEM_PAYLOAD_KEY", f"key of {MBI}"),
        ("TANDEM_GATEWAY_PORT", MBI),
        ("TANDEM_STATE", "Jane Doe"),
        ("TANDEM_SLOT", "a password!"),
        ("TANDEM_LOG_LEVEL", "postgresql://u:secret@h/d"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not_shown(
    tandem: Tandem, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("TANDEM_DATABASE_URL", "postgresql://u:secret@h/d")
    monkeypatch.setenv("TANDEM_BROKERS", "h:9092")
    monkeypatch.setenv(variable, value)
    result = tandem("run", "worker", "risk")
    assert_clear(result, 64, f"SettingsInvalid: {variable}")
    assert value not in result.output
    assert "secret" not in result.output


def _record(value: bytes | None, key: bytes | None, topic: str = DELIVERIES.name) -> Any:
    return SimpleNamespace(topic=topic, partition=3, offset=7, key=key, value=value)


def _event() -> dict[str, Any]:
    identity = "d" + "0" * 32
    event = DeliveryProcessed.of(
        service="risk",
        key=identity,
        version="1",
        time=_MOMENT,
        delivery_id=identity,
        sequence=1,
        data=DeliveryProcessedData(service="risk", end_offsets={}),
    )
    decoded: dict[str, Any] = json.loads(event.encode())
    return decoded


def test_an_event_on_a_topic_is_shown_without_what_it_says() -> None:
    event = _event()
    shown = describe(_record(json.dumps(event).encode(), event["subject"].encode()))
    assert shown == {
        "partition": 3,
        "offset": 7,
        "type": "tandem.delivery.processed.v1",
        "subject": event["subject"],
        "deliveryseq": 1,
        "time": "2022-01-02T03:04:05Z",
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"type": MBI}, "unknown_type"), ({"subject": MBI}, "wrong_key"), ({"time": MBI}, "invalid")],
)
def test_of_what_is_no_event_only_the_reason_is_shown(change: dict[str, str], reason: str) -> None:
    event = _event()
    shown = describe(_record(json.dumps(event | change).encode(), event["subject"].encode()))
    assert shown == {"partition": 3, "offset": 7, "type": "unreadable", "reason": reason}


@pytest.mark.parametrize(("value", "reason"), [(None, "empty"), (MBI.encode(), "not_json"), (b"{", "not_json")])
def test_a_message_that_cannot_be_read_is_shown_by_its_place(value: bytes | None, reason: str) -> None:
    assert describe(_record(value, MBI.encode()))["reason"] == reason


def _specifications(folder: Path) -> dict[str, ProcessSpecification]:
    installation = Installation(folder)
    installation.prepare()
    stack = Stack(installation, "embedded", durable=False, synthetic_identifiers=True, state="TX")
    stack.postgresql = SimpleNamespace(address=lambda role, _password, name: f"postgresql://{role}@/{name}")  # type: ignore[assignment]
    stack.broker = SimpleNamespace(address="127.0.0.1:9")  # type: ignore[assignment]
    found = stack._specifications({service: 21_000 + place for place, service in enumerate(SERVICES)})
    return {one.name: one for one in found}


def test_only_intake_can_turn_an_identifier_into_a_person(tmp_path: Path) -> None:
    specifications = _specifications(tmp_path)
    holding = {name for name, one in specifications.items() if "TANDEM_PSEUDONYM_KEY" in one.environment}
    assert holding == {"intake-worker"}


def test_every_process_signs_in_as_its_own_service_and_has_metrics(tmp_path: Path) -> None:
    specifications = _specifications(tmp_path)
    assert len(specifications) == 12
    ports = set()
    for name, one in specifications.items():
        service = name.rsplit("-", 1)[0].replace("-", "_")
        assert one.environment["TANDEM_DATABASE_URL"] == f"postgresql://tandem_{service}@/tandem"
        assert one.environment["TANDEM_STATE"] == "TX"
        ports.add(one.environment.get("TANDEM_GATEWAY_PORT") or one.environment["TANDEM_METRICS_PORT"])
    assert len(ports) == 12


def test_a_gateway_is_never_killed_for_trial_and_everything_else_may_be(tmp_path: Path) -> None:
    specifications = _specifications(tmp_path)
    assert {name for name, one in specifications.items() if not one.killable} == {f"{s}-gateway" for s in SERVICES}


def test_a_stack_that_could_not_start_leaves_the_addresses_of_the_one_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = Installation(tmp_path)
    monkeypatch.setattr(Installation, "is_running", lambda _self: True)
    (tmp_path / "addresses.json").write_text("somebody's")
    stack = Stack(installation, "embedded", durable=False, synthetic_identifiers=True)
    with pytest.raises(StartError, match="already running"):
        stack.start()
    stack.stop()
    assert (tmp_path / "addresses.json").read_text() == "somebody's"
