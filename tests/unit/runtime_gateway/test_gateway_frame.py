"""What every gateway does around its routes: problems, request ids, logs by template, health, readiness, metrics."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, FastAPI, HTTPException, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator
from starlette.types import Message

from services.runtime.gateway import Check, create_gateway
from services.runtime.problems import MEDIA_TYPE, not_found

Answer = bool | Exception
SECRET = "1EG4TE5MK73"
ID = "7d444840-9dc0-4bd1-b245-5ffdce74fad2"


def quoting(text: str) -> str:
    raise ValueError(f"{text} is wrong")


def routes() -> APIRouter:
    router = APIRouter()

    @router.get("/people/{person}")
    async def person(person: Annotated[str, Path(pattern="^p[0-9]+$")], month: int = 1) -> dict[str, Any]:
        if person == "p404":
            raise not_found("person")
        return {"person": person, "month": month}

    @router.get("/quoting")
    async def quote(text: Annotated[str, AfterValidator(quoting), Query()]) -> None: ...

    @router.get("/broken")
    async def broken() -> None:
        raise RuntimeError(SECRET)

    @router.get("/away")
    async def away() -> None:
        raise asyncpg.PostgresConnectionError(SECRET)

    @router.get("/forbidden")
    async def forbidden() -> None:
        raise HTTPException(403, detail=SECRET)

    @router.get("/half")
    async def half() -> Response:
        async def body() -> AsyncIterator[bytes]:
            yield b"one"
            raise RuntimeError(SECRET)

        return StreamingResponse(body())

    return router


class NoPool:
    """Stands where the pool would; the routes here ask it nothing."""

    closed = False

    async def close(self) -> None:
        self.closed = True


def gateway(*, advancing: Answer = True, **checks: Answer) -> FastAPI:
    def check(answer: Answer) -> Check:
        async def answered(_: Any) -> bool:
            if isinstance(answer, Exception):
                raise answer
            return answer

        return answered

    pool = NoPool()

    async def open_pool() -> Any:
        return pool

    named = {name: check(answer) for name, answer in checks.items()}
    return create_gateway("risk", [routes()], open_pool=open_pool, advancing=check(advancing), checks=named)


@asynccontextmanager
async def calling(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
    ):
        yield client


async def get(path: str, app: FastAPI | None = None, **headers: str) -> httpx.Response:
    async with calling(app or gateway()) as client:
        return await client.get(path, headers=headers)


def problem(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == MEDIA_TYPE
    document: dict[str, Any] = response.json()
    assert document["status"] == response.status_code
    assert document["type"] == "about:blank"
    assert document["instance"] == f"urn:uuid:{response.headers['x-request-id']}"
    return document


async def test_an_answer() -> None:
    response = await get("/people/p1?month=3")
    assert response.json() == {"person": "p1", "month": 3}
    assert response.headers["cache-control"] == "no-store"


async def test_a_problem_that_a_route_raises() -> None:
    response = await get("/people/p404")
    assert response.status_code == 404
    assert problem(response) | {"instance": ""} == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no such person.",
        "instance": "",
    }


async def test_no_such_route() -> None:
    response = await get(f"/nowhere/{SECRET}")
    assert problem(response)["title"] == "Not Found"
    assert SECRET not in response.text


async def test_method_not_allowed_keeps_its_header() -> None:
    async with calling(gateway()) as client:
        response = await client.post("/people/p1")
    assert problem(response)["title"] == "Method Not Allowed"
    assert response.headers["allow"] == "GET"


async def test_a_request_that_is_not_valid_says_where_and_not_what() -> None:
    response = await get(f"/people/{SECRET}?month={SECRET}")
    assert response.status_code == 422
    assert [(error["location"], error["kind"]) for error in problem(response)["errors"]] == [
        ("path.person", "string_pattern_mismatch"),
        ("query.month", "int_parsing"),
    ]
    assert SECRET not in response.text


async def test_messages_of_validators_are_not_told() -> None:
    response = await get(f"/quoting?text={SECRET}")
    assert problem(response)["errors"] == [{"location": "query.text", "kind": "value_error"}]


async def test_a_bug_tells_nothing_of_the_inside(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "tandem"):
        response = await get("/broken")
    assert response.status_code == 500
    assert problem(response).keys() == {"type", "title", "status", "instance"}
    failed = next(record for record in caplog.records if record.message == "request_failed")
    assert failed.fields["error"] == "RuntimeError"  # type: ignore[attr-defined]
    assert SECRET not in response.text + caplog.text + str([vars(record) for record in caplog.records])


async def test_a_lost_database_is_an_outage_that_passes() -> None:
    response = await get("/away")
    assert response.status_code == 503
    assert problem(response)["title"] == "Service Unavailable"
    assert response.headers["retry-after"] == "5"


async def test_the_detail_of_the_framework_is_not_told() -> None:
    response = await get("/forbidden")
    assert problem(response)["title"] == "Forbidden"
    assert SECRET not in response.text


async def test_an_answer_that_breaks_half_way_is_not_finished() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError("the caller stays to the end")

    app = gateway()
    scope = {"type": "http", "method": "GET", "path": "/half", "headers": [], "query_string": b"", "app": app}
    with pytest.raises(RuntimeError):
        await app(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[-1]["more_body"]


@pytest.mark.parametrize(("given", "kept"), [(ID, True), (ID.upper(), True), (SECRET, False), ("", False)])
async def test_a_request_id_is_taken_only_if_it_can_say_nothing(given: str, kept: bool) -> None:  # noqa: FBT001
    answered = (await get("/people/p1", **{"x-request-id": given})).headers["x-request-id"]
    assert (answered == ID) is kept
    assert str(UUID(answered)) == answered


async def test_the_log_names_the_route_and_not_the_path(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "tandem"):
        await get("/people/p7", **{"x-request-id": ID})
        await get(f"/nowhere/{SECRET}")
    lines = [record.fields for record in caplog.records if record.message == "request"]  # type: ignore[attr-defined]
    assert [(line["path_template"], line["status"]) for line in lines] == [
        ("GET /people/{person}", 200),
        ("GET unknown", 404),
    ]
    assert lines[0]["request_id"] == ID
    assert lines[0].keys() == {"service", "path_template", "status", "duration_ms", "request_id"}


async def test_health_is_advancing() -> None:
    assert (await get("/health")).json() == {"status": "advancing"}


@pytest.mark.parametrize("answer", [False, OSError(SECRET), asyncpg.InterfaceError(SECRET)])
async def test_health_is_not_being_up(answer: Answer) -> None:
    response = await get("/health", gateway(advancing=answer))
    assert response.status_code == 503
    assert problem(response)["title"] == "Stalled"


async def test_a_check_with_a_bug_is_a_bug() -> None:
    assert (await get("/health", gateway(advancing=LookupError(SECRET)))).status_code == 500


async def test_ready_lists_every_check() -> None:
    assert (await get("/ready", gateway(database=True, model=True))).json() == {
        "checks": {"database": True, "model": True}
    }


async def test_not_ready_names_what_fails() -> None:
    response = await get("/ready", gateway(database=TimeoutError(), model=True, tables=False))
    assert response.status_code == 503
    assert problem(response)["detail"] == "Failing: database, tables"


async def test_metrics_count_by_route() -> None:
    async with calling(gateway()) as client:
        await client.get("/people/p1")
        text = (await client.get("/metrics")).text
    assert 'tandem_http_requests_total{route="GET /people/{person}",service="risk",status="200"}' in text
    assert 'tandem_http_request_seconds_count{route="GET /people/{person}",service="risk"}' in text
    assert "p1" not in text


async def test_the_api_is_described_with_problems() -> None:
    document = (await get("/openapi.json")).json()
    operation = document["paths"]["/people/{person}"]["get"]
    assert operation["responses"].keys() == {"200", "default"}
    assert operation["responses"]["default"]["content"].keys() == {MEDIA_TYPE}
    assert {"ProblemDocument", "FieldProblem"} <= document["components"]["schemas"].keys()
    assert "HTTPValidationError" not in json.dumps(document)
    assert "/metrics" not in document["paths"]


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_no_page_that_loads_scripts_from_elsewhere(path: str) -> None:
    assert (await get(path)).status_code == 404


async def test_the_pool_is_closed_at_the_end() -> None:
    app = gateway()
    async with calling(app):
        assert not app.state.pool.closed
    assert app.state.pool.closed
