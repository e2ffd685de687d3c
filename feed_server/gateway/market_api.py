"""HTTP: market data for those who poll, and history."""

from feed_server.gateway.http_api import ApiHandler
from feed_server.gateway.requests import parse_interval
from feed_server.gateway.rows import bar_series, trade_series
from feed_server.protocol import SymbolList

MAX_BARS = 10_000
MAX_TRADES = 10_000
MAX_TIME_MS = 253_402_300_799_000
"""9999-12-31, the last day that dates can name."""
MAX_DIGITS = 20
"""No cursor of ours is as long."""


class SymbolsHandler(ApiHandler):
    """``/api/symbols``: a `SymbolList`."""

    async def get(self) -> None:
        """Answer with all instruments."""
        symbols = await self.declared_symbols()
        self.answer(SymbolList([i for s, i in symbols.items() if self.grant.allows_symbol(s)]))


class StatusHandler(ApiHandler):
    """``/api/status``: a `Status`, as on the WebSocket."""

    def get(self) -> None:
        """Answer with how the sources and this gateway do."""
        self.answer(self.gateway.status())


class SubscriptionsHandler(ApiHandler):
    """``/api/subscriptions``: how many want each symbol, at all gateways together."""

    async def get(self) -> None:
        """Answer with the counts by symbol."""
        counts = await self.gateway.wanted.counts()
        self.answer({s: n for s, n in sorted(counts.items()) if self.grant.allows_symbol(s)})


class QuotesHandler(ApiHandler):
    """``/api/quotes?symbols=A,B&since=``: `Quotes`; 304 when nothing changed (ETag)."""

    async def get(self) -> None:
        """Answer with last values, of all symbols where none is named."""
        named = self.get_query_argument("symbols", "").split(",")
        symbols = await self.symbols_of("quotes", [s.strip() for s in named if s.strip()])
        view, rows = self.gateway.view, self.gateway.hub.fanout.rows
        if not await view.want(symbols):
            # What is kept here may be old: the answer is Redis's own, or an honest error.
            latest = await self.gateway.reader.last_values(symbols)
            self.answer(rows.snapshot(latest.values()))
            return
        since = self._since(self.get_query_argument("since", ""))
        changed = [s for s in symbols if s in view.latest and view.changed_at(s) > since]
        newest = max((view.changed_at(symbol) for symbol in symbols), default=0)
        cursor = f"{self.gateway.name}:{newest}"
        self.answer(rows.snapshot([view.latest[s] for s in changed], cursor))

    def _since(self, cursor: str) -> int:
        """Return the change that a cursor names; 0, for everything, where another made it."""
        server, _, number = cursor.rpartition(":")
        ours = server == self.gateway.name and number.isdecimal() and len(number) < MAX_DIGITS
        return int(number) if ours else 0


class BarsHandler(ApiHandler):
    """``/api/bars?symbol=&interval=&start=&end=&limit=``: a `BarSeries`."""

    async def get(self) -> None:
        """Answer with the newest ``limit`` bars that begin within ``start`` and ``end`` (ms)."""
        interval = parse_interval(self.get_query_argument("interval", "1d"))
        start_ms = self.number("start", 0, 0, MAX_TIME_MS)
        end_ms = self.number("end", MAX_TIME_MS, 0, MAX_TIME_MS)
        limit = self.number("limit", 500, 1, MAX_BARS)
        symbol = await self.wanted_symbol("bars")
        history = await self.gateway.reader.bars(
            symbol, interval, start_ms=start_ms, end_ms=end_ms, limit=limit
        )
        self.answer(bar_series(symbol, interval, history))


class TradesHandler(ApiHandler):
    """``/api/trades?symbol=&limit=``: a `TradeSeries`."""

    async def get(self) -> None:
        """Answer with the newest ``limit`` trades, as far back as none is missing."""
        limit = self.number("limit", 500, 1, MAX_TRADES)
        symbol = await self.wanted_symbol("trades")
        self.answer(trade_series(symbol, await self.gateway.reader.trades(symbol, limit)))
