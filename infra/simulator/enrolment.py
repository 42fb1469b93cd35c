"""X12 834 (005010X220A1): what each plan's files say of a person in a month.

Two files a plan: changes on the 8th (terminations of people who left, voids of months that were never true)
and the full roster on the 10th (the month, and earlier months that are now known to be different).
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Literal, NamedTuple

from infra.simulator.life import Enrolment
from infra.simulator.period import Period, compact
from infra.simulator.person import Person
from infra.simulator.world import zip_code

FileKind = Literal["changes", "roster"]
DAYS: dict[FileKind, int] = {"changes": 8, "roster": 10}
END = "~\n"


class Statement(NamedTuple):
    """One HD loop: maintenance code, begin, end, and what holds in between."""

    maintenance: str
    begin: date
    end: date
    enrolment: Enrolment
    month: int


class Member(NamedTuple):
    """A person's part of one file."""

    plan: str
    kind: FileKind
    text: str
    segments: int


def _month(person: Person, month: int, enrolment: Enrolment, maintenance: str = "001") -> Statement:
    first, last = person.period.first_days[month], person.period.last_days[month]
    return Statement(maintenance, first, last, enrolment, month)


def _void(person: Person, month: int, enrolment: Enrolment) -> Statement:
    first = person.period.first_days[month]
    return Statement("001", first, first - timedelta(days=1), enrolment, month)


def _health_plan_began(person: Person, month: int) -> date:
    began = [
        change.first
        for change in person.life.changes
        if change.name == "health_plan" and change.value is not None and change.first <= month <= change.last
    ]
    return person.period.first_days[began[-1] if began else person.life.entry]


def _loop(person: Person, plan: str, statement: Statement) -> Iterator[str]:
    yield f"HD*{statement.maintenance}**HLT*{plan};01"
    yield f"DTP*348*D8*{compact(statement.begin)}"
    yield f"DTP*349*D8*{compact(statement.end)}"
    yield f"REF*F5*{statement.enrolment.dual}"
    if statement.enrolment.health_plan is not None:
        began = _health_plan_began(person, statement.month)
        contract, _, package = statement.enrolment.health_plan.partition("-")
        yield f"REF*DX*{contract};{package or '001'};{began:%Y%m%d}"


def _member(person: Person, plan: str, month: int, statements: Sequence[Statement]) -> Iterator[str]:
    traits, life = person.traits, person.life
    # A member-level 024 would end every loop of the member, so it stands only where each loop is an end.
    ended = all(statement.maintenance == "024" for statement in statements)
    yield f"INS*Y*18*{'024' if ended else '001'}*XN*A***AC"
    yield f"REF*0F*{traits.medicaid_id}"
    yield f"REF*6P*{traits.mbi(life.mbi_version(month - 1))}"
    yield f"REF*1D*{traits.medicaid_id}"
    if life.death is not None and month == life.last_stated:
        yield f"DTP*435*D8*{life.death:%Y%m%d}"
    yield f"NM1*IL*1*SYNTHETIC{traits.index}*GIVEN{traits.index}"
    yield f"N4*ANYTOWN*OH*{zip_code(life.counties[month])}**CY*{life.counties[month]}"
    yield f"DMG*D8*{traits.birth:%Y%m%d}*{'M' if traits.sex == '1' else 'F'}"
    for statement in statements:
        yield from _loop(person, plan, statement)


def _roster_statements(person: Person, month: int) -> Iterator[tuple[str, Statement]]:
    life, period = person.life, person.period
    corrections = [(number, now) for number, _, now in life.corrections(month) if now.plan is not None]
    closing = life.death is not None and month == life.last_stated
    died = period.number(life.death) if life.death is not None else month
    for number, now in corrections:
        if not closing or number < died:
            yield now.plan or "", _month(person, number, now)
    enrolment = life.as_known(died if closing else month, month)
    if enrolment.plan is None:
        return
    if closing and life.death is not None:
        yield enrolment.plan, Statement("024", period.first_days[died], life.death, enrolment, died)
    else:
        yield enrolment.plan, _month(person, month, enrolment)


def _change_statements(person: Person, month: int) -> Iterator[tuple[str, Statement]]:
    life = person.life
    for number, before, now in life.corrections(month):
        if before.plan is not None and now.plan is not None and before.plan != now.plan:
            yield before.plan, _void(person, number, now)
    if month == life.entry or (life.death is not None and month == life.last_stated):
        return
    before, now = life.as_known(month - 1, month), life.as_known(month, month)
    if before.plan is not None and now.plan is not None and before.plan != now.plan:
        yield before.plan, _month(person, month - 1, before, "024")


def members(person: Person, month: int) -> Iterator[Member]:
    """The person's part of every 834 of the month."""
    kinds: tuple[tuple[FileKind, Iterator[tuple[str, Statement]]], ...] = (
        ("changes", _change_statements(person, month)),
        ("roster", _roster_statements(person, month)),
    )
    for kind, statements in kinds:
        by_plan: dict[str, list[Statement]] = {}
        for plan, statement in statements:
            by_plan.setdefault(plan, []).append(statement)
        for plan, stated in by_plan.items():
            segments = list(_member(person, plan, month, stated))
            yield Member(plan, kind, "".join(segment + END for segment in segments), len(segments))


def file_date(period: Period, month: int, kind: FileKind) -> date:
    """The date of the statement."""
    return period.first_days[month].replace(day=DAYS[kind])


def file_name(period: Period, month: int, plan: str, kind: FileKind) -> str:
    """One plan's file of one day."""
    return f"834.{plan}.D{file_date(period, month, kind):%y%m%d}.T060000.txt"


def opening(plan: str, on: date, kind: FileKind) -> str:
    """Interchange, group and transaction set headers."""
    action = "4" if kind == "roster" else "2"
    segments = (
        f"ISA*00*{'':10}*00*{'':10}*ZZ*{'OHMEDICAID':15}*ZZ*{plan:15}*{on:%y%m%d}*0600*^*00501*000000001*0*P*:",
        f"GS*BE*OHMEDICAID*{plan}*{on:%Y%m%d}*0600*1*X*005010X220A1",
        "ST*834*0001*005010X220A1",
        f"BGN*00*{plan}{on:%Y%m%d}*{on:%Y%m%d}*0600*ET***{action}",
        "N1*P5*SYNTHETIC STATE MEDICAID AGENCY*FI*990000001",
        f"N1*IN*{plan}*FI*990000002",
    )
    return "".join(segment + END for segment in segments)


def closing(member_segments: int) -> str:
    """Trailers; SE01 counts the segments from ST to SE."""
    return f"SE*{member_segments + 5}*0001{END}GE*1*1{END}IEA*1*000000001{END}"
