"""The ``alphavantage`` provider: prices of the last close and history of stocks by REST."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import pandas as pd
from typing_extensions import override

from feed_server.errors import (
    MalformedError,
    NotOfferedError,
    ProviderError,
    UnknownSymbolError,
)
from feed_server.market.events import SessionSnapshot
from feed_server.protocol import Interval, SymbolInfo
from feed_server.providers.alphavantage_messages import (
    VENDOR,
    ZONE,
    Body,
    read_bars,
    read_matches,
    read_quote,
    refusal,
)
from feed_server.providers.base import Capabilities, Provider, Rate, bar_frame
from feed_server.providers.vendor_http import VendorHttp

NAME = "alphavantage"
LABEL = "END OF DAY"
"""Without a licence of the exchange ``GLOBAL_QUOTE`` is renewed at the end of each trading day."""

DEFAULT_SYMBOLS = ("IBM", "AAPL", "MSFT", "GOOGL")
CURRENCIES = {
    "LON": "GBX",
    "TRT": "CAD",
    "TRV": "CAD",
    "DEX": "EUR",
    "FRK": "EUR",
    "BSE": "INR",
    "SHH": "CNY",
    "SHZ": "CNY",
}
"""By what follows the point in a symbol (`TSCO.LON`); without one it is listed in the USA."""

DAY_S = 86_400
DAY_MS = DAY_S * 1000
SPENT_ON_QUOTES = 0.5
"""Share of a day's requests for quotes of the listed symbols; the rest is for history."""
POLL_S = (300.0, DAY_S / 2)
"""A quote is not asked for more often, and not more seldom, than this, in seconds."""

INTERVALS = {
    Interval.MINUTE: "1min",
    Interval.FIVE_MINUTES: "5min",
    Interval.QUARTER_HOUR: "15min",
    Interval.HOUR: "60min",
}
HISTORY_BARS = 2_000
"""Few enough that hours are put together from no more than a handful of months: each is a request,
of which who asks counts one."""
COMPACT_BARS = 100
FREE_PER_DAY = 25
"""A plan of no more requests a day is the free one: it has no other daily bars than those 100."""
COMPACT_DAYS = 135
"""Days that 100 sessions take at least: there are at most 5 in a week and 252 in a year."""
RECENT_DAYS = 29
"""Of intraday bars without ``month`` there are 30 days."""
FIRST_MONTH = date(2000, 1, 1)
"""Of intraday bars."""


