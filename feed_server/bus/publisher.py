"""The writer's side: last values, bars, symbols and the sources' status."""

import secrets
from collections.abc import Iterable, Sequence
from importlib import resources

from redis.asyncio import Redis

from feed_server.bus import names
from feed_server.bus.connection import bus_errors
from feed_server.bus.update import SymbolUpdate, encode_bar, encode_update
from feed_server.protocol import Bar, Interval, SourceStatus, SymbolInfo, encode

STATUS_EXPIRES_MS = 5_000
"""A source that has not renewed its status for so long is down."""

_Field = bytes | bytearray | memoryview | str | int | float


def new_epoch() -> str:
    """Return a name for a run of offsets that no run before had."""
    return secrets.token_hex(4)


class Publisher:
    """Writes to Redis; there is one for each symbol at a time."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        source = resources.files("feed_server.bus").joinpath("publish.lua").read_text("utf-8")
        self._script = redis.register_script(source)

    async def declare_symbols(self, symbols: Iterable[SymbolInfo]) -> None:
        """Replace the list of instruments that can be asked for."""
        fields: dict[_Field, _Field] = {info.symbol: encode(info) for info in symbols}
        with bus_errors("declaring symbols"):
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.delete(names.SYMBOLS)
                if fields:
                    pipe.hset(names.SYMBOLS, mapping=fields)
                pipe.publish(names.SYMBOLS_CHANNEL, b"")
                await pipe.execute()

    async def begin_epoch(
        self, symbol: str, epoch: str, interval: Interval, bars: Sequence[Bar]
    ) -> None:
        """Forget a symbol's last value and bars, and begin anew with ``bars`` as its history.

        Raises:
            BusError: Redis could not be reached.
        """
        last, history = names.last_value(symbol), names.final_bars(symbol, interval)
        with bus_errors(f"beginning an epoch of {symbol}"):
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.delete(last, history)
                pipe.hset(last, "epoch", epoch)
                if bars:
                    pipe.zadd(history, {encode_bar(bar): bar.start_ms for bar in bars})
                await pipe.execute()

    async def publish(self, updates: Sequence[SymbolUpdate]) -> dict[str, str]:
        """Keep and publish changes of several symbols, in one pipeline.

        Args:
            updates: One a symbol. A quote older than what is kept is refused by the script; one
                that is kept already, as after an answer that was lost, changes nothing.

        Returns:
            By symbol the epoch in force. One that the caller did not begin means that Redis had
            lost the symbol (flushed, evicted): what was kept there is gone.

        Raises:
            BusError: Redis could not be reached; the updates can be published again.
        """
        fresh_epoch = new_epoch()
        with bus_errors("publishing"):
            async with self._redis.pipeline(transaction=False) as pipe:
                for update in updates:
                    await self._enqueue(pipe, update, fresh_epoch)
                answers = await pipe.execute()
        return {
            update.quote.symbol: answer[0].decode()
            for update, answer in zip(updates, answers, strict=True)
        }

    async def _enqueue(self, pipe: Redis, update: SymbolUpdate, fresh_epoch: str) -> None:
        quote = update.quote
        final = [bar for bar in update.bars if bar.final]
        await self._script(
            keys=[
                names.last_value(quote.symbol),
                names.final_bars(quote.symbol, Interval.DAY),
            ],
            args=[
                names.updates(quote.symbol),
                fresh_epoch,
                quote.time_ms,
                quote.count,
                encode_update(update),
                *(part for bar in final for part in (bar.start_ms, encode_bar(bar))),
            ],
            client=pipe,
        )

    async def epochs(self, symbols: Sequence[str]) -> dict[str, str]:
        """Return the epochs in force, of those symbols that Redis knows.

        Raises:
            BusError: Redis could not be reached.
        """
        with bus_errors("reading epochs"):
            async with self._redis.pipeline(transaction=False) as pipe:
                for symbol in symbols:
                    pipe.hget(names.last_value(symbol), "epoch")
                kept = await pipe.execute()
        return {s: epoch.decode() for s, epoch in zip(symbols, kept, strict=True) if epoch}

    async def publish_status(self, status: SourceStatus) -> None:
        """Keep and publish how a source does; it expires unless renewed."""
        payload = encode(status)
        with bus_errors("publishing a status"):
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.sadd(names.SOURCES, status.source)
                pipe.set(names.source_status(status.source), payload, px=STATUS_EXPIRES_MS)
                pipe.publish(names.STATUS_CHANNEL, payload)
                await pipe.execute()
