from feed_server.bus.update import SymbolUpdate
from feed_server.ingest.line import Line
from feed_server.market.session import SessionCalendar
from feed_server.protocol import Trade, TradePrint

DAY_MS = 86_400_000
OPEN_MS = 1_381_154_400_000
"""2013-10-07, 10:00 in New York."""


def line(*, wanted: bool = True) -> Line:
    made = Line("BAC", SessionCalendar("America/New_York"), [])
    made.want(wanted)
    return made


def trade(
    to: Line, price: float, *, after_ms: int = 0, size: float = 1, received_ms: int = 0
) -> None:
    to.apply(Trade("BAC", OPEN_MS + after_ms, price, size), received_ms)


def taken(of: Line) -> SymbolUpdate:
    update = of.take_update()
    assert update is not None
    assert update.quote.count == update.missing + len(update.trades)
    return update


def prices(update: SymbolUpdate) -> list[float]:
    return [print_.price for print_ in update.trades]


def test_an_update_carries_all_its_trades() -> None:
    bac = line()
    assert not bac.due
    assert bac.take_update() is None
    trade(bac, 13.9, size=100)
    trade(bac, 14.1, after_ms=5, size=7)
    assert bac.due
    update = taken(bac)
    assert update.trades == [TradePrint(OPEN_MS, 13.9, 100), TradePrint(OPEN_MS + 5, 14.1, 7)]
    assert (update.quote.last, update.quote.count, update.missing) == (14.1, 2, 0)
    assert not bac.due
    assert bac.take_update() is None


def test_a_refused_trade_is_neither_told_nor_counted() -> None:
    bac = line()
    trade(bac, 13.9)
    trade(bac, -1)
    trade(bac, 13.8, after_ms=-DAY_MS)
    assert prices(taken(bac)) == [13.9]


def test_of_an_unwanted_symbol_only_the_first_state_is_due() -> None:
    bac = line(wanted=False)
    trade(bac, 13.9)
    assert bac.due
    assert taken(bac).missing == 1
    trade(bac, 14.0)
    assert not bac.due


def test_a_symbol_that_becomes_wanted_says_how_many_trades_were_not_told() -> None:
    bac = line(wanted=False)
    trade(bac, 13.9)
    taken(bac)
    trade(bac, 14.0)
    trade(bac, 14.1)
    bac.want(True)
    assert bac.due
    trade(bac, 14.2)
    update = taken(bac)
    assert (update.missing, prices(update), update.quote.last) == (2, [14.2], 14.2)


def test_a_symbol_that_is_wanted_no_more_keeps_no_trades() -> None:
    bac = line()
    trade(bac, 13.9)
    taken(bac)
    trade(bac, 14.0)
    bac.want(False)
    assert not bac.due
    trade(bac, 14.1)
    bac.want(True)
    trade(bac, 14.2)
    update = taken(bac)
    assert (update.missing, prices(update)) == (2, [14.2])


def test_a_bar_that_becomes_final_is_due_also_when_unwanted() -> None:
    bac = line(wanted=False)
    trade(bac, 13.9)
    taken(bac)
    trade(bac, 14.0)
    assert not bac.due
    trade(bac, 14.2, after_ms=DAY_MS)
    assert bac.due
    update = taken(bac)
    assert [(bar.close, bar.final) for bar in update.bars] == [(14.0, True), (14.2, False)]
    assert (update.missing, update.quote.last) == (2, 14.2)
    assert [bar.close for bar in bac.final_bars] == [14.0]


def test_twins_without_size_in_one_millisecond_are_two_updates() -> None:
    bac = line()
    trade(bac, 13.9, size=0)
    first = taken(bac)
    trade(bac, 13.9, size=0)
    assert taken(bac) != first
