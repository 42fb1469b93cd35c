"""Everything that an installation may set, read from the environment with the prefix ``TANDEM_``."""

import base64
import binascii
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime.exits import SettingsInvalid

_KEY_BYTES = 32
# What needs no quotes in SQL.
SCHEMA_NAME: Final = r"^[a-z_][a-z0-9_]{0,62}$"


class Settings(BaseSettings):
    """See each field. Use :func:`load_settings`, which says clearly what is wrong."""

    model_config = SettingsConfigDict(env_prefix="TANDEM_", frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: Annotated[str, Field(description="PostgreSQL, in the role of the service")]
    schema_name: Annotated[
        str | None, Field(pattern=SCHEMA_NAME, description="schema to use in place of the service's own")
    ] = None
    brokers: Annotated[
        str, Field(pattern=r"[^\s,]", description="Kafka bootstrap addresses, host:port, with commas between")
    ]
    group: Annotated[str | None, Field(description="consumer group in place of tandem-<service>")] = None
    slot: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,60}$", description="place in the group, one a worker")] = "1"
    pseudonym_key: Annotated[SecretStr | None, Field(description="32 bytes, base64: makes person ids")] = None
    pseudonym_key_file: Annotated[Path | None, Field(description="a file that holds the key in its place")] = None
    payload_key: Annotated[
        SecretStr | None, Field(description="32 bytes, base64: seals identifiers, quarantined lines, dead letters")
    ] = None
    payload_key_file: Annotated[Path | None, Field(description="a file that holds the key in its place")] = None
    previous_payload_key: Annotated[
        SecretStr | None, Field(description="the key before it, while what it sealed is sealed anew")
    ] = None
    previous_payload_key_file: Annotated[Path | None, Field(description="a file that holds the key in its place")] = (
        None
    )
    synthetic_identifiers: Annotated[bool, Field(description="admit CMS's impossible test numbers")] = False
    inbox: Annotated[Path | None, Field(description="folder from which intake takes deliveries")] = None
    inbox_settle_seconds: Annotated[float, Field(ge=0, description="a file changed since is not taken yet")] = 2.0
    upload_limit_bytes: Annotated[int, Field(gt=0, description="largest file that is taken over HTTP")] = 64 * 2**30
    state_mappings: Annotated[
        Path | None, Field(description="folder with a state's own mappings of eligibility files, besides those shipped")
    ] = None
    state: Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="the installation's state")] = "OH"
    gateway_host: str = "127.0.0.1"
    gateway_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    access: Annotated[
        Literal["open", "token"] | None,
        Field(description="who may read: everybody, or whoever has a token. Absent: token where there is an issuer"),
    ] = None
    issuer: Annotated[str | None, Field(pattern=r"^https?://\S+$", description="who makes tokens: its URL")] = None
    issuer_keys: Annotated[
        str | None, Field(description="address or file of the issuer's JSON Web Key Set, where that is somebody else")
    ] = None
    audience: Annotated[str, Field(min_length=1, description="for whom tokens must be: this installation")] = "tandem"
    signing_key: Annotated[SecretStr | None, Field(description="EC key on P-384 in PEM: this gateway makes tokens")] = (
        None
    )
    signing_key_file: Annotated[Path | None, Field(description="a file that holds the key in its place")] = None
    requests_per_minute: Annotated[int, Field(ge=1, description="of one client, through one gateway process")] = 600
    requests_at_once: Annotated[int, Field(ge=1, description="of one client, after a pause")] = 100
    requests_open: Annotated[int, Field(ge=1, description="of one client, that wait for changes: polls, streams")] = 20
    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int | None, Field(ge=0, le=65535, description="none: no metrics served")] = None
    # Kafka's own floor is 6 s (group.min.session.timeout.ms).
    session_timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 10.0
    # A worker that is frozen in a transaction holds its partition's turn: PostgreSQL ends it after this, so that
    # another can go on. Longer than any handler computes between two statements.
    idle_transaction_seconds: Annotated[float, Field(gt=0)] = 60.0
    batch_limit: Annotated[int, Field(ge=1, le=10_000, description="messages in one transaction")] = 500
    parked_run_limit: Annotated[int, Field(ge=0, description="failing messages in a row that are tolerated")] = 100
    idempotent_producer: Literal["auto", "on", "off"] = "auto"
    start_timeout_seconds: Annotated[float, Field(gt=0, description="how long to wait for what is not there")] = 60.0
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("pseudonym_key", "payload_key", "previous_payload_key")
    @classmethod
    def _must_be_32_bytes(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(_decoded(key)) != _KEY_BYTES:
            raise ValueError("must be 32 bytes in base64")
        return key

    @field_validator("state_mappings")
    @classmethod
    def _must_be_a_folder(cls, folder: Path | None) -> Path | None:
        # A mapping that is silently not there would refuse a state's files, or read them by another.
        if folder is not None and not folder.is_dir():
            raise ValueError("must be a folder")
        return folder

    def signing_key_text(self) -> str | None:
        """The key that signs tokens, in PEM, where this installation makes them."""
        if self.signing_key is not None and self.signing_key_file is not None:
            raise SettingsInvalid("TANDEM_SIGNING_KEY and TANDEM_SIGNING_KEY_FILE are both set: one of them")
        if self.signing_key_file is None:
            return self.signing_key.get_secret_value() if self.signing_key is not None else None
        try:
            return self.signing_key_file.read_text(encoding="ascii")
        except (OSError, ValueError) as error:
            raise SettingsInvalid(f"TANDEM_SIGNING_KEY_FILE: {type(error).__name__}") from None

    def bootstrap_servers(self) -> list[str]:
        """The brokers, one by one."""
        return [address.strip() for address in self.brokers.split(",") if address.strip()]

    def payload_key_bytes(self) -> bytes:
        """The key under which is sealed. Raises :class:`SettingsInvalid` where it is not set."""
        return _required("TANDEM_PAYLOAD_KEY", _either("TANDEM_PAYLOAD_KEY", self.payload_key, self.payload_key_file))

    def payload_keys(self) -> tuple[bytes, ...]:
        """The key under which is sealed, then the one before it where it still opens something."""
        name = "TANDEM_PREVIOUS_PAYLOAD_KEY"
        previous = _either(name, self.previous_payload_key, self.previous_payload_key_file)
        return (self.payload_key_bytes(), *(() if previous is None else (_decoded(previous),)))

    def pseudonym_key_bytes(self) -> bytes:
        """The key of person ids. Raises :class:`SettingsInvalid` where it is not set."""
        name = "TANDEM_PSEUDONYM_KEY"
        return _required(name, _either(name, self.pseudonym_key, self.pseudonym_key_file))


def _either(variable: str, key: SecretStr | None, file: Path | None) -> SecretStr | None:
    """A key from its variable or from its file; from both it could be two."""
    if file is None:
        return key
    if key is not None:
        raise SettingsInvalid(f"{variable} and {variable}_FILE are both set: one of them")
    try:
        found = SecretStr(file.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        fault = type(error).__name__
    else:
        if len(_decoded(found)) == _KEY_BYTES:
            return found
        fault = "it does not hold 32 bytes in base64"
    raise SettingsInvalid(f"{variable}_FILE: {fault}")


def _decoded(key: SecretStr) -> bytes:
    try:
        return base64.b64decode(key.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _required(variable: str, key: SecretStr | None) -> bytes:
    if key is None:
        raise SettingsInvalid(f"{variable} is not set: 32 bytes in base64 are needed")
    return _decoded(key)


def load_settings(**given: Any) -> Settings:  # noqa: ANN401 - the fields of Settings, checked by it
    """Read the environment. Raises :class:`SettingsInvalid`, which names every wrong variable and no value."""
    try:
        return Settings(**given)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
    told = "; ".join(f"TANDEM_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in faults)
    raise SettingsInvalid(told)
