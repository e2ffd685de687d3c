"""Every setting of the dashboard's server, read from ``QUOTEWIRE_*`` environment variables."""

import os
from functools import cached_property
from typing import Self

from pydantic import (
    AnyHttpUrl,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from feed_server import keys
from feed_server.environment import (
    ENV_PREFIX,
    PrivateKeyFile,
    Secret,
    SecretFile,
    explain,
    refuse_unknown,
    require_one_key,
)

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
    jwt_secret: Secret | None = Field(
        None,
        description="Secret shared with the feed; the dashboard signs tokens with it, so whoever "
        "may open the dashboard may have what the feed has.",
    )
    jwt_secret_file: SecretFile | None = Field(
        None, description="File that holds that secret and nothing else, instead of it."
    )
    jwt_private_key_file: PrivateKeyFile | None = Field(
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
    def server_feed_url(self) -> str:
        """Address that the dashboard itself finds the feed at, without a slash at its end."""
        return str(self.feed_url or self.local_feed_url).rstrip("/")

    @property
    def browser_feed_url(self) -> str:
        """Address that a page opens the feed at, without a slash at its end."""
        return str(self.feed_public_url or self.server_feed_url).rstrip("/")

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

    @model_validator(mode="after")
    def _has_one_key(self) -> Self:
        require_one_key(self, "jwt_secret", "jwt_secret_file", "jwt_private_key_file")
        return self

    @classmethod
    def from_environment(cls) -> Self:
        """Read the settings.

        Raises:
            ConfigError: One is wrong or unknown.
        """
        try:
            refuse_unknown(os.environ)
            return cls()
        except ValidationError as error:
            raise ConfigError(explain(cls, error.errors()[0])) from None
        except ValueError as error:
            raise ConfigError(str(error)) from None
