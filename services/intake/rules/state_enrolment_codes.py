"""What a state's own codes in an enrolment file mean. The tables are ``policy/enrolment_834.toml``.

Sources: ASC X12N 005010X220A1; California DHCS (aid codes, county codes); mimilabs/hccinfhir (dual status by aid code).
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_ELSEWHERE = "default"


@dataclass(frozen=True, slots=True)
class StateCodes:
    """The codes of one state."""

    medicaid_number_references: tuple[str, ...]
    dual_status_of_aid_code: dict[str, str]
    long_term_care_aid_codes: frozenset[str]
    numbered_counties: int
    fips: str


@cache
def _policy() -> dict[str, dict[str, Any]]:
    text = files("services.intake.policy").joinpath("enrolment_834.toml").read_text(encoding="utf-8")
    return {name: entry["value"] for name, entry in tomllib.loads(text).items()}


@cache
def state_codes(state: str) -> StateCodes:
    """The codes of a state (USPS letters); those of the general guide where the policy knows nothing of it."""
    policy = _policy()
    numbers, counties = policy["medicaid_number"], policy["county_number"].get(state, {})
    return StateCodes(
        medicaid_number_references=tuple(numbers.get(state, numbers[_ELSEWHERE])),
        dual_status_of_aid_code=policy["dual_status_of_aid_code"].get(state, {}),
        long_term_care_aid_codes=frozenset(policy["long_term_care_aid_code"].get(state, ())),
        numbered_counties=counties.get("counties", 0),
        fips=counties.get("fips", ""),
    )


def county_fips(text: str, codes: StateCodes) -> str | None:
    """A county as five digits of FIPS: written so, or by the state's own number; anything else is no county."""
    if not (text.isascii() and text.isdecimal()):
        return None
    if len(text) == len("SSCCC"):
        return text
    if len(text) <= len("CCC") and 1 <= int(text) <= codes.numbered_counties:
        return f"{codes.fips}{2 * int(text) - 1:03d}"
    return None
