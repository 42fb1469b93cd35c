"""Waiting for a server ends with its last words, and never without an end."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local import ports
from infra.local.installation import Addresses, Installation
from infra.local.ports import StartError, end_of, free_port, is_listening, wait_until
from infra.local.postgresql import _LONGEST_SOCKET_PATH, _SOCKET_NAME, _socket_folder


def test_a_free_port_is_below_the_range_of_outgoing_connections_and_can_be_taken() -> None:
    port = free_port()
    assert 20_000 <= port <= 32_000
    assert not is_listening(port)
    with socket.create_server(("127.0.0.1", port)):
        assert is_listening(port)


def test_a_port_is_given_away_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes that were given one port could not both start, and nobody would have listened on it before."""
    drawn = iter([20_001, 20_001, 20_001, 20_002])
    monkeypatch.setattr("random.SystemRandom.randint", lambda *_: next(drawn))
    monkeypatch.setattr(ports, "_is_free", lambda _: True)
    monkeypatch.setattr(ports, "_given", set())
    assert [free_port(), free_port()] == [20_001, 20_002]


def _ended(tmp_path: Path, code: int) -> tuple["subprocess.Popen[bytes]", Path]:
    log = tmp_path / "server.log"
    log.write_text("\n".join(f"line {number}" for number in range(100)))
    process = subprocess.Popen([sys.executable, "-c", f"raise SystemExit({code})"])
    process.wait(30)
    return process, log


def test_a_server_that_ends_while_starting_is_reported_with_its_code_and_the_end_of_its_log(tmp_path: Path) -> None:
    process, log = _ended(tmp_path, 3)
    with pytest.raises(StartError) as raised:
        wait_until(lambda: False, process, name="The server", log=log, seconds=30)
    assert str(raised.value).startswith("The server ended with code 3 while starting.\nline 85")
    assert str(raised.value).endswith("line 99")


def test_a_server_that_never_listens_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        with pytest.raises(StartError, match="was not ready after 0 s"):
            wait_until(lambda: False, process, name="The server", log=tmp_path / "none.log", seconds=0)
        process.kill()


def test_a_server_that_is_ready_is_not_waited_for(tmp_path: Path) -> None:
    process, log = _ended(tmp_path, 0)
    wait_until(lambda: True, process, name="The server", log=log, seconds=0)


@pytest.mark.parametrize(("content", "lines", "shown"), [("a\nb\nc\n", 2, "b\nc"), ("a", 15, "a"), ("", 15, "")])
def test_the_end_of_a_log(tmp_path: Path, content: str, lines: int, shown: str) -> None:
    log = tmp_path / "a.log"
    log.write_text(content)
    assert end_of(log, lines) == shown


def test_a_log_that_is_not_there_has_no_end_and_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    assert end_of(tmp_path / "none.log") == ""
    (tmp_path / "odd.log").write_bytes(b"\xff\xfe ok")
    assert end_of(tmp_path / "odd.log").endswith("ok")


@pytest.mark.parametrize("length", [10, 60, 200])
def test_the_socket_of_the_database_fits_whatever_the_folder(length: int) -> None:
    folder = Path("/" + "x" * length)
    socket_folder = _socket_folder(folder)
    assert len(str(socket_folder / _SOCKET_NAME)) <= _LONGEST_SOCKET_PATH
    assert socket_folder == _socket_folder(folder)
    assert (socket_folder == folder) is (length < 80)


def test_addresses_come_back_as_they_were_announced_and_are_never_seen_by_halves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = Installation(tmp_path)
    announced = Addresses(os.getpid(), "h:1", "postgresql:///x", {"risk": "http://h:2"}, {"risk-worker": "http://h:3"})
    installation.announce(announced)
    assert installation.addresses() == announced
    complete = (tmp_path / "addresses.json").read_text()

    def write_half(path: Path, text: str) -> None:
        path.write_bytes(text[: len(text) // 2].encode())
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "write_text", write_half)
    with pytest.raises(OSError, match="no space"):
        installation.announce(announced)
    assert (tmp_path / "addresses.json").read_text() == complete
