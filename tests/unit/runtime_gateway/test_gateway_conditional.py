"""Entity tags: another question, state or version of the code is another tag; whoever has it gets no body."""

from dataclasses import dataclass, field
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Query, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from services.runtime import conditional
from services.runtime.access.principal import Principal, Tenant
from services.runtime.conditional import NotModified, entity_tag, handle_not_modified, has_tag


def application(state: str) -> FastAPI:
    app = FastAPI()
    handle_not_modified(app)

    @app.get("/figures")
    async def figures(request: Request, month: Annotated[str, Query()] = "") -> dict[str, str]:
        tag = entity_tag(request, state)
        if has_tag(request, tag):
            raise NotModified(tag)
        return {"tag": tag, "month": month}

    return app


async def asked(query: str = "", state: str = "1", headers: dict[str, str] | None = None) -> httpx.Response:
    transport = httpx.ASGITransport(application(state))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        return await client.get(f"/figures{query}", headers=headers)


async def tag_of(query: str = "", state: str = "1") -> str:
    tag: str = (await asked(query, state)).json()["tag"]
    return tag


async def test_a_tag_is_that_of_question_and_state() -> None:
    assert await tag_of("?month=1&a=2") == await tag_of("?a=2&month=1")
    different = [await tag_of(), await tag_of(state="2"), await tag_of("?month=1"), await tag_of("?month=1&month=2")]
    assert len(set(different)) == 4
    assert all(tag.startswith('"') and tag.endswith('"') for tag in different)


async def test_another_version_of_the_code_may_answer_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    before = await tag_of()
    monkeypatch.setattr(conditional, "code_digest", lambda: "another")
    assert await tag_of() != before


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', '{},W/"other"'])
async def test_who_has_the_tag_gets_no_body(form: str) -> None:
    tag = await tag_of()
    answer = await asked(headers={"If-None-Match": form.format(tag)})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)


@pytest.mark.parametrize("header", ['"other"', "", "garbage", '""', "W/"])
async def test_who_has_something_else_gets_the_answer(header: str) -> None:
    assert (await asked(headers={"If-None-Match": header})).status_code == 200


@dataclass
class World:
    """A read model in one state, asked by one client; counts how often its route was reached."""

    state: int = 1
    principal: Principal = field(default_factory=lambda: Principal("ohio", Tenant("OH"), MEASURES, 0))
    reached: int = 0

    async def current(self) -> int:
        return self.state

    def application(self) -> FastAPI:
        app = FastAPI()
        handle_not_modified(app)
        app.add_middleware(Entered, world=self)

        @app.get("/figures/{name}")
        async def figures(request: Request, name: str) -> dict[str, str]:
            self.reached += 1
            tag = entity_tag(request, str(self.state))
            if has_tag(request, tag):
                raise NotModified(tag, self.state, self.current)
            return {"tag": tag, "name": name}

        return app


class Entered:
    """Stands where the guard does."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app, self._world = app, world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"principal": self._world.principal}
        await self._app(scope, receive, send)
        if scope["type"] == "http":
            assert conditional.found_route(scope).path == "/figures/{name}"  # type: ignore[attr-defined] # a route


MEASURES = frozenset({"measures.read"})


@dataclass
class Poller:
    world: World
    client: httpx.AsyncClient = field(init=False)
    tag: str = ""

    def __post_init__(self) -> None:
        transport = httpx.ASGITransport(self.world.application())
        self.client = httpx.AsyncClient(transport=transport, base_url="http://gateway")

    async def ask(self, path: str = "/figures/a?month=1") -> int:
        answer = await self.client.get(path, headers={"If-None-Match": self.tag} if self.tag else {})
        if answer.status_code == 200:
            self.tag = answer.json()["tag"]
        else:
            assert (answer.content, answer.headers["etag"]) == (b"", self.tag)
        return answer.status_code


async def test_the_same_question_in_the_same_state_reaches_no_route() -> None:
    world = World()
    poller = Poller(world)
    assert [await poller.ask() for _ in range(5)] == [200, 304, 304, 304, 304]
    assert world.reached == 2


async def test_another_state_is_another_answer() -> None:
    world = World()
    poller = Poller(world)
    told = []
    for world.state in (1, 1, 1, 2, 2, 2, 1):
        told.append(await poller.ask())
    assert told == [200, 304, 304, 200, 304, 304, 200]


@pytest.mark.parametrize(
    "principal",
    [
        Principal("ohio-plan", Tenant("OH", "D9001"), MEASURES, 0),
        Principal("kentucky", Tenant("KY"), MEASURES, 0),
        Principal("operator", None, frozenset({"operations.read"}), 0),
    ],
    ids=str,
)
async def test_what_is_remembered_is_the_tenant_s(principal: Principal) -> None:
    world = World()
    poller = Poller(world)
    assert [await poller.ask() for _ in range(3)] == [200, 304, 304]
    world.principal = principal
    assert await poller.ask() == 200


async def test_whoever_may_less_is_judged_by_the_route() -> None:
    world = World()
    poller = Poller(world)
    assert [await poller.ask() for _ in range(3)] == [200, 304, 304]
    world.principal = Principal("ohio", Tenant("OH"), frozenset(), 0)
    reached = world.reached
    await poller.ask()
    assert world.reached == reached + 1


@pytest.mark.parametrize("path", ["/figures/b?month=1", "/figures/a?month=2", "/figures/a"])
async def test_another_question_is_asked_anew(path: str) -> None:
    poller = Poller(World())
    assert [await poller.ask() for _ in range(3)] == [200, 304, 304]
    assert await poller.ask(path) == 200


async def test_another_tag_is_no_tag() -> None:
    poller = Poller(World())
    assert [await poller.ask() for _ in range(3)] == [200, 304, 304]
    poller.tag = '"other"'
    assert await poller.ask() == 200


async def test_what_is_remembered_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditional, "_MOST_REMEMBERED", 2)
    world = World()
    poller = Poller(world)
    for path in ("/figures/a", "/figures/b", "/figures/c"):
        poller.tag = ""
        assert [await poller.ask(path) for _ in range(2)] == [200, 304]
    before = world.reached
    assert await poller.ask("/figures/c") == 304
    assert world.reached == before
    poller.tag = ""
    assert [await poller.ask("/figures/a") for _ in range(2)] == [200, 304]
    assert world.reached == before + 2


async def test_a_long_question_is_not_remembered() -> None:
    world = World()
    poller = Poller(world)
    path = f"/figures/a?month={'1' * 1025}"
    assert [await poller.ask(path) for _ in range(3)] == [200, 304, 304]
    assert world.reached == 3
