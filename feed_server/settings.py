"""Every setting of the feed server, read from ``QUOTEWIRE_*`` environment variables.

By theme: where data comes from, who is let in, how much one may ask for; together `FeedSettings`.
"""

import os
import re
from datetime import date
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from feed_server import keys
from feed_server.environment import (
    ENV_PREFIX,
    PublicKeyFile,
    Secret,
    SecretFile,
    explain,
    refuse_unknown,
    require_one_key,
)
from feed_server.errors import ConfigurationError

NEEDS_KEY = (
    "QUOTEWIRE_HOST={host!r} can be reached from other machines, so clients must show a token: set "
    f"QUOTEWIRE_JWT_SECRET (make one: {keys.MAKE_SECRET}) or QUOTEWIRE_JWT_PUBLIC_KEY_FILE, "
    "or listen on 127.0.0.1"
)


class SourceSettings(BaseSettings):
    """Where data comes from."""

    redis_url: SecretStr | None = Field(
        None,
        description="Redis or Valkey to use: `redis://…`, `rediss://…`, or "
        "`redis+sentinel://host:port,host:port/service/0` behind Sentinels (the servers' user and "
        "password before the hosts, the Sentinels' own as "
        "`?sentinel_username=…&sentinel_password=…`); without it an embedded Valkey is started.",
    )
    provider: Annotated[tuple[str, ...], NoDecode] = Field(
        ("replay",),
        min_length=1,
        description="Source of market data: `replay`, `simulated`, `coinbase`, `twelvedata`, "
        "`alphavantage`, or one that a package adds; several, separated by commas, in the order "
        "in which each symbol is asked of the next where one fails.",
    )
    symbols: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Symbols offered from the start, separated by commas; without it the source's "
        "own choice. Others that a source knows can be asked for.",
    )
    twelvedata_key: SecretStr | None = Field(None, description="API key of Twelve Data.")
    twelvedata_url: str = Field(
        "https://api.twelvedata.com", description="Where Twelve Data's REST interface is."
    )
    twelvedata_websocket_url: str = Field(
        "wss://ws.twelvedata.com/v1/quotes/price",
        description="Where Twelve Data's WebSocket is; `none`: only REST is used.",
    )
    twelvedata_per_minute: int = Field(
        8, ge=1, description="Credits a minute that the Twelve Data plan has."
    )
    twelvedata_per_day: int = Field(
        800, ge=1, description="Credits a day that the Twelve Data plan has."
    )
    alphavantage_key: SecretStr | None = Field(None, description="API key of Alpha Vantage.")
    alphavantage_url: str = Field(
        "https://www.alphavantage.co", description="Where Alpha Vantage's REST interface is."
    )
    alphavantage_per_minute: int = Field(
        5, ge=1, description="Requests a minute that the Alpha Vantage plan has."
    )
    alphavantage_per_day: int = Field(
        25, ge=1, description="Requests a day that the Alpha Vantage plan has."
    )
    coinbase_url: str = Field(
        "https://api.exchange.coinbase.com",
        description="Where Coinbase Exchange's REST interface is.",
    )
    coinbase_websocket_url: str = Field(
        "wss://ws-feed.exchange.coinbase.com",
        description="Where Coinbase Exchange's WebSocket is.",
    )
    simulated_symbols: int = Field(
        50, ge=1, le=20_000, description="How many instruments the simulated market has."
    )
    simulated_hz: float = Field(
        1.0, gt=0, le=1000, description="Trades a second of each simulated instrument, on average."
    )
    simulated_seed: int = Field(
        1, description="Of the simulated market: the same number is the same market."
    )
    bars_kept: int = Field(
        3000,
        ge=10,
        description="Final bars of each symbol and interval that are kept; older ones come from "
        "the source's history.",
    )
    bars_grace_ms: int = Field(
        2000,
        ge=0,
        description="For how long after a bar's end late trades still amend it, by the market's "
        "clock, in milliseconds.",
    )
    state_folder: str = Field(
        "~/.local/state/quotewire",
        description="Folder for what was spent of vendors' limits, and for users' alerts and "
        "settings, since the embedded Valkey keeps nothing; `none`: they are forgotten.",
    )
    record_folder: Path = Field(
        Path("recordings"), description="Where `python -m feed_server record` writes."
    )
    replay_files: Annotated[tuple[Path, ...], NoDecode] = Field(
        (),
        description="CSV or Parquet files or folders of trades or bars to replay, separated by "
        f"`{os.pathsep}`; without it real daily bars of AAPL, FB, GOOG, IBM and MSFT are replayed.",
    )
    replay_start: date | None = Field(
        None,
        description="First date to stream, `YYYY-MM-DD`; what lies before it is history. "
        "Without it: 2012-06-01 for the built-in bars, all of a file for files.",
    )
    replay_speed: float = Field(
        780.0,
        gt=0,
        description="Market seconds replayed in a second; at 780 a session of 6.5 h takes 30 s, "
        "1 is the market's own pace.",
    )
    replay_zone: str = Field(
        "America/New_York", description="Zone by which a replay's trading sessions are dated."
    )
    replay_loop: bool = Field(
        True, description="Begin a replay again, from its start, when it has reached its end."
    )
    log_entries: int = Field(
        2000,
        ge=1,
        description="Updates kept of each symbol, for clients that come back after a drop.",
    )
    log_expires_s: int = Field(
        600, ge=1, description="Seconds after a symbol's last update when those are forgotten."
    )
    linger_ms: int = Field(
        60_000,
        ge=0,
        description="How long a symbol that nobody watches any more is still kept current, "
        "in milliseconds.",
    )

    @field_validator("replay_files", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        return tuple(filter(None, value.split(os.pathsep))) if isinstance(value, str) else value

    @field_validator("twelvedata_websocket_url")
    @classmethod
    def _no_websocket(cls, value: str) -> str:
        # An empty variable counts as not set.
        return "" if value == "none" else value

    @field_validator("provider", "symbols", mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        return _split(value)

    @field_validator("replay_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            return ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("is not an IANA zone such as America/New_York") from error


class AccessSettings(BaseSettings):
    """Where the gateway listens, and who is let in."""

    host: str = Field(
        "127.0.0.1",
        pattern=r"^[\w.:-]+$",
        description="Address that the feed server listens on; one that other machines can reach "
        "(such as `0.0.0.0`) needs a secret or a public key.",
    )
    feed_port: int = Field(8765, ge=1, le=65535, description="Port of the feed server.")
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Origins (`scheme://host:port`, separated by commas) of pages that may talk "
        "to the feed; pages served from this machine always may.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Addresses of proxies (separated by commas) whose `X-Forwarded-For` is "
        "believed; of others it is ignored.",
    )
    jwt_secret: Secret | None = Field(
        None,
        description="Secret shared with who signs tokens (HS256), at least 32 bytes; with it "
        "clients must show a token.",
    )
    jwt_secret_file: SecretFile | None = Field(
        None, description="File that holds that secret and nothing else, instead of it."
    )
    jwt_public_key_file: PublicKeyFile | None = Field(
        None,
        description="PEM file with the public key of who signs tokens, RSA (RS256) or EC P-256 "
        "(ES256), instead of a secret.",
    )
    jwt_audience: str | None = Field(
        None,
        description="A token must name it in its claim `aud`; without it a token that names an "
        "audience is refused, for it was made for someone else (RFC 7519, 4.1.3).",
    )
    jwt_issuer: str | None = Field(
        None, description="A token must name it in its claim `iss`; without it any may issue."
    )
    auth_timeout_ms: int = Field(
        5000, ge=1, description="Time that a new connection has to show its token, in milliseconds."
    )
    auth_grace_ms: int = Field(
        10_000,
        ge=0,
        description="Time that a connection has to show a new token after its old one expired, "
        "in milliseconds.",
    )

    @cached_property
    def verifying_key(self) -> keys.VerifyingKey | None:
        """What tokens are checked with; None where none are asked for."""
        if self.jwt_secret is not None:
            return keys.secret_key(self.jwt_secret.get_secret_value())
        if self.jwt_secret_file is not None:
            return keys.secret_file_key(self.jwt_secret_file)
        if self.jwt_public_key_file is not None:
            return keys.public_key(self.jwt_public_key_file)
        return None

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        origins = _split(value)
        for origin in origins if isinstance(origins, tuple) else ():
            if not re.fullmatch(r"https?://[^/\s]+", origin):
                raise ValueError(f"{origin!r} is no origin such as https://desk.example:5006")
        return origins

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split_addresses(cls, value: object) -> object:
        return _split(value)

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ip_address(address)) for address in value)

    @model_validator(mode="after")
    def _is_guarded(self) -> Self:
        require_one_key(self, "jwt_secret", "jwt_secret_file", "jwt_public_key_file")
        if self.verifying_key is None and not _is_loopback(self.host):
            raise ValueError(NEEDS_KEY.format(host=self.host))
        return self


