"""Months and what held in them, out of the extensions and periods of FHIR Coverage and Patient. Pure.

Versions 1 and 2 state a reference year month by month (``dual_01`` … ``dual_12`` and so on, as in the Master Beneficiary
Summary File); version 3 states periods. What contradicts itself is noted and left unsaid.
Source: CMS Blue Button data dictionary; CCW codebook of the Master Beneficiary Summary File.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, Final, get_args

from contracts.codes import CodeError, EntitlementBuyInCode, HealthPlan, MedicareStatusCode, dual_status_code
from contracts.coverage import MedicareCoverageSpan
from contracts.months import month_at, month_index, month_of
from services.intake.readers.fhir_claim_fields import VARIABLES
from services.intake.readers.fhir_resources import Extension
from services.intake.readers.fhir_values import UnreadableResource

_MONTHLY = re.compile(
    rf"{re.escape(VARIABLES)}(?P<name>dual_|buyin|hmo_ind_|ptc_cntrct_id_)(?P<month>0[1-9]|1[0-2])(?:/(?P<year>[0-9]{{4}})-[0-9]{{1,2}})?"
)
_REFERENCE_YEAR: Final = VARIABLES + "rfrnc_yr"
_MEDICARE_STATUS: Final = VARIABLES + "ms_cd"
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_ENTITLEMENT: Final = frozenset(get_args(get_args(EntitlementBuyInCode)[0]))
_MEDICARE_STATUSES: Final[dict[str | None, MedicareStatusCode]] = {
    code: code for code in get_args(get_args(MedicareStatusCode)[0])
}
# HMO_IND: non-lock-in is how cost plans are entered; 4 is fee-for-service within a demonstration.
_HMO = {
    "0": HealthPlan.NONE,
    "4": HealthPlan.NONE,
    **dict.fromkeys("12", HealthPlan.COST),
    **dict.fromkeys("ABC", HealthPlan.MEDICARE_ADVANTAGE),
}
_CONTRACT = re.compile(r"[A-Z][0-9]{4}")
_NO_CONTRACT: Final = "N"

Notes = list[UnreadableResource]
Month = dict[str, Any]


def monthly_spans(extensions: Iterable[Extension], on: date, notes: Notes) -> tuple[MedicareCoverageSpan, ...]:
    """What a reference year's extensions say, equal neighbouring months together; ``on`` is the day of saying so."""
    listed = list(extensions)
    year = _reference_year(listed)
    months: dict[int, Month] = {}
    for one in listed:
        if (told := _MONTHLY.fullmatch(one.url)) and one.value_coding and one.value_coding.code:
            of_year = told["year"] or year
            if of_year is None:
                notes.append(UnreadableResource("reference_year_missing", told["name"] + told["month"]))
                continue
            month = months.setdefault(month_index(f"{of_year}-{told['month']}"), {})
            _say(month, told["name"], one.value_coding.code.strip(), notes)
    status = medicare_status_of(listed, _MEDICARE_STATUS, notes)
    if status is not None and year is not None:
        for index in _months_of(year, on) if not months else list(months):
            months.setdefault(index, {})["medicare_status_code"] = status
    return tuple(_runs(months))


def _reference_year(extensions: Iterable[Extension]) -> str | None:
    stated = (one.value_date for one in extensions if one.url == _REFERENCE_YEAR)
    return next((year[:4] for year in stated if year and _YEAR.fullmatch(year[:4])), None)


def medicare_status_of(extensions: Iterable[Extension], url: str, notes: Notes) -> MedicareStatusCode | None:
    """The Medicare status (BENE_MDCR_STUS_CD); one that CMS does not define is noted."""
    codes = (one.value_coding.code for one in extensions if one.url == url and one.value_coding)
    code = next(filter(None, codes), None)
    if code is not None and code not in _MEDICARE_STATUSES:
        notes.append(UnreadableResource("medicare_status_unknown", "ms_cd", code))
    return _MEDICARE_STATUSES.get(code)


