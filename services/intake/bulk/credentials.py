"""The identifier and the secret of an organisation, from the environment or a file: never from a command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from services.intake.bulk.failures import CredentialsMissing

ID: Final = "TANDEM_BULK_CLIENT_ID"
SECRET: Final = "TANDEM_BULK_CLIENT_SECRET"  # noqa: S105 - the name of a variable
KEY_FILE: Final = "TANDEM_BULK_PRIVATE_KEY_FILE"
KEY_ID: Final = "TANDEM_BULK_KEY_ID"
_OTHERS_MAY: Final = 0o077
_LINES: Final = 2


@dataclass(frozen=True, slots=True)
class Credentials:
    """``secret`` is a client secret, or the private key (PEM) that belongs to the public key ``key_id``."""

    client_id: SecretStr
    secret: SecretStr
    key_id: str | None = None


def credentials(environment: Mapping[str, str], file: Path | None, *, signs_assertion: bool = False) -> Credentials:
    """Find them: in ``file`` (two lines: identifier, secret) if one is named, else in the environment.

    Raises :class:`CredentialsMissing`, which says what to set.
    """
    if signs_assertion:
        return _of_key(environment)
    if file is not None:
        return _of_file(file)
    identifier, secret = environment.get(ID, "").strip(), environment.get(SECRET, "").strip()
    if not identifier or not secret:
        raise CredentialsMissing(f"Set {ID} and {SECRET} in the environment, or name a file with --credentials.")
    return Credentials(SecretStr(identifier), SecretStr(secret))


def _private(file: Path) -> str:
    try:
        if file.stat().st_mode & _OTHERS_MAY:
            raise CredentialsMissing(f"{file} can be read by others: chmod 600 {file}")
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise CredentialsMissing(f"{file} cannot be read: {type(problem).__name__}") from None


def _of_file(file: Path) -> Credentials:
    lines = [line.strip() for line in _private(file).splitlines() if line.strip()]
    if len(lines) != _LINES:
        raise CredentialsMissing(f"{file} must hold two lines: the client identifier, then the client secret.")
    return Credentials(SecretStr(lines[0]), SecretStr(lines[1]))


def _of_key(environment: Mapping[str, str]) -> Credentials:
    found = {name: environment.get(name, "").strip() for name in (ID, KEY_FILE, KEY_ID)}
    missing = [name for name, value in found.items() if not value]
    if missing:
        raise CredentialsMissing(f"Set {', '.join(missing)}: the client token, and the key that signs for it.")
    return Credentials(SecretStr(found[ID]), SecretStr(_private(Path(found[KEY_FILE]))), found[KEY_ID])
