"""HTTP: market data for those who poll, and history."""

from collections.abc import Mapping, Sequence

import msgspec

from feed_server.bus.requests import Failed
from feed_server.bus.update import StoredUpdate
from feed_server.gateway.arrow import ARROW, arrow_stream, prefers_arrow
from feed_server.gateway.history import LATEST_MS, bar_series
from feed_server.gateway.http_api import ApiHandler
from feed_server.gateway.requests import RequestError, parse_indicators, parse_interval
from feed_server.gateway.rows import trade_series
from feed_server.gateway.table_api import TableHandler
from feed_server.gateway.tables import Format, bar_table, quote_table, trade_table
from feed_server.market.indicator_spec import IndicatorSpec, catalogue
from feed_server.protocol import ErrorCode, IndicatorList, SymbolList, split_specs

MAX_BARS = 10_000
MAX_TRADES = 10_000
MAX_VALUES = 200_000
"""Of indicators in one answer: to write more takes so long that live data would come late."""
DEFAULT_AGE_MS = 15_000
"""A quote that was received longer ago is fetched anew, where its source can be asked."""
MAX_AGE_MS = 1_000_000_000
MAX_QUERY = 64
"""Characters of a text to search for."""
MAX_DIGITS = 20
"""No cursor of ours is as long."""


class SymbolsHandler(ApiHandler):
    """``/api/symbols``: a `SymbolList`."""

    async def get(self) -> None:
        """Answer with all instruments."""
        symbols = await self.declared_symbols()
        self.answer(SymbolList([i for s, i in symbols.items() if self.grant.allows_symbol(s)]))


class SearchHandler(ApiHandler):
    """``/api/search?q=``: a `SymbolList`, also of instruments that are not declared yet."""

    async def get(self) -> None:
        """Answer with the instruments whose symbol or name has a text in it, the best first."""
        text = self.get_query_argument("q", "")
        if not 0 < len(text) <= MAX_QUERY:
            raise RequestError(
                ErrorCode.BAD_PARAMETER, f"q must be a text of 1 to {MAX_QUERY} characters"
            )
        found = await self.gateway.lookup.search(text, await self.declared_symbols())
        allowed = [info for info in found.symbols if self.grant.allows_symbol(info.symbol)]
        self.answer(SymbolList(allowed, found.note))


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


class QuotesHandler(TableHandler):
    """``/api/quotes?symbols=A,B&since=&max_age_ms=``: `Quotes`; 304 when nothing changed (ETag).

    With ``format`` it is a file.
    """

    async def get(self) -> None:
        """Answer with last values, of all symbols where none is named."""
        form = self.asked_format()
        asked = self.get_query_argument("symbols", "").split(",")
        named = [text.strip() for text in asked if text.strip()]
        max_age_ms = self.number("max_age_ms", DEFAULT_AGE_MS, 0, MAX_AGE_MS)
        since = self._since(self.get_query_argument("since", ""))
        symbols = await self.symbols_of("quotes", named)
        view = self.gateway.view
        if not await view.want(symbols):
            # What is kept here may be old: the answer is Redis's own, or an honest error.
            latest = await self.gateway.reader.last_values(symbols)
            await self._tell(form, list(latest.values()))
            return
        # All at once would be more than a vendor allows: those are fetched in their turn.
        failed = await self.gateway.freshness.refresh(symbols, max_age_ms) if named else {}
        self._require_one(symbols, failed)
        changed = [s for s in symbols if s in view.latest and view.changed_at(s) > since]
        newest = max((view.changed_at(symbol) for symbol in symbols), default=0)
        cursor = f"{self.gateway.name}:{newest}"
        why = {symbol: error.message for symbol, error in failed.items()}
        await self._tell(form, [view.latest[s] for s in changed], cursor, why)

    async def _tell(
        self,
        form: Format,
        latest: Sequence[StoredUpdate],
        cursor: str | None = None,
        failed: Mapping[str, str] | None = None,
    ) -> None:
        """Answer in the form that is asked for."""
        why = failed or {}
        if form is Format.JSON:
            quotes = self.gateway.hub.fanout.rows.snapshot(latest, cursor)
            self.answer(msgspec.structs.replace(quotes, failed=why))
            return
        labels = {s: info.label for s, info in (await self.declared_symbols()).items()}
        note = "; ".join(f"{symbol}: {reason}" for symbol, reason in why.items()) or None
        table = quote_table([stored.update.quote for stored in latest], labels, note)
        await self.answer_file(table, form)

    def _require_one(self, symbols: list[str], failed: Mapping[str, Failed]) -> None:
        """Check that there is something to tell, where a single symbol is asked for.

        Raises:
            RequestError: It has no quote, and this is why.
        """
        if len(symbols) == 1 and symbols[0] not in self.gateway.view.latest:
            for symbol, error in failed.items():
                raise RequestError(error.code, f"{symbol!r} has no quote: {error.message}")

    def _since(self, cursor: str) -> int:
        """Return the change that a cursor names; 0, for everything, where another made it."""
        server, _, number = cursor.rpartition(":")
        ours = server == self.gateway.name and number.isdecimal() and len(number) < MAX_DIGITS
        return int(number) if ours else 0


