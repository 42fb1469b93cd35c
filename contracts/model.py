"""The one base of every value that crosses a service boundary.

Producers cannot set an unknown field (``extra="forbid"``); consumers ignore fields that a newer
producer added (:func:`decode` in :mod:`contracts.envelope` overrides ``extra`` when it reads).
"""

from pydantic import BaseModel, ConfigDict


class ContractModel(BaseModel):
    """Frozen, strict, closed: what is not declared cannot be sent."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", ser_json_inf_nan="null")
