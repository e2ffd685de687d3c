"""What the dashboard signs is what the feed lets in."""

import time
from pathlib import Path

import panel as pn
import pytest

from dashboard.badge import ConnectionBadge
from dashboard.config import ConfigError, DashboardConfig
from dashboard.tokens import PageToken, TokenSigner, main, page_token
from feed_server.gateway.auth import Authenticator, Grant
from feed_server.settings import FeedSettings
from tests import pem

NOW_S = 1_700_000_000.25


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*FeedSettings.model_fields, *DashboardConfig.model_fields):
        monkeypatch.delenv(f"QUOTEWIRE_{name.upper()}", raising=False)


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTEWIRE_JWT_SECRET", pem.SECRET)


def signer() -> TokenSigner:
    """Return the signer of the environment, which has one."""
    found = TokenSigner.from_config(DashboardConfig.from_environment())
    assert found is not None
    return found


def granted(token: str, now_s: float = NOW_S) -> Grant:
    """Return what the feed of the same environment makes of a token."""
    return Authenticator.from_settings(FeedSettings.from_environment()).grant(token, now_s)


@pytest.mark.usefixtures("secret")
def test_a_token_allows_everything_for_ten_minutes() -> None:
    assert granted(signer().sign("ann", NOW_S)) == Grant("ann", int(NOW_S) + 600)


@pytest.mark.usefixtures("secret")
def test_a_token_may_allow_less() -> None:
    grant = granted(signer().sign("ann", NOW_S, channels=["quotes"], symbols=["BTC-*"]))
    assert grant.allows("quotes", "BTC-USD")
    assert not grant.allows("bars", "BTC-USD")
    assert not grant.allows("quotes", "AAPL")


@pytest.mark.usefixtures("secret")
def test_a_token_names_audience_and_issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTEWIRE_JWT_AUDIENCE", "feed")
    monkeypatch.setenv("QUOTEWIRE_JWT_ISSUER", "desk")
    monkeypatch.setenv("QUOTEWIRE_TOKEN_LIFETIME_S", "60")
    assert granted(signer().sign("ann", NOW_S)).expires_s == int(NOW_S) + 60


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_a_private_key_signs_for_the_public_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    private = pem.write(tmp_path, "private.pem", pem.private_pem(kind))
    public = pem.write(tmp_path, "public.pem", pem.public_pem(kind))
    monkeypatch.setenv("QUOTEWIRE_JWT_PRIVATE_KEY_FILE", str(private))
    monkeypatch.setenv("QUOTEWIRE_JWT_PUBLIC_KEY_FILE", str(public))
    assert granted(signer().sign("ann", NOW_S)).subject == "ann"


def test_a_secret_may_be_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = pem.write(tmp_path, "secret", pem.SECRET.encode() + b"\n")
    monkeypatch.setenv("QUOTEWIRE_JWT_SECRET_FILE", str(path))
    assert granted(signer().sign("ann", NOW_S)).subject == "ann"


def test_without_a_key_there_is_no_token() -> None:
    assert TokenSigner.from_config(DashboardConfig.from_environment()) is None
    assert page_token(None).value == ""


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"JWT_SECRET": "hunter2"}, "QUOTEWIRE_JWT_SECRET: is shorter than 32 bytes"),
        ({"JWT_SECRET_FILE": "/nowhere"}, "QUOTEWIRE_JWT_SECRET_FILE='/nowhere': cannot be read"),
        ({"JWT_PRIVATE_KEY_FILE": "/nowhere"}, "QUOTEWIRE_JWT_PRIVATE_KEY_FILE='/nowhere'"),
    ],
)
def test_a_wrong_key_is_told_and_a_secret_not_shown(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], problem: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"QUOTEWIRE_{name}", value)
    with pytest.raises(ConfigError, match=problem) as caught:
        DashboardConfig.from_environment()
    assert "hunter2" not in str(caught.value)


@pytest.mark.usefixtures("secret")
def test_one_key_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    private = pem.write(tmp_path, "private.pem", pem.private_pem("ec"))
    monkeypatch.setenv("QUOTEWIRE_JWT_PRIVATE_KEY_FILE", str(private))
    with pytest.raises(ConfigError, match="set one of QUOTEWIRE_JWT_SECRET"):
        DashboardConfig.from_environment()


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize(
    ("cookies", "subject"),
    [
        ({}, ""),
        ({"user": b"ann"}, "ann"),
        ({"user": b"ann", "is_guest": "1"}, ""),
        ({"is_guest": "1"}, ""),
    ],
)
def test_a_page_is_its_user_s_or_nobody_s(
    monkeypatch: pytest.MonkeyPatch, cookies: dict[str, object], subject: str
) -> None:
    user = cookies.get("user", b"")
    assert isinstance(user, bytes)
    monkeypatch.setattr(type(pn.state), "cookies", cookies)
    monkeypatch.setattr(type(pn.state), "user", user.decode() or None)
    monkeypatch.setattr(pn.state, "add_periodic_callback", lambda *_args, **_options: None)
    token = page_token(signer())
    assert granted(token.value, time.time()).subject == subject


@pytest.mark.usefixtures("secret")
def test_elements_of_a_page_follow_each_renewal(monkeypatch: pytest.MonkeyPatch) -> None:
    token = PageToken(signer(), "ann")
    badge = ConnectionBadge(feed_url="http://127.0.0.1:8765", token=token.param.value)
    first = badge.token
    assert granted(first, time.time()).subject == "ann"
    later_s = time.time() + 300
    monkeypatch.setattr(time, "time", lambda: later_s)
    token.renew()
    assert badge.token != first
    assert granted(badge.token, later_s).expires_s > granted(first, later_s).expires_s


@pytest.mark.usefixtures("secret")
def test_neither_secret_nor_token_is_shown() -> None:
    config = DashboardConfig.from_environment()
    token = PageToken(signer(), "ann")
    badge = ConnectionBadge(feed_url="http://127.0.0.1:8765", token=token.param.value)
    shown = repr(config) + repr(vars(config)) + repr(token) + repr(badge) + str(badge)
    assert pem.SECRET not in shown
    assert token.value not in shown
    assert badge.token[:20] not in shown


@pytest.mark.usefixtures("secret")
def test_a_token_for_a_notebook_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ann", "--hours", "1", "--symbols", "AAPL", "BTC-*"]) == 0
    grant = granted(capsys.readouterr().out.strip(), time.time())
    assert grant.subject == "ann"
    assert grant.allows_symbol("BTC-USD")
    assert not grant.allows_symbol("IBM")
    assert 3500 < grant.expires_s - time.time() < 3601


def test_without_a_secret_it_is_told_what_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ann"]) == 2
    assert "QUOTEWIRE_JWT_SECRET" in capsys.readouterr().err
