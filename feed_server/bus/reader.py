"""The readers' side: last values, bars, symbols and the sources' status as Redis keeps them."""

from collections.abc import Sequence

import msgspec
from redis.asyncio import Redis

from feed_server.bus import names
from feed_server.bus.connection import bus_errors
from feed_server.bus.update import StoredUpdate, decode_bar, decode_update
from feed_server.protocol import Bar, Interval, SourceStatus, SymbolInfo

_decode_info = msgspec.json.Decoder(SymbolInfo).decode
decode_status = msgspec.json.Decoder(SourceStatus).decode


class BarHistory(msgspec.Struct, frozen=True):
    """Bars of one symbol, oldest first; only the last can be forming."""

    epoch: str
    bars: list[Bar]


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
        with bus_errors("reading last values"):
            async with self._redis.pipeline(transaction=False) as pipe:
                for symbol in symbols:
                    pipe.hmget(names.last_value(symbol), "epoch", "offset", "update")
                answers = await pipe.execute()
        return {
            symbol: StoredUpdate(epoch.decode(), int(offset), decode_update(update))
            for symbol, (epoch, offset, update) in zip(symbols, answers, strict=True)
            if update is not None
        }

    async def bars(
        self, symbol: str, interval: Interval, *, start_ms: int, end_ms: int, limit: int
    ) -> BarHistory:
        """Return bars that begin in ``[start_ms, end_ms]``, the newest ``limit`` of them.

        The final bars and the forming one are read in one step, so that a bar that closes between
        is neither missing nor there twice.
        """
        with bus_errors(f"reading bars of {symbol}"):
            async with self._redis.pipeline(transaction=True) as pipe:
                key = names.final_bars(symbol, interval)
                pipe.zrange(key, end_ms, start_ms, desc=True, byscore=True, offset=0, num=limit)
                pipe.hmget(names.last_value(symbol), "epoch", "update")
                final, (epoch, update) = await pipe.execute()
        bars = [decode_bar(text) for text in reversed(final)]
        if update is not None:
            forming = decode_update(update).bars[-1]
            if not forming.final and start_ms <= forming.start_ms <= end_ms:
                bars = [*bars, forming][-limit:]
        return BarHistory(epoch.decode() if epoch else "", bars)

    async def statuses(self) -> list[SourceStatus]:
        """Return what the sources say that have renewed it in time."""
        with bus_errors("reading the sources' status"):
            sources = await self._redis.smembers(names.SOURCES)
            if not sources:
                return []
            kept = await self._redis.mget([names.source_status(_text(s)) for s in sources])
        return [decode_status(text) for text in kept if text is not None]


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
