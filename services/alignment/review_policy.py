"""Dated parameters of reconciliation and of work items, read from ``policy/``."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from services.runtime.policy import Parameter, PolicyError

_FOLDER = Path(__file__).parent / "policy"
_FILES = ("reconciliation", "work_items")
_STATUSES = frozenset({"confirmed", "unconfirmed"})


@dataclass(frozen=True, slots=True)
class ReviewPolicy:
    """``removal_reasons``: CMS's reason to those of ours that mean the same."""

    removal_reasons: Mapping[str, frozenset[str]]
    part_a_buy_in_states: frozenset[str]
    qualified_dual_status: frozenset[str]
    lapse_notice_months: int
    parameters: tuple[Parameter, ...]

    def same_reason(self, theirs: str, ours: frozenset[str]) -> bool:
        """Whether CMS's reason for a removal is among our reasons."""
        return bool(self.removal_reasons.get(theirs, frozenset({theirs})) & ours)


def read_review_policy(folder: Path) -> ReviewPolicy:
    """Read both files. Raises :class:`PolicyError` for a value without its source and status."""
    found = {name: value for file in _FILES for name, value in _parameters(folder / f"{file}.toml").items()}
    return ReviewPolicy(
        removal_reasons={theirs: frozenset(ours) for theirs, ours in found["removal_reasons"].value},
        part_a_buy_in_states=frozenset(found["part_a_buy_in_states"].value),
        qualified_dual_status=frozenset(found["qualified_dual_status"].value),
        lapse_notice_months=found["lapse_notice_months"].value,
        parameters=tuple(found.values()),
    )


def _parameters(path: Path) -> dict[str, Parameter]:
    said = tomllib.loads(path.read_text(encoding="utf-8"))["parameters"]
    for name, one in said.items():
        if set(one) != {"value", "source", "status"} or one["status"] not in _STATUSES:
            raise PolicyError(f"{path.name}: {name} needs value, source and a status of confirmed or unconfirmed")
    return {name: Parameter(name, one["value"], one["source"], one["status"]) for name, one in said.items()}


@cache
def review_policy() -> ReviewPolicy:
    """The installation's own."""
    return read_review_policy(_FOLDER)
