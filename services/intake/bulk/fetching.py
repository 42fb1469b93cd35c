"""One fetch from beginning to end, or from where an earlier one stopped: job, waiting, files, bookkeeping.

Every step is written down before the next is taken, so that a process killed anywhere goes on without asking for the
same export twice and without delivering a file twice:

- the job's address, as soon as the server tells it;
- the list of files, once the job is complete;
- a file as ``whole`` once it is on disk under another name, then it gets its own; then as ``delivered``.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, Protocol

from services.intake.bulk.api import Api, Busy, Running
from services.intake.bulk.downloads import checksum, download
from services.intake.bulk.failures import JobFailed, JobGone, RequestRefused, StateInvalid
from services.intake.bulk.job_state import Completed, KeptFile, KeptJob, StateFolder, sync_folder
from services.intake.bulk.joining import belongs_together, join, joined_name
from services.intake.bulk.manifest import Manifest, RemoteFile
from services.intake.bulk.request import TRACKED_SINCE, TYPES, ExportRequest, instant
from services.intake.bulk.sending import USUAL_PAUSE_SECONDS
from services.intake.bulk.waiting import PollPauses

# An export that expires is asked for anew; one that keeps expiring before it is fetched needs a person.
_MOST_STARTS: Final = 3


class Tell(Protocol):
    """Who hears how it goes."""

    def said(self, text: str) -> None:
        """Something that the operator should know."""

    def exporting(self, percent: int | None) -> None:
        """How far the server is."""

    def fetching(self, file: int, files: int, received: int) -> None:
        """Which file comes, and how many bytes of it have come."""


@dataclass(frozen=True, slots=True)
class Since:
    """From when: what was fetched last, everything, or a moment that the operator names."""

    choice: Literal["last", "full", "given"] = "last"
    moment: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of it. ``errors`` are files of the server's reports about what is missing."""

    request: str
    since: datetime | None
    transaction_time: datetime
    files: tuple[Path, ...]
    lines: dict[str, int]
    file_bytes: int
    errors: tuple[Path, ...]
    resumed: bool


