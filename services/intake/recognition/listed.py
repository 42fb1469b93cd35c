"""Lists that CMS sends an entity, told by their names: CSV files, workbooks, and the fixed-width preferences."""

import re
from datetime import date
from pathlib import Path

from contracts.delivery import DeliveryKind
from services.intake.reading import Recognised, RefusedDelivery
from services.intake.recognition.dates import day_of

_DATED = r"\.D(?P<day>\d{6})\.(?P<suffix>csv|xlsx)"
_SOURCE = r"\.(?P<source>D\d{4})"
# Only CMS's own name is published; the others are this system's.
_LISTS = {
    DeliveryKind.ALIGNMENT_REPORT: rf"ALIGNMENT_REPORT{_SOURCE}\.(?:19|20)\d{{2}}(?:0[1-9]|1[0-2]){_DATED}",
    DeliveryKind.PROVIDER_ALIGNMENT_REPORT: rf"PROVIDER_ALIGNMENT_REPORT{_SOURCE}\.(?:19|20)\d{{2}}(?:Q[1-4])?{_DATED}",
    DeliveryKind.VOLUNTARY_ALIGNMENT_RESPONSE: (
        rf"VOLUNTARY_ALIGNMENT_RESPONSE{_SOURCE}\.(?:19|20)\d{{2}}Q[1-4]{_DATED}"
    ),
    DeliveryKind.PROVIDER_ROSTER: rf"PROVIDER_ROSTER{_SOURCE}\.[A-Z]{{2}}{_DATED}",
}
_PATTERNS = {kind: re.compile(pattern, re.ASCII) for kind, pattern in _LISTS.items()}
_PREFERENCES = re.compile(r"[PT]#EFT\.ON\.ACO\.NGD1800\.DPRF\.D(?P<day>\d{6})\.T\d{7}", re.ASCII)


def listed(path: Path, start: bytes, _: date) -> Recognised | None:
    """A report, a roster or the data-sharing preferences."""
    preferences = _PREFERENCES.fullmatch(path.name)
    if preferences is not None:
        return Recognised(DeliveryKind.SHARING_PREFERENCES, "NGD1800", day_of(preferences["day"]))
    for kind, pattern in _PATTERNS.items():
        name = pattern.fullmatch(path.name)
        if name is not None:
            if name["suffix"] == "csv":
                _require_text(start)
            return Recognised(kind, name["source"], day_of(name["day"]))
    return None


def _require_text(start: bytes) -> None:
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise RefusedDelivery("mislabelled_file", "the name is of a CSV file, the content is a workbook")
    # Two bytes a character, as UTF-16 has it, is the reader's to tell.
    if b"\x00" in start and not start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise RefusedDelivery("mislabelled_file", "the name is of a CSV file, the content is binary")
