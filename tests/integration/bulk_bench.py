"""A bulk client on a bench, with a server of our own at its other end."""

import gzip
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from fake_bulk_server import (
    CLIENT,
    SECRET,
    FakeBulkServer,
    InProcess,
)
from pydantic import SecretStr

from services.intake.bulk.api import Api
from services.intake.bulk.credentials import Credentials
from services.intake.bulk.fetching import Fetch, Fetched, Since
from services.intake.bulk.job_state import StateFolder
from services.intake.bulk.patience import Patience
from services.intake.bulk.profiles import profile_named
from services.intake.bulk.request import ExportRequest, export_request
from services.intake.bulk.sending import Sender, open_client
from services.intake.bulk.tokens import Tokens

LAST = datetime(2024, 3, 5, 6, 7, 8, 123000, tzinfo=UTC)
FULL = Since("full")


@dataclass
class Heard:
    """What the operator was told."""

    texts: list[str] = field(default_factory=list)
    percents: list[int | None] = field(default_factory=list)
    files: list[tuple[int, int, int]] = field(default_factory=list)

    def said(self, text: str) -> None:
        self.texts.append(text)

    def exporting(self, percent: int | None) -> None:
        self.percents.append(percent)

    def fetching(self, file: int, files: int, received: int) -> None:
        self.files.append((file, files, received))


@dataclass
class Bench:
    """A server, and a client of it that can be made anew as after a crash."""

    tmp: Path
    server: FakeBulkServer = field(default_factory=FakeBulkServer)
    heard: Heard = field(default_factory=Heard)
    secret: str = SECRET
    most_seconds: float = 24 * 3600.0
    options: dict[str, Any] = field(default_factory=dict)
    source: str = "bcda"

    @property
    def into(self) -> Path:
        return self.tmp / "inbox"

    @property
    def state(self) -> StateFolder:
        return StateFolder(self.tmp / "fetch")

    @property
    def request(self) -> ExportRequest:
        return export_request(profile_named(self.source).moved_to(self.server.base_url), **self.options)

    async def fetch(self, since: Since | None = None) -> Fetched:
        async with open_client(InProcess(self.server)) as http:
            return await self.made(http).run(since or Since())

    async def cancel(self) -> bool:
        async with open_client(InProcess(self.server)) as http:
            return await self.made(http).cancel()

    def made(self, http: httpx.AsyncClient) -> Fetch:
        sender = Sender(http, Patience(self.server.clock, self.most_seconds))
        request = self.request
        tokens = Tokens(sender, request.profile, Credentials(SecretStr(CLIENT), SecretStr(self.secret)))
        api = Api(sender, tokens, request.profile.base_url)
        return Fetch(api, request, self.state, self.into, self.heard)

    def delivered(self) -> list[bytes]:
        return sorted(gzip.decompress(path.read_bytes()) for path in self.into.iterdir())

    def assert_all_there_once(self) -> None:
        assert self.delivered() == sorted(content for _, content in self.server.files.values())
        assert not list(self.into.glob("*.part"))
        assert self.state.job(self.request.key) is None
