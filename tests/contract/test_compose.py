"""docker-compose.yml keeps the Compose specification, and starts what the registry of services says."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from contracts.topics import Service
from services.runtime.access.issuer_keys import own_key

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
SERVICES = get_args(Service)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document = yaml.safe_load(COMPOSE.read_text())
    assert isinstance(document, dict)
    return document


def run_schema_check(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_keeps_the_compose_specification() -> None:
    result = run_schema_check(COMPOSE)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_schema_check_can_fail(tmp_path: Path) -> None:
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(COMPOSE.read_text().replace("interval: 10s", "intervall: 10s", 1))
    assert run_schema_check(broken).returncode != 0


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("process", ["worker", "relay", "gateway"])
def test_every_process_of_every_service_is_there(compose: dict[str, Any], service: str, process: str) -> None:
    definition = compose["services"][f"{service}-{process}"]
    assert "healthcheck" in definition
    assert definition["command"][0] == "run"
    url = definition["environment"]["TANDEM_DATABASE_URL"]
    assert url.startswith(f"postgresql://tandem_{service.replace('-', '_')}:${{"), "each service has its own role"


def test_everything_but_the_one_shot_has_a_health_check(compose: dict[str, Any]) -> None:
    without = [name for name, definition in compose["services"].items() if "healthcheck" not in definition]
    assert without == ["topics"]


def test_the_brokers_and_databases_are_the_tested_ones(compose: dict[str, Any]) -> None:
    pom = (ROOT / "infra/kafka/pom.xml").read_text()
    version = compose["services"]["kafka"]["image"].partition(":")[2]
    assert f">{version}<" in pom
    assert compose["services"]["postgres"]["image"] == "postgres:18"


def test_no_password_or_key_has_a_default() -> None:
    secrets = re.findall(r"\$\{(\w*(?:PASSWORD|KEY)\w*)([^}]*)\}", COMPOSE.read_text())
    assert secrets
    assert [name for name, rest in secrets if not rest.startswith(":?")] == []


def test_the_development_file_sets_every_required_variable() -> None:
    required = set(re.findall(r"\$\{(\w+):\?", COMPOSE.read_text()))
    lines = (ROOT / "infra/compose/development.env").read_text().splitlines()
    assert required <= {line.partition("=")[0] for line in lines}


def test_nothing_is_published_beyond_this_machine(compose: dict[str, Any]) -> None:
    published = [port for definition in compose["services"].values() for port in definition.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_prometheus_scrapes_every_process(compose: dict[str, Any]) -> None:
    scrape = yaml.safe_load((ROOT / "infra/compose/prometheus.yml").read_text())
    targets = {
        target.partition(":")[0]
        for job in scrape["scrape_configs"]
        for static in job["static_configs"]
        for target in static["targets"]
    }
    processes = {name for name in compose["services"] if name.rpartition("-")[2] in {"worker", "relay", "gateway"}}
    assert targets == processes


def test_the_roles_script_is_valid_shell() -> None:
    subprocess.run(["sh", "-n", str(ROOT / "infra/compose/roles.sh")], check=True)


def test_only_the_worker_of_intake_can_turn_an_identifier_into_a_person(compose: dict[str, Any]) -> None:
    holding = [
        name for name, one in compose["services"].items() if "TANDEM_PSEUDONYM_KEY" in one.get("environment", {})
    ]
    assert holding == ["intake-worker"]


def test_prometheus_can_reach_every_process_that_it_asks(compose: dict[str, Any]) -> None:
    scraped = yaml.safe_load((ROOT / "infra/compose/prometheus.yml").read_text())["scrape_configs"]
    targets = [target for job in scraped for static in job["static_configs"] for target in static["targets"]]
    assert len(targets) == 3 * len(SERVICES) + 1
    for target in targets:
        name, _, port = target.partition(":")
        environment = compose["services"][name]["environment"]
        # A protected gateway has its metrics beside its routes, not among them.
        kind = "METRICS" if environment["TANDEM_ACCESS"] == "token" or not name.endswith("gateway") else "GATEWAY"
        assert str(environment[f"TANDEM_{kind}_PORT"]) == port
        assert environment[f"TANDEM_{kind}_HOST"] == "0.0.0.0", "not from outside"  # noqa: S104 - inside its container


def test_what_others_reach_asks_for_tokens_and_reads_in_a_role_of_its_own(compose: dict[str, Any]) -> None:
    environment = compose["services"]["states-gateway"]["environment"]
    assert environment["TANDEM_ACCESS"] == "token"
    assert environment["TANDEM_DATABASE_URL"].startswith("postgresql://tandem_cost_shift_reader:${")
    roles = (ROOT / "infra/compose/roles.sh").read_text()
    assert "CREATE ROLE tandem_cost_shift_reader" in roles
    assert "NOBYPASSRLS" in roles


def test_the_key_of_the_development_file_signs() -> None:
    lines = dict(line.partition("=")[::2] for line in (ROOT / "infra/compose/development.env").read_text().splitlines())
    assert own_key(lines["TANDEM_SIGNING_KEY"]).curve_name == "P-384"
