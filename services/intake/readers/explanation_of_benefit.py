"""Reader of a delivery whose first resource is a FHIR ExplanationOfBenefit, as CMS's bulk APIs deliver it (BCDA, AB2D, DPC).

``python -m services.intake.readers.explanation_of_benefit FILES`` prints what is read from public samples, by kind of
bill or, with ``--each``, resource by resource. See :mod:`services.intake.readers.fhir_delivery`.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from msgspec.json import Decoder

from contracts.claims import MedicareClaim, PartDEvent
from contracts.delivery import DeliveryKind
from contracts.money import dollars_text
from services.intake.readers.fhir_claim import Skipped, header_of
from services.intake.readers.fhir_delivery import Outcome, outcomes, read
from services.intake.readers.fhir_lines import Located, decoded
from services.intake.readers.fhir_resources import ExplanationOfBenefit
from services.intake.readers.fhir_values import UnreadableResource
from services.intake.reading import Defect, EncodedClaims, PersonRecord, Source

__all__ = ["Tally", "each_table", "main", "read", "table", "tally"]

_NONE = "-"
_DECODER = Decoder(ExplanationOfBenefit)


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

    def _claim(self, claim: MedicareClaim) -> None:
        self.diagnoses += len(claim.diagnosis_codes)
        self.paid_cents += claim.paid_cents
        self.line_paid_cents += sum(line.paid_cents or 0 for line in claim.lines)

    def add(self, outcome: Outcome) -> None:
        """Count one resource."""
        if isinstance(outcome, Skipped):
            self.skipped[outcome] += 1
        elif isinstance(outcome, Defect):
            self.defects[outcome.reason] += 1
        elif isinstance(outcome, EncodedClaims):
            self.read += len(outcome.claims)
            self.people.add(outcome.reference.value)
            for claim in outcome.claims:
                self._claim(MedicareClaim.model_validate_json(claim))
        elif isinstance(outcome, PersonRecord):
            self.read += 1
            self.people.add(outcome.references[0].value)


def _kind_of(at: Located) -> str:
    """The kind of bill as the source names it (``CARRIER``, ``INPATIENT`` …), else its claim type."""
    try:
        codes = header_of(decoded(_DECODER, at)).codes
    except UnreadableResource:
        return "unknown"
    return codes.get("kind") or codes.get("claim_type") or "unknown"


def tally(source: Source) -> dict[str, Tally]:
    """Count what was read, left out and found defective, by kind of bill."""
    kinds: dict[str, Tally] = {}
    for at, outcome in outcomes(source):
        kinds.setdefault(_kind_of(at), Tally()).add(outcome)
    return dict(sorted(kinds.items()))


def _named(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counter.items())) or "0"


def _written(head: tuple[str, ...], aligned: str, rows: Iterable[tuple[object, ...]]) -> str:
    lines = [head, tuple({"l": "---", "r": "---:"}[one] for one in aligned), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def table(source: Source) -> str:
    """Write the tally as a table in Markdown, one row a kind of bill."""
    head = ("kind", "read", "left out", "defective", "people", "diagnoses", "payment", "sum of line payments")
    rows = (
        (
            *(kind, one.read, _named(one.skipped), _named(one.defects), len(one.people), one.diagnoses),
            *(dollars_text(one.paid_cents), dollars_text(one.line_paid_cents)),
        )
        for kind, one in tally(source).items()
    )
    return _written(head, "lrrrrrrr", rows)


def _listed(texts: Iterable[str | None]) -> str:
    found = dict.fromkeys(filter(None, texts))
    return " ".join(found) or _NONE


def _claim_row(claim: MedicareClaim) -> tuple[object, ...]:
    procedures = [*(one.code for one in claim.procedures), *(line.procedure_code for line in claim.lines)]
    providers = [claim.facility_number, claim.facility_npi, *(line.rendering_npi for line in claim.lines)]
    return (
        claim.claim_type_code,
        f"{claim.service_from} to {claim.service_through}",
        dollars_text(claim.paid_cents),
        _listed(claim.diagnosis_codes),
        _listed(procedures),
        _listed(providers),
        len(claim.lines),
    )


def _drug_row(event: PartDEvent) -> tuple[object, ...]:
    paid = _NONE if event.patient_paid_cents is None else f"patient {dollars_text(event.patient_paid_cents)}"
    providers = _listed((event.pharmacy_npi, event.prescriber_npi))
    return event.claim_type_code, event.filled_on, paid, _NONE, _listed((event.national_drug_code,)), providers, 1


def _row(outcome: Outcome) -> tuple[object, ...]:
    if isinstance(outcome, EncodedClaims):
        return str(outcome.feed), *_claim_row(MedicareClaim.model_validate_json(outcome.claims[0]))
    if isinstance(outcome, PersonRecord):
        feed = str(outcome.feed) + (", preliminary" if outcome.preliminary else "")
        if isinstance(outcome.payload, MedicareClaim):
            return feed, *_claim_row(outcome.payload)
        if isinstance(outcome.payload, PartDEvent):
            return feed, *_drug_row(outcome.payload)
    said = outcome.reason if isinstance(outcome, Defect) else "left out: no claim"
    return said, *(_NONE,) * (len(_EACH) - 2)


_EACH = ("file", "feed, or why not", "type", "dates", "payment", "diagnoses", "procedures or drug", "provider", "lines")


def each_table(sources: Iterable[Source]) -> str:
    """Write what was read of each resource as a table in Markdown; what was found wrong has a row of its own."""
    rows = ((at.file, *_row(outcome)) for one in sources for at, outcome in outcomes(one))
    return _written(_EACH, "l" * len(_EACH), rows)


def main(arguments: list[str]) -> None:
    """Print the table of the files named: of public samples, because the rows of ``--each`` are those of single people."""
    paths = [Path(one) for one in arguments if one != "--each"]
    kind = DeliveryKind.EXPLANATION_OF_BENEFIT
    if "--each" in arguments:
        sources = (Source(kind, one.name, (one,), date(1970, 1, 1), True, "OH") for one in paths)
        sys.stdout.write(each_table(sources))
    else:
        sys.stdout.write(table(Source(kind, "table", tuple(paths), date(1970, 1, 1), True, "OH")))


if __name__ == "__main__":
    main(sys.argv[1:])
