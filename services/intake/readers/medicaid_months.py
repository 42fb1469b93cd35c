"""What T-MSIS rows say of each month of a person."""

import tomllib
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, cast

from contracts.codes import BenefitLevel, HealthPlan, benefit_level
from contracts.medicaid import LevelOfCare
from services.intake.readers.enrolment_months import NOT_ENROLLED, MonthState, Plan
from services.intake.readers.medicaid_eligibility_columns import MONTHS, MOST_PLANS, MOST_WAIVERS
from services.intake.readers.records import FieldError

_CARE_LEVEL_DIGITS = 3
_NO_DUAL = (BenefitLevel.NONE, BenefitLevel.UNKNOWN)
_BASIS_MEDICAID = "T-MSIS: days of Medicaid enrolment"
_BASIS_CHIP = "T-MSIS: days of CHIP enrolment only"


@dataclass(frozen=True, slots=True)
class EligibilityPolicy:
    """See the comments in the file."""

    least_covered_percent: int
    all_inclusive_care: frozenset[str]
    separate_chip: frozenset[str]
    level_of_care: Mapping[str, LevelOfCare]


@cache
def eligibility_policy() -> EligibilityPolicy:
    """The policy in force."""
    text = files("services.intake.policy").joinpath("medicaid_eligibility.toml").read_text(encoding="utf-8")
    policy = tomllib.loads(text)
    return EligibilityPolicy(
        policy["least_covered_percent"]["value"],
        frozenset(policy["program_of_all_inclusive_care"]["value"]),
        frozenset(policy["separate_chip"]["value"]),
        policy["level_of_care"]["value"],
    )


def days_of(base: Mapping[str, Any], month: int) -> tuple[int, int]:
    """Days of Medicaid and of CHIP in a month of an annual row. Raises :class:`FieldError` for more than it has."""
    medicaid, chip = base[f"medicaid_days_{month}"], base[f"chip_days_{month}"]
    most = monthrange(int(base["period"]), month)[1]
    if medicaid > most:
        raise FieldError(f"MDCD_ENRLMT_DAYS_{month:02d}", "not_a_count_of_days")
    if chip > most:
        raise FieldError(f"CHIP_ENRLMT_DAYS_{month:02d}", "not_a_count_of_days")
    return medicaid, chip


def of_a_year(
    base: Mapping[str, Any], plans: Mapping[str, Any] | None, waivers: Mapping[str, Any] | None, horizon: int
) -> dict[int, MonthState]:
    """The months of an annual row up to the horizon. Raises :class:`FieldError` for what contradicts itself."""
    first = int(base["period"]) * 12
    months = {}
    for month in MONTHS:
        number = first + month - 1
        if number <= horizon:
            months[number] = _of_base(base, plans or {}, waivers or {}, month)
    return months


def _of_base(base: Mapping[str, Any], plans: Mapping[str, Any], waivers: Mapping[str, Any], month: int) -> MonthState:
    medicaid, chip = days_of(base, month)
    dual = base[f"dual_{month}"]
    if not medicaid and not chip:
        _check_no_dual(dual, f"DUAL_ELGBL_CD_{month:02d}")
        return NOT_ENROLLED
    return _enrolled(
        dual,
        _county(base),
        (base[f"group_{month}"], base[f"restricted_{month}"]),
        _plans(plans, month),
        _waivers(waivers, month),
        medicaid=bool(medicaid),
    )


def of_a_row(row: Mapping[str, Any]) -> MonthState:
    """The month of a monthly row. Raises :class:`FieldError` for what contradicts itself."""
    if not row["days"]:
        _check_no_dual(row["dual"], "DUAL_ELGBL_CD")
        return NOT_ENROLLED
    medicaid = row["chip"] not in eligibility_policy().separate_chip
    codes = (row["group"], row["restricted"])
    month = _enrolled(row["dual"], _county(row), codes, _plans(row, 0), _waivers(row, 0), medicaid=medicaid)
    return month._replace(level_of_care=_level_of_care(row["care_level"]), demonstration=row["demonstration"])


def _level_of_care(code: str | None) -> LevelOfCare | None:
    return None if code is None else eligibility_policy().level_of_care.get(code.rjust(_CARE_LEVEL_DIGITS, "0"))


def _check_no_dual(dual: str | None, label: str) -> None:
    if dual is not None and benefit_level(dual) not in _NO_DUAL:
        raise FieldError(label, "contradicts_enrolment")


def _enrolled(  # noqa: PLR0913 - what a month holds
    dual: str | None,
    county: str | None,
    codes: tuple[str | None, str | None],
    plans: Sequence[Plan],
    waivers: tuple[tuple[str, ...], tuple[str, ...]],
    *,
    medicaid: bool,
) -> MonthState:
    care = any(plan.plan_type_code in eligibility_policy().all_inclusive_care for plan in plans)
    has_medicare = dual is not None and benefit_level(dual) not in _NO_DUAL
    return MonthState(
        enrolled=True,
        plans=tuple(plans),
        dual_status_code=cast("Any", dual),
        county_fips=county,
        health_plan=HealthPlan.PACE if care and has_medicare else None,
        programme="medicaid" if medicaid else "chip",
        programme_basis=_BASIS_MEDICAID if medicaid else _BASIS_CHIP,
        eligibility_group_code=codes[0],
        restricted_benefits_code=codes[1],
        waiver_ids=waivers[0],
        waiver_type_codes=waivers[1],
    )


def _county(row: Mapping[str, Any]) -> str | None:
    return None if None in {row["county"], row["county_state"]} else f"{row['county_state']}{row['county']}"


def _plans(row: Mapping[str, Any], month: int) -> list[Plan]:
    named = ((row.get(f"plan_{month}_{place}"), row.get(f"plan_{month}_{place}_type")) for place in _PLAN_PLACES)
    return list(dict.fromkeys(Plan(*pair) for pair in named if pair != (None, None)))


def _waivers(row: Mapping[str, Any], month: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(_given(row, f"waiver_{month}_", "")), tuple(_given(row, f"waiver_{month}_", "_type"))


def _given(row: Mapping[str, Any], name: str, part: str) -> Iterator[str]:
    values = (row.get(f"{name}{place}{part}") for place in _WAIVER_PLACES)
    return iter(dict.fromkeys(value for value in values if value is not None))


_PLAN_PLACES, _WAIVER_PLACES = range(1, MOST_PLANS + 1), range(1, MOST_WAIVERS + 1)
