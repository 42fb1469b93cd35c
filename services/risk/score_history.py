"""The history of a person's scores as a pure function of the facts, whatever the order in which they arrived.

A score stands from the sequence at which its input changed. When facts of sequence s arrive late, every sequence from
s on at which the facts change is looked at again. What went before s stays as it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from contracts.risk import Segment
from services.risk.facts import PersonFacts
from services.risk.hcc_tables import MODELS, Model, hcc_tables, tables_year
from services.risk.risk_policy import RiskPolicy
from services.risk.rules.esrd_score import esrd_score
from services.risk.rules.hcc_score import Demographics, HccScore, hcc_score
from services.risk.rules.scoring_input import ScoringInput, scoring_inputs

# Payment year and sequence, to the fingerprint of the input: scores that stand already.
_NOTHING: Final = PersonFacts()
Standing = Mapping[tuple[int, int], bytes]


@dataclass(frozen=True, slots=True)
class ScoredInput:
    """An input at the sequence from which it holds."""

    sequence: int
    scored: ScoringInput
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Revision:
    """What a person's history becomes: rows that no longer hold, and rows that are new."""

    withdrawn: tuple[tuple[int, int], ...]
    added: tuple[ScoredInput, ...]


def _before(standing: Standing, sequence: int) -> dict[int, bytes]:
    """Give each payment year's newest fingerprint before a sequence."""
    rows = sorted((known, year, fingerprint) for (year, known), fingerprint in standing.items() if known < sequence)
    return {year: fingerprint for _, year, fingerprint in rows}


def _changes(facts: PersonFacts, since: int, before: dict[int, bytes], policy: RiskPolicy) -> Iterator[ScoredInput]:
    current = dict(before)
    for sequence in sorted(one for one in facts.sequences() if one >= since):
        known = facts.known_at(sequence)
        # Whoever turned out to be somebody else has no scores of their own; those that stood are not shown any more.
        for scored in scoring_inputs(known, policy, also=tuple(current)) if known != _NOTHING else ():
            fingerprint = scored.fingerprint()
            if current.get(scored.payment_year) != fingerprint:
                current[scored.payment_year] = fingerprint
                yield ScoredInput(sequence, scored, fingerprint)


def revise(facts: PersonFacts, standing: Standing, since: int, policy: RiskPolicy) -> Revision:
    """Say how the history changes because facts from sequence ``since`` on have arrived."""
    wanted = {
        (one.scored.payment_year, one.sequence): one for one in _changes(facts, since, _before(standing, since), policy)
    }
    kept = {key for key, one in wanted.items() if standing.get(key) == one.fingerprint}
    return Revision(
        tuple(sorted(key for key in standing if key[1] >= since and key not in kept)),
        tuple(one for key, one in sorted(wanted.items(), key=lambda item: (item[0][1], item[0][0])) if key not in kept),
    )


@lru_cache(maxsize=4096)
def _score(
    model: Model, person: Demographics | None, segment: Segment, codes: frozenset[str], policy_year: int
) -> HccScore:
    return hcc_score(hcc_tables(policy_year), model, segment, person, codes)


@dataclass(frozen=True, slots=True)
class ModelScore:
    """A score under one model, and those of the periods before where the segment was another."""

    score: HccScore
    periods: tuple[tuple[str, HccScore], ...] = ()


def scores_of(scored: ScoringInput, policy: RiskPolicy) -> tuple[ModelScore, ...]:
    """Score an input under every model that applies to the person."""
    codes = frozenset(code for code, _ in scored.support)
    year = tables_year(scored.payment_year, policy)
    found = []
    for model in MODELS:
        periods = scored.periods if len(scored.periods) > 1 else ()
        earlier = tuple((one.first_month, _score(model, one.demographics, one.segment, codes, year)) for one in periods)
        found.append(ModelScore(_score(model, scored.demographics, scored.segment, codes, year), earlier))
    if scored.renal is not None:
        found.append(ModelScore(esrd_score(hcc_tables(year), scored.renal.kidneys, scored.renal.person, codes)))
    return tuple(found)
