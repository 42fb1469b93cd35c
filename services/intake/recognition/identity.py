"""Decisions about who is who, told by their name; of when they are stands in the name too."""

import re
from datetime import date
from pathlib import Path

from contracts.delivery import DeliveryKind
from services.intake.reading import Recognised
from services.intake.recognition.dates import day_of

_NAME = re.compile(r"IDENTITY_DECISION\.(?P<code>[0-9a-f]{12})\.D(?P<day>\d{6})\.json")


def identity(path: Path, _: bytes, __: date) -> Recognised | None:
    """A decision."""
    name = _NAME.fullmatch(path.name)
    return None if name is None else Recognised(DeliveryKind.IDENTITY_REVIEW, "operator", day_of(name["day"]))
