"""The coefficients in force, read once from ``policy/avoidable_admission.toml``, and how a training writes them."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from services.risk.rules.avoidable_admission import CoefficientPack, pack_of

FILE = "avoidable_admission.toml"


@cache
def pack_entries() -> dict[str, Any]:
    """Read the pack as the gateway shows it."""
    return tomllib.loads(files("services.risk.policy").joinpath(FILE).read_text(encoding="utf-8"))


@cache
def coefficient_pack() -> CoefficientPack:
    """Read the pack in force. Raises :class:`PackError` where it does not fit this version's predictors."""
    return pack_from(pack_entries())


def pack_from(entries: Mapping[str, Any]) -> CoefficientPack:
    """Read a pack. Raises :class:`PackError`."""
    head = (entries["dated"], entries["trained_on"], entries["intercept"])
    return pack_of(*head, entries["coefficients"], entries["typical"])


def written(pack: Mapping[str, Any]) -> str:
    """Write a pack: what it was trained on and how it did, then its numbers."""
    lines = ["# Written by: tandem train-risk. Log odds = intercept + sum of coefficient times predictor."]
    lines += [f"{name} = {_value(pack[name])}" for name in ("dated", "trained_on", "source", "status", "intercept")]
    for table in ("measures", "coefficients", "typical"):
        lines += ["", f"[{table}]", *(f"{name} = {_value(value)}" for name, value in pack[table].items())]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, str):
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}"'
    return repr(value)
