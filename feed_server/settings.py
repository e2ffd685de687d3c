"""Every setting of the feed server, read from ``QUOTEWIRE_*`` environment variables."""

import os
import re
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from feed_server.errors import ConfigurationError

ENV_PREFIX = "QUOTEWIRE_"


class FeedSettings(BaseSettings):
    """Settings of the feed server; ``docs/settings.md`` is made from the descriptions here."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, env_ignore_empty=True)

    feed_port: int = Field(
        8765, ge=1, le=65535, description="Port of the feed server on 127.0.0.1."
    )
    redis_url: SecretStr | None = Field(
        None,
        description="Redis or Valkey to use, `redis://…` or `rediss://…`; "
        "without it an embedded Valkey is started.",
    )
    provider: Literal["replay"] = Field("replay", description="Source of market data.")
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
    max_hz: float = Field(
        10.0, gt=0, le=100, description="Updates a second at most that a subscription can have."
    )
    max_symbols: int = Field(
        1000, ge=1, description="Symbols at most that a connection or a request can ask for."
    )
    heartbeat_ms: int = Field(
        2000,
        ge=100,
        description="The server is never silent on a connection for longer, in milliseconds.",
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Origins (`scheme://host:port`, separated by commas) of pages that may talk "
        "to the feed; pages served from this machine always may.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level of the feed server's log lines."
    )

    @field_validator("replay_files", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        return tuple(filter(None, value.split(os.pathsep))) if isinstance(value, str) else value

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        origins = tuple(part.strip() for part in value.split(",") if part.strip())
        for origin in origins:
            if not re.fullmatch(r"https?://[^/\s]+", origin):
                raise ValueError(f"{origin!r} is no origin such as https://desk.example:5006")
        return origins

    @field_validator("replay_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            return ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("is not an IANA zone such as America/New_York") from error

    @classmethod
    def from_environment(cls) -> Self:
        """Read the settings.

        Raises:
            ConfigurationError: One is wrong; the text names the variable, the value and the rule.
        """
        try:
            return cls()
        except ValidationError as error:
            raise ConfigurationError("; ".join(map(_explain, error.errors()))) from None


def _explain(error: object) -> str:
    assert isinstance(error, dict)
    name = ENV_PREFIX + str(error["loc"][0]).upper()
    return f"{name}={error['input']!r}: {error['msg']}"
