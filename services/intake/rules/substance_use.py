"""Which claims are about substance use, so that both payers' behavioural-health cost can be treated alike.

Source: 42 CFR Part 2; CCLF Information Packet v36.0, 3.7 (CMS withholds such claims from alternative payment model
feeds); the code list is the one by which CMS filters Beneficiary FHIR Data (``policy/substance_use.toml``).
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_FAMILY_LENGTH = 3


@dataclass(frozen=True, slots=True)
class SubstanceUsePolicy:
    """ICD-10-CM families (three characters) and single codes, without dots; beginnings of ICD-10-PCS codes."""

    families: frozenset[str]
    codes: frozenset[str]
    procedure_families: tuple[str, ...]


@cache
def substance_use_policy() -> SubstanceUsePolicy:
    """The policy in force."""
    policy = tomllib.loads(files("services.intake.policy").joinpath("substance_use.toml").read_text(encoding="utf-8"))
    return SubstanceUsePolicy(
        frozenset(policy["diagnosis_families"]["value"]),
        frozenset(policy["diagnosis_codes"]["value"]),
        tuple(policy["procedure_families"]["value"]),
    )


def is_about_substance_use(
    diagnosis_codes: Iterable[str], policy: SubstanceUsePolicy, procedure_codes: Iterable[str] = ()
) -> bool:
    """Whether any diagnosis, primary or not, or any institutional procedure is one of substance use."""
    return any(code[:_FAMILY_LENGTH] in policy.families or code in policy.codes for code in diagnosis_codes) or any(
        code.startswith(policy.procedure_families) for code in procedure_codes
    )
