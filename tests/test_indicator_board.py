"""Indicators of the bars that pass, between a history that takes its time and what is heard."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import numpy as np
import pytest
import talib

from feed_server.bus.update import StoredUpdate, SymbolUpdate
from feed_server.errors import BusError
from feed_server.gateway import indicator_board
from feed_server.gateway.fanout import Fanout
from feed_server.gateway.history import LATEST_MS, JoinedBars
from feed_server.gateway.indicator_board import LOADED_BARS, IndicatorBoard
from feed_server.gateway.pending import Batch
from feed_server.gateway.pending_lossless import BarPending
from feed_server.gateway.topics import Topic
from feed_server.market.history_join import bar_array, between
from feed_server.market.indicator_line import Values
from feed_server.market.indicator_spec import parse_spec
from feed_server.protocol import Bar, Bars, Interval, SymbolInfo
from tests.harness import until
from tests.updates import stored

MINUTE = Interval.MINUTE
SMA = "SMA(3)"
OBV = "OBV"
WATCHED = [("AAPL", MINUTE, SMA)]


def closes(count: int) -> list[float]:
    rng = np.random.default_rng(1)
    return [round(float(close), 2) for close in 100 + np.cumsum(rng.normal(0, 1, count))]


CLOSES = closes(4_000)


def minute(number: int, *, final: bool = True, close: float | None = None) -> Bar:
    price = CLOSES[number] if close is None else close
    return Bar("AAPL", MINUTE, number * 60_000, price, price, price, price, 5.0, 0, final)


async def so(condition: Callable[[], bool]) -> None:
    async def is_so() -> bool:
        return condition()

    await until(is_so)


def sma(number: int) -> list[object]:
    return [pytest.approx(sum(CLOSES[number - 2 : number + 1]) / 3, rel=1e-9)]


class Store:
    """What Redis and the sources have, and the pace at which they tell it."""

    def __init__(self, final: int) -> None:
        self.epoch = "e"
        self.bars = [minute(number) for number in range(final)]
        self.note: str | None = None
        self.fails = 0
        self.asked: list[int] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def bars_(
        self, symbol: str, interval: Interval, limit: int, start_ms: int, end_ms: int
    ) -> JoinedBars:
        self.asked.append(limit)
        bars, epoch, note = bar_array(self.bars), self.epoch, self.note
        await self.gate.wait()
        if self.fails:
            self.fails -= 1
            raise BusError("Redis is away")
        found = between(bars, start_ms, end_ms + 1)[-limit:]
        return JoinedBars(symbol, interval, found, epoch, 1, None, more=False, note=note)


class History:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def bars(
        self,
        symbol: str,
        interval: Interval,
        *,
        limit: int,
        start_ms: int = 0,
        end_ms: int = LATEST_MS,
    ) -> JoinedBars:
        return await self._store.bars_(symbol, interval, limit, start_ms, end_ms)


class Floor:
    """A board, what is heard, and what it has told."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.latest: dict[str, StoredUpdate] = {}
        self.told: list[tuple[str, Interval, list[int]]] = []
        self.board = IndicatorBoard(
            History(store),
            self.latest,
            lambda: {"AAPL": SymbolInfo("AAPL", "Apple", "USD", 2, "test", "TEST")},
            self._on_loaded,
        )
        self._offset = 0

    def _on_loaded(self, symbol: str, interval: Interval, bare: Sequence[Bar]) -> None:
        self.told.append((symbol, interval, [bar.start_ms // 60_000 for bar in bare]))

    def hear(self, *bars: Bar, epoch: str = "e", restated: bool = False) -> None:
        """Publish bars; what is final is stored first."""
        self.store.bars += [bar for bar in bars if bar.final]
        self._offset += 1
        quote = stored().update.quote
        update = StoredUpdate(epoch, self._offset, SymbolUpdate(quote, list(bars)))
        self.latest["AAPL"] = update
        if restated:
            self.board.on_restated(update)
        else:
            self.board.on_update(update)

    def values(self, bar: Bar, text: str = SMA) -> Values:
        message = self.board.annotated(Bars(MINUTE, [bar]), [text])
        assert message.rows == [bar]
        return message.indicators[text][0]

    async def loaded(self, times: int = 1) -> None:
        await so(lambda: len(self.told) >= times)


@asynccontextmanager
async def floor(final: int = 100) -> AsyncIterator[Floor]:
    made = Floor(Store(final))
    made.hear(minute(final, final=False))
    running = asyncio.create_task(made.board.run())
    try:
        yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_values_are_null_until_the_history_is_loaded_then_told() -> None:
    async with floor() as desk:
        desk.store.gate.clear()
        desk.board.watch(WATCHED)
        assert desk.board.is_awaited("AAPL", MINUTE)
        assert desk.values(minute(100, final=False)) == [None]
        desk.store.gate.set()
        await desk.loaded()
        assert desk.told == [("AAPL", MINUTE, [])]
        assert not desk.board.is_awaited("AAPL", MINUTE)
        assert desk.values(minute(100, final=False)) == sma(100)
        assert desk.store.asked == [LOADED_BARS]


async def test_what_is_heard_while_the_history_is_read_follows_it() -> None:
    async with floor() as desk:
        desk.store.gate.clear()
        desk.board.watch(WATCHED)
        await so(lambda: bool(desk.store.asked))
        desk.hear(minute(100), minute(101, final=False))
        desk.hear(minute(101), minute(102, final=False, close=1.0))
        desk.hear(minute(102, final=False))
        assert desk.values(minute(101)) == [None]
        desk.store.gate.set()
        await desk.loaded()
        assert desk.told == [("AAPL", MINUTE, [101])]
        for number in (100, 101):
            assert desk.values(minute(number)) == sma(number)
        assert desk.values(minute(102, final=False)) == sma(102)


async def test_what_is_in_the_history_already_is_not_taken_twice() -> None:
    async with floor() as desk:
        desk.board.watch([("AAPL", MINUTE, OBV)])
        desk.store.gate.clear()
        await so(lambda: bool(desk.store.asked))
        desk.store.gate.set()
        desk.hear(minute(99), minute(100, final=False))
        await desk.loaded()
        desk.hear(minute(99), minute(100, final=False))
        desk.hear(minute(100), minute(101, final=False))
        desk.hear(minute(101), minute(102, final=False))
        expected = talib.OBV(np.array(CLOSES[:102]), np.full(102, 5.0))[-1]
        assert desk.values(minute(101), OBV) == [expected]


async def test_a_state_after_a_gap_begins_anew() -> None:
    async with floor() as desk:
        desk.board.watch(WATCHED)
        await desk.loaded()
        desk.store.gate.clear()
        desk.store.bars += [minute(number) for number in range(100, 110)]
        desk.hear(minute(110, final=False), restated=True)
        assert desk.values(minute(110, final=False)) == [None]
        desk.store.gate.set()
        await desk.loaded(2)
        assert desk.values(minute(110, final=False)) == sma(110)


async def test_a_state_after_a_gap_during_a_load_begins_the_load_anew() -> None:
    async with floor() as desk:
        desk.store.gate.clear()
        desk.board.watch(WATCHED)
        await so(lambda: bool(desk.store.asked))
        desk.store.epoch = "f"
        desk.store.bars = [minute(number) for number in range(50)]
        desk.hear(minute(50, final=False), epoch="f", restated=True)
        desk.store.gate.set()
        await desk.loaded()
        assert desk.values(minute(50, final=False)) == sma(50)
        assert desk.values(minute(99)) == [None]
        assert len(desk.store.asked) == 2


async def test_a_history_that_was_read_before_a_gap_is_not_used() -> None:
    async with floor() as desk:
        desk.store.gate.clear()
        desk.board.watch(WATCHED)
        await so(lambda: bool(desk.store.asked))
        desk.store.bars += [minute(number) for number in range(100, 110)]
        desk.hear(minute(110, final=False), restated=True)
        desk.store.gate.set()
        await desk.loaded()
        assert desk.values(minute(110, final=False)) == sma(110)


async def test_a_history_of_another_epoch_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indicator_board, "RETRY_S", 0.01)
    async with floor() as desk:
        desk.store.epoch = "f"
        desk.board.watch(WATCHED)
        await so(lambda: len(desk.store.asked) > 2)
        assert desk.told == []
        desk.store.epoch = "e"
        await desk.loaded()


async def test_loading_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indicator_board, "RETRY_S", 0.01)
    async with floor() as desk:
        desk.store.fails = 3
        desk.board.watch(WATCHED)
        await so(lambda: desk.store.fails <= 2)
        desk.hear(minute(100), minute(101, final=False))
        await desk.loaded()
        assert desk.values(minute(101, final=False)) == sma(101)


async def test_a_history_that_lacks_bars_is_used_and_loaded_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(indicator_board, "AGAIN_S", 0.01)
    async with floor() as desk:
        whole, desk.store.bars = desk.store.bars, desk.store.bars[-2:]
        desk.store.note = "the source is slow"
        desk.board.watch([("AAPL", MINUTE, "SMA(50)")])
        await desk.loaded()
        assert desk.values(minute(100, final=False), "SMA(50)") == [None]
        desk.store.bars, desk.store.note = whole, None
        await so(lambda: desk.values(minute(100, final=False), "SMA(50)") != [None])


async def test_a_symbol_that_is_not_current_waits_for_its_state() -> None:
    async with floor() as desk:
        del desk.latest["AAPL"]
        desk.board.watch(WATCHED)
        await asyncio.sleep(0)
        assert desk.store.asked == []
        desk.hear(minute(100, final=False), restated=True)
        await desk.loaded()
        assert desk.values(minute(100, final=False)) == sma(100)


async def test_watching_again_after_all_have_left_needs_no_history() -> None:
    async with floor() as desk:
        desk.board.watch(WATCHED)
        desk.board.watch(WATCHED)
        await desk.loaded()
        desk.board.unwatch(WATCHED)
        desk.board.unwatch(WATCHED)
        desk.hear(minute(100), minute(101, final=False))
        desk.board.watch(WATCHED)
        assert desk.values(minute(101, final=False)) == sma(101)
        assert len(desk.store.asked) == 1


async def test_a_series_that_nobody_wants_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indicator_board, "LINGER_S", 0.0)
    async with floor() as desk:
        desk.board.watch(WATCHED)
        await desk.loaded()
        assert len(desk.board) == 1
        desk.board.unwatch(WATCHED)
        assert len(desk.board) == 0
        desk.hear(minute(100), minute(101, final=False))
        assert desk.values(minute(101, final=False)) == [None]


