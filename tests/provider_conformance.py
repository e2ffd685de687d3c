"""What must hold for every provider; each provider's own tests call `conforms` with an example."""

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from feed_server.errors import NotOfferedError, ProviderError, UnknownSymbolError
from feed_server.market.events import SessionSnapshot
from feed_server.protocol import SYMBOL_PATTERN, Interval, SymbolInfo
from feed_server.providers.base import BAR_COLUMNS, Provider, Watchlist

DAY_MS = Interval.DAY.ms


@dataclass(frozen=True, kw_only=True)
class Example:
    """What a provider can be asked for in a test.

    Attributes:
        symbol: An instrument that it has.
        unknown: One that it does not know; `None` where it cannot tell.
        now_ms: Its clock.
        history: By interval a range, ``(start_ms, end_ms)``, with at least three bars of it.
        query: A part of a name, in a search for which the symbol is found.
        events: How many batches of its stream are looked at.
    """

    symbol: str
    unknown: str | None
    now_ms: int
    history: Mapping[Interval, tuple[int, int]] = field(default_factory=dict)
    query: str
    events: int = 3


async def conforms(provider: Provider, example: Example) -> None:
    """Check all that a provider promises.

    Raises:
        AssertionError: It does not keep it.
    """
    check_description(provider)
    await check_symbols(provider)
    await check_quotes(provider, example)
    await check_history(provider, example)
    await check_search(provider, example)
    await check_stream(provider, example)
    await provider.aclose()
    await provider.aclose()  # twice does no harm


def check_description(provider: Provider) -> None:
    able = provider.capabilities
    assert re.fullmatch(r"[a-z][a-z0-9_-]*", provider.name)
    assert ZoneInfo(provider.zone).key == provider.zone
    assert able.streams or able.polls, "it gives nothing live"
    assert able.batch >= 1
    assert able.history_bars >= 1
    assert able.poll_s > 0
    assert all(rate.limit >= 1 and rate.per_s > 0 for rate in able.rates)


async def check_symbols(provider: Provider) -> None:
    infos = await provider.symbols()
    assert len({info.symbol for info in infos}) == len(infos)
    for info in infos:
        check_info(provider, info)


def check_info(provider: Provider, info: SymbolInfo) -> None:
    assert re.fullmatch(SYMBOL_PATTERN, info.symbol)
    assert info.name
    assert info.currency
    assert 0 <= info.decimals <= 12
    assert (info.source, info.label) == (provider.name, provider.label)
    assert ZoneInfo(info.zone).key == info.zone
    assert info.delay_ms >= 0


async def check_quotes(provider: Provider, example: Example) -> None:
    able = provider.capabilities
    if not able.polls:
        with pytest.raises(NotOfferedError):
            await provider.quotes([example.symbol])
        return
    check_snapshot(await _quote(provider, [example.symbol], example.symbol), example)
    if example.unknown is None:
        return
    refused = await _quote(provider, [example.unknown], example.unknown)
    assert isinstance(refused, UnknownSymbolError)
    if able.batch > 1:
        both = [example.unknown, example.symbol]
        check_snapshot(await _quote(provider, both, example.symbol), example)
        assert isinstance(await _quote(provider, both, example.unknown), UnknownSymbolError)


async def _quote(
    provider: Provider, symbols: Sequence[str], symbol: str
) -> SessionSnapshot | ProviderError:
    answers = await provider.quotes(symbols)
    assert set(answers) == set(symbols), "each symbol is answered, and no other"
    return answers[symbol]


def check_snapshot(answer: SessionSnapshot | ProviderError, example: Example) -> None:
    assert isinstance(answer, SessionSnapshot), answer
    assert answer.symbol == example.symbol
    assert 0 < answer.last < math.inf
    assert 0 < answer.time_ms <= example.now_ms
    assert answer.size >= 0


