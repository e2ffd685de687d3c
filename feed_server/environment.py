"""What all settings that come from the environment have in common: feed server and dashboard."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, get_args

from pydantic import AfterValidator, SecretStr
from pydantic_settings import BaseSettings

from feed_server import keys

ENV_PREFIX = "QUOTEWIRE_"

NAMES = frozenset(
    {
        "allowed_origins",
        "alphavantage_key",
        "alphavantage_per_day",
        "alphavantage_per_minute",
        "alphavantage_url",
        "auth_grace_ms",
        "auth_timeout_ms",
        "bars_grace_ms",
        "bars_kept",
        "chromium",
        "coinbase_url",
        "coinbase_websocket_url",
        "compression",
        "dashboard_port",
        "feed_port",
        "feed_public_url",
        "feed_url",
        "heartbeat_ms",
        "host",
        "idle_timeout_ms",
        "jwt_audience",
        "jwt_issuer",
        "jwt_private_key_file",
        "jwt_public_key_file",
        "jwt_secret",
        "jwt_secret_file",
        "linger_ms",
        "log_entries",
        "log_expires_s",
        "log_level",
        "max_alert_symbols",
        "max_alerts",
        "max_backlog_bytes",
        "max_commands_per_s",
        "max_connections",
        "max_connections_per_address",
        "max_hz",
        "max_message_bytes",
        "max_symbols",
        "provider",
        "record_folder",
        "redis_url",
        "replay_files",
        "replay_loop",
        "replay_speed",
        "replay_start",
        "replay_zone",
        "shutdown_spread_ms",
        "simulated_hz",
        "simulated_seed",
        "simulated_symbols",
        "stall_timeout_ms",
        "state_folder",
        "symbols",
        "token",
        "token_lifetime_s",
        "trusted_proxies",
        "twelvedata_key",
        "twelvedata_per_day",
        "twelvedata_per_minute",
        "twelvedata_url",
        "twelvedata_websocket_url",
    }
)
"""Every setting there is, of the feed, the dashboard, notebooks and tests, without its prefix. Each
program reads its own; a name that none of them knows is a mistake, which may leave a door open."""


def _usable_secret(value: SecretStr) -> SecretStr:
    keys.secret_key(value.get_secret_value())
    return value


def _usable_secret_file(value: Path) -> Path:
    keys.secret_file_key(value)
    return value


def _usable_public_key(value: Path) -> Path:
    keys.public_key(value)
    return value


def _usable_private_key(value: Path) -> Path:
    keys.private_key(value)
    return value


Secret = Annotated[SecretStr, AfterValidator(_usable_secret)]
SecretFile = Annotated[Path, AfterValidator(_usable_secret_file)]
PublicKeyFile = Annotated[Path, AfterValidator(_usable_public_key)]
PrivateKeyFile = Annotated[Path, AfterValidator(_usable_private_key)]


def require_one_key(settings: BaseSettings, *names: str) -> None:
    """Check that at most one of some settings is given.

    Raises:
        ValueError: Several are.
    """
    if sum(getattr(settings, name) is not None for name in names) > 1:
        variables = ", ".join(ENV_PREFIX + name.upper() for name in names)
        raise ValueError(f"set one of {variables}, not more")


def refuse_unknown(environment: Iterable[str]) -> None:
    """Check that every variable with our prefix is a setting.

    Args:
        environment: Names of variables.

    Raises:
        ValueError: One is not; the text says which, and what it may have been meant to be.
    """
    for variable in sorted(environment):
        prefix, name = variable[: len(ENV_PREFIX)], variable[len(ENV_PREFIX) :].lower()
        if prefix.upper() == ENV_PREFIX and name not in NAMES:
            close = get_close_matches(name, NAMES, 1)
            hint = f"did you mean {ENV_PREFIX}{close[0].upper()}?" if close else "unset it"
            raise ValueError(f"{variable} is no setting: {hint}")


def explain(settings: type[BaseSettings], error: Mapping[str, object]) -> str:
    """Return what is wrong with a setting: its variable, its value unless secret, the rule.

    Args:
        settings: Whose it is.
        error: As pydantic gives it.
    """
    message = str(error["msg"]).removeprefix("Value error, ")
    if not (isinstance(error["loc"], tuple) and error["loc"]):
        return message
    name = str(error["loc"][0])
    is_secret = _holds_secret(settings.model_fields[name].annotation)
    value = "" if is_secret else f"={error['input']!r}"
    return f"{ENV_PREFIX}{name.upper()}{value}: {message}"


def _holds_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(map(_holds_secret, get_args(annotation)))
