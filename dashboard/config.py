"""Every setting of the dashboard's server, read from ``QUOTEWIRE_*`` environment variables."""

from typing import Self

from pydantic import AnyHttpUrl, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

ENV_PREFIX = "QUOTEWIRE_"


class ConfigError(Exception):
    """A setting is wrong; the text says which, and what is expected."""


class DashboardConfig(BaseSettings):
    """Settings of the dashboard; ``docs/settings.md`` is made from the descriptions here."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, env_ignore_empty=True)

    dashboard_port: int = Field(
        5006,
        ge=1,
        le=65535,
        description="Port of the dashboard on 127.0.0.1, as `make run` starts it.",
    )
    feed_port: int = Field(
        8765, ge=1, le=65535, description="Port of the feed server on 127.0.0.1."
    )
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

    @property
    def local_feed_url(self) -> str:
        """Address of the feed that the dashboard starts for itself."""
        return f"http://127.0.0.1:{self.feed_port}"

    @property
    def browser_feed_url(self) -> str:
        """Address that a page opens the feed at, without a slash at its end."""
        return str(self.feed_public_url or self.feed_url or self.local_feed_url).rstrip("/")

    @classmethod
    def from_environment(cls) -> Self:
        """Read the settings.

        Raises:
            ConfigError: One is wrong.
        """
        try:
            return cls()
        except ValidationError as error:
            wrong = error.errors()[0]
            name = ENV_PREFIX + str(wrong["loc"][0]).upper()
            raise ConfigError(f"{name}={wrong['input']!r}: {wrong['msg']}") from None
