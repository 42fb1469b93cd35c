"""A bulk FHIR server of our own, good and bad tempered, as CMS documents BCDA. In process, or on a port of its own."""

import base64
import gzip
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import httpx

CLIENT, SECRET = "client-of-ours", "a secret of ours"
TRANSACTION_TIME = "2024-03-05T06:07:08.123+00:00"
NOON = datetime(2024, 3, 5, 12, tzinfo=UTC)

# What may happen to one try to get a file; anything else is a status.
Mood = Literal[
    "fine", "plain", "cut", "gzip ends early", "line ends early", "html", "scrambled", "two members", "brotli"
]


@dataclass
class SettableClock:
    """Time that only passes when somebody waits, and remembers for how long they did."""

    time: datetime = NOON
    waits: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += timedelta(seconds=seconds)


@dataclass
class Reply:
    """An answer. ``cut``: the connection breaks after the body's blocks."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    blocks: list[bytes] = field(default_factory=list)
    cut: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(self.blocks)


@dataclass
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""


def json_reply(status: int, document: object, **headers: str) -> Reply:
    return Reply(status, {"content-type": "application/json", **headers}, [json.dumps(document).encode()])


def outcome(status: int, text: str, **headers: str) -> Reply:
    issue = {"severity": "error", "code": "exception", "diagnostics": text}
    return json_reply(status, {"resourceType": "OperationOutcome", "issue": [issue]}, **headers)


def resources(kind: str, number: int, *, start: int = 0) -> bytes:
    lines = ({"resourceType": kind, "id": f"-{start + one}"} for one in range(number))
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def usual_files() -> dict[str, tuple[str, bytes]]:
    return {
        "aaa.ndjson": ("ExplanationOfBenefit", resources("ExplanationOfBenefit", 900)),
        "bbb.ndjson": ("Patient", resources("Patient", 40)),
        "ccc.ndjson": ("Coverage", resources("Coverage", 80)),
    }


@dataclass
class Job:
    url_request: str
    looks: int = 0
    gone: bool = False
    cancelled: bool = False


@dataclass
class FakeBulkServer:
    """Change what you like before you ask. ``asked`` holds every request."""

    clock: Any = field(default_factory=SettableClock)
    base_url: str = "https://api.example.gov"
    files: dict[str, tuple[str, bytes]] = field(default_factory=usual_files)
    error_files: dict[str, bytes] = field(default_factory=dict)
    token_seconds: int = 1200
    looks_until_done: int = 1
    progress: list[str] = field(default_factory=lambda: ["In Progress (45%)"])
    look_headers: dict[str, str] = field(default_factory=dict)
    moods: dict[str, list[Mood | int]] = field(default_factory=dict)
    replies: dict[str, list[Reply | type[httpx.TransportError]]] = field(default_factory=dict)
    location: str | None = None
    done_headers: dict[str, str] = field(default_factory=dict)
    spoil: Callable[[dict[str, Any]], dict[str, Any]] = lambda manifest: manifest
    on_file: Callable[["FakeBulkServer", str], None] = lambda _server, _name: None
    on_look: Callable[[], None] = lambda: None
    asked: list[Asked] = field(default_factory=list)
    jobs: dict[str, Job] = field(default_factory=dict)
    tokens: dict[str, datetime] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    forbidden: bool = False

    # -- what tests ask

    def count(self, part: str, method: str = "GET") -> int:
        return sum(part in one.path and one.method == method for one in self.asked)

    @property
    def exports(self) -> int:
        return self.count("/$export")

    def downloads(self, name: str) -> int:
        return self.count(f"/data/{name}") + sum(one.path.endswith("/" + name) for one in self.asked)

    def run_a_job(self, request: str) -> str:
        number = str(len(self.jobs) + 1)
        self.jobs[number] = Job(self.base_url + request)
        return number

    # -- the server

    def answer(self, asked: Asked) -> Reply | type[httpx.TransportError]:
        self.asked.append(asked)
        for part, queue in self.replies.items():
            if part in f"{asked.method} {asked.path}" and queue:
                return queue.pop(0)
        if asked.path.endswith("/auth/token"):
            return self._token(asked)
        if not self._signed_in(asked):
            return outcome(401, "Invalid Token")
        if self.forbidden:
            return outcome(403, "not for you")
        return self._inside(asked)

    def _inside(self, asked: Asked) -> Reply | type[httpx.TransportError]:
        parts = asked.path.strip("/").split("/")
        if asked.path.endswith("/$export"):
            return self._export(asked)
        if parts[-1] == "jobs":
            return self._list()
        if parts[-2] == "jobs":
            return self._job(asked, parts[-1])
        return self._file(parts[-2], parts[-1])

    def _token(self, asked: Asked) -> Reply:
        pair = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {pair}":
            return json_reply(401, {"error": "no"})
        token = f"token-{len(self.tokens) + 1}"
        self.tokens[token] = self.clock.now() + timedelta(seconds=self.token_seconds)
        return json_reply(200, {"access_token": token, "expires_in": str(self.token_seconds), "token_type": "bearer"})

    def _signed_in(self, asked: Asked) -> bool:
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        return token in self.tokens and token not in self.revoked and self.clock.now() < self.tokens[token]

    def _export(self, asked: Asked) -> Reply:
        if asked.headers.get("prefer") != "respond-async" or "fhir+json" not in asked.headers.get("accept", ""):
            return outcome(400, "headers")
        request = f"{asked.path}?" + "&".join(f"{name}={value}" for name, value in asked.query.items())
        running = [job for job in self.jobs.values() if job.looks <= self.looks_until_done and not job.gone]
        if any(job.url_request == self.base_url + request and not job.cancelled for job in running):
            return Reply(429, {"retry-after": "30"})
        number = self.run_a_job(request)
        return Reply(202, {"content-location": self.location or f"{self.base_url}/api/v3/jobs/{number}"})

    def _list(self) -> Reply:
        tasks = [
            {
                "resourceType": "Task",
                "identifier": [{"use": "official", "value": number}],
                "status": "in-progress",
                "input": [{"type": {"text": "BULK FHIR Export"}, "valueString": f"GET {job.url_request}"}],
            }
            for number, job in self.jobs.items()
        ]
        return json_reply(200, {"resourceType": "Bundle", "entry": [{"resource": task} for task in tasks]})

    def _job(self, asked: Asked, number: str) -> Reply:
        job = self.jobs.get(number)
        if job is None or job.cancelled:
            return outcome(404, "Job has been cancelled.")
        if job.gone:
            return outcome(410, "")
        if asked.method == "DELETE":
            job.cancelled = True
            return Reply(202)
        job.looks += 1
        self.on_look()
        if job.looks <= self.looks_until_done:
            text = self.progress[min(job.looks, len(self.progress)) - 1]
            return Reply(202, {"x-progress": text, **self.look_headers})
        return self._done(number, job)

    def _done(self, number: str, job: Job) -> Reply:
        def listed(names: dict[str, str]) -> list[dict[str, str]]:
            return [{"type": kind, "url": f"{self.base_url}/data/{number}/{name}"} for name, kind in names.items()]

        manifest = {
            "transactionTime": TRANSACTION_TIME,
            "request": job.url_request,
            "requiresAccessToken": True,
            "output": listed({name: kind for name, (kind, _) in self.files.items()}),
            "error": listed(dict.fromkeys(self.error_files, "OperationOutcome")),
            "JobID": int(number),
        }
        return json_reply(200, self.spoil(manifest), **self.done_headers)

    def _file(self, number: str, name: str) -> Reply | type[httpx.TransportError]:
        self.on_file(self, name)
        if number not in self.jobs or self.jobs[number].gone:
            return outcome(410, "")
        content = self.error_files[name] if name in self.error_files else self.files[name][1]
        queue = self.moods.get(name, [])
        return file_reply(content, queue.pop(0) if queue else "fine")


def file_reply(content: bytes, mood: Mood | int) -> Reply:
    headers = {"content-type": "application/fhir+ndjson"}
    zipped, packed = gzip.compress(content), {**headers, "content-encoding": "gzip"}
    replies: dict[Mood | int, Reply] = {
        "fine": Reply(200, packed, [zipped]),
        "plain": Reply(200, headers, [content]),
        "cut": Reply(200, packed, [zipped[: len(zipped) // 2]], cut=True),
        "gzip ends early": Reply(200, packed, [zipped[: len(zipped) // 2]]),
        "line ends early": Reply(200, headers, [content[:-7]]),
        "html": Reply(200, {"content-type": "text/html"}, [b"<html>sign in</html>"]),
        "scrambled": Reply(200, headers, [b"<html>" + content]),
        "two members": Reply(200, packed, [gzip.compress(content[:100]), gzip.compress(content[100:])]),
        "brotli": Reply(200, {**headers, "content-encoding": "br"}, [content]),
    }
    return outcome(mood, "trouble") if isinstance(mood, int) else replies[mood]


class _Blocks(httpx.AsyncByteStream):
    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for block in self._reply.blocks:
            half = len(block) // 2
            yield block[:half]
            yield block[half:]
        if self._reply.cut:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


class InProcess(httpx.AsyncBaseTransport):
    """Carries requests to the server without any network."""

    def __init__(self, server: FakeBulkServer) -> None:
        self._server = server

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        query = {name: values[0] for name, values in parse_qs(request.url.query.decode()).items()}
        asked = Asked(request.method, request.url.path, query, dict(request.headers), await request.aread())
        reply = self._server.answer(asked)
        if not isinstance(reply, Reply):
            raise reply("no network")
        headers = [(name.encode(), value.encode("latin-1")) for name, value in reply.headers.items()]
        return httpx.Response(reply.status, headers=headers, stream=_Blocks(reply))


@contextmanager
def on_a_port(server: FakeBulkServer) -> Iterator[FakeBulkServer]:
    """The same server at an address of its own, for clients in other processes."""

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            reply = server.answer(Asked(self.command, parts.path, query, headers, body))
            if isinstance(reply, Reply):
                self.send_response(reply.status)
                length = len(reply.body) + (1 if reply.cut else 0)
                for name, value in {**reply.headers, "content-length": str(length)}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)
            self.close_connection = True

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - the names that the library looks for

        def log_message(self, *_arguments: object) -> None:
            """Tests speak for themselves."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.base_url = f"http://127.0.0.1:{listening.server_port}"
    thread = Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
