"""What the documentation says can be done: its commands, routes, links, files and examples are held against the code."""

import contextlib
import importlib
import io
import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import click
import jsonschema
import pytest

from infra.command.main import main
from infra.command.services import gateway_router_of
from infra.local.installation import SERVICES
from services.cost_shift.states.gateway import router as states_router
from services.intake.bulk import credentials
from services.runtime.exits import ExitCode
from services.runtime.gateway import create_gateway
from services.runtime.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^ *```(?P<language>\w*)\n(?P<text>.*?)^ *```$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_FILE = re.compile(r"(?:contracts|services|infra|tests|docs)/[\w/.-]*|[\w-]+\.(?:yml|toml|in|txt)")
_ROUTE = re.compile(r"/(?:v1/[\w/{}.-]+|health|ready|metrics|openapi\.json)(?:\?[\w=&]*)?")
# In capitals, in braces or cut off: something for the reader to fill in.
_PLACEHOLDER = re.compile(r"[A-Z_]+…?|<.*>|.*…")
_MADE_UP = frozenset({"services/<name>/", "services/<service>/rules/", "services/intake/readers/<kind>.py"})


@dataclass(frozen=True)
class Block:
    page: str
    language: str
    text: str


def _blocks(*languages: str) -> list[Block]:
    found = (
        Block(page.name, fence["language"], fence["text"])
        for page in PAGES
        for fence in _FENCE.finditer(page.read_text())
    )
    return [block for block in found if block.language in languages]


def _prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text())


def _commands() -> Iterator[tuple[str, str]]:
    """Every command line: of the blocks for a shell, and in running text."""
    for block in _blocks("sh", "console", ""):
        for line in block.text.replace("\\\n", " ").splitlines():
            yield block.page, line.split(" #")[0].strip()
    for page in PAGES:
        for inline in _INLINE.findall(_prose(page)):
            yield page.name, " ".join(inline.split())


def _named(*programs: str) -> list[tuple[str, str]]:
    return sorted({(page, line) for page, line in _commands() if line.split(" ")[0] in programs and " " in line})


@cache
def _makefile_targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@cache
def _document(service: str) -> dict[str, Any]:
    async def unused(*_: object) -> Any:
        raise AssertionError("nothing is asked of it")

    router = states_router if service == "states" else gateway_router_of(service)  # type: ignore[arg-type]
    app = create_gateway(service, [router], open_pool=unused, advancing=unused, checks={})  # type: ignore[arg-type]
    document: dict[str, Any] = app.openapi()
    return document


def _parse(line: str) -> None:
    """Let click read a command line as far as it can without running or looking for files."""
    context, command, words = click.Context(main), main, shlex.split(line)[1:]
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0)
        chosen = command.get_command(context, name)
        if chosen is None and _PLACEHOLDER.fullmatch(name):
            return
        assert chosen is not None, f"there is no command {name}"
        command, context = chosen, click.Context(chosen, parent=context, info_name=name)  # type: ignore[assignment]
    values, rest, _ = command.make_parser(context).parse_args(words)
    assert not rest or any(_PLACEHOLDER.fullmatch(word) for word in rest), f"too much: {rest}"
    for parameter in command.params:
        for value in _given(values.get(parameter.name or "")):
            if isinstance(parameter.type, click.Choice) and not _PLACEHOLDER.fullmatch(value):
                assert value in parameter.type.choices, value


def _given(value: object) -> list[str]:
    values = value if isinstance(value, list | tuple) else [value]
    return [one for one in values if isinstance(one, str)]


@pytest.mark.parametrize(("page", "line"), _named("tandem", ".venv/bin/tandem"))
def test_a_command_is_one_that_the_program_takes(page: str, line: str) -> None:
    del page
    _parse(line)


@pytest.mark.parametrize(
    "line", ["tandem demolish", "tandem demo --loud", "tandem demo --broker rabbit", "tandem score a b"]
)
def test_the_look_at_commands_can_fail(line: str) -> None:
    with pytest.raises((AssertionError, click.UsageError)):
        _parse(line)


