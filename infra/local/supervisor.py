"""Starts, watches, restarts and stops the processes of an installation on this machine.

It has no thread of its own: whoever owns it calls :meth:`Supervisor.tend` often enough. Knows processes, not services.
"""

import os
import random
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.local.leash import leashed
from infra.local.ports import StartError, end_of

_LONGEST_DELAY = 5.0
_STEADY_AFTER = 15.0  # seconds up, after which a crash counts as a new trouble
_MOST_QUICK_FAILURES = 8


@dataclass(frozen=True, slots=True)
class ProcessSpecification:
    """A process to keep running. ``killable``: kill -9 of it must never cost anything, so trials may try it."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    killable: bool = True


@dataclass
class _Supervised:
    specification: ProcessSpecification
    log: Path
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    quick_failures: int = 0
    restart_at: float = 0.0
    killed: bool = False

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                leashed(list(self.specification.command)),
                env=dict(os.environ) | dict(self.specification.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started = time.monotonic()
        self.killed = False

    def note_end(self, now: float) -> None:
        """Decide when to start it again: at once if we killed it, ever later if it keeps failing."""
        self.process = None
        if self.killed:
            self.restart_at = now
            return
        self.quick_failures = 0 if now - self.started > _STEADY_AFTER else self.quick_failures + 1
        self.restart_at = now + min(0.2 * 2**self.quick_failures, _LONGEST_DELAY)


@dataclass
class Supervisor:
    """Keeps processes running; stops them in the reverse order of their start."""

    specifications: tuple[ProcessSpecification, ...]
    logs: Path
    restarts: int = 0
    _supervised: dict[str, _Supervised] = field(default_factory=dict, init=False)

    def start(self) -> None:
        """Start everything."""
        for specification in self.specifications:
            supervised = _Supervised(specification, self.logs / f"{specification.name}.log")
            self._supervised[specification.name] = supervised
            supervised.start()

    def running(self) -> dict[str, int]:
        """Name to process id of what runs at this moment."""
        return {
            name: one.process.pid
            for name, one in self._supervised.items()
            if one.process is not None and one.process.poll() is None
        }

    def tend(self) -> None:
        """Start again what has ended.

        Raises:
            StartError: a process fails again and again; with the end of its log.
        """
        now = time.monotonic()
        for name, one in self._supervised.items():
            if one.process is not None and one.process.poll() is not None:
                code = one.process.returncode
                one.note_end(now)
                if one.quick_failures >= _MOST_QUICK_FAILURES:
                    raise StartError(f"{name} keeps failing (exit code {code}).\n{end_of(one.log)}")
            if one.process is None and now >= one.restart_at:
                one.start()
                self.restarts += 1

    def kill(self, name: str) -> None:
        """Kill -9, as a lost machine would; :meth:`tend` starts it again."""
        one = self._supervised[name]
        if one.process is not None:
            one.killed = True
            one.process.kill()

    def kill_one_of(self, choice: random.Random) -> str | None:
        """Kill a random killable process that runs; its name, or nothing if none runs."""
        running = self.running()
        names = sorted(spec.name for spec in self.specifications if spec.killable and spec.name in running)
        if not names:
            return None
        name = choice.choice(names)
        self.kill(name)
        return name

    def stop(self, seconds: float = 20.0) -> tuple[str, ...]:
        """Ask everything to end, last started first, and wait; the names of those that had to be killed."""
        living = [one for one in reversed(self._supervised.values()) if one.process is not None]
        for one in living:
            _signal(one.process, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        stubborn = [one.specification.name for one in living if not _ends_before(one.process, deadline)]
        self._supervised.clear()
        return tuple(stubborn)


def _signal(process: "subprocess.Popen[bytes] | None", number: int) -> None:
    if process is not None and process.poll() is None:
        process.send_signal(number)


def _ends_before(process: "subprocess.Popen[bytes] | None", deadline: float) -> bool:
    if process is None:
        return True
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True