def _months_of(year: str, on: date) -> Iterable[int]:
    """The months of a year up to that of the statement: a status of today says nothing about what is to come."""
    first = month_index(f"{year}-01")
    return range(first, min(first + 11, month_index(month_of(on))) + 1)


def _say(month: Month, name: str, code: str, notes: Notes) -> None:
    if name == "dual_":
        month["dual_status_code"] = read_dual_status(code, notes)
    elif name == "buyin":
        if code in _ENTITLEMENT:
            month["entitlement_buy_in_code"] = code
        else:
            notes.append(UnreadableResource("entitlement_unknown", name, code))
    else:
        _say_plan(month, _HMO.get(code) if name == "hmo_ind_" else _plan_of_contract(code), name, code, notes)


def _plan_of_contract(code: str) -> HealthPlan | None:
    """A contract is a health plan; of which kind it is the number does not tell, and almost all are Medicare Advantage."""
    return (
        HealthPlan.MEDICARE_ADVANTAGE
        if _CONTRACT.fullmatch(code)
        else HealthPlan.NONE
        if code == _NO_CONTRACT
        else None
    )


def _say_plan(month: Month, plan: HealthPlan | None, name: str, code: str, notes: Notes) -> None:
    if plan is None:
        if code != "0":
            notes.append(UnreadableResource("health_plan_unknown", name, code))
        return
    said = month.get("health_plan", plan)
    if (said is HealthPlan.NONE) is (plan is HealthPlan.NONE):
        # The indicator tells a cost plan from Medicare Advantage, the contract does not.
        month["health_plan"] = HealthPlan.COST if HealthPlan.COST in (said, plan) else plan
    else:
        month["health_plan"] = None
        notes.append(UnreadableResource("health_plan_contradiction", name))


def read_dual_status(code: str, notes: Notes) -> str | None:
    """The dual status; one that CMS does not define, or no longer, is noted and unsaid."""
    try:
        return dual_status_code(code)
    except CodeError:
        notes.append(UnreadableResource("dual_status_unknown", "dual_status", code))
        return None


def _runs(months: dict[int, Month]) -> Iterator[MedicareCoverageSpan]:
    run: list[int] = []
    for index in sorted(months):
        if run and (index != run[-1] + 1 or months[index] != months[run[0]]):
            yield _span(run, months[run[0]])
            run = []
        run.append(index)
    if run:
        yield _span(run, months[run[0]])


def _span(run: Sequence[int], said: Month) -> MedicareCoverageSpan:
    return MedicareCoverageSpan(first_month=month_at(run[0]), last_month=month_at(run[-1]), **said)


Period = tuple[str, str | None]  # first month, last month; open where there is none
_BY_PART: Final[dict[tuple[bool, bool], EntitlementBuyInCode | None]] = {
    (True, True): "3",
    (True, False): "1",
    (False, True): "2",
    (False, False): None,
}
_FOREVER = month_index("2099-12") + 1


def entitlement_spans(part_a: Sequence[Period], part_b: Sequence[Period]) -> Iterator[MedicareCoverageSpan]:
    """Where both parts' periods are told: A and B (3), A alone (1), B alone (2). Nothing is said of other months.

    Whether the state pays the premium (A, B, C instead of 1, 2, 3) version 3 does not tell in this code set.
    """
    edges = sorted({edge for period in (*part_a, *part_b) for edge in _edges(period)})
    for begin, end in pairwise(edges):
        code = _BY_PART[_covers(part_a, begin), _covers(part_b, begin)]
        if code is not None:
            last = None if end == _FOREVER else month_at(end - 1)
            yield MedicareCoverageSpan(first_month=month_at(begin), last_month=last, entitlement_buy_in_code=code)


def _edges(period: Period) -> tuple[int, int]:
    return month_index(period[0]), _FOREVER if period[1] is None else month_index(period[1]) + 1


def _covers(periods: Sequence[Period], month: int) -> bool:
    return any(begin <= month < end for begin, end in map(_edges, periods))
