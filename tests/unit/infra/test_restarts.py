"""When an ended process is started again, when the supervisor gives up, and in which order it stops."""

import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.local import supervisor as module
from infra.local.ports import StartError
from infra.local.supervisor import ProcessSpecification, Supervisor


class Process:
    """A process that ends when it is told to, by a clock of its own."""

    def __init__(self, name: str, signals: list[tuple[str, int]]) -> None:
        self.name = name
        self.pid = 1
        self.returncode: int | None = None
        self.signals = signals

    def poll(self) -> int | None:
        return self.returncode

    def end(self, code: int) -> None:
        self.returncode = code

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        self.signals.append((self.name, number))
        self.returncode = -number

    def wait(self, _seconds: float | None = None) -> int:
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.name, 0)
        return self.returncode


class World:
    """A clock, and the processes that were started by it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, *names: str) -> None:
        self.now = 100.0
        self.started: list[tuple[float, str]] = []
        self.alive: dict[str, Process] = {}
        self.signals: list[tuple[str, int]] = []
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(module, "leashed", lambda command: command)
        monkeypatch.setattr(module.subprocess, "Popen", self._popen)
        specifications = tuple(ProcessSpecification(name, (name,), {}) for name in names)
        self.supervisor = Supervisor(specifications, folder)
        self.supervisor.start()

    def _popen(self, command: list[str], **_options: Any) -> Process:
        self.started.append((self.now, command[0]))
        self.alive[command[0]] = Process(command[0], self.signals)
        return self.alive[command[0]]

    def crash(self, name: str, after: float = 0.0) -> float:
        """Let it end and come back; the seconds until then."""
        self.now += after
        self.alive[name].end(7)
        before, ended = len(self.started), self.now
        self.supervisor.tend()
        assert len(self.started) == before
        self.now = self.supervisor._supervised[name].restart_at
        self.supervisor.tend()
        assert len(self.started) == before + 1
        return round(self.now - ended, 6)


def test_a_process_that_keeps_failing_is_started_ever_later_and_then_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world = World(monkeypatch, tmp_path, "risk-worker")
    assert [world.crash("risk-worker") for _ in range(7)] == [0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    with pytest.raises(StartError, match=r"risk-worker keeps failing \(exit code 7\)"):
        world.crash("risk-worker")
    assert world.supervisor.restarts == 7


def test_a_process_that_ran_steadily_before_is_forgiven(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    world = World(monkeypatch, tmp_path, "risk-worker")
    for _ in range(3):
        world.crash("risk-worker")
    assert world.crash("risk-worker", after=15.1) == 0.2
    assert world.crash("risk-worker") == 0.4
    assert world.crash("risk-worker", after=14.9) == 0.8


def test_a_process_that_was_killed_for_trial_comes_back_at_once_and_is_not_blamed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world = World(monkeypatch, tmp_path, "risk-worker")
    for _ in range(20):
        world.supervisor.kill("risk-worker")
        world.supervisor.tend()
    assert len(world.started) == 21
    assert {moment for moment, _ in world.started} == {100.0}
    assert world.crash("risk-worker") == 0.4


def test_only_what_ended_is_started_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    world = World(monkeypatch, tmp_path, "a", "b", "c")
    world.crash("b")
    assert [name for _, name in world.started] == ["a", "b", "c", "b"]
    assert world.supervisor.restarts == 1


def test_what_was_started_last_is_asked_first_to_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    world = World(monkeypatch, tmp_path, "a", "b", "c")
    assert world.supervisor.stop() == ()
    assert world.signals == [(name, signal.SIGTERM) for name in ("c", "b", "a")]


def test_what_ended_already_is_not_signalled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    world = World(monkeypatch, tmp_path, "a", "b")
    world.alive["b"].end(0)
    world.supervisor.stop()
    assert world.signals == [("a", signal.SIGTERM)]


def test_a_stopped_supervisor_starts_nothing_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    world = World(monkeypatch, tmp_path, "a")
    world.supervisor.stop()
    world.supervisor.tend()
    assert len(world.started) == 1
    assert world.supervisor.running() == {}


def test_a_process_is_not_started_twice_while_it_waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    world = World(monkeypatch, tmp_path, "a")
    world.alive["a"].end(7)
    for _ in range(5):
        world.supervisor.tend()
    assert len(world.started) == 1
    world.now += 0.5
    for _ in range(5):
        world.supervisor.tend()
    assert len(world.started) == 2
