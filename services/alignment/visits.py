"""What alignment keeps of Medicare claims: of each record of a physician's claim the lines that could ever qualify.

Whether a line does qualify is judged when somebody is aligned, by the pack of the year: here only what no pack counts at
any time, and what was denied, is let go. A record without such a line is kept too, as a visit without a code on its day:
it may take the place of an older version that had one, and it says that claims of that time were seen at all. Source of versions and signs: CCLF Information Packet v36.0, 5.3.1.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import chain, starmap
from typing import NamedTuple

from pydantic_core import from_json

from contracts.claims import Adjustment, MedicareClaim, MedicareClaimLine, MedicareClaimsDelivered
from services.alignment.paths_policy import PathsPolicy
from services.alignment.rules.claims_based import Visit


class VisitRecord(NamedTuple):
    """One version of one record of a claim. ``lines`` is its visits, compact."""

    person_id: str
    record_id: str
    version: int
    sequence: int
    lines: str
    alias: str


class KnownRecord(NamedTuple):
    """A stored record, and the deliveries between which it counts under its person."""

    record_id: str
    version: int
    since: int
    until: int | None
    lines: str


def visit_records(event: MedicareClaimsDelivered, policy: PathsPolicy) -> Iterator[VisitRecord]:
    """Give what is kept of an event's claims."""
    data = event.data
    for claim in data.claims:
        if claim.claim_type_code in policy.claim_types:
            lines = json.dumps(_visits(claim, policy), separators=(",", ":"))
            yield VisitRecord(data.person_id, claim.record_id, claim.version, event.deliveryseq, lines, event.named_by)


def _visits(claim: MedicareClaim, policy: PathsPolicy) -> list[Visit]:
    sign = -1 if claim.adjustment is Adjustment.CANCELLATION else 1
    lines = () if claim.denied else claim.lines
    visits = [_visit(line, sign) for line in lines if _could_count(line, policy)]
    return visits or [Visit(claim.service_from.toordinal(), "", None, None, None, None, 0)]


def _could_count(line: MedicareClaimLine, policy: PathsPolicy) -> bool:
    # Without an allowed amount there is nothing that a visit could be worth.
    return line.procedure_code in policy.codes and not line.denied and bool(line.allowed_cents)


def _visit(line: MedicareClaimLine, sign: int) -> Visit:
    return Visit(
        line.service_from.toordinal(),
        line.procedure_code or "",
        line.place_of_service_code,
        line.provider_specialty_code,
        line.rendering_npi,
        line.practice_tax_number,
        sign * (line.allowed_cents or 0),
    )


def visits_as_known(records: Iterable[KnownRecord], sequence: int) -> list[Visit]:
    """The visits of one person as known at a delivery: those of the newest version of each record, in no order."""
    newest: dict[str, KnownRecord] = {}
    for record in records:
        if record.since <= sequence and (record.until is None or sequence < record.until):
            there = newest.get(record.record_id)
            if there is None or there.version < record.version:
                newest[record.record_id] = record
    return visits_in(record.lines for record in newest.values())


def visits_in(lines: Iterable[str]) -> list[Visit]:
    """The visits that are kept of some records."""
    return list(starmap(Visit, chain.from_iterable(from_json(f"[{','.join(lines)}]"))))
