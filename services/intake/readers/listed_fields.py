"""The texts of lists: days in several writings, months, periods, providers, codes."""

import re
from datetime import date, timedelta

from services.intake.readers.fields import Unreadable, compact_day, iso_day, npi, text, upper
from services.intake.states import usps_state

DAY_FORMATS = frozenset({"YYYYMMDD", "YYYY-MM-DD", "MM/DD/YYYY"})
_AMERICAN_DAY = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_SERIAL_DAY = re.compile(r"[0-9]{5}")
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH = re.compile(r"([0-9]{4})-?(0[1-9]|1[0-2])|(0[1-9]|1[0-2])/([0-9]{4})")
_PERIOD = re.compile(r"((?:19|20)[0-9]{2})(?:-?Q([1-4]))?")
_EARLIEST, _LATEST = date(1900, 1, 1), date(2099, 12, 31)
_COUNTY = re.compile(r"[0-9]{5}")
_CODE = re.compile(r"[A-Z0-9_]{1,20}")


def day(field: str, *, form: str, epoch: date | None) -> date | None:
    """A day in a layout's own writing. In a workbook (``epoch``) also ISO, as date cells are given, and a serial number."""
    trimmed = text(field)
    if trimmed is None:
        return None
    if epoch is not None and _ISO_DAY.fullmatch(trimmed):
        return iso_day(trimmed)
    if epoch is not None and _SERIAL_DAY.fullmatch(trimmed):
        return _serial_day(int(trimmed), epoch)
    if form == "MM/DD/YYYY":
        return _american_day(trimmed)
    return compact_day(trimmed) if form == "YYYYMMDD" else iso_day(trimmed)


def _serial_day(number: int, epoch: date) -> date:
    there = epoch + timedelta(days=number)
    if not _EARLIEST <= there <= _LATEST:
        raise Unreadable("date_out_of_range")
    return there


def _american_day(trimmed: str) -> date | None:
    found = _AMERICAN_DAY.fullmatch(trimmed)
    if found is None:
        raise Unreadable("not_a_date")
    month, number, year = found.groups()
    return compact_day(f"{year}{month:0>2}{number:0>2}")


def month(field: str) -> str | None:
    """A month as ``YYYYMM``, ``YYYY-MM`` or ``MM/YYYY``; of a day, as a date cell has it, its month."""
    trimmed = text(field)
    if trimmed is None:
        return None
    found = _MONTH.fullmatch(trimmed[:-3] if _ISO_DAY.fullmatch(trimmed) else trimmed)
    year = found and (found[1] or found[4])
    if found is None or year is None or not year.startswith(("19", "20")):
        raise Unreadable("not_a_month")
    return f"{year}-{found[2] or found[3]}"


def period(field: str) -> str | None:
    """A performance year, or a quarter of it: ``2022``, ``2022-Q1``."""
    trimmed = upper(field)
    if trimmed is None:
        return None
    found = _PERIOD.fullmatch(trimmed)
    if found is None:
        raise Unreadable("not_a_period")
    return found[1] if found[2] is None else f"{found[1]}-Q{found[2]}"


def npis(field: str) -> tuple[str, ...] | None:
    """Several providers, each once, in their order."""
    trimmed = text(field)
    if trimmed is None:
        return None
    return tuple(dict.fromkeys(found for part in trimmed.split(";") if (found := npi(part)) is not None)) or None


def county(field: str) -> str | None:
    """A county as five digits, of a state that there is."""
    trimmed = text(field)
    if trimmed is not None and not (_COUNTY.fullmatch(trimmed) and usps_state(trimmed[:2])):
        raise Unreadable("not_a_county")
    return trimmed


def state(field: str) -> str | None:
    """A state's letters."""
    trimmed = text(field)
    if trimmed is None:
        return None
    found = usps_state(trimmed)
    if found is None:
        raise Unreadable("not_a_state")
    return found


def codes(field: str) -> tuple[str, ...] | None:
    """Several codes, each once, sorted."""
    trimmed = upper(field)
    if trimmed is None:
        return None
    found = {part.strip() for part in trimmed.split(";") if part.strip()}
    if not all(_CODE.fullmatch(part) for part in found):
        raise Unreadable("not_a_code")
    return tuple(sorted(found)) or None
