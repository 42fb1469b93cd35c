"""Questions about what to look at: conditions without support this year, and a person's scores in plain words."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from services.risk.explaining import explanation
from services.risk.gap_reading import GapQuestion, GapReader
from services.risk.hcc_tables import Model, hcc_tables
from services.risk.risk_policy import risk_policy
from services.risk.rules.support_gaps import Gap
from services.runtime.gateway import ReadConnection
from services.runtime.problems import not_found

router = APIRouter()

# Larger than any sequence: as known now.
_NOW = 2**62
PersonId = Annotated[str, Path(pattern=r"^p[0-9a-f]{32}$", description="the person's pseudonym")]
AsOf = Annotated[int | None, Query(ge=1, description="sequence of a delivery; left out: as known now")]
Page = Annotated[int, Query(ge=1, le=500, description="people of one page")]
After = Annotated[str, Query(pattern=r"^(p[0-9a-f]{32})?$", description="last person of the page before")]
ModelAsked = Annotated[Model, Query(description="CMS-HCC V24 or V28: their categories mean different conditions")]
PaymentYear = Annotated[int, Query(ge=2018, le=2100, description="the year without support")]


def _shown(gap: Gap, model: Model) -> dict[str, Any]:
    tables = hcc_tables(max(risk_policy().hcc_tables_years))
    return {
        "category": gap.category,
        "label": tables.label(model, gap.category),
        "last_payment_year": gap.last_payment_year,
        "last_diagnosis_code": gap.last_support.diagnosis_code,
        "last_record_id": gap.last_support.record_id,
    }


def _reader(connection: ReadConnection, as_of: int | None, model: Model, payment_year: int) -> GapReader:
    policy = risk_policy()
    tables = hcc_tables(max(policy.hcc_tables_years))
    return GapReader(connection, GapQuestion(as_of or _NOW, model, payment_year, policy.gap_years), tables)


@router.get("/gaps", summary="Conditions of earlier years that no claim supports this year")
async def gaps(  # noqa: PLR0913, PLR0917 - each a parameter of the query
    connection: ReadConnection,
    payment_year: PaymentYear,
    model: ModelAsked = "V28",
    as_of: AsOf = None,
    after: After = "",
    limit: Page = 100,
) -> dict[str, Any]:
    """A worklist and never a score: only a visit can tell whether a condition is still there."""
    found, following = await _reader(connection, as_of, model, payment_year).page(after, limit)
    people = [
        {"person_id": person_id, "gaps": [_shown(gap, model) for gap in person_gaps]}
        for person_id, person_gaps in found
    ]
    return {"as_of": as_of, "model": model, "payment_year": payment_year, "people": people, "next": following}


@router.get("/people/{person_id}/gaps", summary="A person's conditions without support this year")
async def person_gaps(
    connection: ReadConnection,
    person_id: PersonId,
    payment_year: PaymentYear,
    model: ModelAsked = "V28",
    as_of: AsOf = None,
) -> dict[str, Any]:
    """Empty where every condition has support, or nothing is known of the person in that year."""
    found = await _reader(connection, as_of, model, payment_year).of(person_id)
    shown = [_shown(gap, model) for gap in found]
    return {"person_id": person_id, "as_of": as_of, "model": model, "payment_year": payment_year, "gaps": shown}


@router.get("/people/{person_id}/explanation", summary="A person's scores and tier in plain words")
async def person_explanation(connection: ReadConnection, person_id: PersonId, as_of: AsOf = None) -> dict[str, Any]:
    """The newest payment year."""
    lines = await explanation(connection, person_id, as_of or _NOW)
    if lines is None:
        raise not_found("score of this person")
    return {"person_id": person_id, "as_of": as_of, "lines": lines}
