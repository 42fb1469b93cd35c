"""From files to the published cut: the whole system, started by its own command, at two sizes."""

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any, Final

import psutil

_LOOK_SECONDS: Final = 0.5
_MEGABYTE: Final = 1024 * 1024
_LONGEST_RUN_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What ``tandem demo`` said, and the largest memory of each of its processes."""

    summary: dict[str, Any]
    peaks: dict[str, float]

    @property
    def microseconds_a_claim(self) -> float:
        """Time from files to the published cut, shared out over the claims."""
        return 1e6 / float(self.summary["claims_per_second"])


def demonstrate(people: int, seed: int) -> Demonstration:
    """Run the demonstration on Apache Kafka and watch its processes."""
    command = [sys.executable, "-m", "infra.command", "demo", "--exit", "--json", "--broker", "kafka"]
    process = subprocess.Popen(
        [*command, "--people", str(people), "--seed", str(seed)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    peaks: dict[str, float] = {}
    ended = threading.Event()
    watching = threading.Thread(target=_watch, args=(process.pid, peaks, ended))
    watching.start()
    try:
        out, err = process.communicate(timeout=_LONGEST_RUN_SECONDS)
    finally:
        ended.set()
        watching.join()
    if process.returncode != 0:
        raise RuntimeError(f"the demonstration of {people} people failed: {(err or out).decode()[-2000:]}")
    return Demonstration(json.loads(out.decode().splitlines()[-1]), peaks)


def _watch(pid: int, peaks: dict[str, float], ended: threading.Event) -> None:
    while not ended.wait(_LOOK_SECONDS):
        for name, megabytes in _memory(pid):
            peaks[name] = max(megabytes, peaks.get(name, 0.0))


def _memory(pid: int) -> list[tuple[str, float]]:
    found = []
    try:
        family = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    for process in family:
        try:
            found.append((name_of(process.cmdline()), process.memory_info().rss / _MEGABYTE))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue  # it ended between the two looks
    return found


def name_of(command: list[str]) -> str:
    """Name a process by what it runs: ``worker alignment`` for ``tandem run worker alignment``."""
    if "run" in command and "infra.command" in command:
        return " ".join(command[command.index("run") + 1 :][:2])
    program = command[0].rpartition("/")[2] if command else "ended"
    return "postgresql" if program.startswith("postgres") else program
