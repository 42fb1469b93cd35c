"""From plain values of a claim to the contract: a checked claim, or its bytes as they stand in events.

The converters of :mod:`services.intake.readers.fhir_values` let nothing through that the contract does not allow of a single
field; what is left, numbers and lengths, is checked here. So a claim can be encoded without making a model of it first,
which costs as much as parsing the resource. Values stand in the contract's order, lines and procedures as plain values too.
"""

from typing import Any, Final

from msgspec.json import Encoder
from pydantic import ValidationError

from contracts.claims import MedicareClaim
from contracts.model import LARGEST_NUMBER
from services.intake.readers.fhir_values import UnreadableResource

ClaimValues = dict[str, Any]
MOST_LINES, MOST_CODES, LONGEST_RECORD_ID = 1000, 60, 60
_ENCODE: Final = Encoder().encode


def validated(values: ClaimValues) -> MedicareClaim:
    """The claim and its lines, checked in one pass. Raises :class:`UnreadableResource`."""
    try:
        claim: MedicareClaim = MedicareClaim.__pydantic_validator__.validate_python(values)
    except ValidationError as failure:
        place = failure.errors(include_url=False, include_context=False, include_input=False)[0]["loc"]
    else:
        return claim
    # Raised out here: an exception raised above would carry the values in its context.
    raise UnreadableResource("outside_of_contract", str(place[0]) if place else None)


def encoded(values: ClaimValues) -> bytes:
    """The claim as it is sent, equal to what the model would write. Raises :class:`UnreadableResource`."""
    _check(values)
    told = _told(values)
    told["lines"] = [_told(line) for line in values["lines"]]
    told["procedures"] = [_told(procedure) for procedure in values["procedures"]]
    return _ENCODE(told)


def _told(values: ClaimValues) -> ClaimValues:
    return {name: value for name, value in values.items() if value is not None}


def _check(values: ClaimValues) -> None:
    if len(values["record_id"]) > LONGEST_RECORD_ID:
        raise UnreadableResource("outside_of_contract", "record_id")
    if len(values["diagnosis_codes"]) > MOST_CODES or len(values["procedures"]) > MOST_CODES:
        raise UnreadableResource("outside_of_contract", "diagnosis_codes")
    lines = values["lines"]
    if len(lines) > MOST_LINES or any(line["line_number"] > LARGEST_NUMBER for line in lines):
        raise UnreadableResource("outside_of_contract", "lines")
