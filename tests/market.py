"""A market that a test moves by hand, and gateways that serve it."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Self

from feed_server.bus import names
from feed_server.bus.connection import connect
from feed_server.bus.control import ControlMessage, publish_control
from feed_server.bus.embedded import EmbeddedValkey
from feed_server.bus.leases import Seen
from feed_server.bus.notices import SourceError
from feed_server.bus.publisher import Publisher
from feed_server.bus.update import SymbolUpdate
from feed_server.protocol import (
    Position,
    Quote,
    SourceState,
    SourceStatus,
    SymbolInfo,
    TradePrint,
)
from tests.harness import FeedProcess
from tests.updates import bar

SYMBOLS = ["AAPL", "IBM", "MSFT"]


class Market:
    """Publishes to a Valkey as the ingest does, from outside of any event loop.

    Args:
        url: Of the Valkey.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._runner = asyncio.Runner()
        self._redis = connect(url)
        self._publisher = Publisher(self._redis)
        self._number = 0
        self._day = 0

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._redis.aclose())
        self._runner.close()

    def open(self) -> None:
        """Declare the symbols and say that the source lives."""
        infos = [SymbolInfo(s, s, "USD", 2, "test", "TEST") for s in SYMBOLS]
        self._runner.run(self._publisher.declare_symbols(infos))
        self.live()

    def live(self) -> None:
        """Say that the source lives; it must be said again within five seconds."""
        status = SourceStatus("test", "TEST", SourceState.LIVE, "streaming", None, 0)
        self._runner.run(self._publisher.publish_status(status))

    def trade(
        self, symbol: str = "AAPL", trades: int = 1, *, closes: bool = False, missing: int = 0
    ) -> Position:
        """Publish trades, of which the first ``missing`` are told nowhere; return the place."""
        first = self._number + 1
        self._number += trades
        last = float(self._number)
        quote = Quote(
            *(symbol, last, 1.0, last - 0.01, last + 0.01, last, 1.0, last, 1.0, None),
            *("1970-01-01", self._number, self._number, trades + missing),
        )
        prints = [TradePrint(n, float(n), 1.0) for n in range(first, self._number + 1)]
        bars = [bar(symbol, last, day=self._day, final=True)] if closes else []
        self._day += closes
        bars.append(bar(symbol, last, day=self._day))
        update = SymbolUpdate(quote, bars, prints, missing)
        return self.publish(update)

    def publish(self, update: SymbolUpdate) -> Position:
        """Publish a symbol's change; return the place."""
        symbol = update.quote.symbol
        return self._runner.run(self._publisher.publish([update]))[symbol]

    def see(self, seen: Seen) -> None:
        """Say that the source has seen what gateways want."""
        self._runner.run(self._publisher.publish_seen(seen))

    def fail(self, symbol: str | None, message: str) -> None:
        """Tell that the source has trouble."""
        self._runner.run(self._publisher.publish_error(SourceError("test", symbol, message, 0)))

    def control(self, message: ControlMessage) -> None:
        """Tell the gateways what to do."""
        self._runner.run(publish_control(self._redis, message))

    def shout(self, payload: bytes) -> None:
        """Publish something on every channel that gateways listen to."""
        for channel in (
            *(names.STATUS_CHANNEL, names.ERRORS, names.CONTROL),
            *map(names.updates, SYMBOLS),
        ):
            self._runner.run(self._publish(channel, payload))

    async def _publish(self, channel: str, payload: bytes) -> None:
        await self._redis.publish(channel, payload)


@contextmanager
def market() -> Iterator[Market]:
    """Give a market in a Valkey of its own, in which every symbol has traded once."""
    valkey = EmbeddedValkey()
    valkey.start()
    try:
        with Market(valkey.url) as opened:
            for symbol in SYMBOLS:
                opened.trade(symbol)
            yield opened
    finally:
        valkey.stop()


class MarketGateway(FeedProcess):
    """A gateway that serves a market, whose source lives while it starts, however long it takes."""

    def __init__(
        self, market: Market, settings: Mapping[str, str], *, token: str | None = None
    ) -> None:
        super().__init__({"redis_url": market.url, **settings}, role="gateway", token=token)
        self._market = market

    def is_ready(self) -> bool:
        """Tell whether it is fit for traffic."""
        self._market.live()
        return super().is_ready()


def gateway_of(market: Market, *, token: str | None = None, **settings: str) -> FeedProcess:
    """Return a gateway that serves a market; start it by ``with``.

    Args:
        market: What it serves.
        token: What it lets the harness in with, where it asks for a token.
        settings: Environment settings without their prefix.
    """
    return MarketGateway(market, settings, token=token)
