"""Identifiers made unreadable."""

import re

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from services.intake.reading import PersonReference
from services.intake.sealing import IdentityKeys

KEYS = IdentityKeys(b"k" * 32, b"s" * 32)
OTHERS = IdentityKeys(b"o" * 32, b"t" * 32)
MBI = PersonReference("mbi", "1EG4TE5MK73")


def test_a_pseudonym_is_the_same_for_ever_and_another_under_another_key() -> None:
    # HMAC-SHA-256 over "mbi:1EG4TE5MK73": ids on the log depend on it.
    assert KEYS.person_id(MBI) == IdentityKeys(b"k" * 32, b"another payload key ............").person_id(MBI)
    assert re.fullmatch(r"p[0-9a-f]{32}", KEYS.person_id(MBI))
    assert KEYS.person_id(MBI) != OTHERS.person_id(MBI)


def test_kinds_are_told_apart() -> None:
    same_text = PersonReference("medicaid", MBI.value)
    assert KEYS.person_id(MBI) != KEYS.person_id(same_text)
    assert KEYS.lookup(MBI) != KEYS.lookup(same_text)


def test_a_lookup_does_not_tell_the_pseudonym() -> None:
    assert KEYS.person_id(MBI)[1:] not in KEYS.lookup(MBI).hex()


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_what_was_sealed_opens_at_its_place_only(content: bytes, place: bytes) -> None:
    sealed = KEYS.seal(content, place)
    assert KEYS.open(sealed, place) == content
    for keys, where in ((OTHERS, place), (KEYS, place + b"x")):
        with pytest.raises(InvalidTag):
            keys.open(sealed, where)


def test_the_same_content_is_sealed_differently_each_time() -> None:
    assert KEYS.seal(b"content", b"place") != KEYS.seal(b"content", b"place")


@given(st.binary(max_size=60), st.integers(0, 10_000), st.integers(1, 255))
def test_no_byte_of_what_was_sealed_can_be_changed_or_left_out(content: bytes, place: int, change: int) -> None:
    sealed = bytearray(KEYS.seal(content, b"place"))
    shorter = bytes(sealed[:-1])
    sealed[place % len(sealed)] ^= change
    for tampered in (bytes(sealed), shorter):
        with pytest.raises(InvalidTag):
            KEYS.open(tampered, b"place")
