"""Policy files of this service: every entry has a value, a source and a status."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

POLICY_FOLDER = Path(__file__).parent / "policy"
_STATUSES = frozenset({"confirmed", "unconfirmed"})


class PolicyError(ValueError):
    """A policy file lacks a source or a status, or names a category that does not exist."""


def read_policy(name: str) -> dict[str, Any]:
    """The tables of a file."""
    return tomllib.loads((POLICY_FOLDER / name).read_text(encoding="utf-8"))


def checked(name: str, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The entry of this name. Raises :class:`PolicyError` where its source or status is missing."""
    if not entry.get("source") or entry.get("status") not in _STATUSES:
        raise PolicyError(f"{name}: a policy entry needs a source and a status")
    return entry


def policy_values(name: str) -> dict[str, Any]:
    """The value of every entry of a file. Raises :class:`PolicyError`."""
    return {entry_name: checked(entry_name, entry)["value"] for entry_name, entry in read_policy(name).items()}