async def test_of_series_that_nobody_wants_the_last_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(indicator_board, "MAX_LINGERING", 2)
    async with floor() as desk:
        for interval in Interval:
            desk.board.watch([("AAPL", interval, SMA)])
            desk.board.unwatch([("AAPL", interval, SMA)])
        assert len(desk.board) == 2


async def test_more_series_than_there_is_room_for_wait_without_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(indicator_board, "MAX_SERIES", 1)
    monkeypatch.setattr(indicator_board, "MAX_BARE", 5)
    monkeypatch.setattr(indicator_board, "AGAIN_S", 0.01)
    monkeypatch.setattr(indicator_board, "LINGER_S", 0.0)
    async with floor() as desk:
        desk.board.watch([("AAPL", Interval.HOUR, SMA)])
        await desk.loaded()
        desk.board.watch(WATCHED)
        await so(lambda: not desk.board.is_awaited("AAPL", MINUTE))
        for number in range(100, 110):
            desk.hear(minute(number), minute(number + 1, final=False))
            assert desk.values(minute(number)) == [None]
        assert len(desk.store.asked) == 1
        desk.board.unwatch([("AAPL", Interval.HOUR, SMA)])
        await desk.loaded(2)
        assert desk.told[1] == ("AAPL", MINUTE, [105, 106, 107, 108, 109])
        assert desk.values(minute(109)) == sma(109)