class LimitSettings(BaseSettings):
    """How much a client may ask for and the server keeps for it."""

    max_hz: float = Field(
        10.0, gt=0, le=100, description="Updates a second at most that a subscription can have."
    )
    max_symbols: int = Field(
        1000, ge=1, description="Symbols at most that a connection or a request can ask for."
    )
    max_alerts: int = Field(
        100, ge=1, description="Alerts at most that a user can have set at a time."
    )
    max_alert_symbols: int = Field(
        1000,
        ge=1,
        description="Symbols at most that all users' alerts look at together: each is kept "
        "current, whether or not anybody is connected.",
    )
    max_connections: int = Field(
        10_000,
        ge=1,
        description="WebSockets and event streams at most, of all clients; and as many sockets "
        "at most (and 32 more) for all other requests.",
    )
    max_connections_per_address: int = Field(
        1000,
        ge=1,
        description="How many of each one address can have open; of trusted proxies' sockets "
        "only all together are limited.",
    )
    max_commands_per_s: int = Field(
        50,
        ge=1,
        description="Commands a second that a connection can send, WebSocket pings among them, and "
        "changes of alerts and settings a second that a user can make over HTTP; twice as many at "
        "once.",
    )
    idle_timeout_ms: int = Field(
        75_000,
        ge=1,
        description="A socket on which no request comes for so long is closed, in milliseconds; "
        "proxies should keep theirs for less.",
    )
    max_message_bytes: int = Field(
        65_536, ge=1024, description="Length of the longest message that a client can send."
    )
    max_backlog_bytes: int = Field(
        262_144,
        ge=1,
        description="What may wait for one client beyond its socket's own buffer; more is "
        "conflated.",
    )
    stall_timeout_ms: int = Field(
        10_000,
        ge=1,
        description="A client that takes nothing for so long is closed, in milliseconds.",
    )
    heartbeat_ms: int = Field(
        2000,
        ge=100,
        description="The server is never silent on a connection for longer, in milliseconds.",
    )
    compression: bool = Field(
        True, description="Compress WebSocket messages where a client offers it."
    )
    shutdown_spread_ms: int = Field(
        5000,
        ge=0,
        description="Clients of a gateway that ends are asked to come back within so long, "
        "spread evenly, in milliseconds.",
    )


class FeedSettings(LimitSettings, AccessSettings, SourceSettings):
    """Settings of the feed server; ``docs/settings.md`` is made from the descriptions here."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level of the feed server's log lines."
    )

    @classmethod
    def from_environment(cls) -> Self:
        """Read the settings.

        Raises:
            ConfigurationError: One is wrong or unknown, or two do not go together; the text names
                the variable, the rule and, where it is no secret, the value.
        """
        try:
            refuse_unknown(os.environ)
            return cls()
        except ValidationError as error:
            raise ConfigurationError("; ".join(explain(cls, e) for e in error.errors())) from None
        except ValueError as error:
            raise ConfigurationError(str(error)) from None


def _split(value: object) -> object:
    """Split at commas what the environment gives."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
