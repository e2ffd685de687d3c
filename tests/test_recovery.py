import pytest

from feed_server.bus.update import StoredUpdate
from feed_server.gateway.recovery import LOST, MAX_HEARD, Recovery, bounded, recovered_batch
from feed_server.protocol import Bar, Bars, Interval, Position, Trades
from tests.desk import DAILY, MINUTES, TRADES, at, quoted, traded, with_
from tests.updates import bar


def recovery(since: Position, *heard: int) -> Recovery[str]:
    """Return one of AAPL that heard some trades meanwhile."""
    begun = Recovery("ann", TRADES, {"AAPL": since})
    for offset in heard:
        begun.hear(traded(offset))
    return begun


def test_the_log_and_what_was_heard_make_the_whole() -> None:
    caught = recovery(at(1), 3, 4).catch("AAPL", [traded(2), traded(3)], traded(4))
    assert [stored.offset for stored in caught.updates] == [2, 3, 4]
    assert (caught.whole, caught.done) == (True, True)


def test_what_was_heard_is_enough_where_the_log_has_nothing_new() -> None:
    caught = recovery(at(1), 2, 3).catch("AAPL", [], traded(3))
    assert [stored.offset for stored in caught.updates] == [2, 3]
    assert caught.done


def test_a_first_page_of_the_log_goes_on_with_the_next() -> None:
    caught = recovery(at(1), 9).catch("AAPL", [traded(2), traded(3)], traded(9))
    assert [stored.offset for stored in caught.updates] == [2, 3]
    assert (caught.whole, caught.done) == (True, False)


def test_who_stands_at_the_present_is_done() -> None:
    caught = recovery(at(3)).catch("AAPL", [], traded(3))
    assert (caught.updates, caught.whole, caught.done) == ([], True, True)


def test_the_log_is_followed_as_far_as_the_present_that_is_known() -> None:
    caught = recovery(at(1)).catch("AAPL", [traded(2), traded(3), traded(4)], traded(3))
    assert [stored.offset for stored in caught.updates] == [2, 3]
    assert caught.done


@pytest.mark.parametrize(
    ("since", "log", "latest"),
    [
        (at(1), [traded(3)], traded(3)),
        (at(1), [], traded(3)),
        (at(1), [traded(2), traded(4)], traded(4)),
        (at(1, "e0"), [traded(2)], traded(2)),
        (at(1), [traded(2)], traded(3, epoch="e2")),
        (at(1), [traded(1, epoch="e2")], traded(2)),
        (at(7), [], traded(3)),
        (at(1), [], None),
        (at(0), [traded(2, missing=1)], traded(2)),
    ],
    ids=[
        "trimmed",
        "empty",
        "hole",
        "other epoch",
        "over",
        "mixed",
        "beyond",
        "gone",
        "told nowhere",
    ],
)
def test_who_cannot_be_brought_to_the_present_has_lost(
    since: Position, log: list[StoredUpdate], latest: StoredUpdate | None
) -> None:
    assert recovery(since).catch("AAPL", log, latest) == LOST


def test_trades_told_nowhere_are_lost_in_what_was_heard_too() -> None:
    begun = recovery(at(1))
    begun.hear(traded(4, missing=2))
    assert begun.catch("AAPL", [], traded(4)) == LOST


def test_quotes_alone_lose_no_trades() -> None:
    begun = recovery(at(1))
    begun.hear(quoted(3))
    caught = begun.catch("AAPL", [quoted(2)], quoted(3))
    assert (caught.whole, caught.done) == (True, True)
    message = recovered_batch(TRADES, {"AAPL": caught}, {}, {"AAPL": quoted(3)}).message
    assert isinstance(message, Trades)
    assert (message.rows, message.positions) == ([], {"AAPL": at(3)})


def test_who_is_at_the_present_has_all_open_bars_and_each_bars_newest_state() -> None:
    def minute(number: int, close: float, *, final: bool = False) -> Bar:
        return bar(close=close, day=number, final=final, interval=Interval.MINUTE)

    two = with_(traded(2), bars=[minute(0, 1), minute(1, 1), bar()])
    three = with_(traded(3), bars=[minute(0, 3, final=True), minute(1, 1), minute(2, 3), bar()])
    begun = Recovery("ann", MINUTES, {"AAPL": at(1)})
    caught = begun.catch("AAPL", [two, three], three)
    message = recovered_batch(MINUTES, {"AAPL": caught}, {}, {"AAPL": three}).message
    assert isinstance(message, Bars)
    assert message.rows == [minute(0, 3, final=True), minute(1, 1), minute(2, 3)]


def test_bars_lose_nothing_by_trades_told_nowhere() -> None:
    begun = Recovery("ann", DAILY, {"AAPL": at(1)})
    caught = begun.catch("AAPL", [traded(4, missing=2)], traded(4))
    assert (caught.whole, caught.done) == (True, True)


def test_what_is_heard_is_bounded_and_the_log_has_the_rest() -> None:
    last = MAX_HEARD + 50
    begun = recovery(at(0), *range(1, last + 1))
    assert len(begun.heard["AAPL"]) == MAX_HEARD
    first = begun.catch("AAPL", [traded(offset) for offset in range(1, 21)], traded(last))
    assert (len(first.updates), first.done) == (20, False)
    begun.since["AAPL"] = at(20)
    second = begun.catch("AAPL", [traded(offset) for offset in range(21, 61)], traded(last))
    assert (len(second.updates), second.done) == (last - 20, True)


def test_symbols_are_heard_apart() -> None:
    begun = Recovery("ann", TRADES, {"AAPL": at(1), "IBM": at(1)})
    begun.hear(traded(2))
    begun.hear(traded(2, "IBM"))
    caught = begun.catch("IBM", [], traded(2, "IBM"))
    assert [stored.update.quote.symbol for stored in caught.updates] == ["IBM"]


def test_a_step_of_a_recovery_is_bounded_whatever_it_reads() -> None:
    pages = {s: [traded(10 * n, s, trades=10) for n in range(1, 20)] for s in ("AAPL", "IBM")}
    cut = bounded(pages, 66)
    assert {symbol: len(page) for symbol, page in cut.items()} == {"AAPL": 3, "IBM": 3}
    assert {symbol: len(page) for symbol, page in bounded(pages, 0).items()} == {
        "AAPL": 1,
        "IBM": 1,
    }
    assert bounded({"AAPL": []}, 10) == {"AAPL": []}
