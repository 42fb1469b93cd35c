"""Events made of records that are encoded already: every record is turned into JSON once, when it is read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum

from pydantic import TypeAdapter

from contracts.alignment import (
    AlignmentReported,
    AlignmentReportedData,
    DesignationRecorded,
    DesignationRecordedData,
    ProviderAlignmentReported,
    ProviderAlignmentReportedData,
    SharingPreferenceStated,
    SharingPreferenceStatedData,
)
from contracts.claims import (
    MedicaidClaim,
    MedicaidClaimsDelivered,
    MedicareClaim,
    MedicareClaimsDelivered,
    PartDEvent,
    PartDEventsDelivered,
    PreliminaryMedicareClaimsDelivered,
)
from contracts.coverage import MedicareCoverageStated, MedicareCoverageStatedData
from contracts.envelope import event_id
from contracts.medicaid import (
    MedicaidEnrolmentStated,
    MedicaidEnrolmentStatedData,
    MedicaidPremiumsPaid,
    PremiumPayment,
)
from contracts.provider import ProviderRosterStated, ProviderRosterStatedData
from contracts.topics import TOPIC_BY_TYPE, EventClass
from services.intake.reading import UNRESOLVED_PERSON, PersonPayload, PersonRecord
from services.intake.rules.event_parts import in_parts
from services.intake.rules.one_provider_report import one_provider_report
from services.intake.rules.one_report import one_report
from services.runtime.outbox import Outgoing
from services.runtime.partitioning import partition_of


class Subject(IntEnum):
    """What a staged record is about; the number is its place in the order of a person's events."""

    COVERAGE = 1
    ENROLMENT = 2
    ALIGNMENT_REPORT = 3
    MEDICARE_CLAIMS = 4
    MEDICAID_CLAIMS = 5
    PRELIMINARY_CLAIMS = 6
    PART_D_EVENTS = 7
    PREMIUMS = 8
    PROVIDER_ALIGNMENT = 9
    SHARING_PREFERENCE = 10
    DESIGNATION = 11


_SUBJECT_OF: dict[type[PersonPayload], Subject] = {
    MedicareCoverageStatedData: Subject.COVERAGE,
    MedicaidEnrolmentStatedData: Subject.ENROLMENT,
    AlignmentReportedData: Subject.ALIGNMENT_REPORT,
    MedicareClaim: Subject.MEDICARE_CLAIMS,
    MedicaidClaim: Subject.MEDICAID_CLAIMS,
    PartDEvent: Subject.PART_D_EVENTS,
    PremiumPayment: Subject.PREMIUMS,
    ProviderAlignmentReportedData: Subject.PROVIDER_ALIGNMENT,
    SharingPreferenceStatedData: Subject.SHARING_PREFERENCE,
    DesignationRecordedData: Subject.DESIGNATION,
}
_EVENT: dict[Subject, EventClass] = {
    Subject.COVERAGE: MedicareCoverageStated,
    Subject.ENROLMENT: MedicaidEnrolmentStated,
    Subject.ALIGNMENT_REPORT: AlignmentReported,
    Subject.MEDICARE_CLAIMS: MedicareClaimsDelivered,
    Subject.MEDICAID_CLAIMS: MedicaidClaimsDelivered,
    Subject.PRELIMINARY_CLAIMS: PreliminaryMedicareClaimsDelivered,
    Subject.PART_D_EVENTS: PartDEventsDelivered,
    Subject.PREMIUMS: MedicaidPremiumsPaid,
    Subject.PROVIDER_ALIGNMENT: ProviderAlignmentReported,
    Subject.SHARING_PREFERENCE: SharingPreferenceStated,
    Subject.DESIGNATION: DesignationRecorded,
}
# What the count of a delivery's claims counts.
CLAIMS = frozenset({Subject.MEDICARE_CLAIMS, Subject.MEDICAID_CLAIMS})
# Many of them make one event, under this name.
_LIST_NAME: dict[Subject, bytes] = {
    **dict.fromkeys((*CLAIMS, Subject.PRELIMINARY_CLAIMS, Subject.PART_D_EVENTS), b"claims"),
    Subject.PREMIUMS: b"payments",
}

