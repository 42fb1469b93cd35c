"""An installation on this machine: its folder, its generated secrets, and who answers where.

Every secret is made here, once, and lies in one file that only its owner may read.
"""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import get_args

import platformdirs
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from contracts.topics import Service
from infra.local.ports import StartError

SERVICES: tuple[Service, ...] = get_args(Service)


def schema_of(service: Service) -> str:
    """The database schema that a service owns."""
    return service.replace("-", "_")


def role_of(service: Service) -> str:
    """The database role that a service signs in with."""
    return f"tandem_{schema_of(service)}"


def reading_role_of(service: Service) -> str:
    """The database role in which a service's figures are read for others. It owns nothing."""
    return f"{role_of(service)}_reader"


def usual_folder() -> Path:
    """Where an installation lives unless told otherwise.

    For root it must be a folder that PostgreSQL's unprivileged account can enter, which no home of root's is.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/tandem")
    return platformdirs.user_state_path("tandem")


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _signing_key() -> str:
    key = ec.generate_private_key(ec.SECP384R1())
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@dataclass(frozen=True, slots=True)
class Secrets:
    """What an installation keeps to itself."""

    pseudonym_key: str
    payload_key: str
    passwords: Mapping[Service, str]
    # While what it sealed is sealed anew; see ``tandem keys``.
    previous_payload_key: str | None = None
    # Of an installation that is older than they are: made at the next start.
    reading_password: str | None = None
    signing_key: str | None = None

    def with_access(self) -> "Secrets":
        """The same, with what the gateway for states needs."""
        return replace(
            self,
            reading_password=self.reading_password or secrets.token_urlsafe(24),
            signing_key=self.signing_key or _signing_key(),
        )

    def payload_keys(self) -> tuple[bytes, ...]:
        """The key under which is sealed, then the one before it."""
        keys = (self.payload_key, self.previous_payload_key)
        return tuple(base64.b64decode(key) for key in keys if key is not None)

    def pseudonym_key_bytes(self) -> bytes:
        """The key of person ids."""
        return base64.b64decode(self.pseudonym_key)

    def without_previous_payload_key(self) -> "Secrets":
        """The same, and nothing of the key before."""
        return replace(self, previous_payload_key=None)

    def with_new_payload_key(self) -> "Secrets":
        """The same with another payload key, and the one before kept beside it."""
        return replace(self, payload_key=_key(), previous_payload_key=self.payload_key)

    @staticmethod
    def generate() -> "Secrets":
        """Fresh keys, and a password a service."""
        passwords = {service: secrets.token_urlsafe(24) for service in SERVICES}
        return Secrets(_key(), _key(), passwords).with_access()


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a running installation answers. ``database`` is a URL with ``{role}`` and ``{password}`` to fill in.

    ``metrics``: by process, where Prometheus is answered. ``states``: the gateway that lets nobody in without a token.
    """

    supervisor: int
    brokers: str
    database: str
    gateways: Mapping[Service, str]
    metrics: Mapping[str, str] = field(default_factory=dict)
    states: str | None = None


@dataclass(frozen=True)
class Installation:
    """The folder of one installation."""

    folder: Path

    @property
    def inbox(self) -> Path:
        """Where files are put for intake to take."""
        return self.folder / "inbox"

    @property
    def delivered(self) -> Path:
        """Copies of what was delivered by command: they hold people's data as their senders wrote it."""
        return self.folder / "delivered"

    @property
    def logs(self) -> Path:
        """One file a process."""
        return self.folder / "logs"

    @property
    def _addresses_file(self) -> Path:
        return self.folder / "addresses.json"

    def prepare(self) -> None:
        """Make the folders and the secrets, where they do not exist."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o711)
        for private in (self.inbox, self.logs, self.delivered):
            private.mkdir(mode=0o700, exist_ok=True)
        secrets_file = self.folder / "secrets.json"
        if not secrets_file.exists():
            descriptor = os.open(secrets_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(asdict(Secrets.generate()), file)
        if self.secrets.with_access() != self.secrets:
            self.keep(self.secrets.with_access())

    @cached_property
    def secrets(self) -> Secrets:
        """The secrets, from their file."""
        return Secrets(**json.loads((self.folder / "secrets.json").read_text()))

    def keep(self, secrets_now: Secrets) -> None:
        """Write the secrets down in place of those before, all at once: whoever reads meanwhile reads one of both."""
        unfinished = self.folder / "secrets.part"
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(secrets_now), file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(self.folder / "secrets.json")
        self.__dict__.pop("secrets", None)

    def announce(self, addresses: Addresses) -> None:
        """Write down where the running processes answer, for other commands to find them."""
        unfinished = self._addresses_file.with_suffix(".part")
        unfinished.write_text(json.dumps(asdict(addresses), indent=1))
        unfinished.rename(self._addresses_file)  # at once: another command must not read half of it

    def withdraw(self) -> None:
        """Nothing runs any more."""
        self._addresses_file.unlink(missing_ok=True)

    def addresses(self) -> Addresses:
        """Where the running processes answer.

        Raises:
            StartError: the installation does not run.
        """
        if self._addresses_file.exists():
            addresses = Addresses(**json.loads(self._addresses_file.read_text()))
            if _is_alive(addresses.supervisor):
                return addresses
        raise StartError(f"Tandem is not running from {self.folder}: start it with 'tandem up' (or 'make up').")

    def is_running(self) -> bool:
        """Whether somebody has started it."""
        try:
            self.addresses()
        except StartError:
            return False
        return True

    def database_url(self, service: Service) -> str:
        """The database as the service's own role."""
        return self.addresses().database.format(role=role_of(service), password=self.secrets.passwords[service])

    def superuser_url(self) -> str:
        """The database as its superuser: for operators' commands, never for a service."""
        password = (self.folder / "postgresql.password").read_text()
        return self.addresses().database.format(role="postgres", password=password)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
