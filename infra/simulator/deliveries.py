"""Writes the spooled records as files: one folder a month, in the order in which they are to be taken."""

import shutil
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from random import Random

from contracts.delivery import DeliveryKind
from infra.simulator import cclf, enrolment, fhir, reports, tmsis, x12_encounters
from infra.simulator.eligibility import Eligibility, write_eligibility
from infra.simulator.enrolment import FileKind
from infra.simulator.fhir_coverage import Generation
from infra.simulator.lists import List, write_lists
from infra.simulator.period import Period
from infra.simulator.spool import Spool
from infra.simulator.world import COMPARISON_FEED, ENCOUNTER_FEED, ENTITY, PLANS, Feed, roster

SOURCES = (ENTITY, COMPARISON_FEED)
FILE_KINDS: tuple[FileKind, ...] = ("changes", "roster")
# Archives carry no clock: the same seed gives the same bytes.
ARCHIVE_TIME = (2022, 1, 1, 0, 0, 0)
REPEATED_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file as delivered. ``duplicate_of`` is the path of the earlier delivery with the same bytes."""

    path: str
    kind: DeliveryKind
    duplicate_of: str | None = None


def _write_archive(path: Path, entries: Iterable[tuple[str, Iterable[str]]]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, texts in entries:
            entry = zipfile.ZipInfo(name, ARCHIVE_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            with archive.open(entry, "w") as file:
                for text in texts:
                    file.write(text.encode("ascii"))


def _cclf_entries(spool: Spool, period: Period, feed: str, month: int) -> Iterator[tuple[str, Iterable[str]]]:
    counts = {file: spool.count(("cclf", feed, file, month)) for file in cclf.RECORD_FILES}
    yield cclf.file_name(feed, "0", period, month), [cclf.control_file(counts)]
    for file in cclf.RECORD_FILES:
        name = cclf.file_name(feed, file.removeprefix("CCLF"), period, month)
        yield name, spool.take(("cclf", feed, file, month))


def _tmsis_entries(spool: Spool, month: int) -> Iterator[tuple[str, Iterable[str]]]:
    parts = [(file_type, part) for file_type in tmsis.FILE_TYPES for part in ("HEADER", "LINE")]
    counts = [f"TMSIS_{kind}_{part}.csv,{spool.count(('tmsis', kind, part, month))}\n" for kind, part in parts]
    yield "TMSIS_CONTROL.csv", ["FILE_NAME,RECORD_COUNT\n", *counts]
    for kind, part in parts:
        rows = spool.take(("tmsis", kind, part, month))
        yield f"TMSIS_{kind}_{part}.csv", _headed(tmsis.heading(kind, part), rows)


def _headed(heading: str, texts: Iterable[str]) -> Iterator[str]:
    yield heading
    yield from texts


GENERATIONS: dict[Feed, Generation] = {"fhir-v1": "v1", "fhir-v2": "v2", "fhir-v3": "v3"}


def _write_text(path: Path, texts: Iterable[str]) -> None:
    with path.open("w", encoding="ascii", newline="") as file:
        file.writelines(texts)


class DeliveryWriter:
    """Writes month after month into ``directory`` and remembers what it wrote."""

    def __init__(
        self, directory: Path, period: Period, spool: Spool, seed: int, feeds: Sequence[Feed] = ("cclf",)
    ) -> None:
        self._directory = directory
        self._period = period
        self._spool = spool
        self._feeds = feeds
        self._random = Random(f"{seed}:deliveries")
        self.lists: Sequence[List] = ()
        self.eligibility: Sequence[Eligibility] = ()
        self.written: list[Delivery] = []

    def write_month(self, month: int) -> None:
        """Every file of one month, and perhaps one of last month's files again."""
        folder = self._directory / f"{month + 1:03d}-{self._period.texts[month]}"
        folder.mkdir(parents=True)
        before = len(self.written)
        self._write_enrolment(folder, month)
        self._write_alignment(folder, month)
        self._write_claims(folder, month)
        self._write_roster(folder, month)
        for path, kind in write_lists(folder, month, self._period, self._spool, self.lists):
            self._add(path, kind)
        for path, kind in write_eligibility(folder, month, self._period, self._spool, self.eligibility):
            self._add(path, kind)
        self._repeat(folder, month)
        self.written[before:] = sorted(self.written[before:], key=lambda delivery: delivery.path)

    def _add(self, path: Path, kind: DeliveryKind, duplicate_of: str | None = None) -> None:
        self.written.append(Delivery(path.relative_to(self._directory).as_posix(), kind, duplicate_of))

    def _write_enrolment(self, folder: Path, month: int) -> None:
        for plan in PLANS:
            for kind in FILE_KINDS:
                key, segments = ("834", plan, kind, month), ("834-segments", plan, kind, month)
                if not self._spool.count(key):
                    continue
                path = folder / enrolment.file_name(self._period, month, plan, kind)
                on = enrolment.file_date(self._period, month, kind)
                body = _headed(enrolment.opening(plan, on, kind), self._spool.take(key))
                _write_text(path, chain(body, [enrolment.closing(self._spool.count(segments))]))
                self._add(path, DeliveryKind.ENROLMENT_834)

    def _write_alignment(self, folder: Path, month: int) -> None:
        path = folder / reports.alignment_file_name(self._period, month)
        rows = self._spool.count(("alignment", month))
        body = _headed(reports.ALIGNMENT_HEADING, self._spool.take(("alignment", month)))
        _write_text(path, chain(body, [reports.trailer(rows)]))
        self._add(path, DeliveryKind.ALIGNMENT_REPORT)

    def _write_claims(self, folder: Path, month: int) -> None:
        for layout in self._feeds:
            for source in SOURCES:
                if layout == "cclf":
                    self._write_cclf(folder, source, month)
                elif layout != ENCOUNTER_FEED:
                    self._write_fhir(folder, source, GENERATIONS[layout], month)
        path = folder / tmsis.file_name(self._period, month)
        _write_archive(path, _tmsis_entries(self._spool, month))
        self._add(path, DeliveryKind.MEDICAID_CLAIMS)
        for plan in PLANS:
            self._write_encounters(folder, plan, month)

    def _write_encounters(self, folder: Path, plan: str, month: int) -> None:
        keys = [(guide, ("837", plan, guide, month)) for guide in x12_encounters.GUIDES]
        texts = [(guide, self._spool.take(key)) for guide, key in keys if self._spool.count(key)]
        if texts:
            path = folder / x12_encounters.file_name(self._period, month, plan)
            _write_text(path, x12_encounters.interchange(self._period, month, plan, texts))
            self._add(path, DeliveryKind.ENCOUNTER_837)

    def _write_cclf(self, folder: Path, source: str, month: int) -> None:
        path = folder / cclf.file_name(source, "", self._period, month)
        _write_archive(path, _cclf_entries(self._spool, self._period, source, month))
        self._add(path, DeliveryKind.CCLF)

    def _write_fhir(self, folder: Path, source: str, generation: Generation, month: int) -> None:
        for resource_type, kind in fhir.RESOURCE_TYPES.items():
            key = fhir.key_of(generation, source, resource_type, month)
            if self._spool.count(key):
                path = folder / fhir.file_name(generation, source, resource_type, self._period, month)
                _write_text(path, self._spool.take(key))
                self._add(path, kind)

    def _write_roster(self, folder: Path, month: int) -> None:
        changed = self._period.months // 2
        if month not in {0, changed}:
            return
        first = self._period.first_days[month]
        path = folder / reports.roster_file_name(first.replace(day=5))
        participants = roster(self._period.first_days[0].year, later=month == changed and month > 0)
        _write_text(path, [reports.roster_text(participants)])
        self._add(path, DeliveryKind.PROVIDER_ROSTER)

    def _repeat(self, folder: Path, month: int) -> None:
        """Deliver one of last month's files a second time: always in the second month, later now and then."""
        draw = self._random.random()
        prefix = f"{month:03d}-"
        last_month = [d for d in self.written if d.path.startswith(prefix) and d.duplicate_of is None]
        if not last_month or (month > 1 and draw >= REPEATED_SHARE):
            return
        again = self._random.choice(last_month)
        path = folder / Path(again.path).name
        shutil.copyfile(self._directory / again.path, path)
        self._add(path, again.kind, again.path)
