"""What a folder keeps over restarts of its servers, with stand-ins for the servers' programs."""

import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.kafka import apache_kafka, prepare
from infra.kafka.apache_kafka import ApacheKafka, jars
from infra.local import postgresql
from infra.local.ports import StartError
from infra.local.postgresql import PostgreSQL

_INITDB = """
import sys, shutil
from pathlib import Path
words = sys.argv[1:]
data = Path(words[words.index("-D") + 1])
if (data.parent / "fail-initdb").exists():
    sys.exit("no room")
(data / "PG_VERSION").write_text("18")
with (data / "initdb.words").open("a") as said:
    print(*words, file=said)
(password,) = [word.partition("=")[2] for word in words if word.startswith("--pwfile=")]
shutil.copyfile(password, data / "password")
"""
_POSTGRES = """
import os, signal, sys
from pathlib import Path
words = sys.argv[1:]
data = Path(words[words.index("-D") + 1])
if (data.parent / "fail-postgres").exists():
    sys.exit("FATAL: lock file exists")
signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
(data / "postgres.words").write_text(" ".join(words))
(data / "postmaster.part").write_text(f"{os.getpid()}\\nready   \\n")
(data / "postmaster.part").rename(data / "postmaster.pid")
signal.pause()
"""
_JAVA = """
import signal, socket, sys
from pathlib import Path
words = sys.argv[1:]
settings = dict(line.split("=", 1) for line in Path(words[-1]).read_text().splitlines())
folder = Path(words[-1]).parent
with (folder / "java.words").open("a") as said:
    print(*words, file=said)
if "kafka.tools.StorageTool" in words:
    if (folder / "fail-format").exists():
        sys.exit("not a cluster id")
    (folder / "data").mkdir()
    (folder / "data" / "meta.properties").write_text("")
    sys.exit(0)
if (folder / "fail-start").exists():
    sys.exit("address in use")
host, port = settings["advertised.listeners"].removeprefix("PLAINTEXT://").split(":")
server = socket.create_server((host, int(port)))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
signal.pause()
"""
_MAVEN = """
import sys
from pathlib import Path
(folder,) = [word.partition("=")[2] for word in sys.argv if word.startswith("-DoutputDirectory=")]
(Path(folder) / "kafka.jar").write_text("")
with (Path(__file__).parent / "fetched").open("a") as said:
    print("once", file=said)
if (Path(__file__).parent / "fail").exists():
    print("checksum validation failed")
    sys.exit(1)
"""

Program = Callable[[str, str], Path]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    folder = tmp_path / "bin"
    folder.mkdir()

    def write(name: str, text: str) -> Path:
        file = folder / name
        file.write_text(f"#!{sys.executable}\n{text}")
        file.chmod(0o755)
        return file

    return write


@pytest.fixture
def cluster(tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgreSQL]:
    program("initdb", _INITDB)
    program("postgres", _POSTGRES)
    monkeypatch.setattr(postgresql, "_account", lambda: None)
    monkeypatch.setattr(postgresql, "_binaries", lambda _account: tmp_path / "bin")
    server = PostgreSQL(tmp_path / "installation", durable=False)
    yield server
    server.stop()


def test_a_cluster_is_made_once_and_its_password_stays(cluster: PostgreSQL) -> None:
    cluster.start()
    password = cluster.password
    assert (cluster.data / "password").read_text() == password
    cluster.restart()
    assert cluster.password == password
    assert len((cluster.data / "initdb.words").read_text().splitlines()) == 1


def test_nobody_but_the_owner_can_read_the_password_of_the_superuser(cluster: PostgreSQL) -> None:
    cluster.start()
    assert stat.S_IMODE((cluster.folder / "postgresql.password").stat().st_mode) == 0o600
    assert stat.S_IMODE(cluster.data.stat().st_mode) == 0o700
    words = (cluster.data / "initdb.words").read_text() + (cluster.data / "postgres.words").read_text()
    assert cluster.password not in words
    assert len(cluster.password) >= 32


def test_the_server_answers_on_a_socket_alone_and_asks_everybody_for_a_password(cluster: PostgreSQL) -> None:
    cluster.start()
    assert "--auth=scram-sha-256" in (cluster.data / "initdb.words").read_text()
    assert "-c listen_addresses= -c" in (cluster.data / "postgres.words").read_text()
    assert cluster.url.startswith("postgresql://postgres:")
    assert "@/postgres?host=/" in cluster.url


@pytest.mark.parametrize("durable", [True, False])
def test_only_a_trial_does_without_writing_through(cluster: PostgreSQL, *, durable: bool) -> None:
    cluster.durable = durable
    cluster.start()
    assert ("fsync=off" in (cluster.data / "postgres.words").read_text()) is not durable


@pytest.mark.parametrize(
    "setting", ["log_statement=none", "log_min_error_statement=panic", "log_error_verbosity=terse"]
)
def test_values_of_statements_never_reach_the_log(cluster: PostgreSQL, setting: str) -> None:
    cluster.start()
    assert f"-c {setting}" in (cluster.data / "postgres.words").read_text()


def test_a_cluster_that_cannot_be_made_says_why(cluster: PostgreSQL) -> None:
    cluster.folder.mkdir()
    (cluster.folder / "fail-initdb").write_text("")
    with pytest.raises(StartError, match=r"initdb failed in .*no room"):
        cluster.start()


def test_a_server_that_ends_at_once_is_reported_with_its_log(cluster: PostgreSQL) -> None:
    cluster.folder.mkdir()
    (cluster.folder / "fail-postgres").write_text("")
    with pytest.raises(StartError, match=r"PostgreSQL ended with code 1 while starting.\nFATAL: lock file exists"):
        cluster.start()


