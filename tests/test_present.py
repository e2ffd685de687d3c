"""History up to now waits a little for the bar that forms, and says where it is missing."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from feed_server.bus.update import StoredUpdate, SymbolUpdate
from feed_server.gateway import present
from feed_server.gateway.history import LATEST_MS, JoinedBars
from feed_server.gateway.present import Present
from feed_server.market.history_join import bar_array
from feed_server.protocol import Bar, Interval
from tests.updates import DAY_MS, update

MINUTE = Interval.MINUTE
BEGINS_MS = 20_000 * DAY_MS
NOW_MS = BEGINS_MS + 30_000


def minute(number: int, *, final: bool = False) -> Bar:
    start_ms = BEGINS_MS + number * MINUTE.ms
    return Bar("IBM", MINUTE, start_ms, 1, 1, 1, 1, 1, start_ms, final)


class Desk:
    """A history, the last values, and a clock that moves while somebody waits."""

    def __init__(self) -> None:
        self.stored = [minute(-1, final=True)]
        self.latest: dict[str, StoredUpdate] = {}
        self.note: str | None = None
        self.asked_s = 0.0
        self.now_s = 0.2
        self.reads = 0
        self.meanwhile: Callable[[], None] = lambda: None
        self.state(NOW_MS)
        self.present = Present(
            self,
            self.latest,
            lambda _symbol: self.asked_s,
            now_s=lambda: self.now_s,
            now_ms=lambda: NOW_MS,
            sleep=self._sleep,
        )

    def state(self, traded_ms: int, *bars: Bar, lacks_ms: int = 0) -> None:
        day = traded_ms // DAY_MS
        told = update("IBM", time_ms=traded_ms, day=day)
        change = SymbolUpdate(told.quote, [*bars, *told.bars], lacks_ms=lacks_ms)
        self.latest["IBM"] = StoredUpdate("e", 1, change)
        self.stored += bars

    async def _sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.meanwhile()

    async def bars(
        self,
        symbol: str,
        interval: Interval,
        *,
        limit: int,
        start_ms: int = 0,
        end_ms: int = LATEST_MS,
    ) -> JoinedBars:
        self.reads += 1
        bars = bar_array([b for b in self.stored if start_ms <= b.start_ms <= end_ms])[-limit:]
        return JoinedBars(symbol, interval, bars, "e", 1, None, more=True, note=self.note)

    async def ask(self, end_ms: int = LATEST_MS) -> tuple[list[int], str | None]:
        joined = await self.present.bars("IBM", MINUTE, limit=5, start_ms=0, end_ms=end_ms)
        minutes = ((joined.bars["start_ms"] - BEGINS_MS) // MINUTE.ms).tolist()
        return minutes, joined.note


async def test_a_bar_that_comes_soon_is_waited_for() -> None:
    desk = Desk()
    desk.meanwhile = lambda: desk.state(NOW_MS, minute(0)) if desk.now_s > 0.5 else None
    assert await desk.ask() == ([-1, 0], None)
    assert 0.5 < desk.now_s < 0.6
    assert desk.reads == 2


async def test_one_that_came_while_the_history_was_read_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk()
    before, desk.stored = desk.stored, [*desk.stored]
    desk.state(NOW_MS, minute(0))
    after, desk.stored = desk.stored, before
    read = desk.bars

    async def reading(*args: object, **kwargs: object) -> JoinedBars:
        found = await read(*args, **kwargs)  # type: ignore[arg-type]
        desk.stored = after
        return found

    monkeypatch.setattr(desk, "bars", reading)
    assert await desk.ask() == ([-1, 0], None)
    assert desk.now_s == 0.2


async def test_one_that_does_not_come_is_told_to_be_missing() -> None:
    desk = Desk()
    minutes, note = await desk.ask()
    assert minutes == [-1]
    assert note is not None
    assert "the bar that forms is missing" in note
    assert desk.now_s == pytest.approx(present.PATIENCE_S, abs=2 * present.SOON_S)


async def test_it_is_waited_for_once() -> None:
    desk = Desk()
    await desk.ask()
    now_s = desk.now_s
    assert (await desk.ask())[1] is not None
    assert (desk.now_s, desk.reads) == (now_s, 2)


async def test_what_else_is_missing_is_told_with_it() -> None:
    desk = Desk()
    desk.note = "bars are missing that the source could not tell"
    note = (await desk.ask())[1]
    assert note is not None
    assert note.startswith("bars are missing that the source could not tell; the bar that forms")


async def test_the_past_and_a_closed_market_and_a_bar_that_is_there_are_not_waited_for() -> None:
    desk = Desk()
    assert await desk.ask(end_ms=BEGINS_MS - 1) == ([-1], None)
    desk.state(NOW_MS - 3 * MINUTE.ms)
    assert await desk.ask() == ([-1], None)
    desk.state(NOW_MS, minute(0))
    assert await desk.ask() == ([-1, 0], None)
    assert (desk.now_s, desk.reads) == (0.2, 3)


async def test_of_a_symbol_without_a_price_nothing_is_said() -> None:
    desk = Desk()
    del desk.latest["IBM"]
    assert await desk.ask() == ([-1], None)
    assert desk.now_s == 0.2


async def test_what_a_bar_lacks_is_waited_for_and_then_told() -> None:
    desk = Desk()
    desk.state(NOW_MS, minute(0), lacks_ms=NOW_MS - 1_000)
    minutes, note = await desk.ask()
    assert minutes == [-1, 0]
    assert note is not None
    assert "may lack what was traded before 00:00:29 UTC" in note
    assert desk.now_s == pytest.approx(present.PATIENCE_S, abs=2 * present.SOON_S)


async def test_nothing_is_told_of_a_bar_that_is_completed_in_time() -> None:
    desk = Desk()

    def complete() -> None:
        if desk.now_s > 0.5:
            desk.stored.pop()
            desk.state(NOW_MS, replace(minute(0), volume=50))

    desk.state(NOW_MS, minute(0), lacks_ms=NOW_MS - 1_000)
    desk.meanwhile = complete
    joined = await desk.present.bars("IBM", MINUTE, limit=5, start_ms=0, end_ms=LATEST_MS)
    assert (joined.bars["volume"][-1], joined.note) == (50, None)


async def test_one_that_comes_late_and_not_whole_is_told_to_lack_something() -> None:
    desk = Desk()
    desk.meanwhile = lambda: (
        desk.state(NOW_MS, minute(0), lacks_ms=NOW_MS)
        if desk.now_s > 0.5 and len(desk.stored) == 1
        else None
    )
    minutes, note = await desk.ask()
    assert minutes == [-1, 0]
    assert note is not None
    assert "may lack" in note
    assert "missing" not in note


async def test_nothing_is_told_of_a_bar_that_began_later() -> None:
    desk = Desk()
    desk.state(NOW_MS, minute(0), lacks_ms=BEGINS_MS)
    assert await desk.ask() == ([-1, 0], None)
    assert desk.now_s == 0.2
