import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from infra.local.ports import StartError
from infra.local.supervisor import ProcessSpecification, Supervisor

Supervise = Callable[..., Supervisor]

_PATIENT = (
    "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); print('up', flush=True); signal.pause()"
)
_DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"
_BROKEN = "print('cannot find my key'); raise SystemExit(7)"


def _specification(name: str, program: str, *, killable: bool = True, **environment: str) -> ProcessSpecification:
    return ProcessSpecification(name, (sys.executable, "-c", program), environment, killable)


def _await(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"


def _says(tmp_path: Path, name: str, text: str) -> Callable[[], bool]:
    log = tmp_path / f"{name}.log"
    return lambda: log.exists() and text in log.read_text()


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Supervise]:
    started: list[Supervisor] = []

    def start(*specifications: ProcessSpecification) -> Supervisor:
        supervisor = Supervisor(specifications, tmp_path)
        started.append(supervisor)
        supervisor.start()
        return supervisor

    yield start
    for supervisor in started:
        supervisor.stop(seconds=0)


def test_processes_get_their_environment_and_a_log_each(supervise: Supervise, tmp_path: Path) -> None:
    program = "import os; print(os.environ['TANDEM_SCHEMA'], flush=True); import signal; signal.pause()"
    supervise(
        _specification("one", program, TANDEM_SCHEMA="first"), _specification("two", program, TANDEM_SCHEMA="second")
    )
    _await(_says(tmp_path, "one", "first"))
    _await(_says(tmp_path, "two", "second"))


def test_a_killed_process_is_started_again(supervise: Supervise, tmp_path: Path) -> None:
    supervisor = supervise(_specification("one", _PATIENT))
    first = supervisor.running()["one"]
    supervisor.kill("one")
    _await(lambda: not supervisor.running())
    supervisor.tend()
    assert supervisor.running()["one"] != first
    assert supervisor.restarts == 1
    _await(_says(tmp_path, "one", "up"))


def test_a_process_that_keeps_failing_is_reported_with_its_last_words(
    supervise: Supervise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.local.supervisor._LONGEST_DELAY", 0.0)
    supervisor = supervise(_specification("one", _BROKEN))

    with pytest.raises(StartError, match=r"exit code 7[\s\S]*cannot find my key"):
        _await(lambda: supervisor.tend() is not None)


def test_kills_are_drawn_from_the_killable_that_run(supervise: Supervise) -> None:
    supervisor = supervise(
        _specification("gateway", _PATIENT, killable=False),
        _specification("worker", _PATIENT),
        _specification("relay", _PATIENT),
    )
    drawn = {supervisor.kill_one_of(random.Random(1)), supervisor.kill_one_of(random.Random(1))}
    assert drawn <= {"worker", "relay"}
    _await(lambda: len(supervisor.running()) < 3)
    assert "gateway" in supervisor.running()


def test_nothing_is_killed_where_nothing_runs(tmp_path: Path) -> None:
    assert Supervisor((), tmp_path).kill_one_of(random.Random(1)) is None


def test_stopping_ends_everything_and_names_who_had_to_be_killed(supervise: Supervise, tmp_path: Path) -> None:
    supervisor = supervise(_specification("kind", _PATIENT), _specification("deaf", _DEAF))
    _await(_says(tmp_path, "kind", "up"))
    _await(_says(tmp_path, "deaf", "up"))
    processes = [psutil.Process(pid) for pid in supervisor.running().values()]
    assert supervisor.stop(seconds=2) == ("deaf",)
    assert supervisor.running() == {}
    assert not any(process.is_running() for process in processes)


def test_the_kernel_ends_a_process_whose_supervisor_was_killed(tmp_path: Path) -> None:
    program = f"""
import sys, time
from pathlib import Path
from infra.local.supervisor import ProcessSpecification, Supervisor
supervisor = Supervisor((ProcessSpecification("one", (sys.executable, "-c", {_PATIENT!r}), {{}}),), Path({str(tmp_path)!r}))
supervisor.start()
while "up" not in (Path({str(tmp_path)!r}) / "one.log").read_text():
    supervisor.tend()
print(supervisor.running()["one"], flush=True)
sys.stdin.read()
"""
    owner = psutil.Popen([sys.executable, "-c", program], stdin=-1, stdout=-1, text=True)
    child = psutil.Process(int(owner.stdout.readline()))
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    assert psutil.wait_procs([child], timeout=20)[1] == []