_PLACEHOLDER_LENGTH = len(f'{{"person_id":"{UNRESOLVED_PERSON}","state":"XX"')


def subject_of(record: PersonRecord) -> Subject:
    """What a record is about."""
    return Subject.PRELIMINARY_CLAIMS if record.preliminary else subject_of_payload(type(record.payload))


def subject_of_payload(payload: type[PersonPayload]) -> Subject:
    """What records of a type are about."""
    return _SUBJECT_OF[payload]


@dataclass(frozen=True, slots=True)
class Assembler:
    """Makes the events of one delivery. Their bytes are those of :meth:`contracts.envelope.Event.encode`."""

    delivery_id: str
    sequence: int
    time: datetime
    _time_text: str = field(init=False)

    def __post_init__(self) -> None:
        text = TypeAdapter(datetime).dump_json(self.time.astimezone(UTC)).decode()
        object.__setattr__(self, "_time_text", text)

    def about_person(  # noqa: PLR0913, PLR0917 - what makes one event of a person differ from another
        self,
        person_id: str,
        subject: Subject,
        state: str,
        records: Sequence[bytes],
        feed: str | None = None,
        counts: Sequence[int] | None = None,
        alias: str | None = None,
    ) -> Iterator[Outgoing]:
        """The events of one person about one subject, and of one feed where it is about claims.

        ``counts`` says how many claims each record holds; without it each is one. ``alias`` is by what the source
        named the person.
        """
        alias = None if alias == person_id else alias
        opening = f'{{"person_id":"{person_id}","state":"{state}"'.encode()
        if subject is Subject.ALIGNMENT_REPORT and len(records) > 1:
            records = [_one_report(records)]
        if subject is Subject.PROVIDER_ALIGNMENT and len(records) > 1:
            records = _one_provider_report(records)
        if subject in _LIST_NAME:
            datas = _lists(opening, feed, _LIST_NAME[subject], list(in_parts(records, counts=counts)))
        else:
            datas = (opening + record[_PLACEHOLDER_LENGTH:] for record in records)
        version = ":".join(part for part in (state, feed, alias) if part is not None)
        for number, data in enumerate(datas, start=1):
            yield self._event(_EVENT[subject], person_id, f"{version}:{number}", data, alias)

    def about_entity(self, record: bytes) -> Outgoing:
        """A page of an entity's roster."""
        page = ProviderRosterStatedData.model_validate_json(record)
        return self._event(ProviderRosterStated, f"{page.entity_id}:{page.page}", page.state, record)

    def _event(self, event: EventClass, key: str, version: str, data: bytes, alias: str | None = None) -> Outgoing:
        identity = event_id(event.TYPE, key, f"{self.delivery_id}:{self.sequence}:{version}")
        topic = TOPIC_BY_TYPE[event.TYPE]
        opening = (
            f'{{"specversion":"1.0","id":"{identity}","source":"/tandem/intake","type":"{event.TYPE}",'
            f'"subject":"{key}","time":{self._time_text},"datacontenttype":"application/json",'
            f'"deliveryid":"{self.delivery_id}","deliveryseq":{self.sequence},'
        )
        opening += '"data":' if alias is None else f'"alias":"{alias}","data":'
        payload = b"".join((opening.encode(), data, b"}"))
        return Outgoing(topic.name, partition_of(key.encode(), topic.partitions), key.encode(), payload, fence=False)


def _lists(opening: bytes, feed: str | None, name: bytes, shares: Sequence[list[bytes]]) -> Iterator[bytes]:
    fed = b"" if feed is None else b',"feed":"%s"' % feed.encode()
    for part, share in enumerate(shares, start=1):
        numbers = b',"part":%d,"parts":%d' % (part, len(shares))
        yield opening + numbers + fed + b',"' + name + b'":[' + b",".join(share) + b"]}"


def _one_report(records: Sequence[bytes]) -> bytes:
    report = one_report([AlignmentReportedData.model_validate_json(record) for record in records])
    return report.model_dump_json(exclude_none=True).encode()


def _one_provider_report(records: Sequence[bytes]) -> list[bytes]:
    rows = [ProviderAlignmentReportedData.model_validate_json(record) for record in records]
    return [report.model_dump_json(exclude_none=True).encode() for report in one_provider_report(rows)]
