"""The rules of the house that a reader would otherwise have to trust: who may import whom, and what rules may not do."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_LINES = 400
SERVICES = ("intake", "alignment", "risk", "cost_shift")
# Whoever asks one of these for the time cannot be run again with the same result.
CLOCKS = frozenset({"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.monotonic"})
# Whoever imports one of these does I/O.
IO_MODULES = frozenset(
    {"asyncpg", "aiokafka", "faust", "httpx", "fastapi", "socket", "subprocess", "random", "os", "time"}
)


@dataclass(frozen=True)
class Module:
    """A file of source, and what it says."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def place(self) -> tuple[str, ...]:
        """The folder, as a dotted name would have it: ``("services", "risk", "rules")``."""
        return self.path.relative_to(ROOT).parent.parts

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    def imports(self) -> Iterator[tuple[str, ...]]:
        """Every module that it imports, anywhere in it, by its parts."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (tuple(alias.name.split(".")) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                yield from ((*base, alias.name) for alias in node.names)

    def _base(self, node: ast.ImportFrom) -> tuple[str, ...]:
        named = tuple(node.module.split(".")) if node.module else ()
        return (*self.place[: len(self.place) - node.level + 1], *named) if node.level else named

    def calls(self) -> Iterator[str]:
        """Every call of an attribute, by its last two names: ``datetime.now``."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                holder = node.func.value
                name = holder.attr if isinstance(holder, ast.Attribute) else getattr(holder, "id", "")
                yield f"{name}.{node.func.attr}"


def _modules(*folders: str) -> list[Module]:
    return [Module(path) for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


SOURCE = _modules("contracts", "services", "infra")
RULES = [module for module in SOURCE if "rules" in module.place]


def may_import(importer: tuple[str, ...], imported: tuple[str, ...]) -> bool:
    """Whether code in one folder may import a module of the project."""
    room, own = imported[0], importer[0]
    if room == "contracts":
        return True
    if own == "contracts":
        return False
    if room == "services":
        part = imported[1] if len(imported) > 1 else ""
        if own == "services":
            return part in {"runtime", importer[1] if len(importer) > 1 else ""}
        # The command starts the services; benchmarks measure them.
        return importer[:2] in {("infra", "command"), ("infra", "bench")}
    return own == "infra"


def _project_imports(module: Module) -> Iterator[tuple[str, ...]]:
    return (imported for imported in module.imports() if imported[0] in {"contracts", "services", "infra"})


RULINGS = [
    (("contracts",), ("contracts", "codes"), True),
    (("contracts",), ("services", "runtime"), False),
    (("contracts", "wire"), ("infra", "local"), False),
    (("services", "runtime"), ("contracts", "topics"), True),
    (("services", "runtime"), ("services", "runtime", "ledger"), True),
    (("services", "runtime"), ("services", "risk", "store"), False),
    (("services", "risk"), ("services", "runtime", "service"), True),
    (("services", "risk", "rules"), ("services", "risk", "facts"), True),
    (("services", "risk"), ("services", "alignment", "store"), False),
    (("services", "risk"), ("infra", "local"), False),
    (("infra", "simulator"), ("contracts", "money"), True),
    (("infra", "simulator"), ("services", "risk", "worker"), False),
    (("infra", "bench"), ("services", "runtime", "worker"), True),
    (("infra", "bench"), ("services", "risk", "worker"), True),
    (("infra", "local"), ("services", "runtime", "worker"), False),
    (("infra", "command"), ("services", "risk", "worker"), True),
    (("infra", "command"), ("infra", "local", "ports"), True),
]


@pytest.mark.parametrize(("importer", "imported", "allowed"), RULINGS, ids=str)
def test_the_rule_itself(importer: tuple[str, ...], imported: tuple[str, ...], allowed: bool) -> None:  # noqa: FBT001
    assert may_import(importer, imported) is allowed


@pytest.mark.parametrize("module", SOURCE, ids=lambda module: module.name)
def test_imports_point_one_way(module: Module) -> None:
    forbidden = [".".join(imported) for imported in _project_imports(module) if not may_import(module.place, imported)]
    assert forbidden == []


@pytest.mark.parametrize("module", SOURCE, ids=lambda module: module.name)
def test_every_module_says_what_it_is_for_and_is_short(module: Module) -> None:
    assert ast.get_docstring(module.tree)
    assert module.text.count("\n") <= MOST_LINES


@pytest.mark.parametrize("module", RULES, ids=lambda module: module.name)
def test_rules_are_pure(module: Module) -> None:
    assert CLOCKS.isdisjoint(module.calls())
    assert IO_MODULES.isdisjoint(imported[0] for imported in module.imports())
    assert not any(isinstance(node, ast.AsyncFunctionDef | ast.Await) for node in ast.walk(module.tree))


def test_there_are_rules_in_every_service() -> None:
    assert {module.place[1] for module in RULES} == set(SERVICES)


def test_no_table_of_a_service_asks_the_clock() -> None:
    """A read model is a function of the log: a rebuild must give the same rows."""
    files = [path for service in SERVICES for path in (ROOT / "services" / service / "migrations").glob("*.sql")]
    asking = [path.name for path in files if "now()" in path.read_text("utf-8").lower()]
    assert asking == []


def test_a_violation_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above would find what it looks for, however it is written."""
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    path = tmp_path / "services" / "risk" / "rules" / "bad.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        "from datetime import datetime\nimport services.alignment.store\nfrom ...intake import vault\n"
        "from . import good\ndef rule():\n    import infra.local\n    return datetime.now()\n"
    )
    module = Module(path)
    seen = [".".join(imported) for imported in _project_imports(module) if not may_import(module.place, imported)]
    assert seen == ["services.alignment.store", "services.intake.vault", "infra.local"]
    assert "datetime.now" in set(module.calls())
