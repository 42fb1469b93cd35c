"""An installation as an operator uses it: up, deliver, status, rebuild, tail, and down again."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.broker, pytest.mark.timeout(400)]

Tandem = Callable[..., subprocess.CompletedProcess[str]]


def _command(*words: object) -> list[str]:
    return [sys.executable, "-m", "infra.command", *map(str, words)]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tandem-test-") as made:
        Path(made).chmod(0o711)
        yield Path(made)


@pytest.fixture(scope="module")
def up(folder: Path) -> Iterator[psutil.Popen]:
    log = (folder / "up.log").open("w+")
    words = ("up", "--folder", folder / "tandem", "--broker", "kafka", "--synthetic")
    process = psutil.Popen(_command(*words), stdout=log, stderr=log)
    deadline = time.monotonic() + 90
    while not (folder / "tandem" / "addresses.json").exists():
        assert process.poll() is None, (folder / "up.log").read_text()
        assert time.monotonic() < deadline
    yield process
    if process.is_running():
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    log.close()


@pytest.fixture(scope="module")
def tandem(up: psutil.Popen, folder: Path) -> Tandem:
    del up

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        command = _command(*words, "--folder", folder / "tandem")
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)

    return run


@pytest.fixture(scope="module")
def simulation(folder: Path) -> Path:
    words = ("simulate", folder / "made", "--people", 60, "--months", 2, "--seed", 4)
    subprocess.run(_command(*words), check=True, capture_output=True)
    return folder / "made"


@pytest.fixture(scope="module")
def delivered(tandem: Tandem, simulation: Path) -> list[dict[str, Any]]:
    done = tandem("deliver", simulation / "deliveries", "--json")
    assert done.returncode == 0, done.stderr
    outcomes: list[dict[str, Any]] = json.loads(done.stdout)
    return outcomes


def test_a_folder_is_delivered_in_order_and_published(delivered: list[dict[str, Any]], simulation: Path) -> None:
    truth = json.loads((simulation / "truth.json").read_text())
    assert [Path(one["path"]).name for one in truth["deliveries"]] == [one["name"] for one in delivered]
    assert {one["status"] for one in delivered} == {"completed"}
    repeated = [one["name"] for one in delivered if one["repeated"]]
    assert repeated == [Path(one["path"]).name for one in truth["deliveries"] if one["duplicate_of"]]


def test_the_same_files_again_change_nothing(tandem: Tandem, delivered: list[dict[str, Any]], simulation: Path) -> None:
    before = json.loads(tandem("status", "--json").stdout)
    again = json.loads(tandem("deliver", simulation / "deliveries", "--json").stdout)
    assert all(one["repeated"] for one in again)
    assert [one["sequence"] for one in again] == [one["sequence"] for one in delivered]
    after = json.loads(tandem("status", "--json").stdout)
    assert [one["last_cut"] for one in after["services"]] == [one["last_cut"] for one in before["services"]]


def test_a_file_that_is_none_of_ours_is_refused_with_its_reason(tandem: Tandem, folder: Path) -> None:
    letter = folder / "letter.txt"
    letter.write_text("Dear state agency")
    done = tandem("deliver", letter)
    assert done.returncode == 1
    assert "unrecognised_name" in done.stdout


def test_status_tells_of_every_service_that_nothing_waits(tandem: Tandem, delivered: list[dict[str, Any]]) -> None:
    services = json.loads(tandem("status", "--json").stdout)["services"]
    assert [one["service"] for one in services] == ["intake", "alignment", "risk", "cost-shift"]
    for one in services:
        assert one["outbox"]["depth"] == 0
        assert one["dead_letters"] == {}
        assert one["lag"] == 0
    assert all(one["last_cut"] >= len({d["sequence"] for d in delivered}) for one in services[1:])


def test_check_finds_everything_well(tandem: Tandem, delivered: list[dict[str, Any]]) -> None:
    assert delivered
    done = tandem("check", "--json")
    findings = {one["subject"]: one["state"] for one in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert [findings[name] for name in ("Database", "Migrations", "Topics", "Gateways")] == ["well"] * 4


@pytest.mark.parametrize("service", ["alignment", "risk", "cost-shift"])
def test_a_rebuild_from_the_log_is_equal_to_the_live_read_model(
    tandem: Tandem, delivered: list[dict[str, Any]], service: str
) -> None:
    assert delivered
    done = tandem("rebuild", service, "--compare", "--json")
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    assert told["differences"] == []
    assert told["equal"] is True
    assert told["messages"] > 0
    assert done.returncode == 0, done.stderr


def test_tail_shows_what_stands_on_a_topic_and_nothing_that_is_said(
    tandem: Tandem, delivered: list[dict[str, Any]]
) -> None:
    done = tandem("tail", "deliveries", "--from-beginning", "--no-follow")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["type"] for line in lines} >= {"tandem.delivery.completed.v1", "tandem.delivery.processed.v1"}
    assert max(line["deliveryseq"] for line in lines) >= max(one["sequence"] for one in delivered)
    assert not any("data" in line for line in lines)


def test_no_log_holds_an_identifier(folder: Path, delivered: list[dict[str, Any]], simulation: Path) -> None:
    assert delivered
    truth = json.loads((simulation / "truth.json").read_text())
    mbis = [mbi for row in truth["alignment"] for mbi in row["mbis"]]
    logs = [path for path in (folder / "tandem").rglob("*.log") if path.stat().st_size]
    assert len(logs) >= 10
    for log in logs:
        text = log.read_text(errors="replace")
        assert not [mbi for mbi in mbis if mbi in text], log.name


def test_a_killed_worker_comes_back(up: psutil.Popen, tandem: Tandem, delivered: list[dict[str, Any]]) -> None:
    assert delivered
    workers = [child for child in up.children() if child.cmdline()[-2:] == ["worker", "risk"]]
    assert len(workers) == 1
    workers[0].kill()
    deadline = time.monotonic() + 30
    while not [c for c in up.children() if c.pid != workers[0].pid and c.cmdline()[-2:] == ["worker", "risk"]]:
        assert time.monotonic() < deadline
    assert tandem("status").returncode == 0


def test_a_second_start_from_the_same_folder_is_refused(tandem: Tandem) -> None:
    done = tandem("up", "--broker", "kafka")
    assert done.returncode == 1
    assert "already running" in done.stderr


def test_figures_outlive_a_restart_and_stopping_leaves_no_process(
    up: psutil.Popen, folder: Path, delivered: list[dict[str, Any]]
) -> None:
    assert delivered
    addresses = json.loads((folder / "tandem" / "addresses.json").read_text())
    before = httpx.get(addresses["gateways"]["cost-shift"] + "/v1/measures").json()
    children = up.children(recursive=True)
    up.send_signal(signal.SIGINT)
    assert up.wait(60) == 0, (folder / "up.log").read_text()
    assert [child for child in children if child.is_running()] == []
    words = ("up", "--folder", folder / "tandem", "--broker", "kafka", "--synthetic")
    with (folder / "again.log").open("w") as log, psutil.Popen(_command(*words), stdout=log, stderr=log) as again:
        assert _measures_of(folder / "tandem") == before
        again.send_signal(signal.SIGTERM)
        assert again.wait(60) == 0


def _measures_of(folder: Path) -> Any:
    deadline = time.monotonic() + 90
    while True:
        assert time.monotonic() < deadline
        try:
            addresses = json.loads((folder / "addresses.json").read_text())
            answer = httpx.get(addresses["gateways"]["cost-shift"] + "/v1/measures")
        except (OSError, ValueError, httpx.HTTPError):
            continue
        if answer.is_success:
            return answer.json()
