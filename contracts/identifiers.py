"""Identifiers and what they look like.

Source of the MBI: CMS, "Understanding the MBI format".
``PersonId`` is the only identifier of a person that may leave intake: a keyed pseudonym.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

_LETTER = "AC-HJKMNP-RT-Y"
MBI_PATTERN = re.compile(
    rf"^[1-9][{_LETTER}][0-9{_LETTER}][0-9][{_LETTER}][0-9{_LETTER}][0-9][{_LETTER}]{{2}}[0-9]{{2}}$"
)
# CMS's synthetic beneficiaries carry an ``S`` in second place, which no real MBI can.
SYNTHETIC_MBI_PATTERN = re.compile(r"^[1-9]S[0-9A-Z]{9}$")
_WORD = re.compile(r"[0-9A-Z]+")
_LENGTHS = (11, 13)  # as stored, and as printed on the card: 1EG4-TE5-MK73


def _looks_like_an_mbi(word: str) -> bool:
    return bool(MBI_PATTERN.match(word) or SYNTHETIC_MBI_PATTERN.match(word))


def holds_an_mbi(text: str) -> bool:
    """Whether a Medicare Beneficiary Identifier, real or synthetic, stands anywhere in a text."""
    capitals = text.upper()
    return any(map(_looks_like_an_mbi, _WORD.findall(capitals) + _WORD.findall(capitals.replace("-", ""))))


def _is_no_mbi(text: str) -> str:
    # The length first: this is asked of several fields of every claim.
    if len(text) in _LENGTHS and _looks_like_an_mbi(text.upper().replace("-", "")):
        raise ValueError("an identifier of a person stands in a field that is not for one")
    return text


# For texts of the source that are published verbatim: a column that slipped must not carry a person out. It stands last: what a
# field asks of its length is then looked at before, in compiled code.
NotAnMbi = AfterValidator(_is_no_mbi)

PersonId = Annotated[
    str, Field(pattern=r"^p[0-9a-f]{32}$", description="keyed pseudonym of a person (HMAC-SHA-256, 128 bits)")
]
EntityId = Annotated[str, Field(pattern=r"^D[0-9]{4}$", description="Direct Contracting Entity", examples=["D9001"])]
StateCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="USPS state code", examples=["OH"])]
CountyFips = Annotated[str, Field(pattern=r"^[0-9]{5}$", description="FIPS state and county", examples=["39049"])]
Npi = Annotated[str, Field(pattern=r"^[0-9]{10}$", description="National Provider Identifier")]
PlanId = Annotated[
    str, Field(min_length=1, max_length=20, description="Medicaid managed-care plan (MC_PLAN_ID)"), NotAnMbi
]
DeliveryId = Annotated[str, Field(pattern=r"^d[0-9a-f]{32}$", description="delivery, from its content")]
RecordId = Annotated[str, Field(min_length=1, max_length=60, description="the source's own claim identifier"), NotAnMbi]


class MbiError(ValueError):
    """The text is not a Medicare Beneficiary Identifier."""


def normalise_mbi(text: str, *, synthetic: bool = False) -> str:
    """Trim, upper-case, strip dashes and blanks, and check the format.

    ``synthetic`` also admits CMS's impossible test numbers; production never sets it.
    Raises :class:`MbiError`, whose message never holds the number.
    """
    candidate = text.strip().upper().replace("-", "").replace(" ", "")
    if MBI_PATTERN.fullmatch(candidate) or (synthetic and SYNTHETIC_MBI_PATTERN.fullmatch(candidate)):
        return candidate
    raise MbiError(f"not an MBI ({len(candidate)} characters)")