async def check_history(provider: Provider, example: Example) -> None:
    able = provider.capabilities
    untold = able.intervals - set(example.history)
    assert not untold, f"the example has no range of {untold}"
    for interval in Interval:
        if interval not in able.intervals:
            with pytest.raises(NotOfferedError):
                await provider.history(example.symbol, interval, 0, example.now_ms)
            continue
        start_ms, end_ms = example.history[interval]
        bars = await provider.history(example.symbol, interval, start_ms, end_ms)
        assert len(bars) >= 3
        check_bars(bars, interval, start_ms, end_ms, example.now_ms)
        await _check_parts(provider, example, interval, bars)
    if example.unknown is not None:
        for interval, (start_ms, end_ms) in example.history.items():
            with pytest.raises(UnknownSymbolError):
                await provider.history(example.unknown, interval, start_ms, end_ms)


async def _check_parts(
    provider: Provider, example: Example, interval: Interval, bars: pd.DataFrame
) -> None:
    """Check that a part of a range has a part of its bars: the start is in, the end is not."""
    starts_ms = _starts_ms(bars)
    first_ms, last_ms = starts_ms[-3], starts_ms[-1]
    part = await provider.history(example.symbol, interval, first_ms, last_ms)
    pd.testing.assert_frame_equal(part, bars.iloc[-3:-1], check_freq=False)
    nothing = await provider.history(example.symbol, interval, last_ms, last_ms)
    assert nothing.empty
    check_bars(nothing, interval, last_ms, last_ms, example.now_ms)


def check_bars(
    bars: pd.DataFrame, interval: Interval, start_ms: int, end_ms: int, now_ms: int
) -> None:
    """Check that bars are as `Provider.history` says."""
    assert list(bars.columns) == BAR_COLUMNS
    assert all(dtype == np.float64 for dtype in bars.dtypes)
    assert isinstance(bars.index, pd.DatetimeIndex)
    assert bars.index.name == "time"
    assert str(bars.index.tz) == "UTC"
    starts_ms = np.array(_starts_ms(bars), dtype=np.int64)
    assert (np.diff(starts_ms) > 0).all(), "oldest first, each once"
    assert ((starts_ms >= start_ms) & (starts_ms < end_ms)).all(), "within the range"
    assert (starts_ms % interval.ms == 0).all(), "on the interval's grid"
    assert (starts_ms + (0 if interval is Interval.DAY else interval.ms) <= now_ms).all(), "ended"
    assert np.isfinite(bars.to_numpy()).all()
    assert (bars["low"] > 0).all()
    assert (bars["low"] <= bars[["open", "close"]].min(axis=1)).all()
    assert (bars["high"] >= bars[["open", "close"]].max(axis=1)).all()
    assert (bars["volume"] >= 0).all()


def _starts_ms(bars: pd.DataFrame) -> list[int]:
    assert isinstance(bars.index, pd.DatetimeIndex)
    starts_ms: list[int] = bars.index.as_unit("ms").asi8.tolist()
    return starts_ms


async def check_search(provider: Provider, example: Example) -> None:
    for text in (example.symbol, example.symbol.lower()):
        found = await provider.search(text)
        assert found, f"{text} is not found"
        assert found[0].symbol == example.symbol, "the symbol itself is the best"
        for info in found:
            check_info(provider, info)
    assert example.symbol in [info.symbol for info in await provider.search(example.query)]
    if example.unknown is not None:
        found = await provider.search(example.unknown)
        assert example.unknown not in [info.symbol for info in found]


async def check_stream(provider: Provider, example: Example) -> None:
    if not provider.capabilities.streams:
        with pytest.raises(NotOfferedError):
            provider.stream(Watchlist([example.symbol]), {})
        return
    seen, reached_ms = 0, 0
    async with aclosing(provider.stream(Watchlist([example.symbol]), {})) as stream:
        async for events in stream:
            seen += 1
            for event in events:
                if event.symbol == example.symbol:
                    assert event.time_ms >= reached_ms, "in order of event time"
                    reached_ms = event.time_ms
            if seen == example.events:
                break
    assert seen == example.events
