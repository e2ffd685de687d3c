"""The writer's side: last values, bars, symbols and the sources' status."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import msgspec
from redis.asyncio import Redis

from feed_server.bus import names, pipeline
from feed_server.bus.connection import bus_errors
from feed_server.bus.leases import Seen, encode_seen
from feed_server.bus.notices import SourceError, encode_error
from feed_server.bus.scripts import Script
from feed_server.bus.update import SymbolUpdate, encode_bar, encode_update
from feed_server.errors import FencedError
from feed_server.protocol import Bar, Interval, Position, SourceStatus, SymbolInfo, encode

REFUSED = -1
"""The offset in the answer to an update that is older than what is there."""
FENCED = -2
"""The script's answer where a later writer was there."""

ADDED = b"added"
"""Told on `names.SYMBOLS_CHANNEL` where those that were declared before stay what they are."""

STATUS_EXPIRES_MS = 5_000
"""A source that has not renewed its status for so long is down."""


def new_epoch() -> str:
    """Return a name for a run of offsets that no run before had."""
    return secrets.token_hex(4)


class Beginning(msgspec.Struct, frozen=True):
    """With what a symbol's epoch begins.

    Attributes:
        symbol: The instrument.
        epoch: Its name.
        bars: Final bars, of any intervals.
        since_ms: Market time from which on the bars are whole: those that began before may lack
            trades, or be missing.
    """

    symbol: str
    epoch: str
    bars: Sequence[Bar]
    since_ms: int = 0


class Kept(msgspec.Struct, frozen=True):
    """What Redis has of a symbol.

    Attributes:
        position: Where it stands.
        bars: Of how many intervals there are final bars.
        fence: The number of the lock of who wrote it.
    """

    position: Position
    bars: int
    fence: int


