"""A raw score of CMS's model for end-stage renal disease (ESRD V24), for people with that status alone.

Source: CMS 2026 Model Software, ESRD V24: dialysis (DI, new enrollees DNE), kidney transplant in its first three months
(three factors and nothing else), functioning graft from the fourth month on (GFA GFN GNPA GNPN in the community, GI in
an institution, GNE for new enrollees) with a factor for the months since the transplant.

The library finds the factors of a person by a name that it puts together. Where that name is none of the model's, it
adds nothing and says nothing: 0.0 for a new enrollee on dialysis of 85 and older, no demographic factor for any new
enrollee with a graft, no transplant factor in the first three months, 0.0 for a person without the disease. And it adds
the factor of grafts in an institution to dialysis in one. Here the names are those of CMS's table, and a person without the disease has no score at all.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

from contracts.risk import EsrdSegment
from services.risk.hcc_library import (
    categorize_demographics,
    create_demographic_interactions,
    create_dual_interactions,
)
from services.risk.hcc_tables import HccTables
from services.risk.rules.hcc_score import HccScore, ScoredPerson, categories_of, disease_variables, rounded, score_parts

KidneyStatus = Literal["dialysis", "transplant", "functioning_graft"]
MODEL: Final = "ESRD_V24"
_DUAL_OF_BENEFIT: Final = {"F": "02", "P": "01", "N": "NA"}
_AGED: Final = 65
_FIRST_GRAFT_MONTH: Final = 4
_LONG_GRAFT_MONTH: Final = 10
# The dialysis model has one group of new enrollees above this age.
_OLDEST_BANDS: Final = ("85_89", "90_94", "95_GT")


@dataclass(frozen=True, slots=True)
class Kidneys:
    """The status of a month; ``graft_month`` counts from 1 in the month of the transplant."""

    status: KidneyStatus
    graft_month: int | None = None


@dataclass(frozen=True, slots=True)
class EsrdPerson:
    """What the model asks of a person. ``benefit`` is full, partial or no Medicaid."""

    age: int
    sex_code: Literal["1", "2"]
    original_entitlement_code: Literal["0", "1", "2", "3"]
    benefit: Literal["F", "P", "N"]
    institutional: bool
    new_enrollee: bool


def esrd_segment(kidneys: Kidneys, person: EsrdPerson) -> EsrdSegment:
    """Choose the segment."""
    if kidneys.status == "transplant":
        return "TRANSPLANT"
    if kidneys.status == "dialysis":
        return "DNE" if person.new_enrollee else "DI"
    if person.institutional:
        return "GI"
    if person.new_enrollee:
        return "GNE"
    aged = person.age >= _AGED
    if person.benefit == "F":
        return "GFA" if aged else "GFN"
    return "GNPA" if aged else "GNPN"


def _library_person(person: EsrdPerson, *, single_years: bool) -> Any:  # noqa: ANN401 - the library is untyped
    return categorize_demographics(
        person.age,
        person.sex_code,
        dual_elgbl_cd=_DUAL_OF_BENEFIT[person.benefit],
        # Whoever entered by renal disease is grouped in five years by the library, which the graft model does not do.
        orec="0" if single_years else person.original_entitlement_code,
        crec="0" if single_years else "2",
        version="V2",
        new_enrollee=person.new_enrollee,
        lti=person.institutional,
    )


def _new_enrollee_variable(segment: EsrdSegment, person: EsrdPerson) -> str:
    benefit = "FBD" if person.benefit == "F" else "ND_PBD"
    disabled = "ORIGDIS" if person.age >= _AGED and person.original_entitlement_code == "1" else "NORIGDIS"
    category: str = _library_person(person, single_years=segment == "GNE").category
    if segment == "GNE":
        return f"{benefit}_{disabled}_G_{category}"
    for band in _OLDEST_BANDS:
        category = category.replace(band, "85_GT")
    return f"{benefit}_{disabled}_{category}"


def _demographic_variables(segment: EsrdSegment, person: EsrdPerson, library_person: Any) -> list[str]:  # noqa: ANN401 - as above
    if segment in {"DNE", "GNE"}:
        return [_new_enrollee_variable(segment, person)]
    return [
        library_person.category,
        *create_demographic_interactions(library_person),
        # Unlike its siblings it also lists what does not hold.
        *(name for name, holds in create_dual_interactions(library_person).items() if holds),
    ]


def _without_segment(kidneys: Kidneys, person: EsrdPerson) -> list[str]:
    """Name the factors that stand in the table without a segment: of the transplant and of the months since."""
    if kidneys.status == "transplant":
        return [f"TRANSPLANT_KIDNEY_ONLY_{kidneys.graft_month}M"]
    if kidneys.status == "dialysis" or kidneys.graft_month is None:
        return []
    age = "GE65" if person.age >= _AGED else "LT65"
    duration = "DUR10PL" if kidneys.graft_month >= _LONG_GRAFT_MONTH else "DUR4_9"
    place = "FGI" if person.institutional else "FGC"
    names = [f"{place}_{age}_{duration}_{'FBD' if person.benefit == 'F' else 'ND_PBD'}"]
    if person.benefit == "P":
        names.append(f"{place}_PBD_{age}_flag")
    return [*names, f"LTI_{age}"] if person.institutional else names


def kidneys_of(status: KidneyStatus, graft_month: int | None) -> Kidneys:
    """Put a status together. Raises :class:`ValueError` where the months since the transplant contradict it."""
    fits = {
        "dialysis": graft_month is None,
        "transplant": graft_month is not None and 1 <= graft_month < _FIRST_GRAFT_MONTH,
        "functioning_graft": graft_month is not None and graft_month >= _FIRST_GRAFT_MONTH,
    }
    if not fits[status]:
        raise ValueError(f"{status} does not go with graft month {graft_month}")
    return Kidneys(status, graft_month)


def esrd_score(tables: HccTables, kidneys: Kidneys, person: EsrdPerson, diagnosis_codes: frozenset[str]) -> HccScore:
    """Score one person with end-stage renal disease."""
    segment = esrd_segment(kidneys, person)
    edits = ScoredPerson(person.age, person.sex_code)
    found, edited = categories_of(tables, MODEL, edits, diagnosis_codes)
    library_person = _library_person(person, single_years=False)
    apart = sum((tables.factor(MODEL, name) or Decimal(0) for name in _without_segment(kidneys, person)), Decimal(0))
    if segment == "TRANSPLANT":
        return HccScore(MODEL, segment, rounded(apart), rounded(apart), (), (), edited)
    demographic, _ = score_parts(tables, MODEL, segment, _demographic_variables(segment, person, library_person))
    hccs, _ = score_parts(tables, MODEL, segment, [f"HCC{number}" for number in found])
    combined, interactions = score_parts(tables, MODEL, segment, disease_variables(MODEL, library_person, set(found)))
    return HccScore.of(MODEL, segment, demographic + apart, hccs + combined, found, interactions, edited)
