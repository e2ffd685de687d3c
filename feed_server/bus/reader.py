"""The readers' side: last values, bars, symbols and the sources' status as Redis keeps them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

import msgspec
import structlog
from redis.asyncio import Redis

from feed_server.bus import names, pipeline
from feed_server.bus.connection import bus_errors
from feed_server.bus.update import StoredUpdate, decode_bar, decode_update
from feed_server.protocol import Bar, Interval, Position, SourceStatus, SymbolInfo, TradePrint

PAGE = 500
"""Entries of a log that are read at once, at least, where the newest were not enough."""

log = structlog.get_logger(__name__)

_decode_info = msgspec.json.Decoder(SymbolInfo).decode
decode_status = msgspec.json.Decoder(SourceStatus).decode


class BarHistory(msgspec.Struct, frozen=True):
    """Bars of one symbol and interval, oldest first; the last ones can be open.

    Attributes:
        epoch: In force when they were read; empty where nothing is kept.
        offset: Changes of the symbol up to and with the open bars.
        bars: The bars.
        since_ms: Market time from which on all bars that there were are kept, and whole.
    """

    epoch: str
    offset: int
    bars: list[Bar]
    since_ms: int = 0


class TradeHistory(msgspec.Struct, frozen=True):
    """The latest trades of one symbol, oldest first, none of them missing.

    Attributes:
        epoch: In force when they were read; empty where nothing is kept.
        offset: Changes of the symbol up to and with the last trade, and what came after it.
        trades: The trades.
        offsets: Of each trade.
    """

    epoch: str
    offset: int
    trades: list[TradePrint]
    offsets: list[int]


class Reader:
    """Reads from Redis. Every method raises `BusError` where it cannot be reached."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def ping(self) -> None:
        """Return when Redis has answered."""
        with bus_errors("reaching Redis"):
            await self._redis.ping()

    async def symbols(self) -> dict[str, SymbolInfo]:
        """Return all instruments that can be asked for, in order of their names."""
        with bus_errors("reading symbols"):
            fields = await self._redis.hgetall(names.SYMBOLS)
        infos = map(_decode_info, fields.values())
        return {info.symbol: info for info in sorted(infos, key=lambda info: info.symbol)}

    async def last_values(self, symbols: Sequence[str]) -> dict[str, StoredUpdate]:
        """Return the last values of those symbols that have one."""
        asked = [
            pipeline.pack("HMGET", names.last_value(s), "epoch", "offset", "update")
            for s in symbols
        ]
        with bus_errors("reading last values"):
            replies = await pipeline.execute(self._redis, asked)
            pipeline.raise_first_error(replies)
        kept = cast(list[tuple[bytes, bytes, bytes | None]], replies)
        found = {}
        for symbol, (epoch, offset, update) in zip(symbols, kept, strict=True):
            if update is None:
                continue
            with _unusable(names.last_value(symbol)):
                found[symbol] = StoredUpdate(epoch.decode(), int(offset), decode_update(update))
        return found

    async def updates_since(
        self, since: Mapping[str, int], *, limit: int
    ) -> dict[str, list[StoredUpdate]]:
        """Return what was published after an offset of each symbol, in order.

        Where something in between is kept no more, the first does not begin at that offset
        (`StoredUpdate.begins_at`). The epoch is the caller's to compare.

        Args:
            since: By symbol the offset of the last update that the caller has.
            limit: Updates of a symbol at most, the oldest first.
        """
        asked = [
            pipeline.pack("XRANGE", names.update_log(s), f"({offset}-0", "+", "COUNT", limit)
            for s, offset in since.items()
        ]
        with bus_errors("reading what was missed"):
            replies = await pipeline.execute(self._redis, asked)
            pipeline.raise_first_error(replies)
        logs = cast(list[list[tuple[bytes, tuple[bytes, bytes]]]], replies)
        return {
            symbol: _decoded(names.update_log(symbol), [message for _id, (_u, message) in entries])
            for symbol, entries in zip(since, logs, strict=True)
        }

    async def trades(self, symbol: str, limit: int) -> TradeHistory:
        """Return the newest trades of a symbol, ``limit`` at most, back to the first gap."""
        log_key, page = names.update_log(symbol), limit
        with bus_errors(f"reading trades of {symbol}"):
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hmget(names.last_value(symbol), "epoch", "offset", "update")
                pipe.xrevrange(log_key, count=page)
                (epoch, offset, update), entries = await pipe.execute()
            if update is None:
                return TradeHistory(epoch.decode() if epoch else "", 0, [], [])
            updates = _logged(log_key, entries)
            # What is between may be quotes alone: of them the log can have any number.
            while len(entries) == page and _goes_on_before(updates, limit):
                below, page = f"({updates[0].offset}-0", max(limit, PAGE)
                entries = await self._redis.xrevrange(log_key, below, count=page)
                updates = [*_logged(log_key, entries), *updates]
        last = StoredUpdate(epoch.decode(), int(offset), decode_update(update))
        return contiguous_trades(updates or [last], limit)

    async def bars(
        self, symbol: str, interval: Interval, *, start_ms: int, end_ms: int, limit: int
    ) -> BarHistory:
        """Return bars that begin in ``[start_ms, end_ms]``, the newest ``limit`` of them.

        The final bars and the open ones are read in one step, so that a bar that becomes final
        between is neither missing nor there twice.
        """
        last = names.last_value(symbol)
        with bus_errors(f"reading bars of {symbol}"):
            async with self._redis.pipeline(transaction=True) as pipe:
                key = names.final_bars(symbol, interval)
                pipe.zrange(key, end_ms, start_ms, desc=True, byscore=True, offset=0, num=limit)
                pipe.hmget(last, "epoch", "offset", "update", "since_ms", f"since_ms:{interval}")
                final, (epoch, offset, update, *since) = await pipe.execute()
        bars = {bar.start_ms: bar for bar in map(decode_bar, final)}
        for bar in decode_update(update).bars if update is not None else ():
            if bar.interval == interval and not bar.final and start_ms <= bar.start_ms <= end_ms:
                bars.setdefault(bar.start_ms, bar)
        return BarHistory(
            epoch=epoch.decode() if epoch else "",
            offset=int(offset or 0),
            bars=[bar for _, bar in sorted(bars.items())][-limit:],
            since_ms=max(int(since_ms or 0) for since_ms in since),
        )

    async def final_starts(self, symbols: Sequence[str]) -> dict[str, dict[Interval, int]]:
        """Return by symbol and interval where the newest final bar begins, where there is one."""
        asked = [
            pipeline.pack("ZRANGE", names.final_bars(symbol, interval), 0, 0, "REV", "WITHSCORES")
            for symbol in symbols
            for interval in Interval
        ]
        with bus_errors("reading where bars end"):
            replies = await pipeline.execute(self._redis, asked)
            pipeline.raise_first_error(replies)
        newest = iter(cast(list[list[bytes]], replies))
        # A reply is the bar and its score, or empty.
        return {
            symbol: {interval: int(told[1]) for interval in Interval if (told := next(newest))}
            for symbol in symbols
        }

    async def run(self, provider: str) -> str | None:
        """Return what a provider's stream was a stream of, `None` where nobody has said."""
        with bus_errors("reading what a stream is of"):
            run = cast(bytes | None, await self._redis.get(names.run(provider)))
        return None if run is None else run.decode()

    async def statuses(self) -> list[SourceStatus]:
        """Return what the sources say that have renewed it in time."""
        with bus_errors("reading the sources' status"):
            sources = cast(set[bytes], await self._redis.smembers(names.SOURCES))
            if not sources:
                return []
            async with self._redis.pipeline(transaction=False) as pipe:
                for source in sources:
                    pipe.get(names.source_status(source.decode()))
                kept = await pipe.execute()
        return [decode_status(text) for text in kept if text is not None]


