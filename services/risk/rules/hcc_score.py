"""A CMS-HCC raw score for one person, model and segment.

Source: CMS 2026 Model Software and its documentation: diagnoses to condition categories, age and sex edits,
hierarchies, interactions, payment HCC counts, sum of the segment's relative factors. Raw V24 and V28 scores have
different denominators and must never be compared or averaged.

The segment is given, not derived: CMS's software scores every person in every segment, and a factor that a segment
does not have adds nothing (a person of 70 in CND has no demographic factor there).
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from contracts.risk import Segment
from services.risk.hcc_library import (
    apply_edits,
    apply_hierarchies,
    apply_mapping,
    categorize_demographics,
    create_demographic_interactions,
    create_disease_interactions,
    create_hcc_counts,
    get_diagnostic_categories,
)
from services.risk.hcc_tables import LIBRARY_MODEL, HccTables, Model

NEW_ENROLLEE_SEGMENTS = frozenset({"NE", "SNPNE"})


@dataclass(frozen=True, slots=True)
class Demographics:
    """What CMS knows on February 1 of the payment year. ``medicaid`` is any month of Medicaid, full or partial."""

    age: int
    sex_code: Literal["1", "2"]
    original_entitlement_code: Literal["0", "1", "2", "3"]
    medicaid: bool


@dataclass(frozen=True, slots=True)
class Category:
    """A payment HCC after hierarchies and the diagnoses that lead to it."""

    number: int
    diagnosis_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HccScore:
    """One raw score with its parts. ``demographic_score`` is ``None`` where demographics are unknown."""

    model: Model
    segment: Segment
    raw_score: Decimal
    demographic_score: Decimal | None
    categories: tuple[Category, ...]
    interactions: tuple[str, ...]


def _library_person(segment: Segment, person: Demographics | None) -> Any:  # noqa: ANN401 - the library is untyped
    # Dual status only tells the library whether there is Medicaid: the segment is ours, and the codes that it
    # would silently take for "not dual" (09, 10, 99) never reach it.
    known = person or Demographics(65, "2", "0", medicaid=False)
    new_enrollee = segment in NEW_ENROLLEE_SEGMENTS
    return categorize_demographics(
        known.age,
        known.sex_code,
        dual_elgbl_cd="02" if known.medicaid else "NA",
        orec=known.original_entitlement_code,
        crec="0",
        version="V2",
        new_enrollee=new_enrollee,
        snp=segment == "SNPNE",
        lti=segment == "INS",
    )


def _categories(
    tables: HccTables, model: Model, person: Demographics | None, diagnosis_codes: frozenset[str]
) -> dict[str, set[str]]:
    name = LIBRARY_MODEL[model]
    found: dict[str, set[str]] = apply_mapping(sorted(diagnosis_codes), name, tables.mapping)
    if person is not None:
        found = apply_edits(found, person.age, person.sex_code, name, tables.edits)
    kept = apply_hierarchies(set(found), name, tables.hierarchies)
    return {category: found[category] for category in sorted(kept, key=int)}


def _sum(tables: HccTables, model: Model, segment: Segment, variables: list[str]) -> tuple[Decimal, tuple[str, ...]]:
    """Add the factors of the variables that the segment has; also name those that are not zero."""
    factors = {variable: tables.coefficient(model, segment, variable) or Decimal(0) for variable in variables}
    return sum(factors.values(), Decimal(0)), tuple(variable for variable, factor in factors.items() if factor)


def _disease_variables(model: Model, library_person: Any, categories: set[str]) -> list[str]:  # noqa: ANN401 - as above
    name = LIBRARY_MODEL[model]
    groups = get_diagnostic_categories(name, categories)
    return [*create_disease_interactions(name, groups, library_person, categories), *create_hcc_counts(categories)]


def hcc_score(
    tables: HccTables, model: Model, segment: Segment, person: Demographics | None, diagnosis_codes: frozenset[str]
) -> HccScore:
    """Score one person; without demographics only diseases are scored, and no age or sex edit applies."""
    library_person = _library_person(segment, person)
    found = _categories(tables, model, person, diagnosis_codes)
    hccs, _ = _sum(tables, model, segment, [f"HCC{category}" for category in found])
    combined, interactions = _sum(tables, model, segment, _disease_variables(model, library_person, set(found)))
    demographic = None
    if person is not None:
        variables = [library_person.category, *create_demographic_interactions(library_person)]
        demographic, _ = _sum(tables, model, segment, variables)
    return HccScore(
        model,
        segment,
        # A negative sum does not occur in CMS's tables; three decimals are those of the factors.
        (hccs + combined + (demographic or Decimal(0))).quantize(Decimal("0.001")),
        None if demographic is None else demographic.quantize(Decimal("0.001")),
        tuple(Category(int(number), tuple(sorted(codes))) for number, codes in found.items()),
        interactions,
    )
