"""The project names no machine on which it was made and no registry, and installs only what it has seen before."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.txt", "requirements-dev.txt")
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[\w,-]+\])?==(?P<version>[^\s;\\]+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
# Spelt in parts: this file is searched as well.
_MACHINE = re.compile(
    r"(?<![\w.<}*])/(?:"
    + "|".join(("wo" + "rk", "ro" + "ot", "ho" + "me/[a-z]", "tmp/" + "w"))
    + r")\b(?=/|$|['\"\s`])"
)
_REGISTRY = re.compile(
    "|".join(
        re.escape(host)
        for host in (
            "pypi" + ".org",
            "pythonhosted" + ".org",
            "registry.npmjs" + ".org",
            "repo.maven" + ".apache",
            "artifact" + "ory",
        )
    )
)
_OPTION = re.compile(r"^\s*--(?:index-url|extra-index-url|find-links|trusted-host)", re.MULTILINE)


def _files() -> Iterator[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a checkout")
    yield from (ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file())


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_and_hashed(lock: str) -> None:
    text = "\n".join(line for line in (ROOT / lock).read_text().splitlines() if not line.lstrip().startswith("#"))
    requirements = [part for part in re.split(r"\n(?=\S)", text) if part.strip()]
    assert len(requirements) > 20
    for requirement in requirements:
        assert _PIN.match(requirement), requirement[:80]
        assert _HASH.search(requirement), requirement[:80]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_place_to_get_things_from(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert not _OPTION.search(text)
    assert "://" not in text


def test_what_is_locked_for_development_holds_all_that_runs() -> None:
    runs, develops = (dict(_PIN.findall((ROOT / lock).read_text())) for lock in LOCKS)
    assert {name for name, version in runs.items() if develops.get(name) != version} == set()


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = {}
    for path in _files():
        text = path.read_bytes().decode("latin-1")
        named = [match.group() for pattern in (_MACHINE, _REGISTRY) for match in pattern.finditer(text)]
        if named:
            found[str(path.relative_to(ROOT))] = named
    assert found == {}


@pytest.mark.parametrize("text", ["see /" + "work/main/x", "'/" + "root/.cache'", "https://pypi" + ".org/simple"])
def test_the_search_can_find(text: str) -> None:
    assert _MACHINE.search(text) or _REGISTRY.search(text)


@pytest.mark.parametrize("text", ["GET /v1/network", "a/workers", "docs/work", "the work/root"])
def test_the_search_leaves_other_words_alone(text: str) -> None:
    assert not _MACHINE.search(text)
