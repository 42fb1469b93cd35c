"""Events put together from encoded records are, byte for byte, the events that the contracts would write."""

from datetime import UTC, date, datetime

from contracts.alignment import AlignmentReported, AlignmentReportedData, ReportedSpan
from contracts.claims import (
    MOST_CLAIMS_AN_EVENT,
    Adjustment,
    MedicareClaim,
    MedicareClaimsDelivered,
    MedicareClaimsDeliveredData,
)
from contracts.coverage import (
    CoverageSource,
    MedicareCoverageSpan,
    MedicareCoverageStated,
    MedicareCoverageStatedData,
)
from contracts.provider import ParticipantProvider, ProviderRosterStated, ProviderRosterStatedData
from services.intake.assembling import Assembler, Subject
from services.intake.reading import UNRESOLVED_PERSON
from services.runtime.outbox import outgoing

PERSON = "p" + "ab" * 16
DELIVERY = "d" + "cd" * 16
TIME = datetime(2022, 2, 10, 6, 30, 15, 250000, tzinfo=UTC)
ASSEMBLER = Assembler(DELIVERY, 7, TIME)


def claim(number: int) -> MedicareClaim:
    return MedicareClaim(
        record_id=str(number),
        version=1,
        claim_type_code="60",
        adjustment=Adjustment.ORIGINAL,
        service_from=date(2022, 1, 1),
        service_through=date(2022, 1, 2),
        paid_cents=number,
    )


def encoded(model: MedicareClaim | MedicareCoverageStatedData | AlignmentReportedData) -> bytes:
    return model.model_dump_json(exclude_none=True).encode()


def test_claims_are_the_event_that_the_contract_writes() -> None:
    claims = tuple(claim(number) for number in range(3))
    (made,) = ASSEMBLER.about_person(PERSON, Subject.MEDICARE_CLAIMS, "OH", [encoded(item) for item in claims])
    expected = MedicareClaimsDelivered.of(
        service="intake",
        key=PERSON,
        version=f"{DELIVERY}:7:OH:1",
        time=TIME,
        delivery_id=DELIVERY,
        sequence=7,
        data=MedicareClaimsDeliveredData(person_id=PERSON, state="OH", claims=claims),
    )
    assert made == outgoing(expected)


def test_many_claims_become_parts_that_say_so() -> None:
    payloads = [encoded(claim(number)) for number in range(MOST_CLAIMS_AN_EVENT + 1)]
    made = list(ASSEMBLER.about_person(PERSON, Subject.MEDICARE_CLAIMS, "OH", payloads))
    events = [MedicareClaimsDelivered.model_validate_json(event.payload) for event in made]
    assert [(event.data.part, event.data.parts, len(event.data.claims)) for event in events] == [
        (1, 2, MOST_CLAIMS_AN_EVENT),
        (2, 2, 1),
    ]
    assert len({event.id for event in events}) == 2


def test_a_statement_gets_its_person_and_state() -> None:
    stated = MedicareCoverageStatedData(
        person_id=UNRESOLVED_PERSON,
        state="OH",
        source=CoverageSource.CCLF8,
        stated_on=date(2022, 2, 10),
        spans=(MedicareCoverageSpan(first_month="2022-02", last_month="2022-02"),),
    )
    (made,) = ASSEMBLER.about_person(PERSON, Subject.COVERAGE, "PA", [encoded(stated)])
    event = MedicareCoverageStated.model_validate_json(made.payload)
    assert event.encode() == made.payload
    assert event.data == stated.model_copy(update={"person_id": PERSON, "state": "PA"})


def report(*months: str) -> AlignmentReportedData:
    return AlignmentReportedData(
        person_id=UNRESOLVED_PERSON,
        state="OH",
        entity_id="D9001",
        report_month="2022-02",
        stated_on=date(2022, 2, 10),
        spans=tuple(ReportedSpan(first_month=month) for month in months),
    )


def test_the_rows_of_one_person_are_one_report() -> None:
    rows = [encoded(report("2022-02")), encoded(report("2021-05"))]
    (made,) = ASSEMBLER.about_person(PERSON, Subject.ALIGNMENT_REPORT, "OH", rows)
    event = AlignmentReported.model_validate_json(made.payload)
    assert [span.first_month for span in event.data.spans] == ["2021-05", "2022-02"]
    assert event.encode() == made.payload


def test_a_roster_page_is_keyed_by_entity_and_page() -> None:
    page = ProviderRosterStatedData(
        entity_id="D9001",
        state="OH",
        stated_on=date(2022, 2, 10),
        page=2,
        pages=2,
        providers=(ParticipantProvider(npi="1999900016", first_month="2022-01"),),
    )
    made = ASSEMBLER.about_entity(page.model_dump_json(exclude_none=True).encode())
    assert made.key == b"D9001:2"
    assert ProviderRosterStated.model_validate_json(made.payload).encode() == made.payload


def test_the_same_delivery_always_makes_the_same_events() -> None:
    first, second = (
        list(Assembler(DELIVERY, 7, TIME).about_person(PERSON, Subject.MEDICARE_CLAIMS, "OH", [encoded(claim(1))]))
        for _ in range(2)
    )
    assert first == second
