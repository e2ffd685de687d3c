import asyncio
import math
from contextlib import aclosing
from datetime import date

import numpy as np
import pandas as pd
import pytest
from bokeh_sampledata import stocks

from feed_server.protocol import Interval, SymbolInfo, Trade
from feed_server.providers.base import Provider, Watchlist
from feed_server.providers.replay import ReplayProvider, open_replay

NEW_YORK = "America/New_York"
LATER = 2_000_000_000_000
SYMBOLS = ["AAPL", "FB", "GOOG", "IBM", "MSFT"]


def sample(start: date | None = None, speed: float = math.inf) -> ReplayProvider:
    return open_replay([], start, NEW_YORK, speed)


async def played(provider: ReplayProvider) -> list[Trade]:
    stream = provider.stream(Watchlist(), {})
    return [event async for batch in stream for event in batch if isinstance(event, Trade)]


@pytest.fixture(scope="module")
def sample_trades() -> pd.DataFrame:
    trades = asyncio.run(played(sample()))
    frame = pd.DataFrame(
        [(t.symbol, t.time_ms, t.price, t.size) for t in trades],
        columns=["symbol", "time_ms", "price", "size"],
    )
    local = pd.to_datetime(frame["time_ms"], unit="ms", utc=True).dt.tz_convert(NEW_YORK)
    return frame.assign(date=local.dt.strftime("%Y-%m-%d"), clock=local.dt.strftime("%H:%M:%S.%f"))


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_every_day_of_the_sample_is_reproduced_exactly(
    sample_trades: pd.DataFrame, symbol: str
) -> None:
    by_day = sample_trades[sample_trades["symbol"] == symbol].groupby("date")
    days = {
        str(day): (
            float(trades["price"].iloc[0]),
            float(trades["price"].max()),
            float(trades["price"].min()),
            float(trades["price"].iloc[-1]),
            math.fsum(trades["size"]),
        )
        for day, trades in by_day
    }
    real = getattr(stocks, symbol)
    columns = [real[name] for name in ("open", "high", "low", "close", "volume")]
    expected = {
        day: bar for day, *bar in zip(real["date"], *columns, strict=True) if day >= "2012-06-01"
    }
    assert len(days) == 187
    assert days == {day: tuple(bar) for day, bar in expected.items()}


def test_the_sample_is_streamed_in_order_of_time(sample_trades: pd.DataFrame) -> None:
    assert sample_trades["time_ms"].is_monotonic_increasing
    of_one = sample_trades.groupby("symbol")["time_ms"]
    assert of_one.is_monotonic_increasing.all()
    assert of_one.diff().min() >= 1


def test_the_samples_trades_lie_within_the_session(sample_trades: pd.DataFrame) -> None:
    by_day = sample_trades.groupby(["symbol", "date"])["clock"]
    assert set(by_day.first()) == {"09:30:00.000000"}
    assert set(by_day.last()) == {"15:59:59.999000"}
    assert by_day.max().equals(by_day.last())


@pytest.mark.parametrize("symbol", SYMBOLS)
async def test_the_samples_history_is_its_bars_before_the_start(symbol: str) -> None:
    history = await sample().history(symbol, Interval.DAY, 0, LATER)
    real = getattr(stocks, symbol)
    count = sum(day < "2012-06-01" for day in real["date"])
    assert history.index.name == "time"
    assert str(history.index.tz) == "UTC"  # type: ignore[attr-defined]
    assert history.index.strftime("%Y-%m-%d").tolist() == real["date"][:count]  # type: ignore[attr-defined]
    for name in ("open", "high", "low", "close", "volume"):
        assert history[name].dtype == np.float64
        assert history[name].tolist() == real[name][:count]


async def test_the_sample_tells_what_its_instruments_are() -> None:
    provider: Provider = sample()
    assert (provider.name, provider.label, provider.zone) == ("replay", "REPLAY", NEW_YORK)
    names = ["Apple Inc.", "Facebook Inc.", "Google Inc.", "IBM Corp.", "Microsoft Corp."]
    assert await provider.symbols() == [
        SymbolInfo(symbol, name, "USD", 2, "replay", "REPLAY", NEW_YORK)
        for symbol, name in zip(SYMBOLS, names, strict=True)
    ]


async def test_a_symbol_joins_the_stream_when_it_is_first_listed() -> None:
    provider = sample(start=date(2012, 5, 17))
    assert (await provider.history("FB", Interval.DAY, 0, LATER)).empty
    async with aclosing(provider.stream(Watchlist(), {})) as stream:
        first = await anext(stream)
    assert {trade.symbol for trade in first} == {"AAPL", "GOOG", "IBM", "MSFT", "FB"}
    opened = next(trade for trade in first if trade.symbol == "FB")
    assert opened.time_ms == pd.Timestamp("2012-05-18 09:30", tz=NEW_YORK).value // 1_000_000
    assert isinstance(opened, Trade)
    assert opened.price == 42.05
