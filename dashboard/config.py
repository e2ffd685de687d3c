"""Every setting of the dashboard's server, read from ``QUOTEWIRE_*`` environment variables."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Self

from pydantic import (
    AnyHttpUrl,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from feed_server import keys

ENV_PREFIX = "QUOTEWIRE_"

ONE_KEY = "set one of QUOTEWIRE_JWT_SECRET, …_JWT_SECRET_FILE and …_JWT_PRIVATE_KEY_FILE, not more"

REACHED_BY = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Addresses that mean all of a machine's, and how to reach them from the same machine."""


class ConfigError(Exception):
    """A setting is wrong; the text says which, and what is expected."""


class DashboardConfig(BaseSettings):
    """Settings of the dashboard; ``docs/settings.md`` is made from the descriptions here."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    dashboard_port: int = Field(
        5006,
        ge=1,
        le=65535,
        description="Port of the dashboard on 127.0.0.1, as `make run` starts it.",
    )
    host: str = Field(
        "127.0.0.1",
        description="Address that the feed listens on, where the dashboard starts one for itself.",
    )
    feed_port: int = Field(8765, ge=1, le=65535, description="Port of the feed server.")
    feed_url: AnyHttpUrl | None = Field(
        None,
        description="Where the dashboard and notebooks find the feed, `http://host:port`; without "
        "it the dashboard starts a feed for itself.",
    )
    feed_public_url: AnyHttpUrl | None = Field(
        None,
        description="Where browsers find the feed, if that is another address than "
        "`QUOTEWIRE_FEED_URL`.",
    )
    jwt_secret: SecretStr | None = Field(
        None,
        description="Secret shared with the feed; the dashboard signs tokens with it, so whoever "
        "may open the dashboard may have what the feed has.",
    )
    jwt_secret_file: Path | None = Field(
        None, description="File that holds that secret and nothing else, instead of it."
    )
    jwt_private_key_file: Path | None = Field(
        None,
        description="PEM file with the key to sign tokens with, RSA (RS256) or EC P-256 (ES256), "
        "instead of a secret; the feed has the public key that belongs to it.",
    )
    jwt_audience: str | None = Field(None, description="Claim `aud` of the tokens.")
    jwt_issuer: str | None = Field(None, description="Claim `iss` of the tokens.")
    token_lifetime_s: int = Field(
        600,
        ge=10,
        le=86_400,
        description="Seconds for which the dashboard lets a page in; a page that is open gets a "
        "new token twice in that time.",
    )

    @property
    def local_feed_url(self) -> str:
        """Address of the feed that the dashboard starts for itself."""
        host = REACHED_BY.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.feed_port}"

    @property
    def browser_feed_url(self) -> str:
        """Address that a page opens the feed at, without a slash at its end."""
        return str(self.feed_public_url or self.feed_url or self.local_feed_url).rstrip("/")

    @cached_property
    def signing_key(self) -> keys.SigningKey | None:
        """What tokens are signed with; None where the feed asks for none."""
        if self.jwt_secret is not None:
            return keys.secret_key(self.jwt_secret.get_secret_value())
        if self.jwt_secret_file is not None:
            return keys.secret_file_key(self.jwt_secret_file)
        if self.jwt_private_key_file is not None:
            return keys.private_key(self.jwt_private_key_file)
        return None

    @field_validator("jwt_secret")
    @classmethod
    def _usable_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            keys.secret_key(value.get_secret_value())
        return value

    @field_validator("jwt_secret_file")
    @classmethod
    def _usable_secret_file(cls, value: Path | None) -> Path | None:
        if value is not None:
            keys.secret_file_key(value)
        return value

    @field_validator("jwt_private_key_file")
    @classmethod
    def _usable_private_key(cls, value: Path | None) -> Path | None:
        if value is not None:
            keys.private_key(value)
        return value

    @model_validator(mode="after")
    def _has_one_key(self) -> Self:
        given = (self.jwt_secret, self.jwt_secret_file, self.jwt_private_key_file)
        if len(given) - given.count(None) > 1:
            raise ValueError(ONE_KEY)
        return self

    @classmethod
    def from_environment(cls) -> Self:
        """Read the settings.

        Raises:
            ConfigError: One is wrong.
        """
        try:
            return cls()
        except ValidationError as error:
            raise ConfigError(_explain(error.errors()[0])) from None


def _explain(error: Mapping[str, object]) -> str:
    message = str(error["msg"]).removeprefix("Value error, ")
    if not (isinstance(error["loc"], tuple) and error["loc"]):
        return message
    name = str(error["loc"][0])
    secret = DashboardConfig.model_fields[name].annotation == SecretStr | None
    value = "" if secret else f"={error['input']!r}"
    return f"{ENV_PREFIX}{name.upper()}{value}: {message}"