class BarsHandler(TableHandler):
    """``/api/bars?symbol=&interval=&start=&end=&limit=&indicators=``: a `BarSeries`.

    It is JSON, or Arrow for who asks for that; with ``format`` it is a file.
    """

    async def get(self) -> None:
        """Answer with the newest ``limit`` bars that begin within ``start`` and ``end`` (ms)."""
        form = self.asked_format()
        interval = parse_interval(self.get_query_argument("interval", "1d"))
        start_ms = self.number("start", 0, 0, LATEST_MS)
        end_ms = self.number("end", LATEST_MS, 0, LATEST_MS)
        limit = self.number("limit", 500, 1, MAX_BARS)
        specs = parse_indicators(split_specs(self.get_query_argument("indicators", "")))
        _check_size(limit, specs)
        symbol = await self.wanted_symbol("bars")
        joined = await self.gateway.present.bars(
            symbol, interval, start_ms=start_ms, end_ms=end_ms, limit=limit
        )
        series = bar_series(joined)
        if specs:
            board = self.gateway.hub.indicators
            found = await board.columns(symbol, interval, specs, joined.bars)
            series = msgspec.structs.replace(series, indicators=found)
        self.set_header("Vary", "Origin, Accept")
        if form is not Format.JSON:
            await self.answer_file(bar_table(series, await self.label_of(symbol)), form)
        elif prefers_arrow(self.request.headers.get("Accept", "")):
            body = await self.in_thread(lambda: arrow_stream(series))
            self.set_header("Content-Type", ARROW)
            self.finish(body)
        else:
            self.answer(series)


def _check_size(limit: int, specs: Sequence[IndicatorSpec]) -> None:
    outputs = sum(len(spec.outputs) for spec in specs)
    if limit * outputs > MAX_VALUES:
        raise RequestError(
            ErrorCode.BAD_PARAMETER,
            f"limit={limit} of {outputs} values a bar is too much for one answer: "
            f"ask for {MAX_VALUES // outputs} bars at most, and for others with end=",
        )


class IndicatorsHandler(ApiHandler):
    """``/api/indicators``: an `IndicatorList`."""

    def get(self) -> None:
        """Answer with all indicators that can be asked for."""
        self.answer(IndicatorList(catalogue()))


class TradesHandler(TableHandler):
    """``/api/trades?symbol=&limit=``: a `TradeSeries`; with ``format`` it is a file."""

    async def get(self) -> None:
        """Answer with the newest ``limit`` trades, as far back as none is missing."""
        form = self.asked_format()
        limit = self.number("limit", 500, 1, MAX_TRADES)
        symbol = await self.wanted_symbol("trades")
        series = trade_series(symbol, await self.gateway.reader.trades(symbol, limit))
        if form is Format.JSON:
            self.answer(series)
            return
        await self.answer_file(trade_table(series, await self.label_of(symbol)), form)