class Publisher:
    """Writes to Redis; there is one for each symbol at a time.

    Args:
        redis: The client.
        log_entries: Updates of each symbol to keep for those who were away: at least so many.
        log_expires_s: How long to keep them after the last.
        bars_kept: Final bars of each symbol and interval to keep, the newest.

    Attributes:
        fence: The number of the lock under which it writes, see `feed_server.bus.lock`.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        log_entries: int = 2_000,
        log_expires_s: float = 600.0,
        bars_kept: int = 3_000,
    ) -> None:
        self.fence = 0
        self._redis = redis
        self._publish_script = Script.of_file("publish.lua")
        self._begin_script = Script.of_file("begin.lua")
        self._claim_script = Script.of_file("claim.lua")
        self._log_entries = log_entries
        self._log_expires_ms = round(log_expires_s * 1000)
        self._bars_kept = bars_kept

    async def declare_symbols(self, symbols: Iterable[SymbolInfo]) -> None:
        """Replace the list of instruments that can be asked for."""
        await self._write_symbols("declaring symbols", symbols, replace=True)

    async def add_symbols(self, symbols: Iterable[SymbolInfo]) -> None:
        """Add instruments to those that can be asked for, or say anew what they are.

        Raises:
            BusError: Redis could not be reached; they can be added again.
        """
        await self._write_symbols("adding symbols", symbols, replace=False)

    async def _write_symbols(
        self, doing: str, symbols: Iterable[SymbolInfo], *, replace: bool
    ) -> None:
        fields: dict[pipeline.Argument, pipeline.Argument] = {
            info.symbol: encode(info) for info in symbols
        }
        with bus_errors(doing):
            async with self._redis.pipeline(transaction=True) as pipe:
                if replace:
                    pipe.delete(names.SYMBOLS)
                if fields:
                    pipe.hset(names.SYMBOLS, mapping=fields)
                pipe.publish(names.SYMBOLS_CHANNEL, b"" if replace else ADDED)
                await pipe.execute()

    async def count_symbols(self) -> int:
        """Return how many instruments are declared.

        Raises:
            BusError: Redis could not be reached.
        """
        with bus_errors("counting symbols"):
            count: int = await self._redis.hlen(names.SYMBOLS)
        return count

    async def set_run(self, provider: str, run: str) -> None:
        """Keep what a provider's stream is a stream of, see `Provider.run`.

        Raises:
            BusError: Redis could not be reached.
        """
        with bus_errors("keeping what a stream is of"):
            await self._redis.set(names.run(provider), run)

    async def begin_epoch(self, symbol: str, epoch: str, bars: Sequence[Bar]) -> None:
        """Begin one symbol's epoch, see `begin_epochs`."""
        await self.begin_epochs([Beginning(symbol, epoch, bars)])

    async def begin_epochs(self, beginnings: Sequence[Beginning]) -> None:
        """Forget last values, logs and bars of symbols; begin anew with a history, in one pipeline.

        Raises:
            BusError: Redis could not be reached; they can be begun again.
            FencedError: A later writer was there.
        """
        with bus_errors("beginning epochs"):
            answers = await self._begin_script.run_all(
                self._redis, map(self._pack_beginning, beginnings)
            )
        if 0 in answers:
            raise FencedError("a later writer has begun epochs")

    def _pack_beginning(self, beginning: Beginning) -> bytes:
        symbol = beginning.symbol
        keys = _bar_keys(symbol)
        return self._begin_script.pack(
            (names.last_value(symbol), names.update_log(symbol), *keys),
            *(beginning.epoch, self.fence, beginning.since_ms),
            *_bar_arguments(beginning.bars, list(Interval)),
        )

    async def claim(self, symbols: Iterable[str]) -> None:
        """Refuse what an earlier writer still sends of these symbols: we go on where it ended.

        Raises:
            BusError: Redis could not be reached; they can be claimed again.
            FencedError: A later writer was there.
        """
        claim = self._claim_script
        with bus_errors("claiming symbols"):
            answers = await claim.run_all(
                self._redis, (claim.pack([names.last_value(s)], self.fence) for s in symbols)
            )
        if 0 in answers:
            raise FencedError("a later writer has written")

    async def mark_since(self, since_ms: Mapping[str, int]) -> None:
        """Say from which market time on symbols' bars are whole, see `Beginning.since_ms`.

        Raises:
            BusError: Redis could not be reached; it can be said again.
        """
        asked = [
            pipeline.pack("HSET", names.last_value(symbol), "since_ms", at_ms)
            for symbol, at_ms in since_ms.items()
        ]
        with bus_errors("marking from where bars are whole"):
            pipeline.raise_first_error(await pipeline.execute(self._redis, asked))

    async def publish(self, updates: Sequence[SymbolUpdate]) -> dict[str, Position]:
        """Keep and publish changes of several symbols, in one pipeline.

        Args:
            updates: One a symbol, each standing for at least one change. A quote older than what is
                kept is refused by the script; one that is kept already, as after an answer that was
                lost, changes nothing.

        Returns:
            By symbol where it stands now; offset -1 where the update was refused. Another epoch
            than the caller began, or another offset than follows, means that Redis had lost
            something (flushed, evicted, failed over to a replica that was behind).

        Raises:
            BusError: Redis could not be reached; the updates can be published again.
            FencedError: A later writer was there for one of them; others may be published.
        """
        fresh_epoch = new_epoch()
        with bus_errors("publishing"):
            replies = await self._publish_script.run_all(
                self._redis, (self._pack(u, fresh_epoch) for u in updates)
            )
        answers = cast(list[tuple[bytes, int]], replies)
        if any(offset == FENCED for _, offset in answers):
            raise FencedError("a later writer has published")
        return {
            update.quote.symbol: Position(epoch.decode(), offset)
            for update, (epoch, offset) in zip(updates, answers, strict=True)
        }

    def _pack(self, update: SymbolUpdate, fresh_epoch: str) -> bytes:
        quote = update.quote
        symbol = quote.symbol
        keys: list[str] = []
        bars: list[pipeline.Argument] = []
        final = [bar for bar in update.bars if bar.final]
        if final:
            intervals = list(dict.fromkeys(bar.interval for bar in final))
            keys = [names.final_bars(symbol, interval) for interval in intervals]
            bars = _bar_arguments(final, intervals)
        return self._publish_script.pack(
            (names.last_value(symbol), names.update_log(symbol), *keys),
            *(names.updates(symbol), fresh_epoch, quote.time_ms, quote.count),
            *(encode_update(update), self._log_entries, self._log_expires_ms, self.fence),
            *(self._bars_kept, *bars),
        )

    async def kept(self, symbols: Sequence[str]) -> dict[str, Kept]:
        """Return what Redis has of those symbols that it knows.

        Raises:
            BusError: Redis could not be reached.
        """
        asked: list[bytes] = []
        for symbol in symbols:
            asked += (
                pipeline.pack("HMGET", names.last_value(symbol), "epoch", "offset", "fence"),
                pipeline.pack("EXISTS", *_bar_keys(symbol)),
            )
        with bus_errors("reading positions"):
            replies = await pipeline.execute(self._redis, asked)
            pipeline.raise_first_error(replies)
        places = cast(list[tuple[bytes | None, bytes | None, bytes | None]], replies[::2])
        bars = cast(list[int], replies[1::2])
        return {
            symbol: Kept(Position(epoch.decode(), int(offset or 0)), count, int(fence or 0))
            for symbol, (epoch, offset, fence), count in zip(symbols, places, bars, strict=True)
            if epoch
        }

    async def publish_status(self, status: SourceStatus) -> None:
        """Keep and publish how a source does; it expires unless renewed."""
        payload = encode(status)
        with bus_errors("publishing a status"):
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.sadd(names.SOURCES, status.source)
                pipe.set(names.source_status(status.source), payload, px=STATUS_EXPIRES_MS)
                pipe.publish(names.STATUS_CHANNEL, payload)
                await pipe.execute()

    async def publish_seen(self, seen: Seen) -> None:
        """Tell gateways that what they want was seen, and published; it is not kept.

        Raises:
            BusError: Redis could not be reached.
        """
        with bus_errors("acknowledging what is wanted"):
            await self._redis.publish(names.SEEN, encode_seen(seen))

    async def publish_error(self, error: SourceError) -> None:
        """Tell what a source could not do; it is not kept.

        Raises:
            BusError: Redis could not be reached.
        """
        with bus_errors("publishing an error"):
            await self._redis.publish(names.ERRORS, encode_error(error))


def _bar_keys(symbol: str) -> list[str]:
    return [names.final_bars(symbol, interval) for interval in Interval]


def _bar_arguments(bars: Iterable[Bar], intervals: Sequence[Interval]) -> list[pipeline.Argument]:
    """Return of each bar the number of its key in a script, its start, and the bar.

    Args:
        bars: The bars.
        intervals: Of the script's keys from the third on.
    """
    numbers = {interval: number for number, interval in enumerate(intervals, 3)}
    arguments: list[pipeline.Argument] = []
    for bar in bars:
        arguments += (numbers[bar.interval], bar.start_ms, encode_bar(bar))
    return arguments
