"""Bytes from the wire: whatever way they come in blocks, the same file, and nothing that was cut off."""

import gzip
import io
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.bulk.decoding import Damaged, Plain, ResourceFile, Unzipped, decoder_of

CONTENT = b"".join(json.dumps({"resourceType": "Patient", "id": str(number)}).encode() + b"\n" for number in range(50))


def _written(blocks: list[bytes], encoding: str | None) -> tuple[bytes, int]:
    file, decoder = io.BytesIO(), decoder_of(encoding)
    resources = ResourceFile(file)
    for block in blocks:
        resources.write(decoder.feed(block))
    decoder.finish()
    resources.close()
    return file.getvalue(), resources.lines


def _in_blocks(content: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(content) + 1) for cut in cuts), len(content)]
    return [content[begin:end] for begin, end in pairwise(edges)]


CUTS = st.lists(st.integers(0, 10_000), max_size=12)


@given(CUTS, st.sampled_from([None, "gzip"]))
def test_however_it_is_cut_into_blocks_it_is_the_same_file(cuts: list[int], encoding: str | None) -> None:
    sent = gzip.compress(CONTENT) if encoding else CONTENT
    assert _written(_in_blocks(sent, cuts), encoding) == _written([CONTENT], None)


def test_the_file_is_gzip_without_a_time() -> None:
    found, lines = _written([CONTENT], None)
    assert (gzip.decompress(found), lines, found[4:8]) == (CONTENT, 50, b"\x00" * 4)


@given(st.integers(0, len(gzip.compress(CONTENT)) - 1))
def test_a_compressed_stream_that_ends_early_is_never_taken_for_whole(length: int) -> None:
    with pytest.raises(Damaged):
        _written([gzip.compress(CONTENT)[:length]], "gzip")


@given(st.integers(1, len(CONTENT) - 1))
def test_plain_content_that_ends_within_a_line_is_never_taken_for_whole(length: int) -> None:
    cut = CONTENT[:length]
    whole_lines = cut.endswith((b"\n", b"}"))
    if whole_lines:
        assert _written([cut], None)[1] == len(cut.splitlines())
    else:
        with pytest.raises(Damaged, match="cut off"):
            _written([cut], None)


@given(st.integers(0, 2000), st.integers(0, 255))
def test_a_changed_byte_gives_the_content_or_a_reason(place: int, value: int) -> None:
    zipped = bytearray(gzip.compress(CONTENT))
    zipped[place % len(zipped)] = value
    try:
        found, _ = _written([bytes(zipped)], "gzip")
    except Damaged:
        return
    assert gzip.decompress(found) == CONTENT


@pytest.mark.parametrize("content", [b"<html>", b"[1]", b"\n\n<", b"\xff\xfe", b'"text"'])
def test_what_does_not_begin_with_an_object_is_none(content: bytes) -> None:
    with pytest.raises(Damaged, match="no list of resources"):
        _written([content], None)


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    with pytest.raises(Damaged, match="longer than any"):
        _written([b"{", *[b"x" * 1_000_000] * 5], None)


def test_nothing_is_no_line() -> None:
    assert _written([], None)[1] == 0
    assert _written([b"\n \n"], None)[1] == 2


@pytest.mark.parametrize(
    ("encoding", "kind"), [(None, Plain), ("", Plain), ("identity", Plain), ("gzip", Unzipped), ("x-gzip", Unzipped)]
)
def test_encodings(encoding: str | None, kind: type) -> None:
    assert isinstance(decoder_of(encoding), kind)


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd"])
def test_encodings_that_nobody_asked_for(encoding: str) -> None:
    with pytest.raises(Damaged, match="not asked for"):
        decoder_of(encoding)
