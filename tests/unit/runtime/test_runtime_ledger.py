from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.ledger import Gap, Message, Spot, UnverifiedGap, digest, unread

SPOT = Spot("t", 0)


def at(*offsets: int) -> list[Message]:
    return [Message(SPOT, offset, b"k", b"v", None) for offset in offsets]


@pytest.mark.parametrize(
    ("position", "offsets", "holes", "left"),
    [
        (0, (0, 1, 2), (), (0, 1, 2)),
        (2, (0, 1, 2, 3), (), (2, 3)),
        (5, (0, 1, 2), (), ()),
        (0, (), (), ()),
        (0, (2, 3), (Gap(0, 2),), (2, 3)),
        (0, (0, 3), (Gap(1, 3),), (0, 3)),
        # A gap behind the position was verified, or did not matter, when it was passed.
        (4, (0, 3, 4), (), (4,)),
        # The position itself may lie in a hole that an overlap shows: then the hole has to be known from there.
        (2, (0, 4), (Gap(2, 4),), (4,)),
    ],
)
def test_what_is_not_applied_yet(
    position: int, offsets: tuple[int, ...], holes: tuple[Gap, ...], left: tuple[int, ...]
) -> None:
    assert tuple(message.offset for message in unread(position, at(*offsets), holes)) == left


@pytest.mark.parametrize(
    ("position", "offsets", "holes", "gap"),
    [
        (0, (1, 2), (), Gap(0, 1)),
        (5, (7,), (), Gap(5, 7)),
        (0, (0, 2), (), Gap(1, 2)),
        (0, (0, 2, 5), (Gap(1, 2),), Gap(3, 5)),
        (2, (0, 4), (Gap(1, 4),), Gap(2, 4)),
    ],
)
def test_never_applied_over_a_gap(position: int, offsets: tuple[int, ...], holes: tuple[Gap, ...], gap: Gap) -> None:
    with pytest.raises(UnverifiedGap) as raised:
        unread(position, at(*offsets), holes)
    assert raised.value.gap == gap


@given(st.lists(st.integers(0, 30), unique=True, min_size=1).map(sorted), st.integers(0, 30))
def test_applied_exactly_what_lies_at_or_after_the_position_or_nothing(offsets: list[int], position: int) -> None:
    expected = [offset for offset in offsets if offset >= position]
    contiguous = expected == list(range(position, position + len(expected)))
    try:
        left = [message.offset for message in unread(position, at(*offsets))]
    except UnverifiedGap as finding:
        assert not contiguous
        assert finding.gap.start not in offsets  # noqa: PT017 - it is raised for some inputs only
    else:
        assert contiguous
        assert left == expected


@pytest.mark.parametrize(
    "other",
    [
        Message(SPOT, 0, b"k2", b"v", None),
        Message(SPOT, 0, b"k", b"v2", None),
        Message(SPOT, 0, b"kv", b"", None),
        Message(SPOT, 0, b"k", b"v", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_digest_tells_messages_apart(other: Message) -> None:
    message = Message(SPOT, 0, b"k", b"v", None)
    assert digest(message) == digest(message._replace(offset=9))
    assert digest(message) != digest(other)
