"""From a state's bytes to a decision: what a reader states is what alignment holds, month by month."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.alignment import Outcome
from contracts.delivery import DeliveryKind
from contracts.medicaid import MedicaidEnrolmentStated, MedicaidEnrolmentStatedData
from contracts.months import month_index
from services.alignment.programme import programme
from services.alignment.rules.full_dual import full_dual
from services.alignment.rules.in_our_mco import in_our_mco
from services.alignment.rules.knowledge import Knowledge
from services.alignment.statements import Fact, fact_of
from services.intake.reading import PersonRecord, Source
from services.intake.registry import reader_of, recognise

PERSON, DELIVERY = "p" + "1" * 32, "d" + "2" * 32
HEADER = (
    "MBR_H_SID,MEDICAID_RECIPIENT_ID,FIRST_NAME,LAST_NAME,BIRTH_DATE,GENDER,RAC_CODE,RAC_NAME,RAC_FROM_DATE,RAC_TO_DATE,"
    "COVERAGE_TYPE_IND,MC_PRVDR_ID,DUALELIGIBLE_INDICATOR,RSDNTL_COUNTY_CODE\n"
)
MONTHS = ("2022-01", "2022-03", "2022-04", "2022-06", "2022-07")


def row(person: str, code: str, first: str, last: str, level: str = "Full Dual") -> str:
    return f"1,{person},JO,DOE,1945-06-12,Female,{code},any,{first},{last},MC,MCO9001,{level},033\n"


def others(last: str) -> str:
    return "".join(row(f"X{number}", "1104", "2022-01-01", last) for number in range(9))


def facts(folder: Path, *quarters: tuple[str, str]) -> Iterator[Fact]:
    """What each quarter's file states of one person, in the order of delivery."""
    for sequence, (delivered, text) in enumerate(quarters, start=1):
        path = folder / f"{sequence}.csv"
        path.write_text(HEADER + text, encoding="utf-8")
        found = recognise(path, date.fromisoformat(delivered))
        assert found.kind is DeliveryKind.STATE_ELIGIBILITY
        for reading in reader_of(found.kind)(Source(found.kind, path.name, (path,), found.dated, False, "OH")):
            if isinstance(reading, PersonRecord) and reading.references[-1].value == "WA:W1":
                assert isinstance(reading.payload, MedicaidEnrolmentStatedData)
                yield fact_of(_event(reading.payload.model_copy(update={"person_id": PERSON}), sequence))


def _event(data: MedicaidEnrolmentStatedData, sequence: int) -> MedicaidEnrolmentStated:
    return MedicaidEnrolmentStated.of(
        service="intake",
        key=PERSON,
        version=str(sequence),
        time=datetime(2022, 1, 1, tzinfo=UTC),
        delivery_id=DELIVERY,
        sequence=sequence,
        data=data,
    )


def duals(found: Iterator[Fact]) -> list[Outcome]:
    knowledge = _knowledge(found)
    return [full_dual(knowledge.about(month_index(month))).outcome for month in MONTHS]


def _knowledge(found: Iterator[Fact]) -> Knowledge:
    knowledge = Knowledge(programme())
    for fact in found:
        knowledge.add(fact)
    return knowledge


DUAL, UNKNOWN, NOT_DUAL = Outcome.PASS, Outcome.UNKNOWN, Outcome.FAIL
WHOLE = ("2022-07-10", row("W1", "1104", "2022-01-01", "2022-06-30") + others("2022-06-30"))
CASES: list[tuple[str, tuple[tuple[str, str], ...], list[Outcome]]] = [
    ("a whole file", (WHOLE,), [DUAL, DUAL, DUAL, DUAL, UNKNOWN]),
    (
        "a file that ends early",
        (("2022-07-10", row("W1", "1104", "2022-01-01", "2022-03-31") + others("2022-03-31")),),
        [DUAL, DUAL, UNKNOWN, UNKNOWN, UNKNOWN],
    ),
    (
        "a file that ends early after a whole one",
        (WHOLE, ("2022-07-20", row("W1", "1104", "2022-01-01", "2022-03-31") + others("2022-03-31"))),
        [DUAL, DUAL, DUAL, DUAL, UNKNOWN],
    ),
    (
        "a person who left in March, of whom the whole file knows",
        (("2022-07-10", row("W1", "1104", "2022-01-01", "2022-03-31") + others("2022-06-30")),),
        [DUAL, DUAL, UNKNOWN, UNKNOWN, UNKNOWN],
    ),
    (
        "a person who became a Medicaid member without Medicare",
        (
            (
                "2022-07-10",
                row("W1", "1104", "2022-01-01", "2022-03-31")
                + row("W1", "1201", "2022-04-01", "2022-06-30", "Non-Dual")
                + others("2022-06-30"),
            ),
        ),
        [DUAL, DUAL, NOT_DUAL, NOT_DUAL, UNKNOWN],
    ),
    (
        "a renamed code after a whole file",
        (WHOLE, ("2022-07-20", row("W1", "1104-N", "2022-01-01", "2022-06-30") + others("2022-06-30"))),
        [DUAL, DUAL, DUAL, DUAL, UNKNOWN],
    ),
    (
        "a misspelt benefit level in one of two rows, after a whole file",
        (
            WHOLE,
            (
                "2022-07-20",
                row("W1", "1104", "2022-01-01", "2022-03-31")
                + row("W1", "1104", "2022-04-01", "2022-06-30", "Full-Dual")
                + others("2022-06-30"),
            ),
        ),
        [DUAL, DUAL, DUAL, DUAL, UNKNOWN],
    ),
    (
        "two programmes in the same months, ranked",
        (
            (
                "2022-07-10",
                row("W1", "1104", "2022-01-01", "2022-06-30")
                + row("W1", "1201", "2022-03-01", "2022-06-30", "Non-Dual")
                + others("2022-06-30"),
            ),
        ),
        [DUAL, DUAL, DUAL, DUAL, UNKNOWN],
    ),
]


@pytest.mark.parametrize(("case", "quarters", "outcomes"), CASES, ids=[case for case, *_ in CASES])
def test_what_a_file_makes_of_a_dual(
    tmp_path: Path, case: str, quarters: tuple[tuple[str, str], ...], outcomes: list[Outcome]
) -> None:
    assert duals(facts(tmp_path, *quarters)) == outcomes, case


def test_the_end_of_an_enrolment_is_known_within_the_horizon_only(tmp_path: Path) -> None:
    left = ("2022-07-10", row("W1", "1104", "2022-01-01", "2022-03-31") + others("2022-06-30"))
    knowledge = _knowledge(facts(tmp_path, left))
    entity: Any = programme().entities[0]
    found = {month: in_our_mco(knowledge.about(month_index(month)), entity) for month in MONTHS}
    assert [answer.reason for answer in found.values()] == [
        None, None, "MCO_DISENROLLED", "MCO_DISENROLLED", "NO_ENROLMENT_STATED",
    ]  # fmt: skip


def test_the_programme_of_a_month_is_kept_with_its_basis(tmp_path: Path) -> None:
    text = row("W1", "1104", "2022-01-01", "2022-06-30") + row("W1", "1201", "2022-03-01", "2022-06-30", "Non-Dual")
    (fact,) = facts(tmp_path, ("2022-07-10", text + others("2022-06-30")))
    told = [(span.programme, span.programme_basis) for span in fact.enrolment]
    assert told == [("qmb_plus", "row 2 says 1104"), ("qmb_plus", "row 2 says 1104, ranked before row 3: 1201")]
