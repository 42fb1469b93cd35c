"""Each gateway's OpenAPI document is fit to be read: everything is described, errors are there, examples are true."""

import re
from typing import Any

import jsonschema
import pytest
from joserfc.jwk import ECKey

from infra.command.services import gateway_router_of
from infra.local.installation import SERVICES
from services.cost_shift.states.gateway import router as states_router
from services.runtime.access.protection import protection_of
from services.runtime.gateway import Protected, create_gateway
from services.runtime.problems import MEDIA_TYPE
from services.runtime.settings import Settings


async def _unused(*_: object) -> Any:
    raise AssertionError("nothing is asked of it")


@pytest.fixture(params=[*SERVICES, "states"])
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    router = states_router if request.param == "states" else gateway_router_of(request.param)
    app = create_gateway(request.param, [router], open_pool=_unused, advancing=_unused, checks={})
    schema: dict[str, Any] = app.openapi()
    assert schema["info"]["title"] == f"Tandem {request.param}"
    return schema


_WRITING = {
    "intake": {("post", "/v1/deliveries")},
    "alignment": {("post", "/v1/reconciliation/closings")},
    "risk": {("post", "/v1/actions/{action_id}/reports")},
}


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {path: operation for path, methods in document["paths"].items() for operation in methods.values()}


def test_every_route_only_reads_and_says_what_it_answers(document: dict[str, Any]) -> None:
    writing = {(method, path) for path, methods in document["paths"].items() for method in methods} - {
        ("get", path) for path in document["paths"]
    }
    # Files come in, differences are closed and care actions reported; nothing else can be changed over HTTP.
    service = document["info"]["title"].removeprefix("Tandem ")
    assert writing == _WRITING.get(service, set())
    for path, operation in operations(document).items():
        assert len(operation["description"]) > 10, path
        # What FastAPI makes of a function's name has every word with a capital.
        assert not re.fullmatch(r"(?:[A-Z][a-z]+ )+[A-Z][a-z]+", operation["summary"]), path
        assert operation["tags"], path


def test_every_parameter_is_described(document: dict[str, Any]) -> None:
    for path, operation in operations(document).items():
        for parameter in operation.get("parameters", []):
            told = parameter.get("description") or parameter["schema"].get("description")
            assert told, f"{path} {parameter['name']}"


def test_every_route_may_answer_with_a_problem(document: dict[str, Any]) -> None:
    for operation in operations(document).values():
        content = operation["responses"]["default"]["content"]
        assert content == {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
        assert "422" not in operation["responses"]


def test_every_shape_is_described_and_its_examples_are_of_that_shape(document: dict[str, Any]) -> None:
    components = document["components"]
    for name, schema in components["schemas"].items():
        assert schema.get("description") or "enum" in schema, name
        for example in schema.get("examples", []):
            jsonschema.validate(example, schema | {"components": components})
            assert example.keys() <= schema["properties"].keys(), name


@pytest.mark.parametrize(
    ("service", "shapes"),
    [
        ("cost-shift", {"RevisionAnswer", "Measure", "Restatement", "Pair"}),
        ("alignment", {"Decision", "RosterMember", "Share", "DifferenceAnswer"}),
        ("risk", {"ActionShown", "ActionDetail", "ActionPage", "ReportTold", "OutcomeShown"}),
    ],
)
def test_what_others_build_upon_has_an_example(service: Any, shapes: set[str]) -> None:
    app = create_gateway(service, [gateway_router_of(service)], open_pool=_unused, advancing=_unused, checks={})
    schemas = app.openapi()["components"]["schemas"]
    assert {name for name in shapes if not schemas[name].get("examples")} == set()


def test_a_protected_gateway_says_how_to_come_in() -> None:
    pem = ECKey.generate_key("P-384").as_pem(private=True).decode()
    settings = Settings(
        database_url="x", brokers="x:1", access="token", issuer="https://states.example", signing_key=pem
    )
    protection = protection_of(settings)
    assert protection is not None
    app = create_gateway("states", [states_router], open_pool=_unused, advancing=_unused, checks={},
                         protected=Protected(protection, _unused, None))  # fmt: skip
    told = app.openapi()
    flow = told["components"]["securitySchemes"]["token"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"] == "https://states.example/oauth/token"
    assert told["security"] == [{"token": []}]
    open_to_all = {
        path for path, methods in told["paths"].items() for one in methods.values() if one.get("security") == []
    }
    assert open_to_all == {
        "/health",
        "/ready",
        "/oauth/token",
        "/oauth/keys",
        "/.well-known/oauth-authorization-server",
    }
    assert "/metrics" not in {route.path for route in app.routes if hasattr(route, "path")}
