import base64

import pytest

from services.runtime.exits import ExitCode, SettingsInvalid
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
