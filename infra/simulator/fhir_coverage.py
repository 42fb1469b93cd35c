"""A person's Patient and Coverage resources, as of a month: the FHIR side of CCLF8 and CCLF9.

Versions 1 and 2 state the months of a reference year (``dual_01`` … ``dual_12``, ``buyin01`` …, ``ptc_cntrct_id_01`` …);
version 3 states periods.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final, Literal

from infra.simulator.fhir_elements import MBI, VARIABLES, Resource, coded, concept, moment, patient_id
from infra.simulator.fhir_v3 import IDENTIFIER_TYPE, STRUCTURE, SYSTEM
from infra.simulator.life import part_a_and_b
from infra.simulator.person import Person
from infra.simulator.world import STATE

Generation = Literal["v1", "v2", "v3"]

# What the Social Security Administration calls Ohio: the state code of versions 1 and 2.
_SOCIAL_SECURITY_STATE: Final = "36"
_GENDERS: Final = {"1": "male", "2": "female"}
_CURRENCY: Final = "https://bluebutton.cms.gov/resources/codesystem/identifier-currency"
_NO_CONTRACT: Final = "N"


def _updated(person: Person, month: int, generation: Generation) -> Resource:
    day = person.period.first_days[month].replace(day=10)
    return {"lastUpdated": moment(day, "000Z" if generation == "v3" else "+00:00")}


def patient(person: Person, month: int, generation: Generation) -> Resource:
    """Who the person is, under the present number and all earlier ones."""
    traits, life = person.traits, person.life
    resource: Resource = {
        "resourceType": "Patient",
        "id": patient_id(person),
        "meta": _updated(person, month, generation),
        "identifier": _identifiers(person, month, generation),
        "name": [{"use": "usual", "family": f"SYNTHETIC{traits.index}", "given": [f"GIVEN{traits.index}"]}],
        "gender": _GENDERS[traits.sex],
        "birthDate": traits.birth.isoformat(),
        "address": [{"state": STATE if generation == "v3" else _SOCIAL_SECURITY_STATE}],
    }
    if life.death is not None and month == life.last_stated:
        resource["deceasedDateTime"] = life.death.isoformat()
    return resource


def _identifiers(person: Person, month: int, generation: Generation) -> list[Resource]:
    versions = range(person.life.mbi_version(month) + 1)
    if generation == "v3":
        return [_number_in_period(person, version, month) for version in versions]
    numbers: list[Resource] = [{"system": VARIABLES + "bene_id", "value": patient_id(person)}]
    for version in reversed(versions):
        currency = "current" if version == versions[-1] else "historic"
        numbers.append({"extension": [coded(_CURRENCY, currency)], "system": MBI, "value": person.traits.mbi(version)})
    return numbers


def _number_in_period(person: Person, version: int, month: int) -> Resource:
    changes, first_days = person.life.mbi_changes, person.period.first_days
    began = first_days[changes[version - 1]] if version else person.traits.part_a_began
    period = {"start": began.isoformat()}
    if version < len(changes) and changes[version] <= month:
        period["end"] = first_days[changes[version]].isoformat()
    kind = concept((IDENTIFIER_TYPE, "MB"))
    return {"type": kind, "system": MBI, "value": person.traits.mbi(version), "period": period}


def coverages(person: Person, month: int, generation: Generation) -> list[Resource]:
    """The parts of Medicare that the person has, and the dual status."""
    return _by_period(person, month) if generation == "v3" else _by_year(person, month, generation)


def medicare_status(person: Person, month: int) -> str:
    """BENE_MDCR_STUS_CD: aged or disabled, with end-stage renal disease or without."""
    birth, on = person.traits.birth, person.period.first_days[month]
    age = on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))
    return ("1" if age >= 65 else "2") + ("1" if person.traits.renal_failure else "0")  # noqa: PLR2004 - entitled by age


def _by_year(person: Person, month: int, generation: Literal["v1", "v2"]) -> list[Resource]:
    texts = person.period.texts
    year = texts[month][:4]
    extensions = [
        {"url": VARIABLES + "rfrnc_yr", "valueDate": year},
        coded(VARIABLES + "ms_cd", medicare_status(person, month)),
        coded(VARIABLES + "orec", person.traits.original_entitlement),
    ]
    for number in range(person.life.entry, month + 1):
        if texts[number][:4] == year:
            extensions += _month_of_year(person, number, month)
    return [
        _part(person, month, generation, part, {"extension": extensions}) for part in ("Part A", "Part B", "Part C")
    ]


def _month_of_year(person: Person, month: int, known: int) -> list[Resource]:
    said, digits = person.life.as_known(month, known), person.period.texts[month][5:]
    return [
        coded(f"{VARIABLES}dual_{digits}", said.dual or "NA"),
        coded(f"{VARIABLES}buyin{digits}", person.life.buy_ins[month]),
        coded(f"{VARIABLES}ptc_cntrct_id_{digits}", (said.health_plan or _NO_CONTRACT).partition("-")[0]),
    ]


def _part(person: Person, month: int, generation: Generation, part: str, said: Resource) -> Resource:
    resource: Resource = {
        "resourceType": "Coverage",
        "id": f"{part.lower().replace(' ', '-').split('/')[0]}-{patient_id(person)}",
        "meta": _updated(person, month, generation),
        "status": "active",
        "beneficiary": {"reference": f"Patient/{patient_id(person)}"},
    }
    if generation == "v1":
        resource["grouping"] = {"subGroup": "Medicare", "subPlan": part}
    else:
        kind = concept(("http://terminology.hl7.org/CodeSystem/coverage-class", "plan"))
        resource["class"] = [{"type": kind, "value": part}]
    return resource | said


def _by_period(person: Person, month: int) -> list[Resource]:
    found: list[Resource] = []
    said: Resource
    life = person.life
    for part, period in (
        ("Part A", {"start": person.traits.part_a_began.isoformat()}),
        *(("Part B", period) for period in _part_b_periods(person, month)),
    ):
        extensions = [
            coded(STRUCTURE + name, code, SYSTEM + name)
            for name, code in (
                ("BENE-MDCR-STUS-CD", medicare_status(person, month)),
                ("BENE-BUYIN-CD", person.life.buy_ins[month]),
            )
        ]
        found.append(_part(person, month, "v3", part, _ended({"extension": extensions, "period": period})))
    for value, first, last in _runs(person, month, lambda number: life.as_known(number, month).health_plan):
        said = {
            "extension": [{"url": STRUCTURE + "BENE-CNTRCT-NUM", "valueString": value}],
            "period": _period(person, first, last, month),
        }
        found.append(_part(person, month, "v3", "Part C", _ended(said)))
    for value, first, last in _runs(person, month, lambda number: life.as_known(number, month).dual):
        code = coded(STRUCTURE + "BENE-DUAL-STUS-CD", value, SYSTEM + "BENE-DUAL-STUS-CD")
        state = coded(STRUCTURE + "MEDICAID-STATE-CD", STATE, "https://www.usps.com")
        said = {"extension": [code, state], "period": _period(person, first, last, month)}
        found.append(_part(person, month, "v3", "Dual Medicare/Medicaid", _ended(said)))
    return found


def _ended(said: Resource) -> Resource:
    return said | {"status": "cancelled"} if "end" in said["period"] else said


def _part_b_periods(person: Person, month: int) -> list[Resource]:
    """From the beginning of Part B, without the months in which it was lost."""
    life, began = person.life, person.traits.part_b_began.isoformat()
    runs = _runs(person, month, lambda number: "B" if part_a_and_b(life, number) else None)
    periods = [_period(person, first, last, month) for _, first, last in runs]
    if runs and runs[0][1] == life.entry:
        return [periods[0] | {"start": began}, *periods[1:]]
    lost = person.period.first_days[life.entry] - timedelta(days=1)
    return [{"start": began, "end": lost.isoformat()}, *periods]


def _runs(person: Person, month: int, value_of: Callable[[int], str | None]) -> list[tuple[str, int, int]]:
    """Value, first and last month of each run without change."""
    runs: list[tuple[str, int, int]] = []
    for number in range(person.life.entry, month + 1):
        value = value_of(number)
        if value is not None and runs and runs[-1][0] == value and runs[-1][2] == number - 1:
            runs[-1] = (value, runs[-1][1], number)
        elif value is not None:
            runs.append((value, number, number))
    return runs


def _period(person: Person, first: int, last: int, month: int) -> Resource:
    period = {"start": person.period.first_days[first].isoformat()}
    return period if last == month else period | {"end": person.period.last_days[last].isoformat()}
