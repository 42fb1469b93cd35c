"""Files come in an order in which everybody is two people at first; then one is parted again, and the key is changed."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.broker, pytest.mark.timeout(400)]

Tandem = Callable[..., Any]


def _command(*words: object) -> list[str]:
    return [sys.executable, "-m", "infra.command", *map(str, words)]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tandem-test-") as made:
        Path(made).chmod(0o711)
        yield Path(made)


@pytest.fixture(scope="module")
def tandem(folder: Path) -> Iterator[Tandem]:
    log = (folder / "up.log").open("w+")
    process = psutil.Popen(
        _command("up", "--folder", folder / "tandem", "--broker", "embedded", "--synthetic"), stdout=log, stderr=log
    )
    deadline = time.monotonic() + 90
    while not (folder / "tandem" / "addresses.json").exists():
        assert process.poll() is None, (folder / "up.log").read_text()
        assert time.monotonic() < deadline

    def run(*words: object) -> Any:
        command = _command(*words, "--folder", folder / "tandem", "--json")
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
        assert done.returncode == 0, (words, done.stderr)
        return json.loads(done.stdout)

    yield run
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    log.close()


@pytest.fixture(scope="module")
def told(tandem: Tandem, folder: Path) -> list[dict[str, Any]]:
    """The state's claims and Medicare's files first: the 834s, which join the two numbers, come last."""
    made = folder / "made"
    subprocess.run(
        _command("simulate", made, "--people", 25, "--months", 2, "--seed", 9), check=True, capture_output=True
    )
    files = sorted(file for file in (made / "deliveries").rglob("*") if file.is_file())
    last = [file for file in files if file.name.startswith("834")]
    outcomes: list[dict[str, Any]] = tandem("deliver", *(file for file in files if file not in last))
    return outcomes + list(tandem("deliver", *last))


def rebuilt_equal(tandem: Tandem) -> None:
    for service in ("alignment", "risk", "cost-shift"):
        found = tandem("rebuild", service, "--compare")
        assert (found["differences"], found["equal"]) == ([], True), service


def test_everybody_is_one_in_the_end_and_a_rebuild_is_equal(tandem: Tandem, told: list[dict[str, Any]]) -> None:
    assert {one["status"] for one in told} == {"completed"}
    merged = [step for step in tandem("people", "show-trail", "--limit", 1000) if step["action"] == "merged"]
    assert len(merged) > 10
    rebuilt_equal(tandem)


def test_somebody_is_parted_again_and_a_rebuild_is_equal(tandem: Tandem, told: list[dict[str, Any]]) -> None:
    assert told
    merged = next(step for step in tandem("people", "show-trail", "--limit", 1000) if step["action"] == "merged")
    known = tandem("people", "show", merged["other"])
    leaving = next(one["alias"] for one in known if not one["is_own"])
    command = _command(
        "people", "separate", merged["other"], leaving, "--reason", "two people after all", "--actor", "marta",
        "--folder", _folder_of(tandem),
    )  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, text=True)
    deadline = time.monotonic() + 60
    while tandem("people", "show-trail", leaving, "--limit", 10)[0]["action"] != "split":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert [one["alias"] for one in tandem("people", "show", leaving)] == [leaving]
    rebuilt_equal(tandem)


def _folder_of(tandem: Tandem) -> Path:
    closure = tandem.__closure__
    assert closure is not None
    return next(cell.cell_contents for cell in closure if isinstance(cell.cell_contents, Path)) / "tandem"


def test_the_key_is_changed_while_everything_runs(tandem: Tandem, told: list[dict[str, Any]]) -> None:
    assert told
    first = tandem("keys", "rotate")
    assert first["vault_identifier"] > 40
    assert not any(tandem("keys", "rotate").values())
    assert tandem("keys", "verify")["vault_identifier"] == first["vault_identifier"]
    assert tandem("keys", "forget")["vault_identifier"] == first["vault_identifier"]
    assert tandem("people", "review") == []
