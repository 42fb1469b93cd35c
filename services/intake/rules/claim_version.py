"""The version of a claim record: a larger one replaces a smaller one of the same record.

Sources: CCLF Information Packet v36.0, elements CLM_EFCTV_DT and CLM_IDR_LD_DT (a record may be delivered again in a
later month); T-MSIS: the newest ADJDCTN_DT of an original claim number stands, and on one day a void (ADJSTMT_IND 1)
over a replacement (4) over the original (0).
"""

from datetime import date
from typing import Literal

_DAY_DIGITS = 10**8

MedicaidAdjustment = Literal["original", "replacement", "void"]
_RANK: dict[MedicaidAdjustment, int] = {"original": 0, "replacement": 1, "void": 2}


def _number_of(day: date | None) -> int:
    return 0 if day is None else day.year * 10_000 + day.month * 100 + day.day


def medicare_version(processed_on: date | None, loaded_on: date | None) -> int:
    """Sixteen digits: the day CMS processed the claim, then the day it was loaded."""
    return _number_of(processed_on) * _DAY_DIGITS + _number_of(loaded_on)


def medicaid_version(adjudicated_on: date, adjustment: MedicaidAdjustment) -> int:
    """Nine digits: the day of adjudication, then the rank within that day."""
    return _number_of(adjudicated_on) * 10 + _RANK[adjustment]
