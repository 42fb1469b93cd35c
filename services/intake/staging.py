"""Readings of one delivery, written down in the order in which they come, so that memory never holds a file.

Identifiers leave this module only as HMAC (to be looked up) or sealed (to be kept).
"""

from collections import Counter
from dataclasses import dataclass, field

from pydantic import BaseModel

from services.intake.assembling import CLAIMS, subject_of, subject_of_payload
from services.intake.changes import forget_people
from services.intake.contents import name_of
from services.intake.identity_decisions import require_signed
from services.intake.linkage import blocks_of, known, packed
from services.intake.quarantine import place_of_line
from services.intake.reading import (
    Defect,
    Demographics,
    EncodedClaims,
    EntityRecord,
    IdentityDecision,
    MbiChange,
    Observation,
    PersonRecord,
    PersonReference,
    Progress,
    Reading,
    RefusedDelivery,
)
from services.intake.rules.event_parts import in_parts
from services.intake.rules.record_linkage import linkage_policy
from services.intake.sealing import IdentityKeys
from services.runtime.database import Connection

# About 5 MB of claims: large enough for COPY to be cheap, small enough not to be noticed in memory.
READINGS_A_FLUSH = 5_000
CLAIM_BYTES_A_FLUSH = 8 * 1024 * 1024
# A delivery is refused by then: nobody can look through so many lines, and the layout is most likely wrong.
MOST_DEFECTS = 100_000
_MOST_REMEMBERED = 100_000
_TABLES = (
    "staged_record",
    "staged_entity",
    "staged_identifier",
    "staged_link",
    "staged_demographics",
    "staged_decision",
)
_COLUMNS = {
    "staged_record": ("lookup", "topic", "ordinal", "state", "feed", "claims", "payload"),
    "staged_entity": ("ordinal", "payload"),
    "staged_identifier": ("lookup", "kind", "person_id", "value_sealed", "ordinal", "issuer"),
    "staged_link": ("lookup", "other", "obsolete_on"),
    "staged_demographics": ("lookup", "fingerprint", "content_sealed", "blocks"),
    "staged_decision": ("verdict", "person_id", "other", "aliases", "actor", "reason"),
    "quarantined_line": ("delivery_id", "number", "file", "line", "field", "reason", "found", "expected", "raw_sealed"),
}


@dataclass(slots=True)
class Counts:
    """What a delivery held."""

    records: int = 0
    claims: int = 0
    quarantined: int = 0
    staged: int = 0
    contents: Counter[str] = field(default_factory=Counter)

    def count(self, reading: Reading) -> None:
        """Count a reading under what it is about."""
        if isinstance(reading, Observation):
            self.contents[reading.what] += reading.count
            return
        name = name_of(reading)
        if name is not None:
            self.contents[name] += len(reading.claims) if isinstance(reading, EncodedClaims) else 1


