"""Who the simulated people are, by the files that name them, and a search for any of it in anything."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

# CCLF Information Packet v36.0: 0-based places of identifiers, names and the address in each record.
_CCLF = {
    "1": (slice(19, 30),),
    "5": (slice(23, 34),),
    "8": (slice(0, 11), slice(81, 111), slice(126, 166)),
    "9": (slice(1, 12), slice(12, 23)),
}
_CCLF_MEMBER = re.compile(r"\.ZC([1-9])Y")
_ENROLMENT = re.compile(r"REF\*(?:6P|1D|0F)\*(?P<identifier>\w+)~|NM1\*IL\*1\*(?P<last>[^*~]+)\*(?P<first>[^*~]+)~")
_REPORT_MBI = 2


@dataclass(frozen=True)
class People:
    """Every identifier and name of everybody whom the delivered files are about."""

    texts: frozenset[str]

    @cached_property
    def _pattern(self) -> re.Pattern[bytes]:
        longest_first = sorted(self.texts, key=len, reverse=True)
        return re.compile(b"|".join(re.escape(text.lower().encode()) for text in longest_first))

    def found_in(self, content: bytes) -> set[str]:
        """Which of them stand in it, whatever the case."""
        return {match.decode() for match in self._pattern.findall(content.lower())}


def people_of(files: Iterable[Path]) -> People:
    """Read the files as their formats are published, not as intake reads them."""
    texts = {text.strip() for file in files for text in _texts_of(file)}
    return People(frozenset(text for text in texts if text and text != "~"))


def _texts_of(file: Path) -> Iterator[str]:
    if zipfile.is_zipfile(file):
        yield from _of_archive(file)
    elif file.name.startswith("834."):
        for found in _ENROLMENT.finditer(file.read_text()):
            yield from filter(None, found.groupdict().values())
    elif file.name.startswith("ALIGNMENT_REPORT."):
        yield from (row[_REPORT_MBI] for row in list(csv.reader(file.read_text().splitlines()))[1:-1])


def _of_archive(file: Path) -> Iterator[str]:
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            text = archive.read(name).decode()
            cclf = _CCLF_MEMBER.search(name)
            if cclf is not None:
                yield from (line[place] for line in text.splitlines() for place in _CCLF.get(cclf[1], ()))
            elif name.startswith("TMSIS_") and name != "TMSIS_CONTROL.csv":
                yield from (row["MSIS_IDENT_NUM"] for row in csv.DictReader(io.StringIO(text)))
