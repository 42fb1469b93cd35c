"""``tandem fetch`` as it is typed, over real connections, and killed as an operating system kills."""

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest
from click.testing import CliRunner, Result
from fake_bulk_server import CLIENT, SECRET, FakeBulkServer, SettableClock, on_a_port, outcome

from infra.command import fetch
from infra.command.main import main
from services.intake.bulk.clock import SystemClock

Tandem = Callable[..., Result]


@pytest.fixture
def server() -> Iterator[FakeBulkServer]:
    with on_a_port(FakeBulkServer(clock=SystemClock(), looks_until_done=0)) as listening:
        yield listening


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"TANDEM_FOLDER": str(tmp_path / "installation"), "TANDEM_BULK_CLIENT_ID": CLIENT,
            "TANDEM_BULK_CLIENT_SECRET": SECRET, "COLUMNS": "200"}  # fmt: skip


@pytest.fixture
def tandem(server: FakeBulkServer, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Tandem:
    # Time of the client's own, that passes at once.
    monkeypatch.setattr(fetch, "SystemClock", SettableClock)
    words = ("fetch", "bcda", "--url", server.base_url)
    return lambda *more: CliRunner(env=environment).invoke(main, [*words, *map(str, more)])


def _contents(folder: Path) -> list[bytes]:
    return sorted(gzip.decompress(path.read_bytes()) for path in folder.iterdir())


def _expected(server: FakeBulkServer) -> list[bytes]:
    return sorted(content for _, content in server.files.values())


def test_files_come_into_the_inbox(tandem: Tandem, server: FakeBulkServer, tmp_path: Path) -> None:
    result = tandem("--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert _contents(tmp_path / "installation" / "inbox") == _expected(server)
    assert told["resources"] == {"Coverage": 80, "ExplanationOfBenefit": 900, "Patient": 40}
    assert told["since"] is None
    assert sorted(Path(file) for file in told["files"]) == sorted((tmp_path / "installation" / "inbox").iterdir())


def test_the_second_fetch_asks_since_the_first_and_full_asks_for_all(tandem: Tandem, server: FakeBulkServer) -> None:
    assert tandem().exit_code == 0
    assert json.loads(tandem("--json").stdout)["since"] == "2024-03-05T06:07:08.123Z"
    assert json.loads(tandem("--json", "--full").stdout)["since"] is None
    assert json.loads(tandem("--json", "--since", "2024-01-02").stdout)["since"] == "2024-01-02T00:00:00.000Z"
    assert server.exports == 4


def test_people_read_a_table(tandem: Tandem, tmp_path: Path) -> None:
    result = tandem("--into", tmp_path / "elsewhere", "--type", "ExplanationOfBenefit", "--type", "Patient")
    assert "ExplanationOfBenefit" in result.stdout
    assert "3 files as of 2024-03-05T06:07:08.123Z" in result.stdout
    assert "Asking for everything." in result.stderr
    assert len(list((tmp_path / "elsewhere").iterdir())) == 3


def test_nothing_new_is_said_so(tandem: Tandem, server: FakeBulkServer) -> None:
    tandem()
    server.files = {}
    said = " ".join(tandem().stdout.split())
    assert "No file: nobody is attributed, or nothing changed since 2024-03-05" in said


def test_reports_of_errors_are_shown_without_people(tandem: Tandem, server: FakeBulkServer) -> None:
    report = outcome(200, "Error retrieving claims for beneficiary 1S00A00AA00").body
    server.error_files = {"e.ndjson": report + b"\n" + report + b"\nnonsense\n"}
    result = tandem("--json")
    assert json.loads(result.stdout)["errors"] == {
        "error exception Error retrieving claims for beneficiary ***": 2, "unreadable": 1,
    }  # fmt: skip
    assert "1S00A00AA00" not in result.output
    assert "the server reports, 2 times" in tandem("--full").stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--group", "nobody"), 4, "has no such group; it has: all, runout, patient"),
        (("--version", "v9"), 4, "bcda has the versions v1, v2, v3"),
        (("--type", "Practitioner"), 2, "'Practitioner' is not one of"),
        (("--since", "yesterday"), 2, "a date or a FHIR instant"),
        (("--since", "2024-01-01", "--full"), 2, "exclude each other"),
        (("--credentials", "no-such-file"), 2, "cannot be read"),
        (("--url", "http://api.example.gov"), 2, "must begin with https://"),
        (("--wait", "0"), 2, "0.001<=x<=168"),
    ],
    ids=str,
)
def test_what_is_typed_wrongly_is_told(
    tandem: Tandem, server: FakeBulkServer, words: tuple[str, ...], code: int, said: str
) -> None:
    result = tandem(*words)
    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert server.asked == []


def test_wrong_credentials_end_with_three_and_are_not_shown(
    tandem: Tandem, environment: dict[str, str], server: FakeBulkServer
) -> None:
    environment["TANDEM_BULK_CLIENT_SECRET"] = "of-last-quarter"
    result = tandem()
    assert (result.exit_code, "90 days" in result.stderr) == (3, True)
    assert "of-last-quarter" not in result.output
    server.forbidden = True
    environment["TANDEM_BULK_CLIENT_SECRET"] = SECRET
    assert tandem().exit_code == 3


