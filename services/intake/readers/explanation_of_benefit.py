"""Reader of FHIR ExplanationOfBenefit NDJSON as CMS's bulk APIs deliver it (BCDA, AB2D, DPC), plain or gzipped.

One resource a line, read one at a time: memory does not grow with the file. Drug events (Part D) are outside of the
Parts A and B expenditure; they and prior authorisations are counted by :func:`tally` and give no record.
Must not know how people are resolved, stored or sent.
"""

import gzip
import json
import re
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import IO, NoReturn, cast

from contracts.claims import MedicareClaim
from contracts.delivery import DeliveryKind
from contracts.identifiers import MbiError, normalise_mbi
from contracts.money import dollars_text
from services.intake.readers import fhir_claim_fields as fields
from services.intake.readers.fhir_claim import Skipped, UnreadableClaim, claim_from, claim_kind, skipped
from services.intake.readers.fhir_path import Json, first_text
from services.intake.reading import Defect, PersonRecord, PersonReference, Reading, RefusedDelivery, Source

# The longest EOB of the public samples is below 200 kB; a line above this is no resource and must not fill memory.
MOST_LINE_BYTES = 4 * 1024 * 1024
_RAW_KEPT_BYTES = 4096
# JSON can write what no event and no database can hold: NUL, and halves of surrogate pairs, escaped or as they are.
_UNSTORABLE = re.compile(
    rb"\x00|\\u0000|\xed[\xa0-\xbf]"
    rb"|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]"
)


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _lines(path: Path) -> Iterator[bytes]:
    """Read the lines of a file, none longer than one byte above the limit; the rest of a longer one is passed over."""
    with _open(path) as file:
        while line := file.readline(MOST_LINE_BYTES + 1):
            yield line
            while len(line) > MOST_LINE_BYTES and not line.endswith(b"\n"):
                line = file.readline(MOST_LINE_BYTES + 1)
                if not line:
                    return


def _numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        yield from ((number, line) for number, line in enumerate(_lines(path), 1) if line.strip())
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise RefusedDelivery("archive_damaged", "the compressed file cannot be read to its end") from None


def _refuse_constant(_: str) -> NoReturn:
    raise UnreadableClaim("not_json")


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnreadableClaim("duplicate_key")
    return found


def _resource(line: bytes) -> Json:
    if len(line) > MOST_LINE_BYTES:
        raise UnreadableClaim("line_too_long")
    if _UNSTORABLE.search(line):
        raise UnreadableClaim("unstorable_character")
    try:
        resource: Json = json.loads(
            line, parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_unique
        )
    except RecursionError:
        raise UnreadableClaim("nested_too_deeply") from None
    except ValueError:
        raise UnreadableClaim("not_json") from None
    if first_text(resource, ("resourceType",)) != "ExplanationOfBenefit":
        raise UnreadableClaim("not_an_explanation_of_benefit", "resourceType")
    return resource


def _references(resource: Json, source: Source) -> tuple[PersonReference, ...]:
    """List the MBI if the resource carries one, then the patient resource that it names."""
    found: list[PersonReference] = []
    if (mbi := first_text(resource, fields.MBI)) is not None:
        try:
            found.append(PersonReference("mbi", normalise_mbi(mbi, synthetic=source.synthetic_identifiers)))
        except MbiError:
            raise UnreadableClaim("mbi_malformed", "patient.identifier") from None
    patient = (first_text(resource, fields.PATIENT) or "").rpartition("/")[2]
    if patient:
        found.append(PersonReference("fhir_patient", patient))
    if not found:
        raise UnreadableClaim("patient_missing", "patient.reference")
    return tuple(found)


def _record(line: bytes, source: Source) -> PersonRecord | Skipped:
    resource = _resource(line)
    left_out = skipped(resource)
    if left_out is not None:
        return left_out
    try:
        claim = claim_from(resource, source.dated)
    except UnreadableClaim:
        raise
    except ValueError:
        raise UnreadableClaim("outside_of_contract") from None
    return PersonRecord(_references(resource, source), None, claim)


def _outcomes(source: Source) -> Iterator[tuple[bytes, PersonRecord | Skipped | Defect]]:
    for path in source.paths:
        for number, line in _numbered_lines(path):
            try:
                yield line, _record(line, source)
            except UnreadableClaim as why:
                yield line, Defect(path.name, number, why.field, why.reason, line[:_RAW_KEPT_BYTES])


def read(source: Source) -> Iterator[Reading]:
    """Claims of the people that the delivery speaks of, and its defective lines.

    Raises :class:`RefusedDelivery` when a compressed file is damaged or holds no line at all.
    """
    lines = 0
    for _, outcome in _outcomes(source):
        lines += 1
        if not isinstance(outcome, Skipped):
            yield outcome
    if not lines:
        raise RefusedDelivery("delivery_empty", "no line in any file")


@dataclass(slots=True)
class Tally:
    """What became of one kind of resource."""

    read: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    defects: Counter[str] = field(default_factory=Counter)
    people: set[str] = field(default_factory=set)
    diagnoses: int = 0
    paid_cents: int = 0
    line_paid_cents: int = 0

    def _claim(self, claim: MedicareClaim, person: str) -> None:
        self.read += 1
        self.people.add(person)
        self.diagnoses += len(claim.diagnosis_codes)
        self.paid_cents += claim.paid_cents
        self.line_paid_cents += sum(line.paid_cents or 0 for line in claim.lines)

    def add(self, outcome: PersonRecord | Skipped | Defect) -> None:
        """Count one line."""
        if isinstance(outcome, Skipped):
            self.skipped[outcome] += 1
        elif isinstance(outcome, Defect):
            self.defects[outcome.reason] += 1
        elif isinstance(outcome.payload, MedicareClaim):
            self._claim(outcome.payload, outcome.references[0].value)


def _kind_of(line: bytes) -> str:
    try:
        return claim_kind(_resource(line))
    except UnreadableClaim:
        return "unknown"


def tally(source: Source) -> dict[str, Tally]:
    """Count what was read, left out and found defective, by kind of bill."""
    kinds: dict[str, Tally] = {}
    for line, outcome in _outcomes(source):
        kinds.setdefault(_kind_of(line), Tally()).add(outcome)
    return dict(sorted(kinds.items()))


def _named(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counter.items())) or "0"


def table(source: Source) -> str:
    """Write the tally as a table in Markdown, one row a kind of bill."""
    head = "| kind | claims read | left out | defective | people | diagnoses | payment | sum of line payments |"
    rows = [
        f"| {kind} | {one.read} | {_named(one.skipped)} | {_named(one.defects)} | {len(one.people)} | {one.diagnoses}"
        f" | {dollars_text(one.paid_cents)} | {dollars_text(one.line_paid_cents)} |"
        for kind, one in tally(source).items()
    ]
    return "\n".join([head, "|---|---:|---:|---:|---:|---:|---:|---:|", *rows]) + "\n"


def main(arguments: list[str]) -> None:
    """Print the table of the files named; amounts and counts only, nothing about a person."""
    paths = tuple(Path(one) for one in arguments)
    source = Source(DeliveryKind.EXPLANATION_OF_BENEFIT, "table", paths, date(1970, 1, 1), True, "OH")
    sys.stdout.write(table(source))


if __name__ == "__main__":
    main(sys.argv[1:])
