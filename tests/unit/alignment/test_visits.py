"""What is kept of claims, and which version of a record is known when."""

import json
from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any

from contracts.claims import (
    Adjustment,
    MedicareClaim,
    MedicareClaimLine,
    MedicareClaimsDelivered,
    MedicareClaimsDeliveredData,
)
from services.alignment.paths_policy import paths_policy
from services.alignment.rules.claims_based import Visit
from services.alignment.visits import KnownRecord, VisitRecord, visit_records, visits_as_known

PERSON = f"p{1:032x}"
ON = date(2020, 8, 1)


def line(number: int = 1, **more: Any) -> MedicareClaimLine:
    values: dict[str, Any] = {
        "procedure_code": "99213", "place_of_service_code": "11", "provider_specialty_code": "08",
        "rendering_npi": "1999900016", "practice_tax_number": "310000001", "allowed_cents": 10_000,
    } | more  # fmt: skip
    return MedicareClaimLine(line_number=number, service_from=ON, service_through=ON, **values)


def kept(*lines: MedicareClaimLine, **more: Any) -> list[VisitRecord]:
    values: dict[str, Any] = {"claim_type_code": "71", "adjustment": Adjustment.ORIGINAL, "denied": False} | more
    claim = MedicareClaim(
        record_id="A", version=3, service_from=ON, service_through=ON, paid_cents=0, lines=lines, **values
    )
    event = MedicareClaimsDelivered.of(
        service="intake", key=PERSON, version="1", time=datetime(2022, 1, 1, tzinfo=UTC), delivery_id=f"d{7:032x}",
        sequence=7, data=MedicareClaimsDeliveredData(person_id=PERSON, state="OH", claims=(claim,)),
    )  # fmt: skip
    return list(visit_records(event, paths_policy()))


def visits(*lines: MedicareClaimLine, **more: Any) -> list[Visit]:
    (record,) = kept(*lines, **more)
    return [Visit(*visit) for visit in json.loads(record.lines)]


SEEN = Visit(ON.toordinal(), "", None, None, None, None, 0)
COUNTS = Visit(ON.toordinal(), "99213", "11", "08", "1999900016", "310000001", 10_000)


def test_a_line_that_may_count_is_kept_with_whose_it_is_and_what_it_is_worth() -> None:
    (record,) = kept(line())
    assert record[:4] == (PERSON, "A", 3, 7)
    assert visits(line()) == [COUNTS]


def test_a_cancelled_line_is_worth_less_than_nothing() -> None:
    assert visits(line(), adjustment=Adjustment.CANCELLATION) == [COUNTS._replace(cents=-10_000)]


def test_of_a_record_without_such_a_line_its_day_is_kept() -> None:
    assert visits(line(procedure_code="36415")) == [SEEN]
    assert visits(line(denied=True)) == [SEEN]
    assert visits(line(allowed_cents=None)) == [SEEN]
    assert visits(line(), denied=True) == [SEEN]
    assert visits(line(), line(2, procedure_code="36415")) == [COUNTS]


def test_other_claims_than_physicians_are_not_kept() -> None:
    assert kept(line(), claim_type_code="72") == []
    assert kept(claim_type_code="60") == []


def record(version: int, since: int, until: int | None = None, cents: int = 1, name: str = "A") -> KnownRecord:
    return KnownRecord(name, version, since, until, json.dumps([COUNTS._replace(cents=cents)]))


def test_the_newest_version_of_a_record_as_known_at_a_delivery_counts() -> None:
    records = (record(1, 1, cents=10), record(2, 4, cents=20), record(1, 6, cents=10), record(1, 2, cents=5, name="B"))
    for order in permutations(records):
        known = {at: sorted(visit.cents for visit in visits_as_known(order, at)) for at in (0, 1, 3, 4, 9)}
        assert known == {0: [], 1: [10], 3: [5, 10], 4: [5, 20], 9: [5, 20]}


def test_what_became_anothers_counts_no_more() -> None:
    assert visits_as_known([record(1, 1, until=5)], 4) != []
    assert visits_as_known([record(1, 1, until=5)], 5) == []