def numbered_trades(stored: StoredUpdate) -> list[tuple[int, TradePrint]]:
    """Return an update's trades, each with its offset: they are the last of its changes."""
    trades = stored.update.trades
    return list(enumerate(trades, stored.offset - len(trades) + 1))


def contiguous_trades(updates: Sequence[StoredUpdate], limit: int) -> TradeHistory:
    """Return the last trades of a symbol's updates, back to where one is missing.

    Args:
        updates: In order; at least one.
        limit: Trades at most; at least one.
    """
    last = updates[-1]
    linked = _linked(updates)
    numbered = [trade for stored in linked for trade in numbered_trades(stored)][-limit:]
    return TradeHistory(
        epoch=last.epoch,
        offset=last.offset,
        trades=[trade for _, trade in numbered],
        offsets=[offset for offset, _ in numbered],
    )


def _linked(updates: Sequence[StoredUpdate]) -> list[StoredUpdate]:
    """Return the last of a symbol's updates, between which no trade is missing."""
    newest_first = [updates[-1]]
    for stored in reversed(updates[:-1]):
        after = newest_first[-1]
        if after.update.missing or stored.position != Position(after.epoch, after.begins_at):
            break
        newest_first.append(stored)
    return newest_first[::-1]


def _goes_on_before(updates: Sequence[StoredUpdate], limit: int) -> bool:
    """Tell whether there are trades to be had from before some updates."""
    if not updates or updates[0].update.missing or len(_linked(updates)) < len(updates):
        return False
    return sum(len(stored.update.trades) for stored in updates) < limit


def _logged(key: str, newest_first: object) -> list[StoredUpdate]:
    """Return what was read of a log backwards, in order."""
    entries = cast(list[tuple[bytes, dict[bytes, bytes]]], newest_first)
    return _decoded(key, [fields[b"u"] for _id, fields in reversed(entries)])


def _decoded(key: str, messages: Iterable[bytes]) -> list[StoredUpdate]:
    """Return a log's messages; one that is none of ours is left out, and shows as a gap."""
    updates = []
    for message in messages:
        with _unusable(key):
            updates.append(StoredUpdate.from_message(message))
    return updates


@contextmanager
def _unusable(key: str) -> Iterator[None]:
    """Log what cannot be decoded: it harms its own symbol, and no other."""
    try:
        yield
    except ValueError as error:
        log.error("what is kept in redis cannot be used", key=key, error=str(error))
