import base64
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from services.runtime import database
from services.runtime.access.protection import protection_of
from services.runtime.exits import ExitCode, SchemaConflict, SettingsInvalid
from services.runtime.settings import Settings, load_settings

KEY = base64.b64encode(bytes(32)).decode()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("TANDEM_DATABASE_URL", "postgresql://somewhere/db")
    monkeypatch.setenv("TANDEM_BROKERS", "one:9092, two:9092")
    return monkeypatch


def test_read_from_the_environment(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TANDEM_PAYLOAD_KEY", KEY)
    environment.setenv("TANDEM_STATE", "")
    settings = load_settings()
    assert settings.bootstrap_servers() == ["one:9092", "two:9092"]
    assert settings.payload_key_bytes() == bytes(32)
    assert settings.state == "OH"
    assert KEY not in repr(settings)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TANDEM_PAYLOAD_KEY", "c2hvcnQ="),
        ("TANDEM_PSEUDONYM_KEY", "not base64!"),
        ("TANDEM_SLOT", "a slot"),
        ("TANDEM_BATCH_LIMIT", "0"),
        ("TANDEM_IDEMPOTENT_PRODUCER", "perhaps"),
        ("TANDEM_GATEWAY_PORT", "99999"),
        ("TANDEM_SCHEMA_NAME", 'risk"; --'),
        ("TANDEM_SCHEMA_NAME", "Risk"),
        ("TANDEM_BROKERS", " , "),
        ("TANDEM_STATE", "Ohio"),
        ("TANDEM_SESSION_TIMEOUT_SECONDS", "-7"),
        ("TANDEM_PARKED_RUN_LIMIT", "-7"),
    ],
)
def test_a_wrong_value_is_named_and_not_shown(environment: pytest.MonkeyPatch, variable: str, value: str) -> None:
    environment.setenv(variable, value)
    with pytest.raises(SettingsInvalid, match=variable) as raised:
        load_settings()
    assert value == "0" or value not in str(raised.value)
    assert raised.value.code == ExitCode.SETTINGS_INVALID


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TANDEM_DATABASE_URL", raising=False)
    monkeypatch.delenv("TANDEM_BROKERS", raising=False)
    with pytest.raises(SettingsInvalid, match=r"TANDEM_DATABASE_URL: .*TANDEM_BROKERS: "):
        load_settings()


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("key", ["payload", "pseudonym"])
def test_a_key_is_asked_for_where_it_is_needed(key: str) -> None:
    settings = load_settings()
    with pytest.raises(SettingsInvalid, match=f"TANDEM_{key.upper()}_KEY"):
        getattr(settings, f"{key}_key_bytes")()


def test_exit_codes_are_distinct_and_every_field_is_named_by_a_variable() -> None:
    assert len({code.value for code in ExitCode}) == len(ExitCode)
    assert Settings.model_config["env_prefix"] == "TANDEM_"


@pytest.mark.parametrize(
    ("brokers", "servers"),
    [("one:9092", ["one:9092"]), (" one:1 ,two:2,", ["one:1", "two:2"]), (",one:1,,", ["one:1"])],
)
def test_brokers_one_by_one(brokers: str, servers: list[str]) -> None:
    assert Settings(database_url="postgres://h/d", brokers=brokers).bootstrap_servers() == servers


@pytest.mark.parametrize("schema", ["Risk", "", "1risk", "risk;", "risk\n", "r" * 64, "ri sk"])
def test_a_schema_that_would_need_quotes_is_refused_before_any_sql(schema: str) -> None:
    with pytest.raises(ValueError, match="not a plain schema name"):
        database._checked(schema)
    assert database._checked("_risk_2") == "_risk_2"


def test_patience_is_told_in_milliseconds_and_none_is_for_ever() -> None:
    assert database.Patience(in_transaction=1.5, between=0.25).server_settings() == {
        "idle_in_transaction_session_timeout": "1500ms",
        "idle_session_timeout": "250ms",
    }
    assert set(database.Patience().server_settings().values()) == {"0ms"}


def test_migrations_are_read_in_order_and_known_by_their_text(tmp_path: Path) -> None:
    for name, text in [("0010_b.sql", "b"), ("0002_a.sql", "a"), ("1_c.sql", "c"), ("0003_d.txt", "d")]:
        (tmp_path / name).write_text(text)
    one, other = database.read_migrations("service", tmp_path)
    assert (one.owner, one.name, one.sql) == ("service", "0002_a", "a")
    assert other.name == "0010_b"
    assert one.checksum == sha256(b"a").hexdigest() != other.checksum


async def test_a_migration_runs_once_and_may_never_change() -> None:
    done: list[tuple[object, ...]] = []

    class Connection:
        async def execute(self, *query: object) -> None:
            done.append(query)

    first = database.Migration("service", "0001_x", "CREATE TABLE x ()")
    connection = Connection()
    assert await database._apply(connection, first, None) == 1  # type: ignore[arg-type]
    assert done[0] == ("CREATE TABLE x ()",)
    assert done[1][1:] == ("service", "0001_x", first.checksum)
    assert await database._apply(connection, first, first.checksum) == 0  # type: ignore[arg-type]
    with pytest.raises(SchemaConflict, match="service/0001_x was changed"):
        await database._apply(connection, first, "another")  # type: ignore[arg-type]
    assert len(done) == 2


PEM = ECKey.generate_key("P-384").as_pem(private=True).decode()
ISSUER = {"issuer": "https://states.example"}


def loaded(**given: Any) -> Settings:
    return load_settings(database_url="postgresql://somewhere/db", brokers="one:9092", **given)


@pytest.mark.parametrize(
    "given",
    [{}, {"access": "open"}, {"access": "open", "gateway_host": "0.0.0.0"}, {"gateway_host": "::1"},  # noqa: S104
     {"gateway_host": "localhost"}],
)  # fmt: skip
def test_a_gateway_is_open_where_nobody_else_comes_or_somebody_said_so(given: dict[str, Any]) -> None:
    assert protection_of(loaded(**given)) is None


@pytest.mark.parametrize("given", [{"signing_key": PEM}, {"issuer_keys": "https://id.example/keys"}])
def test_a_gateway_with_an_issuer_is_protected(given: dict[str, Any]) -> None:
    found = protection_of(loaded(**ISSUER, **given))
    assert found is not None
    assert (found.issuer is not None) == ("signing_key" in given)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"gateway_host": "0.0.0.0"}, "TANDEM_ACCESS is not set"),  # noqa: S104
        ({"gateway_host": "gateway.internal"}, "TANDEM_ACCESS is not set"),
        ({"access": "token"}, "TANDEM_ISSUER is not set"),
        ({"access": "open", **ISSUER}, "one of them is a mistake"),
        (ISSUER, "one of TANDEM_SIGNING_KEY and TANDEM_ISSUER_KEYS"),
        ({**ISSUER, "signing_key": PEM, "issuer_keys": "x"}, "one of TANDEM_SIGNING_KEY and TANDEM_ISSUER_KEYS"),
        ({**ISSUER, "signing_key": "hello"}, "TANDEM_SIGNING_KEY: not a private key"),
        ({**ISSUER, "signing_key": PEM, "signing_key_file": Path("x")}, "both set"),
        ({**ISSUER, "signing_key_file": Path("/nowhere")}, "TANDEM_SIGNING_KEY_FILE: FileNotFoundError"),
    ],
)
def test_no_gateway_is_open_or_shut_by_mistake(given: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsInvalid, match=told):
        protection_of(loaded(**given))
