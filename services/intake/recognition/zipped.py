"""Archives, told by their name: CCLF and T-MSIS."""

import re
from datetime import date
from pathlib import Path

from contracts.delivery import DeliveryKind
from services.intake.readers.cclf_control import ARCHIVE_NAME
from services.intake.reading import Recognised, RefusedDelivery
from services.intake.recognition.dates import day_of

_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
# Files of the same data hub that are no Direct Contracting Entity's: other prefixes, entities and models.
_OF_OTHERS = re.compile(r"[PT]\.(?:BCD\.)?[A-Z0-9-]+\.[A-Z0-9.-]*D\d{6}\.[A-Z]\d{7}")
_TMSIS = re.compile(r"TMSIS\.(?P<source>[A-Z]{2})\.D(?P<day>\d{6})\.T\d{6}\.zip")


def zipped(path: Path, start: bytes, _: date) -> Recognised | None:
    """An archive of CCLF or T-MSIS files."""
    cclf = ARCHIVE_NAME.fullmatch(path.name)
    medicaid = _TMSIS.fullmatch(path.name)
    if cclf is None and medicaid is None:
        if _OF_OTHERS.fullmatch(path.name):
            raise RefusedDelivery("unrecognised_name", "of a test system, another programme or another model of CMS")
        return None
    if not start.startswith(_ZIP_MAGIC):
        raise RefusedDelivery("corrupted_archive", "the name is of an archive, the content is none")
    if cclf is not None:
        return Recognised(DeliveryKind.CCLF, cclf["entity"], day_of(cclf["day"]), substance_use_withheld=True)
    if medicaid is not None:
        return Recognised(DeliveryKind.MEDICAID_CLAIMS, medicaid["source"], day_of(medicaid["day"]))
    return None
