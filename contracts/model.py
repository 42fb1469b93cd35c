"""The one base of every value that crosses a service boundary.

Producers cannot set an unknown field (``extra="forbid"``); consumers ignore fields that a newer
producer added (:func:`contracts.decoding.decode` overrides ``extra`` when it reads).
"""

from typing import Final

from pydantic import BaseModel, ConfigDict

# What PostgreSQL's integer and bigint hold: a number that no column can take is refused at the door.
LARGEST_NUMBER: Final = 2**31 - 1
LARGEST_LONG_NUMBER: Final = 2**63 - 1


class ContractModel(BaseModel):
    """Frozen, strict, closed: what is not declared cannot be sent."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", ser_json_inf_nan="null")
