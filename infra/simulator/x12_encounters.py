"""X12 837: the encounters that managed-care plans report to the state, professional and institutional.

The same adjudications as in the T-MSIS files, as a plan sends them: the state is the payer, the plan stands among the
other payers with what it paid, and K3 carries what only the state's own record has (type of service, waiver flag).
Pharmacy encounters go another way (NCPDP), fee-for-service claims and capitation are nobody's encounters.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Literal

from contracts.money import dollars_text
from infra.simulator.claim_facts import adjudicated_on
from infra.simulator.claims import Line, MedicaidClaim, Version, scaled
from infra.simulator.period import Period, compact
from infra.simulator.person import Person
from infra.simulator.tmsis import MOST_DIAGNOSES, REVENUE_CODES
from infra.simulator.world import STATE, zip_code

Guide = Literal["005010X222A1", "005010X223A2"]
PROFESSIONAL: Guide = "005010X222A1"
INSTITUTIONAL: Guide = "005010X223A2"
GUIDES: tuple[Guide, ...] = (PROFESSIONAL, INSTITUTIONAL)
END = "~\n"
_ENCOUNTER = "3"
_FREQUENCY = {"0": "1", "4": "7", "1": "8"}
_FACILITY = {"LT": "21:A", "IP": "11:A"}
_HOME, _OFFICE = "12:B", "11:B"
_DENIED, _CAPITATED, _FEE_SCHEDULE = "A1", "24", "45"
_LEAST_CHARGE_CENTS = 10_000


def guide_of(claim: MedicaidClaim) -> Guide | None:
    """In which guide a plan reports the claim; ``None`` where it is no encounter, or one of a pharmacy."""
    if claim.claim_type != _ENCOUNTER or claim.file_type == "RX":
        return None
    return INSTITUTIONAL if claim.file_type in _FACILITY else PROFESSIONAL


def original_number(person: Person, claim: MedicaidClaim) -> str:
    """The plan's number of the claim, which is ICN_ORIG in T-MSIS."""
    return f"{person.traits.index:08d}{claim.number:05d}"


