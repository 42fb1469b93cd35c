"""Which claims and lines were refused by the payer.

Source: CCLF Information Packet v36.0, 3.2 (Part A by non-payment reason, Part B by carrier payment denial code and
line processing indicator); T-MSIS Data Guide, CLAIM-DENIED-INDICATOR. The codes are in ``policy/denials.toml``.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class DenialPolicy:
    """The codes that deny; for Part B lines, the codes that do not."""

    carrier_claim: frozenset[str]
    line_allowed: frozenset[str]
    medicaid_claim: frozenset[str]
    medicaid_line: frozenset[str]
    medicaid_claim_type: frozenset[str]
    medicaid_claim_status: frozenset[str]
    medicaid_claim_status_category: frozenset[str]
    medicaid_line_status: frozenset[str]


@cache
def denial_policy() -> DenialPolicy:
    """The policy in force."""
    policy = tomllib.loads(files("services.intake.policy").joinpath("denials.toml").read_text(encoding="utf-8"))
    return DenialPolicy(
        carrier_claim=frozenset(policy["carrier_claim_payment_denial"]["value"]),
        line_allowed=frozenset(policy["line_processing_allowed"]["value"]),
        medicaid_claim=frozenset(policy["medicaid_claim_denied"]["value"]),
        medicaid_line=frozenset(policy["medicaid_line_denied"]["value"]),
        medicaid_claim_type=frozenset(policy["medicaid_claim_type_denied"]["value"]),
        medicaid_claim_status=frozenset(policy["medicaid_claim_status_denied"]["value"]),
        medicaid_claim_status_category=frozenset(policy["medicaid_claim_status_category_denied"]["value"]),
        medicaid_line_status=frozenset(policy["medicaid_line_status_denied"]["value"]),
    )


def part_a_is_denied(non_payment_reason: str | None) -> bool:
    """Any non-payment reason denies an institutional claim."""
    return non_payment_reason is not None


def part_b_claim_is_denied(code: str | None, policy: DenialPolicy) -> bool:
    """Whether the carrier paid nobody."""
    return code in policy.carrier_claim


def part_b_line_is_denied(code: str | None, policy: DenialPolicy) -> bool:
    """Whether the line was not allowed; a line without the code was."""
    return code is not None and code not in policy.line_allowed


def medicaid_claim_is_denied(
    code: str | None, status: str | None, category: str | None, claim_type: str, policy: DenialPolicy
) -> bool:
    """Whether the state refused the claim in its entirety: any of its four ways to say so is enough."""
    return (
        code in policy.medicaid_claim
        or claim_type in policy.medicaid_claim_type
        or _without_zeros(status) in policy.medicaid_claim_status
        or category in policy.medicaid_claim_status_category
    )


def medicaid_line_is_denied(code: str | None, status: str | None, policy: DenialPolicy) -> bool:
    """Whether the state refused the line."""
    return code in policy.medicaid_line or _without_zeros(status) in policy.medicaid_line_status


def _without_zeros(code: str | None) -> str | None:
    return None if code is None else code.lstrip("0")
