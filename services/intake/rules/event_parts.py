"""How many events a person's claims of one delivery become.

Bounds: :data:`contracts.claims.MOST_CLAIMS_AN_EVENT` and :data:`contracts.claims.MOST_BYTES_AN_EVENT`.
"""

from collections.abc import Iterator, Sequence

from contracts.claims import MOST_BYTES_AN_EVENT, MOST_CLAIMS_AN_EVENT

# The envelope and the fields around the claims.
_ROOM_FOR_ENVELOPE = 1024


def in_parts(
    claims: Sequence[bytes],
    most_claims: int = MOST_CLAIMS_AN_EVENT,
    most_bytes: int = MOST_BYTES_AN_EVENT - _ROOM_FOR_ENVELOPE,
) -> Iterator[list[bytes]]:
    """Shares of encoded claims, in order, each within both bounds; a claim larger than the bound stands alone."""
    share: list[bytes] = []
    size = 0
    for claim in claims:
        if share and (len(share) == most_claims or size + len(claim) + 1 > most_bytes):
            yield share
            share, size = [], 0
        share.append(claim)
        size += len(claim) + 1
    if share:
        yield share
