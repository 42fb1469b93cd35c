"""Decisions about who is who: one small JSON file a decision, written by ``tandem people`` and signed.

The signature is checked where the keys are; here only the form is.
"""

from collections.abc import Iterator

from services.intake.identity_decisions import read_decision
from services.intake.reading import Reading, RefusedDelivery, Source

MOST_BYTES = 256 * 1024


def read(source: Source) -> Iterator[Reading]:
    """The decision. Raises :class:`RefusedDelivery` for what is none."""
    (path,) = source.paths
    if path.stat().st_size > MOST_BYTES:
        raise RefusedDelivery("decision_unreadable", f"a decision has at most {MOST_BYTES} bytes")
    yield read_decision(path.read_bytes()).decision()
