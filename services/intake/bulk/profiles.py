"""Which sources there are: where each answers and how it names groups (``profiles.toml``, or a file of that form)."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from services.intake.bulk.failures import UnknownProfile

PATIENT: Final = "patient"
DEFAULT_TYPES: Final = ("Patient", "Coverage", "ExplanationOfBenefit")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Profile:
    """One source. ``groups`` lists those with a fixed name; another may be given where the path has a place for it."""

    name: str
    base_url: str
    token_url: str
    versions: tuple[str, ...]
    version: str
    groups: tuple[str, ...]
    group: str | None = None
    group_path: str | None = None
    patient_path: str | None = None
    jobs_path: str | None = None
    types: tuple[str, ...] = DEFAULT_TYPES
    # Signs in with a signed assertion (SMART Backend Services) in place of an identifier and a secret.
    signs_assertion: bool = False

    def moved_to(self, url: str) -> "Profile":
        """The same source at another address, its token included where both were at one."""
        url = url.rstrip("/")
        moves = origin(self.token_url) == origin(self.base_url)
        token_url = url + self.token_url.removeprefix(self.base_url) if moves else self.token_url
        return checked(replace(self, base_url=url, token_url=token_url))


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: whoever differs in one of them is another server."""
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or usual


def checked(profile: Profile) -> Profile:
    """The profile. Raises :class:`UnknownProfile` where secrets would travel unencrypted."""
    for url in (profile.base_url, profile.token_url):
        try:
            scheme, host, _ = origin(url)
        except ValueError:
            raise UnknownProfile(f"{profile.name}: an address cannot be read") from None
        if scheme != "https" and not (scheme == "http" and host in _LOOPBACK):
            raise UnknownProfile(f"{profile.name}: an address must begin with https://")
        if "@" in urlsplit(url).netloc:
            raise UnknownProfile(f"{profile.name}: credentials do not belong into an address")
    return profile


def _profile(name: str, value: Mapping[str, Any]) -> Profile:
    known = {field.name for field in fields(Profile)}
    unknown = sorted(set(value) - known)
    if unknown or not _NAME.fullmatch(name):
        raise UnknownProfile(f"profile {name!r}: cannot be read ({', '.join(unknown) or 'its name'})")
    listed: dict[str, Any] = {key: tuple(found) if isinstance(found, list) else found for key, found in value.items()}
    try:
        return checked(Profile(name=name, **listed))
    except TypeError:
        raise UnknownProfile(
            f"profile {name!r}: base_url, token_url, versions, version and groups are needed"
        ) from None


def profiles(file: Path | None = None) -> dict[str, Profile]:
    """Every source known, those of ``file`` over those that come with Tandem. Raises :class:`UnknownProfile`."""
    texts = [files("services.intake.bulk").joinpath("profiles.toml").read_text(encoding="utf-8")]
    found: dict[str, Profile] = {}
    try:
        if file is not None:
            texts.append(file.read_text(encoding="utf-8"))
        for text in texts:
            found |= {name: _profile(name, entry["value"]) for name, entry in tomllib.loads(text).items()}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as problem:
        raise UnknownProfile(f"the file of profiles cannot be read: {type(problem).__name__}") from None
    return found


def profile_named(name: str, file: Path | None = None) -> Profile:
    """One source. Raises :class:`UnknownProfile`, which lists those that there are."""
    known = profiles(file)
    if name not in known:
        raise UnknownProfile(f"There is no source {name!r}. Known: {', '.join(known)}.")
    return known[name]
