"""From the files of a delivery to single FHIR resources, in bounded memory: lines, documents and bundles.

NDJSON holds a resource a line; a ``.json`` file is one resource or bundle; a bundle's entries are resources of their
own. Nothing here knows what a resource says.
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple, TypeVar, cast

from msgspec import DecodeError, ValidationError
from msgspec.json import Decoder

from services.intake.readers.fhir_resources import Bundle, Head
from services.intake.readers.fhir_values import UnreadableResource
from services.intake.reading import Defect, RefusedDelivery

# The longest resource of the public samples is below 200 kB; a line above this is no resource and must not fill memory.
MOST_LINE_BYTES = 4 * 1024 * 1024
# A bundle in one document, as a server gives it page by page.
MOST_DOCUMENT_BYTES = 64 * 1024 * 1024
# A line that goes on for so long is no accident: a few kilobytes can unzip to anything.
MOST_PASSED_OVER_BYTES = 256 * 1024 * 1024
_RAW_KEPT_BYTES = 4096
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_PARSER_TELLS = re.compile(
    r"^Expected `(?P<expected>[a-z |]+)`(?:, got `(?P<found>[a-z]+)`)?(?: - at `\$\.?(?P<path>[^`]*)`)?"
)
_INDEX = re.compile(r"\[[^\]]*\]")
Resource = TypeVar("Resource")
_HEAD = Decoder(Head)
_BUNDLE = Decoder(Bundle)


class Located(NamedTuple):
    """The bytes of one resource and where they stand: line of the file, or entry of the bundle that the file is."""

    file: str
    number: int
    raw: bytes
    in_document: bool = False


def defect(at: Located, why: UnreadableResource) -> Defect:
    """What is told of a resource, or an element of one, that cannot be read."""
    return Defect(at.file, at.number, why.field, why.reason, at.raw[:_RAW_KEPT_BYTES], why.found, why.expected)


def opened(path: Path) -> IO[bytes]:
    """The file's content, unzipped."""
    return cast(IO[bytes], gzip.open(path, "rb")) if path.name.endswith(".gz") else path.open("rb")


def is_document(path: Path) -> bool:
    """Whether the file is one resource or bundle as a whole, not one a line."""
    return path.name.removesuffix(".gz").endswith(".json")


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """The lines, none longer than one byte above the limit; the rest of a longer one is passed over."""
    while line := file.readline(MOST_LINE_BYTES + 1):
        yield line
        passed = 0
        while len(line) > MOST_LINE_BYTES and not line.endswith(b"\n"):
            line = file.readline(MOST_LINE_BYTES + 1)
            passed += len(line)
            if passed > MOST_PASSED_OVER_BYTES:
                raise RefusedDelivery("line_without_end", f"a line is longer than {MOST_PASSED_OVER_BYTES} bytes")
            if not line:
                return


def _document(file: IO[bytes]) -> bytes:
    document = file.read(MOST_DOCUMENT_BYTES + 1)
    if len(document) > MOST_DOCUMENT_BYTES:
        raise RefusedDelivery("document_too_large", f"a document of more than {MOST_DOCUMENT_BYTES} bytes")
    return document


def located(path: Path) -> Iterator[Located]:
    """The lines of a file, or its one document. Raises :class:`RefusedDelivery` for a damaged compressed file."""
    try:
        with opened(path) as file:
            if is_document(path):
                yield Located(path.name, 1, _document(file).removeprefix(_BYTE_ORDER_MARK), in_document=True)
                return
            name = path.name
            for number, line in enumerate(_lines(file), 1):
                plain = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
                if plain and not plain.isspace():
                    yield Located(name, number, plain)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise RefusedDelivery("archive_damaged", "the compressed file cannot be read to its end") from None


def entries_of(at: Located) -> Iterator[Located]:
    """The resources of a bundle, each where it stands. Raises :class:`UnreadableResource`."""
    for number, entry in enumerate(decoded(_BUNDLE, at).entry, 1):
        yield Located(at.file, number if at.in_document else at.number, bytes(entry.resource), at.in_document)


def head_of(at: Located) -> Head:
    """What tells the type of a resource. Raises :class:`UnreadableResource`."""
    return decoded(_HEAD, at)


def decoded(decoder: Decoder[Resource], at: Located) -> Resource:
    """The resource. Raises :class:`UnreadableResource`, which never holds a value."""
    if len(at.raw) > MOST_LINE_BYTES and not at.in_document:
        raise UnreadableResource("line_too_long")
    try:
        return decoder.decode(at.raw)
    except ValidationError as failure:
        why = _wrong_type(str(failure))
    except UnicodeDecodeError:
        why = UnreadableResource("not_utf8")
    except DecodeError:
        why = UnreadableResource("not_json")
    except RecursionError:
        why = UnreadableResource("nested_too_deeply")
    # Raised out here: an exception raised above would carry the bytes in its context.
    raise why


def _wrong_type(message: str) -> UnreadableResource:
    """An element of another JSON type than FHIR gives it. The parser tells types and our own names, never a value."""
    told = _PARSER_TELLS.search(message)
    place = _INDEX.sub("", told["path"] or "") if told else ""
    why = UnreadableResource("wrong_type" if place else "not_a_resource", place or None)
    if told:
        why.expected, why.found = told["expected"], told["found"]
    return why
