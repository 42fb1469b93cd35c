"""Deliveries made wrong on purpose, and what must hold of whatever becomes of them.

A seed is a small whole file of one kind. It is changed where a reader looks: inside the members of an archive, by
lines and fields, with texts that are troublesome or name a person. Whoever chooses (a random generator, or a fuzzer
that is guided by coverage) decides everything; the same choices give the same file.
"""

import gzip
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from contracts.identifiers import holds_an_mbi
from services.intake.reading import Defect, Observation, Reading, RefusedDelivery, Source
from services.intake.registry import reader_of, recognise
from services.intake.sealing import IdentityKeys
from services.intake.staging import Stager

TODAY = date(2026, 3, 1)
KEYS = IdentityKeys(b"k" * 32, b"s" * 32)
# Nobody may read them in a reason: a Medicare number, a family name, a Medicaid number.
PLANTED = ("1EG4TE5MK73", "QUXBERGEN", "77PLANT99")
_TOKENS = tuple(
    token.encode()
    for token in (
        *PLANTED * 3,
        "1S00A00AA00",
        "1EG4-TE5-MK73",
        "",
        " ",
        "~",
        "0",
        "-",
        "-1",
        "=1+1",
        "9" * 30,
        "0001-01-01",
        "9999-12-31",
        "2024-02-30",
        "20240230",
        "99999999",
        "1e999",
        "NaN",
        "Infinity",
        "TRL",
        "null",
        "[]",
        "{}",
        '"',
        "\\u0000",
        "\\ud800",
        "\x00",
        "\ufeff",
        "\u0663",
        "\u00e9",
        "x" * 5_000,
    )
)
_FIELD = re.compile(rb'[^,|*~:;\t\r\n"^ ]+')
# An escaped NUL, and not the end of an escaped backslash.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_MOST_CHANGES = 4
_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"


class Choices(Protocol):
    """Whoever decides what is changed."""

    def below(self, limit: int) -> int:
        """A number from 0 to below the limit."""

    def content(self, most: int) -> bytes:
        """Any bytes."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A file that can be read, by its name."""

    kind: str
    name: str
    content: bytes


class EscapedError(AssertionError):
    """Something about a person stands where everybody may read it, or a text that no database takes."""


def changed(choices: Choices, seed: Seed, others: tuple[Seed, ...]) -> tuple[str, bytes]:
    """A name and a content made of a seed. Now and then the name is another's."""
    name = seed.name if choices.below(24) else others[choices.below(len(others))].name
    return name, _changed_file(choices, seed.content)


def _changed_file(choices: Choices, content: bytes) -> bytes:
    inside = choices.below(8)
    if inside and content.startswith(_ZIP):
        return _changed_archive(choices, content)
    if inside and content.startswith(_GZIP):
        return gzip.compress(_changed_text(choices, gzip.decompress(content)), 1, mtime=0)
    return _changed_text(choices, content)


def _changed_archive(choices: Choices, content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    target = choices.below(len(members))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, (name, text) in enumerate(members):
            info = zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0))
            archive.writestr(info, _changed_text(choices, text) if place == target else text)
    return made.getvalue()


def _changed_text(choices: Choices, text: bytes) -> bytes:
    for _ in range(1 + choices.below(_MOST_CHANGES)):
        text = _CHANGES[choices.below(len(_CHANGES))](choices, text)
    return text


def _place(choices: Choices, text: bytes) -> int:
    return choices.below(len(text) + 1)


def _with_field(choices: Choices, text: bytes) -> bytes:
    start = _place(choices, text)
    found = _FIELD.search(text, start) or _FIELD.search(text)
    if found is None:
        return text
    token = _TOKENS[choices.below(len(_TOKENS))]
    if choices.below(2):  # of the same length: positions behind it stay where they are
        token = token[: len(found[0])].ljust(len(found[0]))
    return text[: found.start()] + token + text[found.end() :]