def test_the_lock_of_another_server_is_not_taken_for_ours(cluster: PostgreSQL) -> None:
    cluster.start()
    (cluster.data / "postmaster.pid").write_text("1\nready\n")
    assert not cluster._is_ready()
    assert cluster.process is not None
    (cluster.data / "postmaster.pid").write_text(f"{cluster.process.pid}\nstarting\n")
    assert not cluster._is_ready()


def test_what_is_stopped_can_be_stopped_again(cluster: PostgreSQL) -> None:
    cluster.start()
    process = cluster.process
    cluster.stop()
    cluster.stop()
    assert process is not None
    assert process.returncode == 0


@pytest.fixture
def kafka(tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApacheKafka]:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(apache_kafka.platformdirs, "user_cache_path", lambda _name: tmp_path / "cache")
    program("java", _JAVA)
    program("mvn", _MAVEN)
    broker = ApacheKafka(tmp_path / "kafka")
    yield broker
    broker.stop()


def _java_runs(kafka: ApacheKafka) -> list[str]:
    return [
        "format" if "StorageTool" in line else "run" for line in (kafka.folder / "java.words").read_text().splitlines()
    ]


def test_storage_is_formatted_once_and_the_port_stays(kafka: ApacheKafka) -> None:
    kafka.start()
    address = kafka.address
    kafka.restart()
    assert kafka.address == address
    assert _java_runs(kafka) == ["format", "run", "run"]


def _settings(kafka: ApacheKafka) -> dict[str, str]:
    lines = (kafka.folder / "server.properties").read_text().splitlines()
    assert len(lines) == len({line.partition("=")[0] for line in lines}), "a setting twice"
    return dict(line.split("=", 1) for line in lines)


def test_nobody_outside_this_machine_can_reach_the_broker(kafka: ApacheKafka) -> None:
    kafka._write_settings()
    settings = _settings(kafka)
    for name in ("listeners", "advertised.listeners", "controller.quorum.voters"):
        assert all("127.0.0.1:" in one for one in settings[name].split(",")), name
    assert settings["listeners"].split(",")[0] == settings["advertised.listeners"] == f"PLAINTEXT://{kafka.address}"
    assert settings["controller.quorum.voters"].endswith(f":{kafka.controller_port}")


def test_topics_come_from_the_registry_alone_and_one_node_is_enough(kafka: ApacheKafka) -> None:
    kafka._write_settings()
    settings = _settings(kafka)
    assert settings["auto.create.topics.enable"] == "false"
    assert settings["log.dirs"] == str(kafka.folder / "data")
    copies = [value for name, value in settings.items() if name.endswith((".replication.factor", ".min.isr"))]
    assert len(copies) >= 5
    assert set(copies) == {"1"}


def test_no_two_brokers_share_a_port(tmp_path: Path) -> None:
    brokers = [ApacheKafka(tmp_path / str(number)) for number in range(3)]
    ports = [port for broker in brokers for port in (broker.port, broker.controller_port)]
    assert len(set(ports)) == 6


def test_storage_that_cannot_be_formatted_says_why(kafka: ApacheKafka) -> None:
    kafka.folder.mkdir()
    (kafka.folder / "fail-format").write_text("")
    with pytest.raises(StartError, match=r"could not format .*not a cluster id"):
        kafka.start()


def test_a_broker_that_ends_at_once_is_reported_with_its_log(kafka: ApacheKafka) -> None:
    kafka.folder.mkdir()
    (kafka.folder / "fail-start").write_text("")
    with pytest.raises(StartError, match=r"Apache Kafka ended with code 1 while starting.\naddress in use"):
        kafka.start()


def test_jars_are_fetched_once(kafka: ApacheKafka, tmp_path: Path) -> None:
    assert [file.name for file in jars().iterdir()] == ["kafka.jar"]
    assert jars() == jars()
    assert (tmp_path / "bin" / "fetched").read_text().count("once") == 1
    assert kafka.process is None


def test_a_fetch_that_failed_leaves_nothing_that_looks_fetched(kafka: ApacheKafka, tmp_path: Path) -> None:
    (tmp_path / "bin" / "fail").write_text("")
    with pytest.raises(StartError, match="checksum validation failed"):
        jars()
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["apache-kafka.lock"]
    (tmp_path / "bin" / "fail").unlink()
    assert (jars() / "kafka.jar").exists()
    assert kafka.process is None


@pytest.mark.parametrize(("missing", "package"), [("java", "openjdk-17-jre-headless"), ("mvn", "maven")])
def test_what_is_missing_is_named_with_its_package_and_the_way_without(
    kafka: ApacheKafka, tmp_path: Path, capsys: pytest.CaptureFixture[str], missing: str, package: str
) -> None:
    (tmp_path / "bin" / missing).unlink()
    with pytest.raises(StartError) as raised:
        kafka.start()
    for said in (f"'{missing}'", package, "--broker embedded"):
        assert said in str(raised.value)
    assert prepare.main() == 1
    assert package in capsys.readouterr().err


def test_preparing_tells_success_by_its_exit_code(kafka: ApacheKafka) -> None:
    assert prepare.main() == 0
    assert jars().exists()
    assert kafka.process is None


@pytest.mark.parametrize("action", ["pause", "resume"])
def test_a_broker_that_does_not_run_cannot_be_frozen(kafka: ApacheKafka, action: str) -> None:
    with pytest.raises(StartError, match="not running"):
        getattr(kafka, action)()
