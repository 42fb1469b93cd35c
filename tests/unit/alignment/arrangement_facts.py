"""Facts about one person as arrangements need them, and what is found of them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from itertools import count
from typing import Any

from contracts.arrangements import ArrangementStanding
from contracts.months import month_at, month_index
from services.alignment.arrangement_worker import policies
from services.alignment.arranging import Arranged, Changes, changes
from services.alignment.care_told import CareTold
from services.alignment.programme import programme
from services.alignment.statements import AlignedSpan, CoverageSpan, EnrolmentSpan, Fact

# Massachusetts' demonstration lies before the first month that this installation decides.
POLICIES = policies()._replace(programme=replace(programme(), first_decided_month=month_index("2012-01")))
numbers = count()


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def months(first: str, last: str | None) -> tuple[int, int | None]:
    return month_index(first), None if last is None else month_index(last)


def snapshot(sequence: int, month: str, **said: Any) -> Fact:
    """CCLF8 of a month."""
    values = {"code": "C", "dual": "02", "plan": "none", "county": "39049", "born": "1940-06-15", "state": "OH"} | said
    number = month_index(month)
    span = CoverageSpan(number, number, values["code"], values["dual"], values["plan"], None, values["county"], True)
    return Fact(
        f"c{next(numbers):05d}", sequence, "coverage", values["state"], "cclf8", day(f"{month}-20"),
        death=day(values["death"]) if values.get("death") else None, part_a_began=day("2010-01-01"),
        part_b_began=day("2010-01-01"), coverage=(span,), birth=day(values["born"]) if values["born"] else None,
    )  # fmt: skip


def span(first: str, last: str | None = None, **said: Any) -> EnrolmentSpan:
    """Months of Medicaid enrolment, with what they tell of care."""
    care = {name: said[name] for name in CareTold._fields if name in said}
    return EnrolmentSpan(
        *months(first, last), said.get("enrolled", True), said.get("plan", "MCO9001"), said.get("dual", "02"),
        said.get("health_plan", "none"), said.get("county"), care=CareTold(**care) if care else None,
    )  # fmt: skip


def enrolment(sequence: int, stated: str, *spans: EnrolmentSpan, **said: Any) -> Fact:
    born = said.get("born")
    return Fact(
        f"e{next(numbers):05d}", sequence, "enrolment", said.get("state", "OH"), said.get("source", "834"), day(stated),
        enrolment=spans, birth=day(born) if born else None, death=day(said["death"]) if "death" in said else None,
    )  # fmt: skip


def report(sequence: int, month: str, *spans: tuple[str, str | None, str | None]) -> Fact:
    return Fact(
        f"r{next(numbers):05d}", sequence, "report", "OH", "alignment report", day(f"{month}-25"), entity_id="D9001",
        report_month=month_index(month), aligned=tuple(AlignedSpan(*months(first, last), why) for first, last, why in spans),
    )  # fmt: skip


def found(*facts: Fact) -> list[Changes]:
    return list(changes(facts, POLICIES))


def arranged(facts: Iterable[Fact], as_of: int | None = None) -> dict[str, Arranged]:
    """Every month as known at a delivery, or in the end."""
    known: dict[str, Arranged] = {}
    for one in changes(facts, POLICIES):
        if as_of is None or one.sequence <= as_of:
            known |= {month_at(month): now for month, now in one.arranged.items()}
    return dict(sorted(known.items()))


def standing(now: Arranged, arrangement: str) -> ArrangementStanding | None:
    return next((one for one in now.standings if one.arrangement == arrangement), None)


def stands(facts: Iterable[Fact], arrangement: str, as_of: int | None = None) -> dict[str, str | None]:
    """How the person stands to one arrangement, month by month."""
    return {
        month: one.standing if (one := standing(now, arrangement)) is not None else None
        for month, now in arranged(facts, as_of).items()
    }


def members(facts: Iterable[Fact]) -> dict[str, set[str]]:
    return {
        month: {one.arrangement for one in now.standings if one.standing == "member"}
        for month, now in arranged(facts).items()
    }
