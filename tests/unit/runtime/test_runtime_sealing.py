import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.dead_letters import Seal, SealBroken, pack, unpack
from services.runtime.ledger import Spot

SPOT = Spot("t", 1)
KEY = bytes(range(32))


@given(st.none() | st.binary(max_size=50), st.none() | st.binary(max_size=50))
def test_key_and_value_come_back_absent_and_empty_told_apart(key: bytes | None, value: bytes | None) -> None:
    assert unpack(pack(key, value)) == (key, value)


def test_sealed_content_is_not_readable_and_opens_with_its_key() -> None:
    sealed = Seal(KEY).close(b"a secret that is long enough", SPOT, 5)
    assert b"secret" not in sealed
    assert sealed != Seal(KEY).close(b"a secret that is long enough", SPOT, 5)
    assert Seal(KEY).open(sealed, SPOT, 5) == b"a secret that is long enough"


@pytest.mark.parametrize(
    ("key", "spot", "offset", "changed"),
    [
        (bytes(32), SPOT, 5, 0),
        (KEY, Spot("t", 2), 5, 0),
        (KEY, SPOT, 6, 0),
        (KEY, SPOT, 5, 1),
    ],
)
def test_another_key_another_place_or_a_changed_byte_does_not_open(
    key: bytes, spot: Spot, offset: int, changed: int
) -> None:
    sealed = bytearray(Seal(KEY).close(b"content", SPOT, 5))
    sealed[-1] ^= changed
    with pytest.raises(SealBroken):
        Seal(key).open(bytes(sealed), spot, offset)


def test_the_key_id_tells_keys_apart_and_says_nothing_of_them() -> None:
    assert Seal(KEY).key_id == Seal(KEY).key_id != Seal(bytes(32)).key_id
    assert KEY.hex()[:16] != Seal(KEY).key_id
