"""How many events a person's claims of one delivery become.

Bounds: :data:`contracts.claims.MOST_CLAIMS_AN_EVENT` and :data:`contracts.claims.MOST_BYTES_AN_EVENT`.
"""

from collections.abc import Iterator, Sequence
from itertools import repeat

from contracts.claims import MOST_BYTES_AN_EVENT, MOST_CLAIMS_AN_EVENT

# The envelope and the fields around the claims.
_ROOM_FOR_ENVELOPE = 1024


def in_parts(
    claims: Sequence[bytes],
    most_claims: int = MOST_CLAIMS_AN_EVENT,
    most_bytes: int = MOST_BYTES_AN_EVENT - _ROOM_FOR_ENVELOPE,
    counts: Sequence[int] | None = None,
) -> Iterator[list[bytes]]:
    """Shares of encoded claims, in order, each within both bounds; a claim larger than the bound stands alone.

    With ``counts`` each of ``claims`` is a share made before: so many claims, with commas between them.
    """
    share: list[bytes] = []
    size = held = 0
    for claim, count in zip(claims, counts or repeat(1)):  # noqa: B905 - the ones never end
        if share and (held + count > most_claims or size + len(claim) + 1 > most_bytes):
            yield share
            share, size, held = [], 0, 0
        share.append(claim)
        size += len(claim) + 1
        held += count
    if share:
        yield share
