import os
import stat
from pathlib import Path

import pytest

from infra.local.installation import SERVICES, Addresses, Installation, role_of, schema_of, usual_folder
from infra.local.ports import StartError
from infra.local.provisioning import in_database


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    made = Installation(tmp_path / "tandem")
    made.prepare()
    return made


def _addresses(supervisor: int) -> Addresses:
    return Addresses(
        supervisor, "127.0.0.1:1", "postgresql://{role}:{password}@/tandem?host=/x", {"risk": "http://127.0.0.1:2"}
    )


def test_every_service_has_a_schema_and_a_role_of_its_own() -> None:
    assert [schema_of(service) for service in SERVICES] == ["intake", "alignment", "risk", "cost_shift"]
    assert role_of("cost-shift") == "tandem_cost_shift"


def test_secrets_are_made_once_and_only_their_owner_may_read_them(installation: Installation) -> None:
    before = installation.secrets
    installation.prepare()
    assert Installation(installation.folder).secrets == before
    assert stat.S_IMODE((installation.folder / "secrets.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(installation.inbox.stat().st_mode) == 0o700


def test_no_two_installations_share_a_secret(tmp_path: Path) -> None:
    made = [Installation(tmp_path / name) for name in ("one", "two")]
    for installation in made:
        installation.prepare()
    values = [
        value
        for one in made
        for value in (one.secrets.pseudonym_key, one.secrets.payload_key, *one.secrets.passwords.values())
    ]
    assert len(set(values)) == len(values) == 2 * (2 + len(SERVICES))
    assert all(len(value) >= 32 for value in values)


def test_a_service_signs_in_with_its_own_role_and_password(installation: Installation) -> None:
    installation.announce(_addresses(os.getpid()))
    password = installation.secrets.passwords["risk"]
    assert installation.database_url("risk") == f"postgresql://tandem_risk:{password}@/tandem?host=/x"


def test_what_does_not_run_is_said_with_what_to_do(installation: Installation) -> None:
    assert not installation.is_running()
    with pytest.raises(StartError, match="tandem up"):
        installation.addresses()


def test_addresses_of_a_supervisor_that_died_do_not_count(installation: Installation) -> None:
    installation.announce(_addresses(2**22 + 1))
    assert not installation.is_running()
    installation.announce(_addresses(os.getpid()))
    assert installation.is_running()
    installation.withdraw()
    assert not installation.is_running()


def test_the_usual_folder_is_one_that_the_database_account_can_enter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert usual_folder() == Path("/var/lib/tandem")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert usual_folder().name == "tandem"
    assert usual_folder().is_relative_to(Path.home())


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p@/postgres?host=/x", "postgresql://u:p@/tandem?host=/x"),
        ("postgresql://u:p@host:5432/postgres", "postgresql://u:p@host:5432/tandem"),
    ],
)
def test_the_same_server_with_another_database(url: str, expected: str) -> None:
    assert in_database(url, "tandem") == expected