@dataclass(slots=True)
class Stager:
    """Collects readings and writes them in blocks."""

    delivery_id: str
    keys: IdentityKeys
    counts: Counts = field(default_factory=Counts)
    _rows: dict[str, list[tuple[object, ...]]] = field(default_factory=lambda: {table: [] for table in _COLUMNS})
    _lookups: dict[PersonReference, bytes] = field(default_factory=dict)
    _said: set[tuple[bytes, bytes]] = field(default_factory=set)
    _ordinal: int = 0
    _unwritten: int = 0
    _unwritten_bytes: int = 0

    @property
    def is_full(self) -> bool:
        """Time for :meth:`flush`."""
        return self._unwritten >= READINGS_A_FLUSH or self._unwritten_bytes >= CLAIM_BYTES_A_FLUSH

    def add(self, reading: Reading) -> None:
        """Take one reading. Raises :class:`RefusedDelivery` when there are too many defects."""
        self._ordinal += 1
        self._unwritten += 1
        self.counts.count(reading)
        if isinstance(reading, PersonRecord):
            self._add_record(reading)
        elif isinstance(reading, EncodedClaims):
            self._add_claims(reading)
        elif isinstance(reading, Defect):
            self._add_defect(reading)
        elif isinstance(reading, MbiChange):
            self._add_change(reading)
        elif isinstance(reading, Demographics):
            self._add_demographics(reading)
        elif isinstance(reading, IdentityDecision):
            self._add_decision(reading)
        elif not isinstance(reading, Observation | Progress):
            self._add_entity(reading)

    def _add_record(self, record: PersonRecord) -> None:
        subject = subject_of(record)
        references = record.references
        lookup = self._identified(references[0])
        for other in references[1:]:
            self._rows["staged_link"].append((lookup, self._identified(other), None))
        row = (lookup, int(subject), self._ordinal, record.state, record.feed, 1, _json(record.payload))
        self._rows["staged_record"].append(row)
        self.counts.records += 1
        self.counts.staged += 1
        self.counts.claims += subject in CLAIMS

    def _add_claims(self, read: EncodedClaims) -> None:
        subject = subject_of_payload(read.payload)
        lookup = self._identified(read.reference)
        for share in in_parts(read.claims):
            self._ordinal += 1
            row = (lookup, int(subject), self._ordinal, None, read.feed, len(share), b",".join(share))
            self._rows["staged_record"].append(row)
            self._unwritten_bytes += len(row[-1])
            self.counts.staged += 1
        self.counts.records += len(read.claims)
        self.counts.claims += len(read.claims) if subject in CLAIMS else 0

    def _add_change(self, change: MbiChange) -> None:
        # The older identifier first: whom it names was known first.
        previous = self._identified(PersonReference("mbi", change.previous))
        self._ordinal += 1
        current = self._identified(PersonReference("mbi", change.current))
        self._rows["staged_link"].append((previous, current, change.obsolete_on))
        self.counts.records += 1

    def _add_demographics(self, said: Demographics) -> None:
        """Beside a record of the same reference, which brings the identifier."""
        lookup, content = self.keys.lookup(said.reference), known(said, linkage_policy())
        fingerprint = self.keys.blinded("demographics", packed(content))
        if (lookup, fingerprint) in self._said:
            return
        if len(self._said) >= _MOST_REMEMBERED:
            self._said.clear()
        self._said.add((lookup, fingerprint))
        sealed = self.keys.seal(packed(content), lookup + fingerprint)
        blocks = [self.keys.blinded("block", block.encode()) for block in blocks_of(content)]
        self._rows["staged_demographics"].append((lookup, fingerprint, sealed, blocks))

    def _add_decision(self, decision: IdentityDecision) -> None:
        require_signed(decision, self.keys)
        row = (decision.verdict, decision.person_id, decision.other, list(decision.aliases))
        self._rows["staged_decision"].append((*row, decision.actor, decision.reason))
        self.counts.records += 1

    def _add_entity(self, record: EntityRecord) -> None:
        self._rows["staged_entity"].append((self._ordinal, _json(record.payload)))
        self.counts.records += len(record.payload.providers)
        self.counts.staged += 1

    def _add_defect(self, defect: Defect) -> None:
        self.counts.quarantined += 1
        if self.counts.quarantined > MOST_DEFECTS:
            raise RefusedDelivery("too_many_defects", f"more than {MOST_DEFECTS} lines cannot be read")
        raw = self.keys.lines.seal(defect.raw, place_of_line(self.delivery_id, self.counts.quarantined))
        place = (self.delivery_id, self.counts.quarantined, defect.file, defect.line, defect.field)
        self._rows["quarantined_line"].append((*place, defect.reason, defect.found, defect.expected, raw))

    def _identified(self, reference: PersonReference) -> bytes:
        lookup = self._lookups.get(reference)
        if lookup is None:
            lookup = self.keys.lookup(reference)
            sealed = self.keys.seal(reference.value.encode(), lookup)
            person_id = self.keys.person_id(reference)
            issuer = reference.value.partition(":")[0] if reference.kind == "medicaid" else None
            row = (lookup, reference.kind, person_id, sealed, self._ordinal, issuer)
            self._rows["staged_identifier"].append(row)
            if len(self._lookups) >= _MOST_REMEMBERED:
                # Forgetting costs a second row about the same identifier, which is dropped when people are resolved.
                self._lookups.clear()
            self._lookups[reference] = lookup
        return lookup

    async def flush(self, connection: Connection) -> None:
        """Write what was collected."""
        for table, rows in self._rows.items():
            if rows:
                await connection.copy_records_to_table(table, records=rows, columns=_COLUMNS[table])
                rows.clear()
        self._unwritten = self._unwritten_bytes = 0


def _json(payload: BaseModel) -> bytes:
    encoded: bytes = payload.__pydantic_serializer__.to_json(payload, exclude_none=True)
    return encoded


async def clear(connection: Connection, delivery_id: str) -> None:
    """Forget what a former attempt at this delivery, or the delivery before, has left."""
    async with connection.transaction():
        await clear_staged(connection)
        await connection.execute("DELETE FROM quarantined_line WHERE delivery_id = $1", delivery_id)
        await forget_people(connection, delivery_id)


async def clear_staged(connection: Connection) -> None:
    """Empty the staging tables."""
    await connection.execute(f"TRUNCATE {', '.join(_TABLES)}")


async def staged_count(connection: Connection) -> int:
    """How many records lie in staging; none after a crash of the server."""
    count: int = await connection.fetchval(
        "SELECT (SELECT count(*) FROM staged_record) + (SELECT count(*) FROM staged_entity)"
    )
    return count