@dataclass(slots=True)
class Fetch:
    """A request, and where its files go."""

    api: Api
    request: ExportRequest
    folder: StateFolder
    into: Path
    tell: Tell
    _resumed: bool = field(default=False)

    async def run(self, since: Since) -> Fetched:
        """Fetch it. Raises a :class:`BulkFailure`; what was kept by then is gone on with by the next call."""
        self.into.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.folder.alone(self.request.key):
            starts = 0
            while True:
                job = self._kept(since) or await self._begun(since)
                try:
                    return self._finished(await self._fetched(await self._completed(job)))
                except JobFailed:
                    self.folder.forget_job(self.request.key)
                    raise
                except JobGone as gone:
                    self.folder.forget_job(self.request.key)
                    starts += 1
                    if starts == _MOST_STARTS:
                        raise
                    self.tell.said(f"{gone} Asking for the export anew; files that came already are not lost.")
                    since = Since("given", job.since)

    async def cancel(self) -> bool:
        """Cancel what is unfinished, at the server and here. False where there is nothing."""
        with self.folder.alone(self.request.key):
            job = self.folder.job(self.request.key)
            if job is None:
                return False
            await self.api.cancel(job.job_url)
            self.folder.forget_job(self.request.key)
            return True

    def _kept(self, since: Since) -> KeptJob | None:
        job = self.folder.job(self.request.key)
        if job is None:
            return None
        if since.choice != "last" and since.moment != job.since and not self._resumed:
            raise StateInvalid(
                f"An unfinished export since {_told(job.since)} is kept. Finish it without --since and --full, or "
                "drop it with --cancel."
            )
        if job.into != self.into:
            raise StateInvalid(f"An unfinished export goes into {job.into}. Name that with --into, or use --cancel.")
        self._resumed = True
        self.tell.said("Going on with the export that was asked for before.")
        return job

    async def _begun(self, since: Since) -> KeptJob:
        moment = self._since(since)
        request = self.request.asking_since(moment)
        job_url = await self._started(request)
        job = KeptJob(job_url=job_url, since=moment, started_at=self.api.sender.now(), into=self.into)
        self.folder.keep_job(request.key, job)
        return job

    def _since(self, since: Since) -> datetime | None:
        last = self.folder.completed(self.request.key) if since.choice == "last" else None
        moment = last.transaction_time if last is not None else since.moment
        if moment is not None and moment < TRACKED_SINCE:
            self.tell.said("Changes before 2020-02-12 all carry the date 2020-01-01: earlier times find the same.")
        self.tell.said(
            "Asking for everything." if moment is None else f"Asking for what changed since {_told(moment)}."
        )
        return moment

    async def _started(self, request: ExportRequest) -> str:
        """Start the export, or find the one that runs already."""
        while True:
            found = await self.api.start(request)
            if isinstance(found, str):
                return found
            if (running := await self.api.running_job(request)) is not None:
                self.tell.said("The same export runs already at the server: going on with it.")
                return running
            await self._wait_for_turn(found)

    async def _wait_for_turn(self, busy: Busy) -> None:
        pause = busy.pause or USUAL_PAUSE_SECONDS
        self.tell.said(f"The server takes no other export now (429); asking again in {pause:.0f} s.")
        await self.api.sender.patience.wait(pause)

    async def _completed(self, job: KeptJob) -> KeptJob:
        """Wait until the job is complete, and write down which files there are."""
        if job.transaction_time is not None:
            if job.expires is not None and self.api.sender.now() >= job.expires:
                raise JobGone("The files of the export have expired.")
            return job
        pauses = PollPauses()
        while isinstance(seen := await self.api.look(job.job_url), Running):
            self.tell.exporting(seen.percent)
            await self.api.sender.patience.wait(seen.pause or pauses.next())
        job = job.model_copy(
            update={
                "transaction_time": seen.transaction_time,
                "expires": seen.expires,
                "files": tuple(self._files(job, seen)),
            }
        )
        self.folder.keep_job(self.request.key, job)
        return job

    def _files(self, job: KeptJob, manifest: Manifest) -> list[KeptFile]:
        """People first, then what is said about them: who takes the files knows the person when the claim comes."""
        files = sorted(manifest.files, key=lambda file: (_rank(file.type), file.url))
        listed = [(file, False) for file in files] + [(file, True) for file in manifest.errors]
        return [
            KeptFile(type=file.type, url=file.url, name=self._name(job, manifest, file), is_error=is_error)
            for file, is_error in listed
        ]

    def _name(self, job: KeptJob, manifest: Manifest, file: RemoteFile) -> str:
        """A name that no other file has, that sorts as files are to be taken, and that tells of when they are."""
        request, digest = self.request, hashlib.sha256(f"{job.job_url}\n{file.url}".encode()).hexdigest()[:10]
        source = f"{request.profile.name}.{request.version}.{request.group}".upper()
        return f"{source}.{_rank(file.type)}.{file.type}.{digest}.D{manifest.transaction_time:%y%m%d}.ndjson.gz"

    async def _fetched(self, job: KeptJob) -> KeptJob:
        for number, file in enumerate(job.files):
            job = await self._one(job, number, file)
        together = _together(job)
        if together and not (target := self.into / joined_name(together)).exists():
            join([self._place(file) for file in together], target)
        return job

    async def _one(self, job: KeptJob, number: int, file: KeptFile) -> KeptJob:
        place = self._place(file)
        part = place.with_name(place.name + ".part")
        lost = file.state == "delivered" and belongs_together(file) and not place.exists()
        if lost or (file.state == "whole" and not _is_there(file, part, place)):
            file = file.model_copy(update={"state": "waits"})
        if file.state == "waits":
            files = len(job.files)
            whole = await download(
                self.api, file.url, part, lambda received: self.tell.fetching(number + 1, files, received)
            )
            state = "whole" if whole.lines else "empty"
            job = job.with_file(
                number, state=state, sha256=whole.sha256, file_bytes=whole.file_bytes, lines=whole.lines
            )
            self.folder.keep_job(self.request.key, job)
        if job.files[number].state == "whole":
            _put(part, place)
            job = job.with_file(number, state="delivered")
            self.folder.keep_job(self.request.key, job)
        part.unlink(missing_ok=True)
        return job

    def _place(self, file: KeptFile) -> Path:
        if belongs_together(file):
            return self.folder.aside / file.name
        return (self.folder.errors if file.is_error else self.into) / file.name

    def _delivered(self, job: KeptJob) -> list[Path]:
        """The files that intake finds, in their order."""
        alone = [file for file in job.files if file.state == "delivered" and not file.is_error]
        paths = [self._place(file) for file in alone if not belongs_together(file)]
        together = _together(job)
        return [*paths, self.into / joined_name(together)] if together else paths

    def _finished(self, job: KeptJob) -> Fetched:
        """Write down that everything came, then that there is nothing to go on with."""
        if job.transaction_time is None:
            raise StateInvalid("The kept export is not complete.")
        now, files = self.api.sender.now(), [file for file in job.files if not file.is_error]
        self.folder.keep_completed(
            self.request.key,
            Completed(transaction_time=job.transaction_time, since=job.since, finished_at=now, files=len(files)),
        )
        self.folder.forget_job(self.request.key)
        for file in _together(job):
            self._place(file).unlink(missing_ok=True)
        lines: Counter[str] = Counter()
        for file in files:
            lines[file.type] += file.lines or 0
        errors = (file for file in job.files if file.is_error and file.state == "delivered")
        return Fetched(
            request=self.request.key,
            since=job.since,
            transaction_time=job.transaction_time,
            files=tuple(self._delivered(job)),
            lines=dict(sorted(lines.items())),
            file_bytes=sum(file.file_bytes or 0 for file in files if file.state == "delivered"),
            errors=tuple(self._place(file) for file in errors),
            resumed=self._resumed,
        )


def _together(job: KeptJob) -> list[KeptFile]:
    """Files with something in them that make one delivery."""
    return [file for file in job.files if belongs_together(file) and file.state == "delivered"]


def _told(moment: datetime | None) -> str:
    return "the beginning" if moment is None else instant(moment)


def _rank(kind: str) -> int:
    return TYPES.index(kind) + 1 if kind in TYPES else len(TYPES) + 1


def _is_there(file: KeptFile, part: Path, place: Path) -> bool:
    """Whether the file that was whole still is, under one name or the other."""
    return any(path.exists() and checksum(path) == file.sha256 for path in (part, place))


def _put(part: Path, place: Path) -> None:
    """Give a whole file its own name, over no other file."""
    if part.exists():
        if not place.exists():
            part.rename(place)
        elif checksum(part) != checksum(place):
            raise RequestRefused(f"{place} exists with other content. Move it away, then go on.")
        part.unlink(missing_ok=True)
    sync_folder(place.parent)