async def test_columns_are_the_values_that_are_sent() -> None:
    async with floor() as desk:
        specs = [parse_spec(SMA), parse_spec(OBV)]
        bars = bar_array([*desk.store.bars[-10:], minute(100, final=False)])
        found = await desk.board.columns("AAPL", MINUTE, specs, bars)
        assert found[SMA]["real"] == [value for n in range(90, 101) for value in sma(n)]
        expected = talib.OBV(np.array(CLOSES[:101]), np.full(101, 5.0))
        assert found[OBV]["real"] == expected[90:].tolist()
        desk.board.watch([("AAPL", MINUTE, OBV)])
        assert desk.values(minute(100, final=False), OBV) == [expected[100]]
        assert desk.store.asked == [LOADED_BARS]


async def test_columns_have_values_though_the_series_begins_anew_meanwhile() -> None:
    async with floor() as desk:
        desk.board.watch(WATCHED)
        await desk.loaded()
        bars = bar_array([desk.store.bars[-1], minute(100, final=False)])
        asking = asyncio.create_task(desk.board.columns("AAPL", MINUTE, [parse_spec(SMA)], bars))
        await asyncio.sleep(0)
        desk.hear(minute(100, final=False), restated=True)
        assert (await asking)[SMA]["real"] == [*sma(99), *sma(100)]


