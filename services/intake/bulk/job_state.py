"""What is kept of a fetch, so that it can go on after a crash: small JSON files, replaced at once, without any secret."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.intake.bulk.failures import AlreadyFetching, StateInvalid

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,199}$")]


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Kept = TypeVar("Kept", bound=_Kept)


class KeptFile(_Kept):
    """One file of a completed job. ``state``: waits at the server; whole under another name; at its place; empty."""

    type: str
    url: str
    name: Name
    is_error: bool = False
    state: Literal["waits", "whole", "delivered", "empty"] = "waits"
    sha256: str | None = None
    file_bytes: int | None = None
    lines: int | None = None


class KeptJob(_Kept):
    """An export that was asked for and has not been fetched whole."""

    version: Literal[1] = 1
    job_url: str
    since: datetime | None
    started_at: datetime
    into: Path
    transaction_time: datetime | None = None
    expires: datetime | None = None
    files: tuple[KeptFile, ...] = ()

    def with_file(self, number: int, **changes: object) -> "KeptJob":
        """The same, one file changed."""
        files = list(self.files)
        files[number] = files[number].model_copy(update=changes)
        return self.model_copy(update={"files": tuple(files)})


class Completed(_Kept):
    """The last export of a request that was fetched whole: the next asks for what has changed since."""

    version: Literal[1] = 1
    transaction_time: datetime
    since: datetime | None
    finished_at: datetime
    files: int


class StateFolder:
    """The folder of what is kept, one name a request (:attr:`ExportRequest.key`)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextlib.contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """While nobody else fetches the same. Raises :class:`AlreadyFetching`."""
        with (self.folder / f"{key}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyFetching("The same is being fetched by another process.") from None
            yield

    def job(self, key: str) -> KeptJob | None:
        """What is kept of an unfinished fetch. Raises :class:`StateInvalid`."""
        return self._read(self._job_file(key), KeptJob)

    def keep_job(self, key: str, job: KeptJob) -> None:
        """Keep it in place of what was kept."""
        replace_whole(self._job_file(key), job.model_dump_json(indent=1))

    def forget_job(self, key: str) -> None:
        """There is nothing to go on with."""
        self._job_file(key).unlink(missing_ok=True)

    def completed(self, key: str) -> Completed | None:
        """The last one that was fetched whole."""
        return self._read(self._completed_file(key), Completed)

    def keep_completed(self, key: str, completed: Completed) -> None:
        """Keep it in place of the one before."""
        replace_whole(self._completed_file(key), completed.model_dump_json(indent=1))

    @property
    def errors(self) -> Path:
        """Where reports of errors are kept."""
        folder = self.folder / "errors"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    @property
    def aside(self) -> Path:
        """Where files wait for those with which they are delivered."""
        folder = self.folder / "aside"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def _job_file(self, key: str) -> Path:
        return self.folder / f"{key}.job.json"

    def _completed_file(self, key: str) -> Path:
        return self.folder / f"{key}.completed.json"

    @staticmethod
    def _read(path: Path, model: type[Kept]) -> Kept | None:
        try:
            return model.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError:
            raise StateInvalid(f"{path} cannot be read. Move it away: then everything is asked for anew.") from None


def replace_whole(path: Path, text: str) -> None:
    """Write a file at once: whoever reads it finds the old text or the new one, also after a crash."""
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """See to it that a name that was given survives a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
