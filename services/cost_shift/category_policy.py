"""Reads the policy files of this service once; rules get the result as a value."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from contracts.codes import ServiceCategory
from services.cost_shift.policy_files import PolicyError, checked, read_policy
from services.cost_shift.rules.category_split import Split, Splits

_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])", re.ASCII)


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
    medicare_splits: Splits
    medicaid_splits: Splits


@dataclass(frozen=True, slots=True)
class CategoryPair:
    """A Medicare and a Medicaid series that one channel links; ``caveat``: what has to be said of it besides."""

    channel: str
    medicare: str
    medicaid: str
    caveat: str = ""


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


def _splits(table: Mapping[str, Mapping[str, Any]]) -> Splits:
    by: dict[str, dict[str, Split]] = {name: {} for name in Splits._fields}
    for name, entry in table.items():
        if entry.get("by") not in by or not _MONTH.fullmatch(entry.get("from", "")):
            raise PolicyError(f"{name}: a split says by what, and from which month on")
        split = Split(_category(name), entry["from"])
        for code in _codes(name, entry):
            if by[entry["by"]].setdefault(code, split) != split:
                raise PolicyError(f"{name}: {code} leads to another category as well")
    return Splits(**by)


@cache
def category_policy() -> CategoryPolicy:
    """The categories in force. Raises :class:`PolicyError` for an entry without source or status."""
    read, splits = read_policy("claim_categories.toml"), read_policy("category_splits.toml")
    return CategoryPolicy(
        medicare_category=_category_by_code(read["medicare_claim_type"]),
        medicare_part_b=_codes("medicare_part_b", read["medicare_part_b"]),
        medicare_part_d=_codes("medicare_part_d", read["medicare_part_d"]),
        medicaid_file_category=_category_by_code(read["medicaid_file"]),
        medicaid_service_category=_category_by_code(read["medicaid_type_of_service"]),
        medicaid_basis=_by_code(read["medicaid_basis"]),
        medicaid_capitation=_codes("medicaid_capitation", read["medicaid_capitation"]),
        medicare_splits=_splits(splits["medicare"]),
        medicaid_splits=_splits(splits["medicaid"]),
    )


@cache
def category_pairs() -> tuple[CategoryPair, ...]:
    """The linked series, in the order of the file."""
    return tuple(
        CategoryPair(
            channel,
            _category(checked(channel, entry)["medicare"]),
            _category(entry["medicaid"]),
            entry.get("caveat", ""),
        )
        for channel, entry in read_policy("category_pairs.toml").items()
    )
