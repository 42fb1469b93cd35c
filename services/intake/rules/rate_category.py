"""Whether a capitation rate is that of a dual eligible. The names are ``policy/premium_payment_820.toml``.

Source: the categories that states write into REF*ZZ of a remittance (ASC X12N 005010X218, loop 2300B).
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class RateCategoryPolicy:
    """Names of rate categories, each as :func:`_bare` writes it."""

    dual: frozenset[str]
    medicaid_only: frozenset[str]


@cache
def rate_category_policy() -> RateCategoryPolicy:
    """The policy in force."""
    text = files("services.intake.policy").joinpath("premium_payment_820.toml").read_text(encoding="utf-8")
    policy = tomllib.loads(text)
    return RateCategoryPolicy(
        dual=frozenset(map(_bare, policy["dual_rate_category"]["value"])),
        medicaid_only=frozenset(map(_bare, policy["medicaid_only_rate_category"]["value"])),
    )


def is_dual_rate(category: str | None, policy: RateCategoryPolicy) -> bool | None:
    """Dual, Medicaid only, or ``None`` where the category is missing or unknown."""
    bare = _bare(category or "")
    if bare in policy.dual:
        return True
    return False if bare in policy.medicaid_only else None


def _bare(category: str) -> str:
    return "".join(category.split()).casefold()
