"""Reads the policy files of this service once; rules get the result as a value."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from contracts.codes import ServiceCategory
from services.cost_shift.policy_files import PolicyError, checked, read_policy


@dataclass(frozen=True, slots=True)
class CategoryPolicy:
    """Which codes lead to which category and basis. Values are plain strings: they are keys of hot tables."""

    medicare_category: Mapping[str, str]
    medicare_part_b: frozenset[str]
    medicare_part_d: frozenset[str]
    medicaid_file_category: Mapping[str, str]
    medicaid_service_category: Mapping[str, str]
    medicaid_basis: Mapping[str, str]
    medicaid_capitation: frozenset[str]


@dataclass(frozen=True, slots=True)
class CategoryPair:
    """A Medicare and a Medicaid series that one channel links."""

    channel: str
    medicare: str
    medicaid: str


def _category(name: str) -> str:
    if name not in set(ServiceCategory):
        raise PolicyError(f"no such category: {name}")
    return name


def _codes(name: str, entry: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(checked(name, entry)["value"])


def _by_code(table: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {code: name for name, entry in table.items() for code in _codes(name, entry)}


def _category_by_code(table: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {code: _category(name) for code, name in _by_code(table).items()}


@cache
def category_policy() -> CategoryPolicy:
    """The categories in force. Raises :class:`PolicyError` for an entry without source or status."""
    read = read_policy("claim_categories.toml")
    return CategoryPolicy(
        medicare_category=_category_by_code(read["medicare_claim_type"]),
        medicare_part_b=_codes("medicare_part_b", read["medicare_part_b"]),
        medicare_part_d=_codes("medicare_part_d", read["medicare_part_d"]),
        medicaid_file_category=_category_by_code(read["medicaid_file"]),
        medicaid_service_category=_category_by_code(read["medicaid_type_of_service"]),
        medicaid_basis=_by_code(read["medicaid_basis"]),
        medicaid_capitation=_codes("medicaid_capitation", read["medicaid_capitation"]),
    )


@cache
def category_pairs() -> tuple[CategoryPair, ...]:
    """The linked series, in the order of the file."""
    return tuple(
        CategoryPair(channel, _category(checked(channel, entry)["medicare"]), _category(entry["medicaid"]))
        for channel, entry in read_policy("category_pairs.toml").items()
    )
