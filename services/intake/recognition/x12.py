"""X12 interchanges, told by their first segment."""

import re
from datetime import date
from pathlib import Path

from contracts.delivery import DeliveryKind
from services.intake.reading import Recognised, RefusedDelivery
from services.intake.recognition.dates import day_of

_ENROLMENT = re.compile(r"834\.(?P<source>[A-Za-z0-9_-]{1,20})\.D(?P<day>\d{6})\.T\d{6}\.txt")


def x12(path: Path, start: bytes, received_on: date) -> Recognised | None:
    """An interchange of 834 enrolments."""
    named = _ENROLMENT.fullmatch(path.name)
    if not start.lstrip().startswith(b"ISA"):
        if named is not None:
            raise RefusedDelivery("mislabelled_file", "the name is of an 834, the content is none")
        return None
    text = start.decode("latin-1").lstrip()
    element = text[3:4]
    if f"ST{element}834" not in text:
        raise RefusedDelivery("unrecognised_content", "an X12 file that is no 834")
    if named is not None:
        return Recognised(DeliveryKind.ENROLMENT_834, named["source"], day_of(named["day"]))
    stated = re.search(
        rf"BGN{re.escape(element)}[^{re.escape(element)}]*{re.escape(element)}[^{re.escape(element)}]*"
        rf"{re.escape(element)}(?:20)(?P<day>\d{{6}})",
        text,
    )
    return Recognised(DeliveryKind.ENROLMENT_834, "unnamed", day_of(stated["day"]) if stated else received_on)
