"""The day in a file's name: Dyymmdd."""

from datetime import date

from services.intake.reading import RefusedDelivery

_CENTURY = 2000


def day_of(digits: str) -> date:
    """Six digits as a day. Raises :class:`RefusedDelivery`."""
    try:
        return date(_CENTURY + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        raise RefusedDelivery("unrecognised_name", "the date in the name is none") from None
