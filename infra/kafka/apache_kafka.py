"""Apache Kafka 4.1, one node that is broker and controller, from jars that Maven fetches once a user."""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from infra.local.leash import leashed
from infra.local.ports import StartError, free_port, is_listening, wait_until

_POM = Path(__file__).parent / "pom.xml"
# Kafka's storage tool wants 22 characters of unpadded URL-safe Base64 of a UUID; one node has nobody to mix up with.
_CLUSTER = "VGFuZGVtTG9jYWxLYWZrYQ"
_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
message.max.bytes=2097152
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=16777216
"""


def _version() -> str:
    version = ET.parse(_POM).getroot().findtext("{*}version")  # noqa: S314 - our own file
    if version is None:
        raise StartError(f"{_POM} states no version")
    return version


def _need(program: str, debian_package: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise StartError(
            f"Apache Kafka needs '{program}', which is not on the PATH. "
            f"On Debian: apt-get install {debian_package}. Or use the embedded broker (--broker embedded)."
        )
    return found


def jars() -> Path:
    """The folder with Kafka's jars; Maven fetches them the first time.

    Raises:
        StartError: no Java or Maven, or Maven failed.
    """
    _need("java", "openjdk-17-jre-headless")
    cache = platformdirs.user_cache_path("tandem")
    cache.mkdir(parents=True, exist_ok=True)
    final = cache / f"apache-kafka-{_version()}"
    with (cache / "apache-kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two checkouts, or two test workers, may both be first
        if not final.exists():
            _fetch(final)
    return final


def _fetch(final: Path) -> None:
    maven = _need("mvn", "maven")
    unfinished = Path(tempfile.mkdtemp(dir=final.parent))
    command = [maven, "-q", "-B", "--strict-checksums", "-f", str(_POM), "dependency:copy-dependencies"]
    done = subprocess.run(
        [*command, f"-DoutputDirectory={unfinished}"], check=False, capture_output=True, stdin=subprocess.DEVNULL
    )
    if done.returncode != 0:
        shutil.rmtree(unfinished)
        raise StartError(f"Maven could not fetch Apache Kafka:\n{done.stdout.decode(errors='replace')[-2000:]}")
    unfinished.rename(final)


@dataclass
class ApacheKafka:
    """One KRaft node with its data in ``folder``; ports and data stay the same over restarts."""

    folder: Path
    port: int = field(default_factory=free_port)
    controller_port: int = field(default_factory=free_port)
    heap_megabytes: int = 512
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def address(self) -> str:
        """The bootstrap address."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What the broker says."""
        return self.folder / "kafka.log"

    def start(self) -> None:
        """Format the storage if it is new, start, and wait until the broker listens.

        Raises:
            StartError: no Java or Maven, or the broker did not come up; with the end of its log.
        """
        classpath = f"{jars()}/*"
        settings = self._write_settings()
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(classpath, settings)
        command = [_need("java", "openjdk-17-jre-headless"), f"-Xmx{self.heap_megabytes}m", "-XX:+UseSerialGC"]
        command += ["-cp", classpath, "kafka.Kafka", str(settings)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                leashed(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        wait_until(lambda: is_listening(self.port), self.process, name="Apache Kafka", log=self.log, seconds=90)

    def _write_settings(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self.folder / "server.properties"
        values = {"port": self.port, "controller_port": self.controller_port, "data": self.folder / "data"}
        settings.write_text(_SETTINGS.format(**values))
        return settings

    def _format(self, classpath: str, settings: Path) -> None:
        command = ["java", "-Xmx128m", "-cp", classpath, "kafka.tools.StorageTool", "format"]
        command += ["-t", _CLUSTER, "-c", str(settings)]
        done = subprocess.run(command, check=False, capture_output=True)
        if done.returncode != 0:
            raise StartError(f"Kafka could not format {self.folder}: {done.stderr.decode(errors='replace')[-2000:]}")

    def stop(self) -> None:
        """An orderly shutdown."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once (kill -9)."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start on the same port and data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze the process."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen process go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, signal_number: int) -> None:
        if self.process is None:
            raise StartError("Apache Kafka is not running")
        os.kill(self.process.pid, signal_number)

    def _end(self, signal_number: int) -> None:
        if self.process is None:
            return
        self.process.send_signal(signal_number)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


@contextmanager
def running_apache_kafka(folder: Path) -> Iterator[ApacheKafka]:
    """A node in ``folder``, while it runs."""
    broker = ApacheKafka(folder)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
