"""The route of use: how often services were used, per 1,000 person-months, beside what has come in."""

from fractions import Fraction
from typing import Annotated, Any, Final, Literal, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from contracts.codes import Cohort, Payer, ServiceCategory
from contracts.identifiers import StateCode
from contracts.months import Month
from services.cost_shift import reading
from services.cost_shift.completion import Completion, completion
from services.cost_shift.effects import states_of
from services.cost_shift.questions import NO_ENTITY, EntityFilter, revision_of
from services.cost_shift.reading import PeopleQuery
from services.cost_shift.rules import use_of_services as use
from services.runtime.gateway import ReadConnection

router = APIRouter()

PER: Final = 1000
UseName = Literal[
    "admissions", "emergency_visits", "skilled_nursing_days", "nursing_facility_days", "home_health_periods",
    "personal_care_days",
]  # fmt: skip
UseDimension = Literal["state", "entity", "county", "cohort", "month"]
# By which category's receipts the months of a use fill up.
CATEGORY_OF_USE: Final[dict[tuple[str, str], ServiceCategory]] = {
    ("medicare", use.ADMISSIONS): ServiceCategory.INPATIENT,
    ("medicaid", use.ADMISSIONS): ServiceCategory.INPATIENT,
    ("medicare", use.EMERGENCY_VISITS): ServiceCategory.OUTPATIENT,
    ("medicaid", use.EMERGENCY_VISITS): ServiceCategory.OUTPATIENT,
    ("medicare", use.SKILLED_NURSING_DAYS): ServiceCategory.SKILLED_NURSING_FACILITY,
    ("medicaid", use.NURSING_FACILITY_DAYS): ServiceCategory.NURSING_FACILITY,
    ("medicare", use.HOME_HEALTH_PERIODS): ServiceCategory.HOME_HEALTH,
    ("medicaid", use.HOME_HEALTH_PERIODS): ServiceCategory.HOME_HEALTH,
    ("medicaid", use.PERSONAL_CARE_DAYS): ServiceCategory.HOME_AND_COMMUNITY,
}
_USE: Final = f"""
    SELECT {{keys}}, payer, category AS use, coalesce(sum(claims) FILTER (WHERE NOT crossover), 0)::bigint AS amount,
        coalesce(sum(claims) FILTER (WHERE crossover), 0)::bigint AS crossover
    FROM cell_delta
    WHERE sequence <= $1 AND basis = '{use.USE}' AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR entity = $3)
        AND ($4::text IS NULL OR cohort = $4) AND ($5::text IS NULL OR month >= $5) AND ($6::text IS NULL OR month <= $6)
        AND ($7::text IS NULL OR payer = $7) AND ($8::text IS NULL OR category = $8) AND ($9 OR cohort <> 'unassigned')
    GROUP BY {{keys}}, payer, category ORDER BY {{keys}}, payer, category
"""  # noqa: S608 - constants; keys from a closed list


class UseQuery(BaseModel):
    """Which use, summed over every dimension that is not grouped by."""

    model_config = ConfigDict(extra="forbid")

    state: Annotated[StateCode | None, Field(description="only this state, USPS code")] = None
    entity: Annotated[EntityFilter | None, Field(description="only this entity; none: people of no entity")] = None
    cohort: Annotated[Cohort | None, Field(description="only this cohort")] = None
    payer: Annotated[Payer | None, Field(description="only what this programme paid")] = None
    use: Annotated[UseName | None, Field(description="only this use")] = None
    first_month: Annotated[Month | None, Field(description="from this service month on, YYYY-MM")] = None
    last_month: Annotated[Month | None, Field(description="up to and including this service month, YYYY-MM")] = None
    group_by: Annotated[
        list[UseDimension],
        Field(min_length=1, max_length=5, description="dimensions that stay; all others are summed over"),
    ] = ["cohort", "month"]
    as_of: Annotated[int | None, Field(ge=1, lt=2**63, description="revision; the latest where absent")] = None

    def people(self, revision: int) -> PeopleQuery:
        """Whose months stand behind it."""
        entity = "" if self.entity == NO_ENTITY else self.entity
        return PeopleQuery(revision, self.state, entity, self.cohort, self.first_month, self.last_month)


class Rate(BaseModel):
    """Use per 1,000 person-months: an exact fraction, and rounded to three decimals."""

    numerator: int
    denominator: int
    shown: float

    @classmethod
    def of(cls, amount: int, person_months: int) -> Self | None:
        """``None`` without anybody."""
        if not person_months:
            return None
        rate = Fraction(amount * PER, person_months)
        return cls(numerator=rate.numerator, denominator=rate.denominator, shown=round(float(rate), 3))


class UseShown(BaseModel):
    """One use. ``crossover`` is Medicaid's share of what Medicare counts already: apart, and in no rate."""

    state: str | None = None
    entity_id: str | None = None
    county_fips: str | None = None
    cohort: str | None = None
    month: str | None = None
    payer: Payer
    use: UseName
    amount: int
    crossover: int
    person_months: int
    per_1000: Rate | None
    share_come_in: Annotated[
        float | None, Field(description="of the month's cost of this category; null: not by month, or nobody can tell")
    ]


class UseAnswer(BaseModel):
    """Use as of one revision, as received."""

    revision: int
    group_by: list[str]
    per: int = PER
    rows: list[UseShown]


@router.get("/use", summary="How often services were used, per 1,000 person-months")
async def read_use(connection: ReadConnection, query: Annotated[UseQuery, Query()]) -> UseAnswer:
    """Admissions, emergency visits, days in facilities, periods of home health and days of personal care."""
    revision = await revision_of(connection, query.as_of)
    group_by = tuple(dict.fromkeys(query.group_by))
    people = query.people(revision)
    shows_unassigned = "cohort" in group_by or query.cohort is Cohort.UNASSIGNED
    statement = _USE.format(keys=", ".join(group_by))
    rows = await connection.fetch(statement, *people.parameters(), query.payer, query.use, shows_unassigned)
    counted = await reading.person_months(connection, people, group_by)
    states = [query.state] if query.state else states_of(await reading.person_months(connection, people, ("state",)))
    history = await completion(connection, revision, states) if "month" in group_by else Completion()
    shown = [_shown(dict(row), group_by, counted, history) for row in rows if row["amount"] or row["crossover"]]
    return UseAnswer(revision=revision, group_by=list(group_by), rows=shown)


def _shown(
    row: dict[str, Any], group_by: tuple[UseDimension, ...], counted: dict[tuple[str, ...], int], history: Completion
) -> UseShown:
    months = counted.get(tuple(row[name] for name in group_by), 0)
    category = CATEGORY_OF_USE[row["payer"], row["use"]]
    come_in = history.of((row["payer"], category.value), row["month"]) if "month" in group_by else None
    return UseShown(
        state=row.get("state"),
        entity_id=row.get("entity") or None,
        county_fips=row.get("county") or None,
        cohort=row.get("cohort"),
        month=row.get("month"),
        payer=row["payer"],
        use=row["use"],
        amount=row["amount"],
        crossover=row["crossover"],
        person_months=months,
        per_1000=Rate.of(row["amount"], months),
        share_come_in=None if come_in is None else round(come_in.share, 6),
    )
