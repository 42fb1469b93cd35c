"""Entity tags: another question, state or version of the code is another tag; whoever has it gets no body."""

from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Query, Request

from services.runtime import conditional
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
