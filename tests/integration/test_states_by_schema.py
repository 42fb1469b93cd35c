"""Whatever the OpenAPI document allows or forbids is asked, with a token; nothing breaks and every answer is as documented."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import access_world as access
import pytest
import schemathesis
import states_world as world
import uvicorn
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)

from services.cost_shift.states.gateway import router
from services.runtime.access.principal import Tenant
from services.runtime.gateway import gateway_of

pytestmark = [pytest.mark.broker, pytest.mark.security]
EXAMPLES = 15
CHECKS = [not_a_server_error, content_type_conformance, response_headers_conformance, response_schema_conformance]


def _schema() -> Any:
    app = gateway_of(world.SERVICE, router, access.settings_of("postgresql://nowhere/db", world.SCHEMA), None)
    return schemathesis.openapi.from_dict(app.openapi())


SCHEMA = _schema()
OPERATIONS = {one.ok().label: one.ok() for one in SCHEMA.get_all_operations() if not one.ok().path.endswith("/stream")}


@pytest.fixture(scope="module")
def address(module_database_url: str) -> Iterator[tuple[str, str]]:
    """A real server in a thread of its own, and a token."""
    asyncio.run(world.fill(module_database_url))
    reading = asyncio.run(access.reading_url(module_database_url))
    app = gateway_of(world.SERVICE, router, access.settings_of(reading, world.SCHEMA), None)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1))
    started = threading.Event()

    async def serve() -> None:
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - the server has no event to wait for
            await asyncio.sleep(0.01)
        app.state.door.clock = app.state.door.tokens.clock = access.Clock()
        started.set()
        await serving

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(30)
    issuer = app.state.token_maker.issuer
    scopes = frozenset({"measures.read", "effects.read"})
    token = issuer.token("ohio", Tenant("OH"), scopes, "n", int(access.NOW))
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", token
    server.should_exit = True
    thread.join()


QUESTIONS = [
    pytest.param(label, mode, id=f"{label} {mode.value}")
    for label, operation in OPERATIONS.items()
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    # Where nothing can be given, nothing wrong can be.
    if mode is GenerationMode.POSITIVE or list(operation.iter_parameters()) or operation.body
]


@pytest.mark.parametrize(("label", "mode"), QUESTIONS)
def test_every_question_has_an_answer_as_documented(address: tuple[str, str], label: str, mode: GenerationMode) -> None:
    url, token = address

    @given(OPERATIONS[label].as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def ask(case: Any) -> None:
        if "wait" in (case.query or {}):
            case.query["wait"] = 0  # else it does wait
        answer = case.call(base_url=url, headers={"Authorization": f"Bearer {token}"})
        case.validate_response(answer, checks=CHECKS)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == ["application/problem+json"]
            assert "Traceback" not in answer.text

    ask()


@pytest.mark.parametrize("label", [label for label in OPERATIONS if "/v1/" in label])
def test_without_a_token_no_question_is_looked_at(address: tuple[str, str], label: str) -> None:
    url, _ = address

    @given(OPERATIONS[label].as_strategy(generation_mode=GenerationMode.POSITIVE))
    @settings(max_examples=3, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def ask(case: Any) -> None:
        case.headers = {}
        assert case.call(base_url=url, headers={"Authorization": "Bearer none"}).status_code == 401

    ask()