@pytest.mark.parametrize(("page", "line"), _named("make"))
def test_a_make_target_exists(page: str, line: str) -> None:
    del page
    assert line.split()[1] in _makefile_targets()


@pytest.mark.parametrize(("page", "line"), _named("python"))
def test_a_module_that_is_run_exists(page: str, line: str) -> None:
    del page
    words = shlex.split(line)
    assert words[1] == "-m"
    assert importlib.util.find_spec(words[2]) is not None


@pytest.mark.parametrize("block", _blocks("sh", "console"), ids=lambda block: f"{block.page}: {block.text[:30]}")
def test_a_block_for_a_shell_is_one(block: Block) -> None:
    done = subprocess.run(["bash", "-n"], input=block.text, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def _asked() -> list[tuple[str, str]]:
    """Gateway and question of every line that asks one."""
    gateways = {"GATEWAY": "cost-shift", "STATES": "states"}
    found = (
        (gateways[name], url)
        for block in _blocks("sh")
        for name, url in re.findall(r'"\$(GATEWAY|STATES)(/v1/[^"]*)"', block.text)
    )
    return sorted(set(found))


@pytest.mark.parametrize(("gateway", "url"), _asked())
def test_a_question_is_one_that_the_gateway_understands(gateway: str, url: str) -> None:
    asked = urlsplit(url)
    paths = _document(gateway)["paths"]
    operation = next(
        paths[path]["get"] for path in paths if re.fullmatch(re.sub(r"\{.*?\}", "[^/]+", path), asked.path)
    )
    parameters = {one["name"]: one for one in operation.get("parameters", [])}
    given = parse_qs(asked.query, strict_parsing=True)
    assert given.keys() <= parameters.keys()
    assert {one["name"] for one in parameters.values() if one.get("required") and one["in"] == "query"} <= given.keys()
    for name, values in given.items():
        schema = parameters[name]["schema"]
        for value in values:
            if "$" not in value:
                jsonschema.validate(
                    [value] if schema.get("type") == "array" else _typed(value), _resolved(schema, gateway)
                )


def _typed(value: str) -> float | str:
    if re.fullmatch(r"0\.[0-9]+", value):
        return float(value)
    return int(value) if value.isdecimal() and len(value) < 9 else value


def _resolved(schema: dict[str, Any], gateway: str = "cost-shift") -> dict[str, Any]:
    components = _document(gateway).get("components", {})
    return schema | {"components": components}


def test_an_answer_that_is_shown_is_one_that_the_gateway_gives() -> None:
    shown = _blocks("json")
    assert len(shown) == 1, "say which answer the new example is"
    answer = _document("cost-shift")["paths"]["/v1/revisions"]["get"]["responses"]["200"]
    jsonschema.validate(json.loads(shown[0].text), _resolved(answer["content"]["application/json"]["schema"]))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_route_that_is_named_exists(page: Path) -> None:
    known = {_shape(path) for service in (*SERVICES, "states") for path in _document(service)["paths"]}
    known |= {"/metrics", "/openapi.json"}
    named = {
        _shape(route.split("?")[0]) for inline in _INLINE.findall(_prose(page)) for route in _ROUTE.findall(inline)
    }
    # "/quarantine" and the like stand for the end of a route.
    assert {route for route in named if route not in known} == set()


def _shape(route: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", route)


@pytest.mark.parametrize("block", _blocks("python"), ids=lambda block: block.page)
def test_python_is_python_and_the_runnable_runs(block: Block, tmp_path: Path) -> None:
    code = compile(block.text.replace("…", "..."), block.page, "exec")
    if "infra.simulator" in block.text:  # what asks a gateway is run where there is one
        small = compile(block.text.replace("people=2000", "people=5"), block.page, "exec")
        with contextlib.redirect_stdout(io.StringIO()):
            exec(small, {"directory": tmp_path / "made"})  # noqa: S102 - our own page
        assert (tmp_path / "made" / "truth.json").exists()
    assert code.co_code


@pytest.mark.parametrize("block", _blocks("mermaid"), ids=lambda block: block.page)
def test_a_picture_has_a_kind_and_its_brackets_close(block: Block) -> None:
    first, *lines = block.text.splitlines()
    assert re.fullmatch(r"(flowchart|graph) (LR|TD|TB)|sequenceDiagram|stateDiagram-v2", first)
    for line in lines:
        bare = re.sub(r'"[^"]*"', "", line)
        assert line.count('"') % 2 == 0, line
        assert all(bare.count(left) == bare.count(right) for left, right in ("()", "[]", "{}")), line
        assert re.search(r"--|\w", bare), line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text()):
        path, _, heading = target.partition("#")
        assert not urlsplit(target).scheme, f"{target}: the project speaks of itself alone"
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert not heading or heading in _headings(linked), target


def _headings(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page: Path) -> None:
    named = {inline for inline in _INLINE.findall(_prose(page)) if _FILE.fullmatch(inline)}
    assert {name for name in named if not (ROOT / name).exists()} <= _MADE_UP


def test_every_page_is_linked_from_the_readme() -> None:
    linked = {target for target in _LINK.findall((ROOT / "README.md").read_text()) if target.startswith("docs/")}
    assert {f"docs/{page.name}" for page in PAGES[1:]} == linked


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_variables_that_are_named_can_be_set(page: Path) -> None:
    known = {f"TANDEM_{name.upper()}" for name in Settings.model_fields} | {"TANDEM_FOLDER", "TANDEM_"}
    known |= {credentials.ID, credentials.SECRET, credentials.KEY_FILE, credentials.KEY_ID}
    assert set(re.findall(r"TANDEM_[A-Z_]*", page.read_text())) <= known


def test_every_exit_code_is_explained_to_operators() -> None:
    rows = re.findall(r"^ *\| ([0-9, ]+) \|", (ROOT / "docs" / "operator.md").read_text(), re.MULTILINE)
    assert sorted(int(code) for row in rows for code in row.split(",")) == sorted(
        int(code) for code in ExitCode if code
    )


def test_reasons_are_those_that_intake_gives() -> None:
    source = "\n".join(path.read_text() for path in (ROOT / "services" / "intake").rglob("*.py"))
    page = (ROOT / "docs" / "entity-operations.md").read_text()
    reasons = {
        reason
        for row in re.findall(r"^\| (`[^|]*) \|", page, re.MULTILINE)
        for reason in re.findall(r"`([a-z_]+)`", row)
    }
    assert len(reasons) > 30
    assert {reason for reason in reasons if f'"{reason}"' not in source and f"'{reason}'" not in source} == set()


def test_every_reason_for_which_a_delivery_is_refused_is_explained() -> None:
    source = "\n".join(path.read_text() for path in (ROOT / "services" / "intake").rglob("*.py"))
    page = (ROOT / "docs" / "entity-operations.md").read_text()
    given = set(re.findall(r'RefusedDelivery\(\s*"([a-z_]+)"', source))
    assert {reason for reason in given if f"`{reason}`" not in page} == set()


# The words have other meanings here: a Faust agent, a session of tests, a database session.
_OTHER_MEANINGS = re.compile(
    r"once a session|the\s+session's|an agent, a table|Faust agents?|FHIR R4 Bundle of Tasks|FHIR Task", re.IGNORECASE
)
_HOW_IT_WAS_MADE = re.compile(r"\b(issues?|tasks?|sessions?|agents?|prompts?|assistants?)\b", re.IGNORECASE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_speaks_of_the_product_alone(page: Path) -> None:
    assert _HOW_IT_WAS_MADE.findall(_OTHER_MEANINGS.sub("", page.read_text())) == []
