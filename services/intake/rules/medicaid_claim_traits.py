"""What is worth telling of a state's claims before anybody adds them up: how complete amounts and codes are.

Managed-care encounters often carry no amount or an estimate, which differs by state and plan: a delivery tells how many
of its encounters do. Sources: T-MSIS Data Guide; the code lists are in ``policy/medicaid_claims.toml``.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class ClaimCodes:
    """See the comments in the file."""

    capitation: frozenset[str]
    capitation_service: frozenset[str]
    encounter: frozenset[str]
    premium_service: frozenset[str]
    community_waiver: frozenset[str]


@cache
def claim_codes() -> ClaimCodes:
    """The policy in force."""
    policy = tomllib.loads(files("services.intake.policy").joinpath("medicaid_claims.toml").read_text(encoding="utf-8"))
    return ClaimCodes(
        capitation=frozenset(policy["capitation"]["value"]),
        capitation_service=frozenset(policy["capitation_type_of_service"]["value"]),
        encounter=frozenset(policy["encounter"]["value"]),
        premium_service=frozenset(policy["premium_type_of_service"]["value"]),
        community_waiver=frozenset(policy["community_waiver_service"]["value"]),
    )


def traits_of(header: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], codes: ClaimCodes) -> tuple[str, ...]:
    """What of the claim is to be counted. Amounts are those of the file: ``None`` where there is none."""
    return tuple(_traits(header, lines, codes))


def _traits(header: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], codes: ClaimCodes) -> Iterator[str]:
    paid, amounts = header["paid_cents"], [line["paid_cents"] for line in lines]
    services = {line["type_of_service_code"] for line in lines}
    if header["claim_type_code"] in codes.encounter:
        yield "encounters"
        if not paid and not any(amounts):
            yield "encounters without a paid amount"
    if header["crossover"] is None:
        yield "claims that do not tell whether Medicare paid first"
    if not lines:
        yield "headers without lines"
    if services & codes.premium_service:
        yield "payments of premiums or health homes"
    if lines and (header["claim_type_code"] in codes.capitation) != bool(services & codes.capitation_service):
        yield "claims whose type and type of service disagree about capitation"
    if paid is not None and None not in amounts and amounts and sum(amounts) != paid:
        yield "claims whose lines do not add up to the header"


def untold(file_type: str, missing_in_header: frozenset[str], missing_in_line: frozenset[str]) -> tuple[str, ...]:
    """What an extract does not tell at all, because it has none of the columns that could say it."""
    found = []
    if missing_in_header >= _DENIAL | {"status_category"}:
        found.append("without a column that tells denied claims")
    if missing_in_line >= _DENIAL:
        found.append("without a column that tells denied lines")
    if "medicare_paid_cents" in missing_in_header & missing_in_line:
        found.append("without a column that tells what Medicare paid")
    if file_type == "OT" and missing_in_line >= _WAIVER:
        found.append("without a column that tells services of a waiver")
    if file_type == "OT" and "procedure_code" in missing_in_line:
        found.append("without procedures")
    if file_type != "RX" and missing_in_line & {"service_from", "service_through"}:
        found.append("without days of lines")
    return tuple(found)


_DENIAL = frozenset({"denial_code", "status_code"})
_WAIVER = frozenset({"waiver_benefit", "community_service"})
