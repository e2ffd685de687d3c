"""A provider to begin your own with: copy this file into your package, and name its parts anew.

It is complete: it reads the prices of an imagined vendor, *Acme*, whose REST interface has

- ``GET /quotes?symbols=A,B`` → ``{"A": {"price": 1.5, "time": 1700000000}, "B": {"error": "…"}}``
- ``GET /bars?symbol=A&from=…&to=…&step=60`` → ``[[time, open, high, low, close, volume], …]``
- ``GET /instruments`` → ``[{"symbol": "A", "name": "Alpha", "currency": "USD"}]``

with times in seconds since 1970, and a key in the header ``X-Acme-Key``. Your package's
``pyproject.toml`` tells of the function `open_acme` at the end of this file::

    [project.entry-points."quotewire.providers"]
    acme = "acme_quotes.provider:open_acme"

and then ``QUOTEWIRE_PROVIDER=acme`` uses it. ``docs/providers.md`` tells more.
"""

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence

import pandas as pd
from typing_extensions import override

from feed_server.errors import (
    ConfigurationError,
    MalformedError,
    NotOfferedError,
    ProviderError,
    UnknownSymbolError,
)
from feed_server.market.events import SessionSnapshot
from feed_server.protocol import Interval, SymbolInfo
from feed_server.providers.base import BAR_COLUMNS, Capabilities, Provider, Rate, bar_frame
from feed_server.providers.registry import ProviderOptions
from feed_server.providers.vendor_http import VendorHttp

NAME = "acme"
LABEL = "DELAYED 15 min"
"""Shown beside each price. Empty only where prices are those of this moment."""
DELAY_MS = 15 * 60_000
ZONE = "America/New_York"

INTERVALS = frozenset({Interval.MINUTE, Interval.HOUR})
HISTORY_BARS = 500


class AcmeProvider(Provider):
    """Asks Acme.

    It fetches, reads and raises; it does not retry, wait or count requests: whoever asks it does
    that, by `capabilities` and by the kind of each error. It holds no state that matters.

    Args:
        key: API key. Given as a secret to `VendorHttp`, it appears in no error and no log.
        url: Where the REST interface is.
        symbols: What is offered from the start; empty: all that the vendor has.
        now_ms: The clock, UTC epoch milliseconds; tests have their own.
    """

    name = NAME
    label = LABEL
    zone = ZONE
    # What is not named here is never asked for. With `streams=True` you would write `stream` too.
    capabilities = Capabilities(
        polls=True,
        batch=20,
        per_symbol=True,  # a question for 20 symbols costs 20 credits
        rates=(Rate(60, 60), Rate(5_000, 86_400)),  # credits a minute and a day
        poll_s=15,
        intervals=INTERVALS,
        history_bars=HISTORY_BARS,
    )

    def __init__(
        self,
        key: str,
        url: str,
        symbols: Sequence[str] = (),
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._symbols = frozenset(symbols)
        self._now_ms = now_ms
        self._http = VendorHttp("Acme", url, secrets=(key,), headers={"X-Acme-Key": key})

    @override
    async def symbols(self) -> Sequence[SymbolInfo]:
        body = (await self._http.get("/instruments", {})).body
        if not isinstance(body, list):
            raise MalformedError("Acme: the list of instruments is no list")
        infos = [_info(row) for row in body]
        return [info for info in infos if not self._symbols or info.symbol in self._symbols]

    @override
    async def quotes(self, symbols: Sequence[str]) -> Mapping[str, SessionSnapshot | ProviderError]:
        body = (await self._http.get("/quotes", {"symbols": ",".join(symbols)})).body
        if not isinstance(body, dict):
            raise MalformedError("Acme: quotes are no object")
        # One bad symbol is an answer for that symbol; the others have theirs.
        return {symbol: self._quote(symbol, body.get(symbol)) for symbol in symbols}

    def _quote(self, symbol: str, told: object) -> SessionSnapshot | ProviderError:
        if not isinstance(told, dict) or "error" in told:
            return UnknownSymbolError(f"Acme does not know {symbol}")
        price, time_s = told.get("price"), told.get("time")
        if not isinstance(price, int | float) or not isinstance(time_s, int | float):
            return MalformedError(f"Acme told no price of {symbol}, or no time of it")
        # What the vendor does not tell stays out. Prices that cannot be true are refused later,
        # by rules that are the same for all sources.
        return SessionSnapshot(symbol=symbol, time_ms=int(time_s * 1000), last=float(price))

    @override
    async def history(
        self, symbol: str, interval: Interval, start_ms: int, end_ms: int
    ) -> pd.DataFrame:
        if interval not in INTERVALS:
            raise NotOfferedError(f"Acme has no bars of {interval}")
        # Only bars that have ended, and at most `HISTORY_BARS`, the newest.
        end_ms = min(end_ms, self._now_ms() - interval.ms + 1)
        if start_ms >= end_ms:
            return bar_frame([])
        seconds = {"from": start_ms // 1000, "to": -(-end_ms // 1000), "step": interval.ms // 1000}
        answer = await self._http.get("/bars", {"symbol": symbol, **seconds})
        if answer.status == 404:
            raise UnknownSymbolError(f"Acme does not know {symbol}")
        if not isinstance(answer.body, list):
            raise MalformedError(f"Acme told no bars of {symbol}")
        # A dict and `sorted`: each bar once, oldest first, whatever the vendor's order.
        bars = {int(row[0]) * 1000: row[1:] for row in answer.body if _is_bar(row)}
        starts_ms = sorted(at for at in bars if start_ms <= at < end_ms)[-HISTORY_BARS:]
        columns = zip(*(bars[at] for at in starts_ms), strict=True)
        return bar_frame(starts_ms, dict(zip(BAR_COLUMNS, columns, strict=False)))

    # `search` is inherited: it looks through `symbols`. Write it where the vendor has a search, and
    # set `Capabilities.open_list` where what it finds can be asked for.

    @override
    async def aclose(self) -> None:
        await self._http.aclose()


def _info(row: object) -> SymbolInfo:
    if not isinstance(row, dict) or not isinstance(row.get("symbol"), str):
        raise MalformedError("Acme: an instrument without a symbol")
    return SymbolInfo(
        row["symbol"],
        name=str(row.get("name") or row["symbol"]),
        currency=str(row.get("currency") or "USD"),
        decimals=2,
        source=NAME,
        label=LABEL,
        zone=ZONE,
        delay_ms=DELAY_MS,
    )


def _is_bar(row: object) -> bool:
    """Tell whether a bar can be true; history is not checked again after us."""
    if not isinstance(row, list) or len(row) != 6:
        return False
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in row):
        return False
    _, open_, high, low, close, volume = row
    return bool(0 < low <= min(open_, close) and max(open_, close) <= high and volume >= 0)


def open_acme(options: ProviderOptions) -> Provider:
    """Return the provider; the entry point names this function.

    Args:
        options: What the feed's settings say; ``symbols`` is for all providers. The rest is read
            here, from variables of our own: names that begin with ``QUOTEWIRE_`` are the feed's.

    Raises:
        ConfigurationError: A variable is missing. The feed ends with this text as its last line.
    """
    key = os.environ.get("ACME_KEY", "")
    if not key:
        raise ConfigurationError("ACME_KEY is not set: get an API key at acme.example, and set it")
    url = os.environ.get("ACME_URL", "https://api.acme.example")
    return AcmeProvider(key, url, options.symbols)
