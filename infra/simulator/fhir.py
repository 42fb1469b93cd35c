"""Medicare's claims and people as FHIR resources in three versions, month by month, one file a type of resource.

Versions 1 (STU3) and 2 (R4) are made from the Chronic Conditions Warehouse and deliver no cancellations: a claim that
is cancelled comes again with status ``cancelled``. Version 3 (R4) is made from the Integrated Data Repository and
delivers every record that CCLF does.
"""

from collections.abc import Iterator
from typing import Final

from contracts.delivery import DeliveryKind
from infra.simulator import fhir_v1_v2, fhir_v3
from infra.simulator.arrivals import arrivals
from infra.simulator.claim_facts import adjudicated_on
from infra.simulator.claims import MedicareClaim
from infra.simulator.fhir_coverage import Generation, coverages, patient
from infra.simulator.fhir_elements import Record, Resource, line_of_text
from infra.simulator.period import Period
from infra.simulator.person import Person
from infra.simulator.spool import Spool

# In the order in which they are to be taken: who the people are, then what is said about them.
RESOURCE_TYPES: Final = {
    "Patient": DeliveryKind.FHIR_PATIENT,
    "Coverage": DeliveryKind.FHIR_COVERAGE,
    "ExplanationOfBenefit": DeliveryKind.EXPLANATION_OF_BENEFIT,
}
_CANCELLATION: Final = "1"


def spool_fhir(spool: Spool, person: Person, claims: list[MedicareClaim], generation: Generation) -> None:
    """All that the person's files say, under the keys of :func:`key_of`."""
    for (month, feed, _), texts in arrivals(person, _by_month(person, claims, generation)):
        for text in texts:
            spool.append(key_of(generation, feed, "ExplanationOfBenefit", month), text)
        if month <= person.life.last_stated:
            spool.append(key_of(generation, feed, "Patient", month), line_of_text(patient(person, month, generation)))
            for coverage in coverages(person, month, generation):
                spool.append(key_of(generation, feed, "Coverage", month), line_of_text(coverage))


def key_of(generation: Generation, feed: str, resource_type: str, month: int) -> tuple[str, ...]:
    """Under which key the spool holds the lines of a file."""
    return ("fhir", generation, feed, resource_type, str(month))


def _by_month(person: Person, claims: list[MedicareClaim], generation: Generation) -> list[list[str]]:
    """Lines by the month in which they arrive."""
    by_month: list[list[str]] = [[] for _ in range(person.period.last_delivery + 1)]
    for claim in claims:
        for month, resource in _explanations(person, claim, generation):
            by_month[month].append(line_of_text(resource))
    return by_month


def _explanations(person: Person, claim: MedicareClaim, generation: Generation) -> Iterator[tuple[int, Resource]]:
    for version in claim.versions:
        if generation == "v3":
            yield version.delivery, fhir_v3.explanation(Record(person, claim, version))
            continue
        record = Record(person, claim, version)
        if version.kind == _CANCELLATION:
            on = adjudicated_on(person.period, version.delivery, version.number)
            record = Record(person, claim, claim.versions[0], withdrawn_on=on)
        yield version.delivery, fhir_v1_v2.explanation(record, generation)


def file_name(generation: Generation, feed: str, resource_type: str, period: Period, month: int) -> str:
    """Sorts as the files are to be taken: ``D9001.BULK-V3.1-Patient.D220110.ndjson``."""
    place = list(RESOURCE_TYPES).index(resource_type) + 1
    on = period.first_days[month].replace(day=10)
    return f"{feed}.BULK-{generation.upper()}.{place}-{resource_type}.D{on:%y%m%d}.ndjson"
