"""CPU that other processes have used (Linux): other work on the machine moves it little, where it moves seconds much."""

import os
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")


class _Process(NamedTuple):
    """Fields of ``/proc/PID/stat`` behind the name, which may hold anything."""

    parent: int
    own: float
    of_ended_children: float


def _read(process: int) -> _Process:
    fields = (_PROC / str(process) / "stat").read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()
    user, system, of_children, of_children_system = (int(field) / os.sysconf("SC_CLK_TCK") for field in fields[11:15])
    return _Process(int(fields[1]), user + system, of_children + of_children_system)


def cpu_seconds_of(process: int) -> float:
    """User and system time of a process, all threads."""
    return _read(process).own


def cpu_seconds_of_server(backend: int) -> float:
    """Of a whole PostgreSQL, given the process of any session: its parent, all processes of it, and those that have ended."""
    parent = _read(backend).parent
    found = _read(parent)
    return found.own + found.of_ended_children + sum(one.own for one in _all() if one.parent == parent)


def _all() -> list[_Process]:
    found = []
    for entry in _PROC.iterdir():
        if entry.name.isdecimal():
            try:
                found.append(_read(int(entry.name)))
            except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
                continue
    return found
