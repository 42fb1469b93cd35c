"""Keys by purpose, values of two keys side by side, and keys that come from files."""

from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.exits import SettingsInvalid
from services.runtime.key_ring import MARK_BYTES, KeyRing, derived_key
from services.runtime.settings import Settings, load_settings

OLD, NEW = b"o" * 32, b"n" * 32


@given(st.binary(max_size=100), st.binary(max_size=20))
def test_both_keys_open_what_is_theirs_while_one_replaces_the_other(content: bytes, place: bytes) -> None:
    before, both, after = KeyRing("vault", OLD), KeyRing("vault", NEW, OLD), KeyRing("vault", NEW)
    old, new = before.seal(content, place), both.seal(content, place)
    assert both.open(old, place) == both.open(new, place) == after.open(new, place) == content
    for ring, sealed in ((before, new), (after, old), (both, old[:-1])):
        with pytest.raises(InvalidTag):
            ring.open(sealed, place)


def test_purposes_open_nothing_of_each_other() -> None:
    sealed = KeyRing("vault", NEW).seal(b"content", b"place")
    with pytest.raises(InvalidTag):
        KeyRing("lines", NEW).open(sealed, b"place")
    assert derived_key(NEW, "vault") != derived_key(NEW, "lines") != NEW


def test_a_value_says_under_which_key_it_was_sealed_and_nothing_about_the_key() -> None:
    ring = KeyRing("vault", NEW, OLD)
    assert ring.seal(b"", b"")[:MARK_BYTES] == ring.mark == KeyRing("vault", NEW).mark != KeyRing("vault", OLD).mark
    assert ring.key_id in ring.mark.hex()
    assert NEW.hex()[:16] not in ring.mark.hex()


def test_what_was_sealed_before_keys_had_purposes_opens() -> None:
    once = bytes(12) + AESGCM(OLD).encrypt(bytes(12), b"content", b"place")
    assert KeyRing("vault", NEW, OLD).open(once, b"place") == b"content"
    for sealed in (once[:-1], b"", b"\x01" * 5):
        with pytest.raises(InvalidTag):
            KeyRing("vault", NEW, OLD).open(sealed, b"place")


def _settings(**given_: object) -> Settings:
    return load_settings(database_url="postgresql:///x", brokers="x:1", **given_)


def _file(folder: Path, key: bytes) -> Path:
    path = folder / "key"
    path.write_text(b64encode(key).decode() + "\n")
    return path


def test_keys_come_from_files(tmp_path: Path) -> None:
    path = _file(tmp_path, OLD)
    settings = _settings(pseudonym_key_file=path, payload_key=b64encode(NEW).decode(), previous_payload_key_file=path)
    assert (settings.pseudonym_key_bytes(), settings.payload_keys()) == (OLD, (NEW, OLD))
    assert _settings(payload_key_file=path).payload_keys() == (OLD,)


@pytest.mark.parametrize("content", ["", "no key", b64encode(b"short").decode(), "\u00e9"])
def test_a_file_without_a_key_is_refused_by_the_name_of_its_variable(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsInvalid, match="TANDEM_PAYLOAD_KEY_FILE") as refusal:
        _settings(payload_key_file=path).payload_key_bytes()
    assert not content.strip() or content not in str(refusal.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="TANDEM_PSEUDONYM_KEY_FILE: FileNotFoundError"):
        _settings(pseudonym_key_file=tmp_path / "none").pseudonym_key_bytes()


def test_a_key_and_a_file_of_it_are_one_too_many(tmp_path: Path) -> None:
    settings = _settings(payload_key=b64encode(NEW).decode(), payload_key_file=_file(tmp_path, OLD))
    with pytest.raises(SettingsInvalid, match="both set"):
        settings.payload_key_bytes()


def test_without_a_key_before_there_is_one() -> None:
    assert _settings(payload_key=b64encode(NEW).decode()).payload_keys() == (NEW,)
    with pytest.raises(SettingsInvalid, match="TANDEM_PREVIOUS_PAYLOAD_KEY"):
        _settings(payload_key=b64encode(NEW).decode(), previous_payload_key="short")
