"""Medicaid eligibility: zipped T-MSIS files by name, a state's own files by their mapping, and what is no feed at all."""

import re
from datetime import date
from pathlib import Path

from contracts.delivery import DeliveryKind
from services.intake.readers.state_mapping import choose, labels_of, named_groups
from services.intake.reading import Recognised, RefusedDelivery
from services.intake.recognition.dates import day_of

_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_TMSIS = re.compile(r"TMSIS\.(?P<source>[A-Z]{2})\.ELIGIBILITY\.D(?P<day>\d{6})\.T\d{6}\.zip")
# First columns of files that look like a delivery and are none: a payer's feed is what they were made from.
_NO_FEEDS = (
    ("DML_IND|BENE_ID|", "research_file", "a research identifiable file, which no payer delivers"),
    ("DML_IND|CLM_ID|", "research_file", "a research identifiable file, which no payer delivers"),
    ("DML_IND|PDE_ID|", "research_file", "a research identifiable file, which no payer delivers"),
    ("BENE_SK,IDR_LTST_TRANS_FLG,", "warehouse_extract", "an extract of a warehouse, keyed by a number of its own"),
    ("person_id,member_id,subscriber_id,", "normalised_extract", "normalised for analysis; its source is the feed"),
    ("claim_id,claim_line_number,", "normalised_extract", "normalised for analysis; its source is the feed"),
    ("person_id,patient_id,year_month,", "normalised_extract", "normalised for analysis; its source is the feed"),
)


def medicaid(path: Path, start: bytes, received_on: date) -> Recognised | None:
    """Eligibility of T-MSIS or of a state. Raises :class:`RefusedDelivery` for what is known not to be a feed."""
    named = _TMSIS.fullmatch(path.name)
    if named is not None:
        if not start.startswith(_ZIP_MAGIC):
            raise RefusedDelivery("corrupted_archive", "the name is of an archive, the content is none")
        return Recognised(DeliveryKind.MEDICAID_ELIGIBILITY, named["source"], day_of(named["day"]))
    chosen = choose(path.name, labels_of(start), received_on)
    if chosen is not None:
        mapping, dated = chosen
        state = named_groups(path.name, mapping).get("state") or mapping.state or "states"
        return Recognised(DeliveryKind.STATE_ELIGIBILITY, f"{state}:{mapping.name}", dated)
    line = start.removeprefix(b"\xef\xbb\xbf")
    for opening, reason, why in _NO_FEEDS:
        if line.startswith(opening.encode()):
            raise RefusedDelivery(reason, why)
    return None
