"""Which claim records stand, after newer versions and cancellations.

Source: CCLF Information Packet v36.0, 5.1.3 (related claims share a natural key) and 5.3.1 (a cancellation, adjustment
type 1, takes back a claim that went before it). Which of several related claims a cancellation meant is not said; it
is taken to be the oldest that still stands and was processed on an earlier day. Where there is none, the claim that was
cancelled was never delivered (or its natural key has changed since), and the cancellation takes back nothing: it must
not take back the adjustment that came with it.
"""

from collections.abc import Iterable

from services.risk.facts import ClaimRecord

# A version is the day of processing in front of the day of loading.
_OF_A_DAY = 10**8


def newest_versions(records: Iterable[ClaimRecord]) -> list[ClaimRecord]:
    """Keep of each record its newest version, the earliest known of equal ones."""
    newest: dict[str, ClaimRecord] = {}
    for record in sorted(records, key=lambda one: (one.sequence, one.version)):
        known = newest.get(record.record_id)
        if known is None or record.version > known.version:
            newest[record.record_id] = record
    return list(newest.values())


def standing_claims(records: Iterable[ClaimRecord]) -> tuple[ClaimRecord, ...]:
    """List the records that no cancellation has taken back, in the order in which they became known."""
    groups: dict[str, list[ClaimRecord]] = {}
    for record in newest_versions(records):
        groups.setdefault(record.claim_key, []).append(record)
    standing = (record for group in groups.values() for record in _standing_of(group))
    return tuple(sorted(standing, key=lambda one: (one.sequence, one.service_through, one.record_id)))


def _standing_of(group: list[ClaimRecord]) -> list[ClaimRecord]:
    if len(group) == 1:
        return [] if group[0].cancellation else group
    standing = sorted(
        (record for record in group if not record.cancellation),
        key=lambda one: (one.sequence, one.version, one.record_id),
    )
    standing.sort(key=_processed_on)
    for cancellation in sorted((record for record in group if record.cancellation), key=_processed_on):
        meant = next((claim for claim in standing if _may_be_meant(claim, cancellation)), None)
        if meant is not None:
            standing.remove(meant)
    return standing


def _processed_on(record: ClaimRecord) -> int:
    """The day on which the claim was processed, as a number; 0 where that is not known."""
    return record.version // _OF_A_DAY


def _may_be_meant(claim: ClaimRecord, cancellation: ClaimRecord) -> bool:
    """A claim that is processed together with a cancellation, or after it, replaces what was cancelled."""
    earlier, later = _processed_on(claim), _processed_on(cancellation)
    return not earlier or not later or earlier < later
