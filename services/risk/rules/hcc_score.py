"""A CMS-HCC raw score for one person, model and segment.

Source: CMS 2026 Model Software and its documentation: diagnoses to condition categories, age and sex edits,
hierarchies, interactions, payment HCC counts, sum of the segment's relative factors. Raw V24 and V28 scores have
different denominators and must never be compared or averaged.

The segment is given, not derived: CMS's software scores every person in every segment, and a factor that a segment
does not have adds nothing (a person of 70 in CND has no demographic factor there).
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from contracts.risk import EsrdSegment, Segment
from services.risk.hcc_library import (
    apply_edits,
    apply_hierarchies,
    categorize_demographics,
    create_demographic_interactions,
    create_disease_interactions,
    create_hcc_counts,
    get_diagnostic_categories,
)
from services.risk.hcc_tables import LIBRARY_MODEL, AnyModel, HccTables, Model

NEW_ENROLLEE_SEGMENTS = frozenset({"NE", "SNPNE"})
_AGED = 65


@dataclass(frozen=True, slots=True)
class ScoredPerson:
    """What age and sex edits ask for."""

    age: int
    sex_code: Literal["1", "2"]


@dataclass(frozen=True, slots=True)
class Demographics(ScoredPerson):
    """What CMS knows on February 1 of the payment year. ``medicaid`` is any month of Medicaid, full or partial."""

    original_entitlement_code: Literal["0", "1", "2", "3"]
    medicaid: bool


@dataclass(frozen=True, slots=True)
class Category:
    """A payment HCC after hierarchies, with the diagnoses that lead to it."""

    number: int
    diagnosis_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HccScore:
    """One raw score with its parts. ``demographic_score`` is ``None`` where demographics are unknown.

    ``edited``: diagnoses that age and sex edits left without a category.
    """

    model: AnyModel
    segment: Segment | EsrdSegment
    raw_score: Decimal
    demographic_score: Decimal | None
    categories: tuple[Category, ...]
    interactions: tuple[str, ...]
    edited: tuple[str, ...] = ()

    @staticmethod
    def of(  # noqa: PLR0913, PLR0917 - the parts of a score
        model: AnyModel,
        segment: Segment | EsrdSegment,
        demographic: Decimal | None,
        diseases: Decimal,
        found: dict[str, set[str]],
        interactions: tuple[str, ...],
        edited: tuple[str, ...],
    ) -> "HccScore":
        """Put a score together from its exact parts."""
        return HccScore(
            model,
            segment,
            rounded(diseases + (demographic or Decimal(0))),
            None if demographic is None else rounded(demographic),
            tuple(Category(int(number), tuple(sorted(codes))) for number, codes in found.items()),
            interactions,
            edited,
        )


def rounded(score: Decimal) -> Decimal:
    """Three decimals are those of the factors; a negative sum does not occur in CMS's tables."""
    return score.quantize(Decimal("0.001"))


def _entitlement_for_library(person: Demographics) -> str:
    """Tell the library of renal entitlement (2, 3) as disability below 65 and as age above.

    To these models it is nothing else, but the library would group new enrollees of 65 to 69 as its renal models do,
    find no factor by that name, and score them with 0.0.
    """
    if person.original_entitlement_code in {"2", "3"}:
        return "1" if person.age < _AGED else "0"
    return person.original_entitlement_code


@lru_cache(maxsize=10_000)
def _library_person(segment: Segment, person: Demographics | None) -> Any:  # noqa: ANN401 - the library is untyped
    # Many people are alike in what it asks, and nothing is ever written to what it gives.
    # Dual status only tells the library whether there is Medicaid: the segment is ours, and the codes that it
    # would silently take for "not dual" (09, 10, 99) never reach it.
    known = person or Demographics(65, "2", "0", medicaid=False)
    new_enrollee = segment in NEW_ENROLLEE_SEGMENTS
    return categorize_demographics(
        known.age,
        known.sex_code,
        dual_elgbl_cd="02" if known.medicaid else "NA",
        orec=_entitlement_for_library(known),
        crec="0",
        version="V2",
        new_enrollee=new_enrollee,
        snp=segment == "SNPNE",
        lti=segment == "INS",
    )


def categories_of(
    tables: HccTables, model: AnyModel, person: ScoredPerson | None, diagnosis_codes: frozenset[str]
) -> tuple[dict[str, set[str]], tuple[str, ...]]:
    """Find the categories after edits and hierarchies, and the diagnoses that edits left without any."""
    name = LIBRARY_MODEL[model]
    mapped: dict[str, set[str]] = {}
    for code in diagnosis_codes:
        for category in tables.categories[model].get(code, ()):
            mapped.setdefault(category, set()).add(code)
    found = mapped
    if person is not None:
        before = {code for codes in mapped.values() for code in codes}
        found = apply_edits(mapped, person.age, person.sex_code, name, tables.edits)
        edited = tuple(sorted(before - {code for codes in found.values() for code in codes}))
    else:
        edited = ()
    kept = apply_hierarchies(set(found), name, tables.hierarchies)
    return {category: found[category] for category in sorted(kept, key=int)}, edited


def score_parts(
    tables: HccTables, model: AnyModel, segment: str, variables: list[str]
) -> tuple[Decimal, tuple[str, ...]]:
    """Add the factors of the variables that the segment has; also name those that are not zero."""
    factors = {variable: tables.coefficient(model, segment, variable) or Decimal(0) for variable in variables}
    return sum(factors.values(), Decimal(0)), tuple(variable for variable, factor in factors.items() if factor)


def disease_variables(model: AnyModel, library_person: Any, categories: set[str]) -> list[str]:  # noqa: ANN401 - as above
    """Name the interactions and the count of payment HCCs that hold."""
    name = LIBRARY_MODEL[model]
    groups = get_diagnostic_categories(name, categories)
    return [*create_disease_interactions(name, groups, library_person, categories), *create_hcc_counts(categories)]


@lru_cache(maxsize=10_000)
def _demographic_part(tables: HccTables, model: Model, segment: Segment, person: Demographics) -> Decimal:
    """Add the factors of age, sex and entitlement: people who are alike have the same."""
    library_person = _library_person(segment, person)
    variables = [library_person.category, *create_demographic_interactions(library_person)]
    return score_parts(tables, model, segment, variables)[0]


def hcc_score(
    tables: HccTables, model: Model, segment: Segment, person: Demographics | None, diagnosis_codes: frozenset[str]
) -> HccScore:
    """Score one person; without demographics only diseases are scored, and no age or sex edit applies."""
    library_person = _library_person(segment, person)
    found, edited = categories_of(tables, model, person, diagnosis_codes)
    hccs, _ = score_parts(tables, model, segment, [f"HCC{category}" for category in found])
    combined, interactions = score_parts(tables, model, segment, disease_variables(model, library_person, set(found)))
    demographic = None if person is None else _demographic_part(tables, model, segment, person)
    return HccScore.of(model, segment, demographic, hccs + combined, found, interactions, edited)
