"""X12 interchanges, told by their first segments: the transaction set (ST01), then what dates the file.

An 834 is dated by its statement (BGN03), the others by their group (GS04), which every X12 file has.
"""

import re
from datetime import date
from pathlib import Path

from contracts.delivery import DeliveryKind
from services.intake.readers.x12_segments import beginning
from services.intake.reading import Recognised, RefusedDelivery
from services.intake.recognition.dates import day_of

_KINDS = {
    "834": DeliveryKind.ENROLMENT_834,
    "837": DeliveryKind.ENCOUNTER_837,
    "820": DeliveryKind.PREMIUM_PAYMENT_820,
}
_NAMED = re.compile(r"(?P<code>834|837|820)\.(?P<source>[A-Za-z0-9_-]{1,20})\.D(?P<day>\d{6})\.T\d{6}\.txt")
_DATED_BY = {"834": ("BGN", 3)}
_CENTURY = "20"


def x12(path: Path, start: bytes, received_on: date) -> Recognised | None:
    """An interchange of enrolments, encounters or premium payments."""
    named = _NAMED.fullmatch(path.name)
    text = beginning(start)
    if text is None:
        if named is not None:
            raise RefusedDelivery("mislabelled_file", f"the name is of an {named['code']}, the content is none")
        return None
    code = _transaction_set(text)
    if code is None:
        raise RefusedDelivery("unrecognised_content", f"an X12 file that is none of {', '.join(_KINDS)}")
    if named is None:
        return Recognised(_KINDS[code], "unnamed", _stated_day(text, code) or received_on)
    if named["code"] != code:
        raise RefusedDelivery("mislabelled_file", f"the name is of an {named['code']}, the content is an {code}")
    return Recognised(_KINDS[code], named["source"], day_of(named["day"]))


def _transaction_set(text: str) -> str | None:
    """ST01 of the first transaction set, if it is one that is read."""
    element = re.escape(text[3:4])
    found = re.search(rf"ST{element}(\d{{3}}){element}", text)
    return found[1] if found is not None and found[1] in _KINDS else None


def _stated_day(text: str, code: str) -> date | None:
    """The day of the file, where it is one of this century."""
    separator = text[3:4]
    name, position = _DATED_BY.get(code, ("GS", 4))
    found = re.search(rf"(?<![A-Z0-9]){name}{re.escape(separator)}([^\r\n]*)", text)
    elements = found[1].split(separator, position) if found is not None else []
    day = elements[position - 1] if len(elements) >= position else ""
    try:
        return day_of(day[2:]) if re.fullmatch(_CENTURY + r"\d{6}", day) else None
    except RefusedDelivery:
        # The reader says what is wrong with the day; here it only does not date the file.
        return None