def _charge(cents: int) -> int:
    return max(_LEAST_CHARGE_CENTS, cents + cents // 4)


def _adjustment(claim: MedicaidClaim, paid: int, charge: int) -> Iterator[str]:
    """Why so much less was paid than charged."""
    reason = _DENIED if claim.denied else _FEE_SCHEDULE if paid else _CAPITATED
    if charge != paid:
        yield f"CAS*CO*{reason}*{dollars_text(charge - paid)}"


def _member(person: Person, claim: MedicaidClaim) -> Iterator[str]:
    traits = person.traits
    county = person.life.counties[person.period.number(claim.last)]
    yield f"NM1*IL*1*SYNTHETIC{traits.index}*GIVEN{traits.index}****MI*{traits.medicaid_id}"
    yield "N3*1 MAIN STREET"
    yield f"N4*ANYTOWN*{STATE}*{zip_code(county)}"


def _around(person: Person, claim: MedicaidClaim) -> Iterator[str]:
    """Billing provider, subscriber and payer. HL is numbered when the file is written."""
    yield "HL***20*1"
    yield f"NM1*85*2*SYNTHETIC PROVIDER*****XX*{claim.npi}"
    yield "N3*2 MAIN STREET"
    yield f"N4*ANYTOWN*{STATE}*430010000"
    yield "REF*EI*990000009"
    yield "HL***22*0"
    yield "SBR*S*18*******MC"
    yield from _member(person, claim)
    yield f"DMG*D8*{person.traits.birth:%Y%m%d}*{'M' if person.traits.sex == '1' else 'F'}"
    yield f"NM1*PR*2*SYNTHETIC STATE MEDICAID AGENCY*****PI*{STATE}MEDICAID"
    yield f"N4*COLUMBUS*{STATE}*43215"


def _claim(person: Person, claim: MedicaidClaim, version: Version, charge: int) -> Iterator[str]:
    number = original_number(person, claim)
    institutional = claim.file_type in _FACILITY
    facility = _FACILITY.get(claim.file_type, _HOME if claim.lines[0].waiver else _OFFICE)
    signature = "" if institutional else "Y"
    yield f"CLM*{number}*{dollars_text(charge)}***{facility}:{_FREQUENCY[version.kind]}*{signature}*A*Y*Y"
    if institutional:
        yield f"DTP*434*RD8*{compact(claim.first)}-{compact(claim.last)}"
        yield "CL1*3*1*30"
    if version.kind != "0":
        yield f"REF*F8*{number}"
    for place, line in enumerate(claim.lines, start=1):
        yield f"K3*LINE{place:04d} TOS{line.type_of_service} WVR{'Y' if line.waiver else 'N'}"
    yield from _diagnoses(claim.diagnosis_codes[:MOST_DIAGNOSES], apart=institutional)


def _diagnoses(codes: Sequence[str], *, apart: bool) -> Iterator[str]:
    """The principal diagnosis, and the others: in the institutional guide a segment of their own."""
    texts = [f"AB{'F' if place else 'K'}:{code}" for place, code in enumerate(codes)]
    for part in (texts[:1], texts[1:]) if apart else (texts,):
        if part:
            yield "HI*" + "*".join(part)


def _decided(person: Person, version: Version) -> str:
    return f"DTP*573*D8*{compact(adjudicated_on(person.period, version.delivery, version.number))}"


def _plan(person: Person, claim: MedicaidClaim, version: Version, paid: int, charge: int) -> Iterator[str]:
    """The plan's decision about the claim as a whole; reasons and day stand here only where it decided none by line."""
    yield "SBR*P*18*******MC"
    if not claim.lines_carry_amounts:
        yield from _adjustment(claim, paid, charge)
    yield f"AMT*D*{dollars_text(paid)}"
    yield "OI***Y***Y"
    yield from _member(person, claim)
    yield f"NM1*PR*2*SYNTHETIC PLAN*****PI*{claim.plan}"
    if not claim.lines_carry_amounts:
        yield _decided(person, version)
    yield f"REF*F8*{original_number(person, claim)}"


def _line(claim: MedicaidClaim, place: int, line: Line, paid: int, decided: str) -> Iterator[str]:
    charge, code = _charge(paid), f"HC:{line.procedure}" if line.procedure else ""
    yield f"LX*{place}"
    revenue = REVENUE_CODES.get(claim.file_type, "")
    if revenue:
        yield f"SV2*{revenue}*{code}*{dollars_text(charge)}*UN*1"
    else:
        yield f"SV1*{code}*{dollars_text(charge)}*UN*1***1"
    one_day = line.first == line.last
    yield f"DTP*472*{'D8' if one_day else 'RD8'}*{compact(line.first)}{'' if one_day else '-' + compact(line.last)}"
    if claim.lines_carry_amounts:
        yield f"SVD*{claim.plan}*{dollars_text(paid)}*{code}*{revenue}*1"
        yield from _adjustment(claim, paid, charge)
        yield decided


def encounter_segments(person: Person, claim: MedicaidClaim, version: Version) -> Iterator[str]:
    """One adjudication, with everything that stands around it."""
    paid = [scaled(line.cents, version.permille) for line in claim.lines]
    charge = sum(map(_charge, paid))
    yield from _around(person, claim)
    yield from _claim(person, claim, version, charge)
    yield from _plan(person, claim, version, sum(paid), charge)
    for place, (line, cents) in enumerate(zip(claim.lines, paid, strict=True), start=1):
        yield from _line(claim, place, line, cents, _decided(person, version))


def encounter_text(person: Person, claim: MedicaidClaim, version: Version) -> str:
    """One adjudication as it is spooled: a segment a line."""
    return "".join(segment + END for segment in encounter_segments(person, claim, version))


def file_name(period: Period, month: int, plan: str) -> str:
    """One plan's encounters of a month."""
    return f"837.{plan}.D{_file_date(period, month):%y%m%d}.T120000.txt"


def _file_date(period: Period, month: int) -> date:
    return period.first_days[month].replace(day=12)


def interchange(period: Period, month: int, plan: str, texts: Iterable[tuple[Guide, Iterable[str]]]) -> Iterator[str]:
    """A whole file: one group and transaction set a guide that has encounters."""
    on, groups = _file_date(period, month), 0
    parties = f"ZZ*{plan:15}*ZZ*{STATE + 'MEDICAID':15}"
    yield f"ISA*00*{'':10}*00*{'':10}*{parties}*{on:%y%m%d}*1200*^*00501*000000001*0*P*:{END}"
    for guide, pieces in texts:
        groups += 1
        yield f"GS*HC*{plan}*{STATE}MEDICAID*{on:%Y%m%d}*1200*{groups}*X*{guide}{END}"
        yield from _transaction_set(plan, on, guide, pieces)
        yield f"GE*1*{groups}{END}"
    yield f"IEA*{groups}*000000001{END}"


def _transaction_set(plan: str, on: date, guide: Guide, pieces: Iterable[str]) -> Iterator[str]:
    head = (
        f"ST*837*0001*{guide}",
        f"BHT*0019*00*{plan}{on:%Y%m%d}*{on:%Y%m%d}*1200*RP",
        f"NM1*41*2*SYNTHETIC PLAN*****46*{plan}",
        "PER*IC*ENCOUNTERS*TE*5555550000",
        f"NM1*40*2*SYNTHETIC STATE MEDICAID AGENCY*****46*{STATE}MEDICAID",
    )
    count, level, billing = len(head), 0, 0
    yield from (segment + END for segment in head)
    for text in _lines(pieces):
        count += 1
        if not text.startswith("HL*"):
            yield text
            continue
        level += 1
        billing = level if "*20*" in text else billing
        yield f"HL*{level}*{'' if billing == level else billing}*{text.split('*', 3)[3]}"
    yield f"SE*{count + 1}*0001{END}"


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    rest = ""
    for piece in pieces:
        *whole, rest = (rest + piece).splitlines(keepends=True) or [""]
        if rest.endswith("\n"):
            whole.append(rest)
            rest = ""
        yield from whole
