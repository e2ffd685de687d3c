"""Providers by name: our own, and those that installed packages add by entry points."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Self

from feed_server.errors import ConfigurationError
from feed_server.providers.base import Provider

GROUP = "quotewire.providers"
"""Entry points of this group are called with `ProviderOptions` and return a `Provider`."""


@dataclass(frozen=True, kw_only=True)
class ProviderOptions:
    """What providers are told of the settings, by the settings' own names.

    A provider that a package adds takes ``symbols`` from here, and reads what else it needs from
    environment variables of its own.
    """

    symbols: tuple[str, ...]
    twelvedata_key: str | None = field(repr=False)
    twelvedata_url: str
    twelvedata_websocket_url: str
    twelvedata_per_minute: int
    twelvedata_per_day: int
    alphavantage_key: str | None = field(repr=False)
    alphavantage_url: str
    alphavantage_per_minute: int
    alphavantage_per_day: int
    coinbase_url: str
    coinbase_websocket_url: str
    simulated_symbols: int
    simulated_hz: float
    simulated_seed: int
    replay_files: tuple[Path, ...]
    replay_start: date | None
    replay_zone: str
    replay_speed: float

    @classmethod
    def from_settings(cls, settings: object) -> Self:
        """Return those of settings that have attributes of these names; secrets are unwrapped."""
        # The settings' class is none that providers may know.
        values: dict[str, Any] = {
            option.name: _unwrapped(getattr(settings, option.name)) for option in fields(cls)
        }
        return cls(**values)


Factory = Callable[[ProviderOptions], Provider]


def open_provider(name: str, options: ProviderOptions) -> Provider:
    """Return the provider of a name; of our own, only its module is imported.

    Raises:
        ConfigurationError: There is none of this name, what it needs is not set, or a package's
            entry point cannot be used; the text says what there is, or whose it is.
    """
    if name in BUILT_IN:
        return BUILT_IN[name](options)
    added = [entry for entry in entry_points(group=GROUP) if entry.name == name]
    if not added:
        raise ConfigurationError(_unknown(name))
    # One distribution can be found twice: where the path names its folder twice.
    owners = sorted({_owner(entry) for entry in added})
    if len(owners) > 1:
        raise ConfigurationError(
            f"provider {name!r} is added by several packages ({', '.join(owners)}); "
            "uninstall all but one"
        )
    return _open_added(added[0], options)


def provider_names() -> list[str]:
    """Return the names of all providers there are: our own first, then added ones."""
    added = {entry.name for entry in entry_points(group=GROUP)} - set(BUILT_IN)
    return [*BUILT_IN, *sorted(added)]


def _open_added(entry: EntryPoint, options: ProviderOptions) -> Provider:
    whose = f"provider {entry.name!r} of {_owner(entry)} ({entry.value})"
    try:
        factory = entry.load()
        # Typed as an object: a package may return anything.
        made: object = factory(options)
    except ConfigurationError as error:
        raise ConfigurationError(f"{whose}: {error}") from error
    except Exception as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise ConfigurationError(f"{whose} cannot be used: {why}") from error
    if not isinstance(made, Provider):
        raise ConfigurationError(
            f"{whose} gave {type(made).__name__}; expected a feed_server.providers.base.Provider"
        )
    if getattr(made, "name", None) != entry.name:
        raise ConfigurationError(
            f"{whose} calls itself {getattr(made, 'name', None)!r}; "
            "its attribute `name` must be the entry point's"
        )
    return made


def _owner(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "an unknown package"


def _unknown(name: str) -> str:
    names = provider_names()
    close = difflib.get_close_matches(name.casefold(), names, n=3)
    ordered = [*close, *(other for other in names if other not in close)]
    return f"there is no provider {name!r} (QUOTEWIRE_PROVIDER); there are {', '.join(ordered)}"


def _unwrapped(value: object) -> object:
    """Return a secret's value, and any other as it is; the settings' types are not known here."""
    reveal = getattr(value, "get_secret_value", None)
    return value if reveal is None else reveal()


def _required(key: str | None, variable: str, site: str) -> str:
    if key:
        return key
    raise ConfigurationError(f"{variable} is not set: get an API key at {site}, and set it")


def _replay(options: ProviderOptions) -> Provider:
    from feed_server.providers.replay import open_replay

    return open_replay(
        options.replay_files, options.replay_start, options.replay_zone, options.replay_speed
    )


def _simulated(options: ProviderOptions) -> Provider:
    from feed_server.providers.simulated import SimulatedProvider

    return SimulatedProvider(
        symbols=options.simulated_symbols, hz=options.simulated_hz, seed=options.simulated_seed
    )


def _coinbase(options: ProviderOptions) -> Provider:
    from feed_server.providers.coinbase import CoinbaseProvider

    return CoinbaseProvider(options.symbols, options.coinbase_url, options.coinbase_websocket_url)


def _twelvedata(options: ProviderOptions) -> Provider:
    key = _required(options.twelvedata_key, "QUOTEWIRE_TWELVEDATA_KEY", "twelvedata.com")
    from feed_server.providers.twelvedata import TwelveDataProvider

    return TwelveDataProvider(
        key,
        options.symbols,
        options.twelvedata_url,
        options.twelvedata_websocket_url,
        options.twelvedata_per_minute,
        options.twelvedata_per_day,
    )


def _alphavantage(options: ProviderOptions) -> Provider:
    key = _required(options.alphavantage_key, "QUOTEWIRE_ALPHAVANTAGE_KEY", "alphavantage.co")
    from feed_server.providers.alphavantage import AlphaVantageProvider

    return AlphaVantageProvider(
        key,
        options.symbols,
        options.alphavantage_url,
        options.alphavantage_per_minute,
        options.alphavantage_per_day,
    )


BUILT_IN: Mapping[str, Factory] = {
    "replay": _replay,
    "simulated": _simulated,
    "coinbase": _coinbase,
    "twelvedata": _twelvedata,
    "alphavantage": _alphavantage,
}