async def test_columns_before_the_series_are_warmed_up() -> None:
    async with floor(3_900) as desk:
        desk.board.watch([("AAPL", MINUTE, "EMA(20)")])
        await desk.loaded()
        old = bar_array(desk.store.bars[1_000:1_010])
        found = await desk.board.columns("AAPL", MINUTE, [parse_spec("EMA(20)")], old)
        expected = talib.EMA(np.array(CLOSES[:1_010]), 20)[1_000:]
        assert found["EMA(20)"]["real"] == pytest.approx(expected.tolist(), rel=1e-9)


async def test_columns_of_a_symbol_that_is_not_current_are_computed() -> None:
    async with floor() as desk:
        del desk.latest["AAPL"]
        bars = bar_array(desk.store.bars[50:60])
        found = await desk.board.columns("AAPL", MINUTE, [parse_spec(SMA)], bars)
        assert found[SMA]["real"] == [value for n in range(50, 60) for value in sma(n)]
        assert len(desk.board) == 0


async def test_columns_do_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indicator_board, "PATIENCE_S", 0.05)
    monkeypatch.setattr(indicator_board, "RETRY_S", 60.0)
    async with floor() as desk:
        desk.store.fails = 1
        bars = bar_array(desk.store.bars[50:60])
        found = await desk.board.columns("AAPL", MINUTE, [parse_spec(SMA)], bars)
        assert found[SMA]["real"] == [value for n in range(50, 60) for value in sma(n)]


async def test_indicators_that_nobody_watches_do_not_pile_up() -> None:
    async with floor() as desk:
        desk.board.watch(WATCHED)
        await desk.loaded()
        bars = bar_array(desk.store.bars)
        for period in range(2, 2 * indicator_board.MAX_FOLLOWED):
            spec = parse_spec(f"WMA({period})")
            await desk.board.columns("AAPL", MINUTE, [spec], bars)
        series = desk.board._entries["AAPL", MINUTE].series
        assert series is not None
        assert len(series.indicators) <= indicator_board.MAX_FOLLOWED
        assert SMA in series.indicators


# ---- what is sent with indicators ------------------------------------------------------------


def open_minutes(*places_and_closes: tuple[int, float]) -> list[Bar]:
    return [minute(place, final=False, close=close) for place, close in places_and_closes]


def told_of(offset: int, *bars: Bar) -> StoredUpdate:
    return StoredUpdate("e", offset, SymbolUpdate(stored().update.quote, list(bars)))


def rows_of(batch: Batch) -> list[Bar]:
    assert isinstance(batch.message, Bars)
    return batch.message.rows


@pytest.mark.parametrize("has_indicators", [True, False])
def test_where_there_are_indicators_later_open_bars_are_told_with_earlier(
    has_indicators: bool,
) -> None:
    begun = told_of(1, *open_minutes((0, 1.0), (1, 1.0), (2, 1.0)))
    pending = BarPending(MINUTE, [begun], has_indicators=has_indicators)
    first, second, third = open_minutes((0, 1.0), (1, 9.0), (2, 1.0))
    pending.offer(told_of(2, first, second, third))
    assert rows_of(pending.take()) == ([second, third] if has_indicators else [second])
    pending.offer(told_of(3, minute(0, close=1.0), second, third))
    ended = [minute(0, close=1.0)]
    assert rows_of(pending.take()) == ([*ended, second, third] if has_indicators else ended)


def test_bars_are_told_again_only_to_those_who_get_indicators_of_them() -> None:
    begun = told_of(1, *open_minutes((5, 1.0)))
    fanout: Fanout[str] = Fanout({"AAPL": begun})
    with_indicators = Topic("bars", MINUTE, 10, (SMA,))
    for member, topic in (
        ("ann", with_indicators),
        ("bob", Topic("bars", MINUTE, 10)),
        ("cid", Topic("bars", Interval.DAY, 10, (SMA,))),
        ("dan", Topic("trades", None, 10)),
    ):
        fanout.subscribe(member, topic, ["AAPL"], 0.0)
    fanout.tell_again("AAPL", MINUTE, [minute(4)], 0.0)
    (delivery,) = fanout.take_due(0.0)
    assert (delivery.members, delivery.topic) == (("ann",), with_indicators)
    assert rows_of(delivery.batch) == [minute(4), *open_minutes((5, 1.0))]
    assert delivery.batch.since == {"AAPL": begun.position}
    assert list(fanout.take_due(99.0)) == []


def test_what_is_told_again_is_not_older_than_what_waits() -> None:
    begun = told_of(1, *open_minutes((5, 1.0)))
    pending = BarPending(MINUTE, [begun], has_indicators=True)
    (changed,) = open_minutes((5, 2.0))
    pending.offer(told_of(2, changed))
    pending.tell_again("AAPL", [])
    assert rows_of(pending.take()) == [changed]
