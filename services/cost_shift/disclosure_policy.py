"""Reads what may be shown to others, once."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from services.cost_shift.policy_files import checked, read_policy

FILE = "disclosure.toml"


@dataclass(frozen=True, slots=True)
class DisclosurePolicy:
    """The values in force; each has its source in ``policy/disclosure.toml``."""

    smallest_shown: int
    group_after_months: int


@cache
def disclosure_entries() -> dict[str, dict[str, Any]]:
    """Every entry with its value, source, status and first day. Raises as :func:`disclosure_policy`."""
    return {name: dict(checked(name, entry)) for name, entry in read_policy(FILE).items()}


@cache
def disclosure_policy() -> DisclosurePolicy:
    """The policy in force. Raises :class:`services.cost_shift.policy_files.PolicyError`."""
    return DisclosurePolicy(**{name: entry["value"] for name, entry in disclosure_entries().items()})