def test_credentials_from_a_file_that_only_its_owner_reads(
    tandem: Tandem, environment: dict[str, str], tmp_path: Path
) -> None:
    del environment["TANDEM_BULK_CLIENT_SECRET"]
    file = tmp_path / "credentials"
    file.write_text(f"{CLIENT}\n{SECRET}\n")
    file.chmod(0o644)
    assert "chmod 600" in tandem("--credentials", file).stderr
    file.chmod(0o600)
    assert tandem("--credentials", file).exit_code == 0


def test_a_full_disk_is_told(tandem: Tandem, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: object, _block: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("services.intake.bulk.decoding.ResourceFile.write", full)
    result = tandem()
    assert (result.exit_code, "No space left" in result.stderr) == (6, True)


def test_stopping_leaves_the_export_to_be_gone_on_with(
    tandem: Tandem, server: FakeBulkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_self: object, _percent: int | None) -> None:
        raise KeyboardInterrupt

    server.looks_until_done = 2
    with monkeypatch.context() as patched:
        patched.setattr(fetch.Bars, "exporting", stop)
        result = tandem()
    assert (result.exit_code, "--cancel drops the export" in result.stderr) == (130, True)
    assert json.loads(tandem("--json").stdout)["resumed"]
    assert server.exports == 1


@pytest.mark.parametrize(("answer", "cancelled"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_whoever_stops_it_is_asked_whether_to_cancel(
    server: FakeBulkServer,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    cancelled: bool,  # noqa: FBT001
) -> None:
    def stop(_self: object, _percent: int | None) -> None:
        raise KeyboardInterrupt

    server.looks_until_done = 9
    monkeypatch.setattr(fetch.Bars, "exporting", stop)
    monkeypatch.setattr(fetch, "somebody_is_there", lambda: True)
    result = CliRunner(env=environment).invoke(main, ["fetch", "bcda", "--url", server.base_url], input=answer)
    assert result.exit_code == 130
    assert "Cancel the export at the server too?" in result.stderr
    assert server.jobs["1"].cancelled is cancelled


def test_an_interrupted_process_says_how_to_go_on(
    server: FakeBulkServer, environment: dict[str, str], tmp_path: Path
) -> None:
    looked = Event()
    server.on_look, server.looks_until_done = looked.set, 9
    words = [sys.executable, "-m", "infra.command", "fetch", "bcda", "--url", server.base_url]
    with subprocess.Popen(
        words, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert looked.wait(60)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "The same command goes on where this one stopped" in said
    assert "Traceback" not in said
    assert len(list((tmp_path / "installation" / "fetch").glob("*.job.json"))) == 1


def test_cancel_drops_the_export(tandem: Tandem, server: FakeBulkServer) -> None:
    assert "There is no unfinished export." in tandem("--cancel").stdout
    server.looks_until_done = 999
    assert tandem("--wait", "0.01").exit_code == 6
    assert json.loads(tandem("--cancel", "--json").stdout) == {"cancelled": True}
    assert server.jobs["1"].cancelled


# Ends itself as the operating system ends a process, at the call that is named; see below.
_DYING = """
import os, signal, sys
from services.intake.bulk import fetching, job_state
from infra.command.main import main

owner, name, number, when = sys.argv[1:5]
owner = {"state": job_state.StateFolder, "fetching": fetching}[owner]
original, calls = getattr(owner, name), []

def dying(*arguments):
    calls.append(1)
    if len(calls) == int(number) and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    found = original(*arguments)
    if len(calls) == int(number):
        os.kill(os.getpid(), signal.SIGKILL)
    return found

setattr(owner, name, dying)
main(sys.argv[5:])
"""


@pytest.mark.parametrize(
    "step",
    [
        ("state", "keep_job", "1", "after"),  # the job's address is known
        ("fetching", "_put", "2", "before"),  # between two files
        ("fetching", "_put", "2", "after"),  # renamed, and not yet written down
        ("state", "keep_completed", "1", "after"),
    ],
    ids=" ".join,
)
def test_a_process_that_is_killed_goes_on(
    tandem: Tandem, server: FakeBulkServer, environment: dict[str, str], tmp_path: Path, step: tuple[str, ...]
) -> None:
    words = [sys.executable, "-c", _DYING, *step, "fetch", "bcda", "--url", server.base_url]
    died = subprocess.run(words, env={**os.environ, **environment}, capture_output=True, check=False, timeout=60)
    assert died.returncode == -signal.SIGKILL, died.stderr
    result = tandem("--json")
    assert json.loads(result.stdout)["resumed"]
    assert _contents(tmp_path / "installation" / "inbox") == _expected(server)
    assert server.exports == 1
    assert [server.downloads(name) for name in server.files] == [1, 1, 1]


def test_a_connection_that_is_cut_in_the_middle_of_a_file(
    tandem: Tandem, server: FakeBulkServer, tmp_path: Path
) -> None:
    server.moods = {"aaa.ndjson": ["cut", "gzip ends early"]}
    assert tandem().exit_code == 0
    assert _contents(tmp_path / "installation" / "inbox") == _expected(server)
    assert server.downloads("aaa.ndjson") == 3
