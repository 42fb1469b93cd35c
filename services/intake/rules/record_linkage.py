"""How likely two records that share no number are of one person (``policy/record_linkage.toml``).

Source: Fellegi, Sunter: A Theory for Record Linkage, Journal of the American Statistical Association 64 (1969); string
comparison after Winkler (1990). Each field adds log2(m / u) of the level on which it agrees; a field that one side does
not know adds nothing. Whether two are linked is not decided by the sum alone: what speaks for two people of one
household, or of one birth, stands in the way of a link that nobody has looked at.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from math import log2
from typing import Any, Literal, NamedTuple

from rapidfuzz.distance import JaroWinkler

from services.intake.rules.name_form import name_form

Verdict = Literal["link", "review", "none"]
_FIELDS = ("family_name", "given_name", "birth_date", "sex", "state")
_THOUSAND = 1000
# These are never outvoted: somebody has to look. Different given names on one birthday are twins.
_NEVER_OUTVOTED = (
    ("given_name", "different"),
    ("birth_date", "transposed"),
    ("birth_date", "one_digit"),
    ("birth_date", "different"),
    ("sex", "different"),
)
_NEEDED = ("family_name", "given_name", "birth_date")


class KnownAs(NamedTuple):
    """What a source said of somebody besides a number. Names are in the form of :func:`name_form`."""

    family_name: str
    given_name: str
    birth_date: date | None
    sex_code: str | None
    state: str | None


class Part(NamedTuple):
    """The level on which one field agrees, and what that adds, in thousandths."""

    field: str
    level: str
    weight: int


class Resemblance(NamedTuple):
    """How much two records resemble each other. ``verdict`` is that of the pair alone."""

    score: int
    parts: tuple[Part, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class LinkagePolicy:
    """See the comments in the file. ``weights``: field and level to thousandths."""

    version: str
    link: int
    review: int
    similar_family: int
    similar_given: int
    unusable_birth_dates: frozenset[date]
    weights: Mapping[tuple[str, str], int]


class PolicyError(ValueError):
    """The policy file lacks something or says it in the wrong form."""


def policy_of(text: str) -> LinkagePolicy:
    """Read a policy. Raises :class:`PolicyError` for an entry without its source and status."""
    said = tomllib.loads(text)
    for name, entry in said.items():
        if not entry.get("source") or entry.get("status") not in {"confirmed", "unconfirmed"}:
            raise PolicyError(f"{name} needs a source and a status of confirmed or unconfirmed")
    thresholds = said["thresholds"]
    if not 0 < thresholds["review"] <= thresholds["link"]:
        raise PolicyError("thresholds: review must lie above 0 and not above link")
    return LinkagePolicy(
        version=said["rule"]["version"],
        link=thresholds["link"],
        review=thresholds["review"],
        similar_family=said["similarity"]["family_name"],
        similar_given=said["similarity"]["given_name"],
        unusable_birth_dates=frozenset(map(date.fromisoformat, said["unusable_birth_dates"]["value"])),
        weights={key: weight for field in _FIELDS for key, weight in _weights(field, said[field])},
    )


def _weights(field: str, said: Mapping[str, Any]) -> list[tuple[tuple[str, str], int]]:
    levels = {level: value for level, value in said.items() if isinstance(value, list)}
    for level, (m, u) in levels.items():
        if not (0 < m <= 1 and 0 < u <= 1):
            raise PolicyError(f"{field}.{level}: m and u are probabilities")
    return [((field, level), round(_THOUSAND * log2(m / u))) for level, (m, u) in levels.items()]


@cache
def linkage_policy() -> LinkagePolicy:
    """The policy in force."""
    return policy_of(files("services.intake.policy").joinpath("record_linkage.toml").read_text(encoding="utf-8"))


def known_as(  # noqa: PLR0913, PLR0917 - the fields of a record, one by one
    family_name: str | None,
    given_name: str | None,
    birth_date: date | None,
    sex_code: str | None,
    state: str | None,
    policy: LinkagePolicy,
) -> KnownAs:
    """What a source said, in the form in which it is compared; what says nothing is left out."""
    usable = None if birth_date in policy.unusable_birth_dates else birth_date
    sex = sex_code if sex_code in {"1", "2"} else None
    return KnownAs(name_form(family_name), name_form(given_name), usable, sex, state or None)


def resemblance(one: KnownAs, other: KnownAs, policy: LinkagePolicy) -> Resemblance:
    """Compare two records, whichever comes first."""
    levels = {
        "family_name": _family_level(one.family_name, other.family_name, policy),
        "given_name": _given_level(one.given_name, other.given_name, policy),
        "birth_date": _birth_level(one.birth_date, other.birth_date),
        "sex": _same(one.sex_code, other.sex_code),
        "state": _same(one.state, other.state),
    }
    parts = tuple(
        Part(field, level, policy.weights[field, level]) for field, level in levels.items() if level is not None
    )
    score = sum(part.weight for part in parts)
    return Resemblance(score, parts, _verdict(score, levels, policy))


def _verdict(score: int, levels: Mapping[str, str | None], policy: LinkagePolicy) -> Verdict:
    if score < policy.review:
        return "none"
    complete = all(levels[field] is not None for field in _NEEDED)
    contradicted = any(levels[field] == level for field, level in _NEVER_OUTVOTED)
    return "link" if score >= policy.link and complete and not contradicted else "review"


def _same(one: str | None, other: str | None) -> str | None:
    if one is None or other is None:
        return None
    return "same" if one == other else "different"


def _family_level(one: str, other: str, policy: LinkagePolicy) -> str | None:
    if not one or not other:
        return None
    if one == other:
        return "exact"
    return "similar" if _similarity(one, other) >= policy.similar_family else "different"


def _given_level(one: str, other: str, policy: LinkagePolicy) -> str | None:
    if not one or not other:
        return None
    if one == other:
        return "exact"
    if 1 in {len(one), len(other)}:
        return "initial" if one[0] == other[0] else "different"
    return "similar" if _similarity(one, other) >= policy.similar_given else "different"


def _similarity(one: str, other: str) -> int:
    return round(_THOUSAND * JaroWinkler.similarity(one, other))


def _birth_level(one: date | None, other: date | None) -> str | None:
    if one is None or other is None:
        return None
    if one == other:
        return "exact"
    if (one.year, one.month, one.day) == (other.year, other.day, other.month):
        return "transposed"
    differing = sum(left != right for left, right in zip(f"{one:%Y%m%d}", f"{other:%Y%m%d}", strict=True))
    return "one_digit" if differing == 1 else "different"
