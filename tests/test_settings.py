from pathlib import Path

import pytest
from pydantic import ValidationError

from dashboard.config import ConfigError, DashboardConfig
from deploy.settings_table import TARGET, settings_page
from feed_server import keys
from feed_server.environment import NAMES
from feed_server.errors import ConfigurationError
from feed_server.settings import FeedSettings
from tests import pem


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*FeedSettings.model_fields, *DashboardConfig.model_fields):
        monkeypatch.delenv(f"QUOTEWIRE_{name.upper()}", raising=False)


def test_the_documented_settings_are_those_of_the_code() -> None:
    assert TARGET.read_text(encoding="utf-8") == settings_page(), (
        "docs/settings.md is old: python -m deploy.settings_table"
    )


def test_every_setting_has_a_description() -> None:
    for settings in (FeedSettings, DashboardConfig):
        for name, field in settings.model_fields.items():
            assert field.description, name


def test_lists_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTEWIRE_REPLAY_FILES", "a.csv:b.csv")
    monkeypatch.setenv("QUOTEWIRE_ALLOWED_ORIGINS", "https://a.example, https://b.example")
    settings = FeedSettings.from_environment()
    assert settings.replay_files == (Path("a.csv"), Path("b.csv"))
    assert settings.allowed_origins == ("https://a.example", "https://b.example")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("QUOTEWIRE_FEED_PORT", "0"),
        ("QUOTEWIRE_REPLAY_START", "yesterday"),
        ("QUOTEWIRE_REPLAY_ZONE", "Mars/Olympus"),
        ("QUOTEWIRE_MAX_HZ", "nan"),
        ("QUOTEWIRE_HEARTBEAT_MS", "-1"),
        ("QUOTEWIRE_ALLOWED_ORIGINS", "desk.example"),
        ("QUOTEWIRE_HOST", "http://desk"),
        ("QUOTEWIRE_TRUSTED_PROXIES", "proxy.example"),
        ("QUOTEWIRE_JWT_SECRET_FILE", "/nowhere/secret"),
        ("QUOTEWIRE_JWT_PUBLIC_KEY_FILE", "/nowhere/key.pem"),
    ],
)
def test_a_wrong_value_is_told_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=f"{variable}='{value}'"):
        FeedSettings.from_environment()


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTEWIRE_REDIS_URL", "")
    assert FeedSettings.from_environment().redis_url is None


def test_a_redis_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTEWIRE_REDIS_URL", "redis://:hunter2@host")
    assert "hunter2" not in repr(FeedSettings.from_environment())


def test_a_wrong_secret_is_told_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTEWIRE_JWT_SECRET", "hunter2")
    with pytest.raises(ConfigurationError, match="QUOTEWIRE_JWT_SECRET: is shorter") as caught:
        FeedSettings.from_environment()
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ValidationError) as invalid:
        FeedSettings()
    assert "hunter2" not in str(invalid.value)


def test_a_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTEWIRE_JWT_SECRET", pem.SECRET)
    settings = FeedSettings.from_environment()
    assert settings.verifying_key is not None
    assert pem.SECRET not in repr(settings) + str(settings) + repr(vars(settings))


def test_a_secret_or_a_public_key_may_be_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert FeedSettings.from_environment().verifying_key is None
    secret = pem.write(tmp_path, "secret", pem.SECRET.encode())
    monkeypatch.setenv("QUOTEWIRE_JWT_SECRET_FILE", str(secret))
    assert FeedSettings.from_environment().verifying_key == keys.secret_key(pem.SECRET)
    monkeypatch.delenv("QUOTEWIRE_JWT_SECRET_FILE")
    public = pem.write(tmp_path, "key.pem", pem.public_pem("ec"))
    monkeypatch.setenv("QUOTEWIRE_JWT_PUBLIC_KEY_FILE", str(public))
    key = FeedSettings.from_environment().verifying_key
    assert key is not None
    assert key.algorithm == "ES256"


def test_one_key_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("QUOTEWIRE_JWT_SECRET", pem.SECRET)
    public = pem.write(tmp_path, "key.pem", pem.public_pem("rsa"))
    monkeypatch.setenv("QUOTEWIRE_JWT_PUBLIC_KEY_FILE", str(public))
    with pytest.raises(ConfigurationError, match="set one of QUOTEWIRE_JWT_SECRET"):
        FeedSettings.from_environment()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_this_machine_needs_no_secret(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("QUOTEWIRE_HOST", host)
    assert FeedSettings.from_environment().host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "desk", "127.0.0.1.evil"])
def test_other_machines_need_a_secret(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("QUOTEWIRE_HOST", host)
    for hint in ("QUOTEWIRE_HOST=", "QUOTEWIRE_JWT_SECRET .*python3 -c", "JWT_PUBLIC_KEY_FILE"):
        with pytest.raises(ConfigurationError, match=hint):
            FeedSettings.from_environment()
    monkeypatch.setenv("QUOTEWIRE_JWT_SECRET", pem.SECRET)
    assert FeedSettings.from_environment().host == host


def test_browsers_are_sent_to_the_public_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert DashboardConfig.from_environment().browser_feed_url == "http://127.0.0.1:8765"
    monkeypatch.setenv("QUOTEWIRE_FEED_URL", "http://inside:8765/")
    assert DashboardConfig.from_environment().browser_feed_url == "http://inside:8765"
    monkeypatch.setenv("QUOTEWIRE_FEED_PUBLIC_URL", "https://feed.example/qw")
    assert DashboardConfig.from_environment().browser_feed_url == "https://feed.example/qw"


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("0.0.0.0", "http://127.0.0.1:8765"),
        ("::", "http://[::1]:8765"),
        ("192.168.1.5", "http://192.168.1.5:8765"),
    ],
)
def test_an_own_feed_is_found_where_it_listens(
    monkeypatch: pytest.MonkeyPatch, host: str, address: str
) -> None:
    monkeypatch.setenv("QUOTEWIRE_HOST", host)
    assert DashboardConfig.from_environment().browser_feed_url == address


def test_a_wrong_feed_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTEWIRE_FEED_URL", "127.0.0.1:8765")
    with pytest.raises(ConfigError, match="QUOTEWIRE_FEED_URL"):
        DashboardConfig.from_environment()


def test_a_setting_that_is_none_is_refused_with_what_it_may_have_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QUOTEWIRE_JWT_SECERT", "x" * 40)
    for read in (FeedSettings.from_environment, DashboardConfig.from_environment):
        with pytest.raises((ConfigurationError, ConfigError)) as refused:
            read()
        assert str(refused.value) == (
            "QUOTEWIRE_JWT_SECERT is no setting: did you mean QUOTEWIRE_JWT_SECRET?"
        )


def test_every_setting_is_known_and_no_other() -> None:
    elsewhere = {"token", "chromium"}
    assert {*FeedSettings.model_fields, *DashboardConfig.model_fields, *elsewhere} == NAMES


def test_twelve_data_can_be_used_without_its_websocket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTEWIRE_TWELVEDATA_WEBSOCKET_URL", "none")
    assert FeedSettings.from_environment().twelvedata_websocket_url == ""
