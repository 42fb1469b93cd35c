"""Run a command that cannot outlive its parent: ``python leash.py [--user NAME] -- COMMAND …``.

A killed supervisor or test run must not leave servers behind, so the kernel is asked to signal the command when
its parent dies. Kept free of imports from the project: it runs as a plain script, before anything else.
"""

import ctypes
import os
import pwd
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def leashed(command: list[str], *, user: str | None = None, signal_number: int = signal.SIGTERM) -> list[str]:
    """The command line that runs ``command`` on a leash, as ``user`` if one is given."""
    words = [sys.executable, str(Path(__file__).resolve()), str(int(signal_number)), user or "-", str(os.getpid())]
    return [*words, *command]


def _become(user: str) -> None:
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ["HOME"] = entry.pw_dir


def _die_with_parent(signal_number: int, parent: int) -> None:
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl refused the death signal")
    if os.getppid() != parent:  # it died before the kernel knew of us
        sys.exit(1)


def _main(signal_number: str, user: str, parent: str, *command: str) -> None:
    if user != "-":
        _become(user)
    _die_with_parent(int(signal_number), int(parent))  # after _become: a change of user clears it
    os.execvp(command[0], command)  # noqa: S606 - replacing this process is the point


if __name__ == "__main__":
    _main(*sys.argv[1:])
