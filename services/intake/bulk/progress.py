"""What ``X-Progress`` says of a running job: servers may write anything there, so that only a percentage is taken."""

import re
from typing import Final

_LOOKED_AT: Final = 200
_PERCENT = re.compile(r"(?<![\d.])(\d{1,3})(?:\.\d{1,9})?\s*%", re.ASCII)
_WHOLE: Final = 100


def percent_done(text: str | None) -> int | None:
    """A whole number from 0 to 100, or ``None`` where the text does not tell one (BCDA: ``In Progress (45%)``)."""
    found = _PERCENT.search((text or "")[:_LOOKED_AT])
    return int(found[1]) if found is not None and int(found[1]) <= _WHOLE else None