class AlphaVantageProvider(Provider):
    """Asks Alpha Vantage, one symbol at a time.

    Args:
        key: API key.
        symbols: What is offered from the start; empty: a few large companies.
        url: Where its REST interface is.
        per_minute: Requests a minute that the plan has.
        per_day: Requests a day that the plan has.
        now_ms: The clock, UTC epoch milliseconds.

    Raises:
        ConfigurationError: The address is none, or the key cannot be one.
    """

    name = NAME
    label = LABEL
    zone = ZONE.key

    def __init__(
        self,
        key: str,
        symbols: Sequence[str],
        url: str,
        per_minute: int,
        per_day: int,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._key = key
        self._http = VendorHttp(VENDOR, url, secrets=(key,))
        self._symbols = tuple(symbols) or DEFAULT_SYMBOLS
        self._now_ms = now_ms
        self._full_refused = per_day <= FREE_PER_DAY
        self.capabilities = Capabilities(
            polls=True,
            open_list=True,
            rates=(
                Rate(-(-per_minute // 60), 1),
                Rate(per_minute, 60),
                Rate(per_day, DAY_S),
            ),
            poll_s=_poll_s(len(self._symbols), per_day),
            intervals=frozenset({*INTERVALS, Interval.DAY}),
            history_bars=HISTORY_BARS,
        )

    @override
    async def symbols(self) -> Sequence[SymbolInfo]:
        return [_info(symbol, symbol, _currency(symbol)) for symbol in self._symbols]

    @override
    async def quotes(self, symbols: Sequence[str]) -> Mapping[str, SessionSnapshot | ProviderError]:
        return {symbol: await self._quote(symbol) for symbol in symbols}

    async def _quote(self, symbol: str) -> SessionSnapshot | ProviderError:
        body = await self._ask("GLOBAL_QUOTE", symbol=symbol)
        try:
            self._check(body, symbol)
        except (UnknownSymbolError, NotOfferedError) as error:
            return error
        try:
            return read_quote(body, symbol, self._now_ms())
        except (UnknownSymbolError, MalformedError) as error:
            return error

    @override
    async def history(
        self, symbol: str, interval: Interval, start_ms: int, end_ms: int
    ) -> pd.DataFrame:
        """Return bars, see `Provider.history`; prices as they were, not adjusted for splits.

        Raises:
            NotOfferedError: There are none of this length, or none that old for this key.
        """
        start_ms, end_ms = max(start_ms, 0), min(end_ms, self._now_ms())
        if start_ms >= end_ms:
            return bar_frame([])
        if interval is Interval.DAY:
            bars = await self._daily(symbol, start_ms, end_ms)
        elif interval in INTERVALS:
            bars = await self._intraday(symbol, interval, start_ms, end_ms)
        else:
            raise NotOfferedError(f"{VENDOR} has no bars of {interval}")
        return bars.tail(HISTORY_BARS)

    async def _daily(self, symbol: str, start_ms: int, end_ms: int) -> pd.DataFrame:
        if start_ms < self._now_ms() - COMPACT_DAYS * DAY_MS and not self._full_refused:
            try:
                return _between(await self._days(symbol, "full"), start_ms, end_ms)
            except NotOfferedError:
                # Asked once only, for it counts as a request all the same.
                self._full_refused = True
        newest = await self._days(symbol, "compact")
        found = _between(newest, start_ms, end_ms)
        if len(newest) >= COMPACT_BARS - 1 and end_ms <= newest.index[0].timestamp() * 1000:
            raise NotOfferedError(
                f"{VENDOR} has only the newest {COMPACT_BARS} daily bars for this key; "
                "older ones need a premium plan"
            )
        return found

    async def _days(self, symbol: str, size: str) -> pd.DataFrame:
        body = await self._ask("TIME_SERIES_DAILY", symbol=symbol, outputsize=size)
        self._check(body, symbol)
        return await self._read(body, Interval.DAY)

    async def _intraday(
        self, symbol: str, interval: Interval, start_ms: int, end_ms: int
    ) -> pd.DataFrame:
        found: list[pd.DataFrame] = []
        now_ms = self._now_ms()
        for part in parts(start_ms, end_ms, now_ms, interval):
            body = await self._ask(
                "TIME_SERIES_INTRADAY",
                symbol=symbol,
                interval=INTERVALS[interval],
                adjusted="false",
                **part,
            )
            bars = await self._month(body, symbol, interval, past="month" in part)
            found.insert(0, _between(bars, start_ms, end_ms))
            if len(found[0]):
                # A month has also what the newest 30 days have told: that counts once.
                end_ms = int(found[0].index[0].timestamp() * 1000)
            # A month without trades is one before the first.
            if ("month" in part and bars.empty) or sum(map(len, found)) >= HISTORY_BARS:
                break
        whole = pd.concat(found) if found else bar_frame([])
        return whole[~whole.index.duplicated()].sort_index()

    async def _month(
        self, body: Body, symbol: str, interval: Interval, *, past: bool
    ) -> pd.DataFrame:
        try:
            self._check(body, symbol)
        except UnknownSymbolError:
            # So it answers also where there was no such share yet.
            if past:
                return bar_frame([])
            raise
        return await self._read(body, interval)

    async def _read(self, body: Body, interval: Interval) -> pd.DataFrame:
        # A month of minutes takes a quarter of a second, in which live prices should not wait.
        return await asyncio.to_thread(read_bars, body, interval, self._now_ms())

    @override
    async def search(self, text: str) -> list[SymbolInfo]:
        body = await self._ask("SYMBOL_SEARCH", keywords=text)
        self._check(body, None)
        wanted = text.strip().casefold()
        found = sorted(read_matches(body), key=lambda match: match.symbol.casefold() != wanted)
        return [_info(match.symbol, match.name, match.currency) for match in found]

    @override
    async def aclose(self) -> None:
        await self._http.aclose()

    async def _ask(self, function: str, **params: str) -> Body:
        query = {"function": function, **params, "apikey": self._key}
        body = (await self._http.get("/query", query)).body
        if not isinstance(body, dict):
            raise MalformedError(f"{VENDOR} answered {function} with what is no JSON object")
        return body

    def _check(self, body: Body, symbol: str | None) -> None:
        refused = refusal(body, symbol, self._now_ms(), self._http.masked)
        if refused is not None:
            raise refused


def parts(start_ms: int, end_ms: int, now_ms: int, interval: Interval) -> Iterator[dict[str, str]]:
    """Return how to ask for intraday bars of a range, the newest first: what each request adds."""
    recent_ms = now_ms - RECENT_DAYS * DAY_MS
    if end_ms > recent_ms:
        few = start_ms >= now_ms - COMPACT_BARS * interval.ms
        yield {"outputsize": "compact" if few else "full"}
    month = _month_of(min(end_ms - 1, recent_ms))
    while start_ms < recent_ms and month >= max(_month_of(start_ms), FIRST_MONTH):
        yield {"outputsize": "full", "month": f"{month:%Y-%m}"}
        month = (month - timedelta(days=1)).replace(day=1)


def _month_of(time_ms: int) -> date:
    return datetime.fromtimestamp(time_ms / 1000, ZONE).date().replace(day=1)


def _between(bars: pd.DataFrame, start_ms: int, end_ms: int) -> pd.DataFrame:
    begin, end = (pd.Timestamp(at_ms, unit="ms", tz=UTC) for at_ms in (start_ms, end_ms))
    return bars[(bars.index >= begin) & (bars.index < end)]


def _poll_s(symbols: int, per_day: int) -> float:
    least, most = POLL_S
    return min(max(symbols * DAY_S / (per_day * SPENT_ON_QUOTES), least), most)


def _currency(symbol: str) -> str:
    return CURRENCIES.get(symbol.partition(".")[2].upper(), "USD")


def _info(symbol: str, name: str, currency: str) -> SymbolInfo:
    return SymbolInfo(
        symbol,
        name,
        currency or _currency(symbol),
        decimals=2,
        source=NAME,
        label=LABEL,
        zone=ZONE.key,
        delay_ms=DAY_MS,
    )