def _with_bytes(choices: Choices, text: bytes) -> bytes:
    start = _place(choices, text)
    return text[:start] + choices.content(1 + choices.below(8)) + text[start + choices.below(8) :]


def _cut(choices: Choices, text: bytes) -> bytes:
    return text[: _place(choices, text)]


def _without_some(choices: Choices, text: bytes) -> bytes:
    start = _place(choices, text)
    return text[:start] + text[start + 1 + choices.below(64) :]


def _line_again(choices: Choices, text: bytes) -> bytes:
    return _lines(choices, text, lambda line: [line, line])


def _line_left_out(choices: Choices, text: bytes) -> bytes:
    return _lines(choices, text, lambda _: [])


def _line_joined(choices: Choices, text: bytes) -> bytes:
    return _lines(choices, text, lambda line: [line.rstrip(b"\r\n~")])


def _lines(choices: Choices, text: bytes, become: Callable[[bytes], list[bytes]]) -> bytes:
    lines = re.split(rb"(?<=[\n~])", text)
    place = choices.below(len(lines))
    return b"".join([*lines[:place], *become(lines[place]), *lines[place + 1 :]])


def _marked(_: Choices, text: bytes) -> bytes:
    return b"\xef\xbb\xbf" + text


def _utf_16(_: Choices, text: bytes) -> bytes:
    return text.decode("latin-1").encode("utf-16")


# What is likely to be met comes more often.
_CHANGES: tuple[Callable[[Choices, bytes], bytes], ...] = (
    *(_with_field,) * 8,
    *(_with_bytes,) * 4,
    _cut,
    _without_some,
    _line_again,
    _line_left_out,
    _line_joined,
    _marked,
    _utf_16,
)


def examine(path: Path) -> str:
    """Read a file as intake does. Says what became of it, by a word or two.

    Raises :class:`EscapedError`, or whatever a reader raises that it must not.
    """
    counts: Counter[str] = Counter()
    try:
        found = recognise(path, TODAY)
        source = Source(found.kind, path.name, (path,), found.dated, synthetic_identifiers=True, default_state="OH")
        stager = Stager("d" + "0" * 32, KEYS)
        for reading in reader_of(found.kind)(source):
            _require_harmless(_texts(reading))
            stager.add(reading)
            counts["defects" if isinstance(reading, Defect) else "readings"] += 1
        _require_storable(stager)
    except RefusedDelivery as refusal:
        _require_harmless(iter((refusal.reason_code, refusal.detail)))
        return f"refused {refusal.reason_code}"
    return " and ".join(sorted(counts)) or "nothing in it"


def _texts(reading: Reading) -> Iterator[str]:
    """What everybody may read of a reading."""
    match reading:
        case Defect():
            yield from (text for text in (reading.field, reading.reason, reading.found, reading.expected) if text)
        case Observation():
            yield reading.what


def _require_harmless(texts: Iterator[str]) -> None:
    for text in texts:
        capitals = text.upper()
        if holds_an_mbi(text) or any(planted in capitals for planted in PLANTED):
            raise EscapedError(f"an identifier stands in a text of {len(text)} characters")
        if "\x00" in text:
            raise EscapedError("a text that no database takes")
        text.encode()  # a lone surrogate is no text either


def _require_storable(stager: Stager) -> None:
    """Rows as they would be written: no database takes a NUL in a text, nor its escape in a statement."""
    for rows in stager._rows.values():
        for value in (value for row in rows for value in row):
            if isinstance(value, str):
                _require_text(value)
            elif isinstance(value, bytes) and value.startswith(b"{") and _NUL.search(value):
                raise EscapedError("a statement that no database takes")


def _require_text(text: str) -> None:
    text.encode()
    if "\x00" in text:
        raise EscapedError("a text that no database takes")


def checksum(content: bytes) -> str:
    """By which a file is named in a report."""
    return f"{zlib.crc32(content):08x}"
