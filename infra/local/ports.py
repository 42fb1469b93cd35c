"""Ports on 127.0.0.1 and waiting for somebody to listen on them."""

import random
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

# Below the ephemeral range: an outgoing connection can never take a server's port while the server restarts.
_FIRST, _LAST = 20_000, 32_000


class StartError(RuntimeError):
    """A server did not start; the message says what was tried and shows the end of its log."""


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


# Ports that this process has given away: nobody may listen on them yet, and they are not free any more.
_given: set[int] = set()


def free_port() -> int:
    """A port that nobody listens on, and another one each time."""
    choice = random.SystemRandom()
    while True:
        port = choice.randint(_FIRST, _LAST)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def is_listening(port: int) -> bool:
    """Whether somebody accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def end_of(log: Path, lines: int = 15) -> str:
    """The last lines of a log file, or nothing where there is none."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def wait_until(
    ready: Callable[[], bool], process: "subprocess.Popen[bytes]", *, name: str, log: Path, seconds: float
) -> None:
    """Poll ``ready`` until it holds.

    Raises:
        StartError: the process ended, or the time is up.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None:
            raise StartError(f"{name} ended with code {process.returncode} while starting.\n{end_of(log)}")
        if time.monotonic() > deadline:
            raise StartError(f"{name} was not ready after {seconds:.0f} s.\n{end_of(log)}")
        time.sleep(0.05)
