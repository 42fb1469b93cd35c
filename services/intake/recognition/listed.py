"""Lists as CSV, told by their name."""

import re
from datetime import date
from pathlib import Path

from contracts.delivery import DeliveryKind
from services.intake.reading import Recognised, RefusedDelivery
from services.intake.recognition.dates import day_of

_REPORT = re.compile(r"ALIGNMENT_REPORT\.(?P<source>D\d{4})\.\d{4}(?:0[1-9]|1[0-2])\.D(?P<day>\d{6})\.csv")
_ROSTER = re.compile(r"PROVIDER_ROSTER\.(?P<source>D\d{4})\.[A-Z]{2}\.D(?P<day>\d{6})\.csv")


def listed(path: Path, start: bytes, _: date) -> Recognised | None:
    """A report or a roster."""
    for pattern, kind in ((_REPORT, DeliveryKind.ALIGNMENT_REPORT), (_ROSTER, DeliveryKind.PROVIDER_ROSTER)):
        name = pattern.fullmatch(path.name)
        if name is not None:
            if b"\x00" in start:
                raise RefusedDelivery("mislabelled_file", "the name is of a CSV file, the content is binary")
            return Recognised(kind, name["source"], day_of(name["day"]))
    return None
