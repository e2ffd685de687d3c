import random
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed_server.bus.reader import TradeHistory
from feed_server.bus.update import StoredUpdate
from feed_server.gateway.frames import Frame
from feed_server.gateway.rows import (
    MAX_DECIMALS,
    MAX_ROWS_KEPT,
    QuoteRows,
    short,
    trade_rows,
    trade_series,
    trades_message,
)
from feed_server.protocol import (
    QuoteDetails,
    Quotes,
    TradePrint,
    decode_server_message,
    encode,
)
from tests.desk import at, traded
from tests.updates import stored


def priced(
    last: float,
    bid: float | None,
    ask: float | None,
    *,
    symbol: str = "AAPL",
    offset: int = 1,
    epoch: str = "e1",
    **quote: float | int,
) -> StoredUpdate:
    """Return an update with these prices."""
    sent = stored(symbol, offset=offset, epoch=epoch)
    changed = msgspec.structs.replace(sent.update.quote, last=last, bid=bid, ask=ask, **quote)
    return msgspec.structs.replace(sent, update=msgspec.structs.replace(sent.update, quote=changed))


def arrived(message: Quotes) -> Quotes:
    """Return a message as a client has it."""
    there = decode_server_message(encode(message))
    assert isinstance(there, Quotes)
    return there


def read_prices(message: Quotes) -> list[tuple[float, float | None, float | None]]:
    """Return last, bid and ask as the protocol tells clients to work them out."""
    return [
        (
            row.last,
            _price(row.last, row.bid, message.details[row.symbol].decimals),
            _price(row.last, row.ask, message.details[row.symbol].decimals),
        )
        for row in message.rows
    ]


def _price(last: float, steps: float | None, decimals: int | None) -> float | None:
    if steps is None or decimals is None:
        return steps
    scale: int = 10**decimals
    return (round(last * scale) + steps) / scale


@st.composite
def ticks(draw: st.DrawFn) -> tuple[float, float | None, float | None]:
    """Prices on a grid of some decimals."""
    scale = 10 ** draw(st.integers(0, MAX_DECIMALS))
    last = draw(st.integers(-(10**6), 10**13))
    spread = st.none() | st.integers(-1000, 1000)
    bid, ask = draw(spread), draw(spread)
    return (
        last / scale,
        None if bid is None else (last + bid) / scale,
        None if ask is None else (last + ask) / scale,
    )


any_price = st.floats(allow_nan=False, allow_infinity=False)
any_prices = st.tuples(any_price, st.none() | any_price, st.none() | any_price)


def details(rows: QuoteRows, stored: StoredUpdate) -> QuoteDetails:
    return rows.cells([stored])[0].details


def message_of(rows: QuoteRows, updates: list[StoredUpdate]) -> Quotes:
    return rows.message(rows.cells(updates), [s.update.quote.count for s in updates], {})


@given(st.lists(ticks() | any_prices, min_size=1, max_size=5))
def test_prices_arrive_exactly(prices: list[tuple[float, float | None, float | None]]) -> None:
    rows = QuoteRows()
    for offset, (last, bid, ask) in enumerate(prices, 1):
        message = arrived(rows.snapshot([priced(last, bid, ask, offset=offset)]))
        assert read_prices(message) == [(last, bid, ask)]


@given(ticks())
def test_prices_on_a_grid_are_told_as_whole_steps(
    prices: tuple[float, float | None, float | None],
) -> None:
    message = arrived(QuoteRows().snapshot([priced(*prices)]))
    (row,) = message.rows
    assert message.details["AAPL"].decimals is not None
    for steps in (row.bid, row.ask):
        assert steps is None or (float(steps).is_integer() and abs(steps) <= 1000 * 100)


@given(st.lists(ticks() | any_prices, min_size=2, max_size=8))
def test_decimals_only_grow_within_an_epoch(
    prices: list[tuple[float, float | None, float | None]],
) -> None:
    rows, before = QuoteRows(), 2.0
    for offset, (last, bid, ask) in enumerate(prices, 1):
        decimals = details(rows, priced(last, bid, ask, offset=offset)).decimals
        grown = float("inf") if decimals is None else decimals
        assert grown >= before
        before = grown


def test_a_new_epoch_or_a_forgotten_symbol_learns_its_decimals_anew() -> None:
    rows = QuoteRows()
    assert details(rows, priced(1.0001, 1.0, 1.0002)).decimals == 4
    assert details(rows, priced(1.0, 1.0, 1.0, offset=2)).decimals == 4
    assert details(rows, priced(1.0, 1.0, 1.0, epoch="e2")).decimals == 2
    assert details(rows, priced(1.0001, 1.0, 1.0002, epoch="e2", offset=2)).decimals == 4
    rows.forget("AAPL")
    assert details(rows, priced(1.0, 1.0, 1.0, epoch="e2", offset=3)).decimals == 2


def test_prices_finer_than_any_grid_are_told_as_they_are() -> None:
    message = QuoteRows().snapshot([priced(0.123456789123, 0.123456789122, None)])
    assert message.details["AAPL"].decimals is None
    assert (message.rows[0].bid, message.rows[0].ask) == (0.123456789122, None)


def test_whole_numbers_are_written_without_a_point() -> None:
    text = encode(QuoteRows().snapshot([priced(500.0, 499.0, None, volume=1e6, size=300.0)]))
    assert b'["AAPL",500,300,-100,null,1000000,' in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, b"1"),
        (-2.0, b"-2"),
        (0.1, b"0.1"),
        (0.0, b"0"),
        (2.0**52, b"4503599627370496"),
        (1e20, b"1e20"),
    ],
)
def test_short_numbers_mean_the_same(value: float, text: bytes) -> None:
    assert msgspec.json.encode(short(value)) == text
    assert float(text) == value


@given(any_price)
def test_no_number_grows_by_being_made_short(value: float) -> None:
    text = msgspec.json.encode(short(value))
    assert len(text) <= len(msgspec.json.encode(value))
    assert float(text) == value


def test_times_arrive_exactly_though_they_are_told_against_the_frames() -> None:
    rows = QuoteRows()
    early = priced(1.0, None, None, symbol="IBM", time_ms=912, received_ms=2_007)
    late = priced(1.0, None, None, time_ms=1_001, received_ms=1_990)
    for quotes in ([early], [early, late], [late], [late, early]):
        message = rows.snapshot(quotes)
        assert [
            (message.event_ms + row.event_delta_ms, message.received_ms + row.received_delta_ms)
            for row in message.rows
        ] == [(s.update.quote.time_ms, s.update.quote.received_ms) for s in quotes]
        assert max(len(str(row.event_delta_ms)) for row in message.rows) <= 4


def test_an_empty_snapshot_is_one() -> None:
    message = QuoteRows().snapshot([], cursor="g:7")
    assert (message.rows, message.snapshot, message.cursor) == ([], True, "g:7")


# ---- size ------------------------------------------------------------------------------------


def market(rng: random.Random, symbols: int) -> list[list[StoredUpdate]]:
    """Return rounds of quotes as of shares in a busy market: each a walk with a spread."""
    names = rng.sample([a + b + c for a in "ABCDEFG" for b in "KLMNOP" for c in "STUVWX"], symbols)
    price = {name: rng.lognormvariate(4.4, 0.8) for name in names}
    volume = {name: float(rng.randrange(10_000, 50_000_000)) for name in names}
    offset = {name: rng.randrange(1_000, 200_000) for name in names}
    now_ms = 1_795_000_000_000
    rounds = []
    for _ in range(20):
        now_ms += 100
        quotes = []
        for name in names:
            price[name] *= 1 + rng.gauss(0, 2e-4)
            cents = round(price[name] * 100)
            size = float(rng.choice([1, 5, 10, 25, 50, 100, 100, 100, 200, 300, 1000]))
            count = rng.choice([1, 1, 1, 2, 3, 5])
            volume[name] += size * count
            offset[name] += count
            below = rng.randrange(0, 3)
            quotes.append(
                priced(
                    cents / 100,
                    (cents - below) / 100,
                    (cents - below + rng.randrange(1, 4)) / 100,
                    symbol=name,
                    offset=offset[name],
                    size=size,
                    volume=volume[name],
                    time_ms=now_ms - rng.randrange(100),
                    received_ms=now_ms - rng.randrange(100),
                    count=count,
                )
            )
        rounds.append(quotes)
    return rounds


@pytest.mark.parametrize("seed", range(5))
def test_a_quote_in_a_batch_is_small(seed: int) -> None:
    rows, plain, deflated, quotes = QuoteRows(), 0, 0, 0
    for round_ in market(random.Random(seed), 50)[1:]:
        frame = Frame(message_of(rows, round_))
        plain += len(frame.payload)
        deflated += len(frame["deflated"])
        quotes += len(round_)
    assert plain / quotes <= 60
    assert deflated / quotes <= 25


def test_a_batch_of_quotes_deflates_without_what_came_before() -> None:
    rows = QuoteRows()
    (first, second, *_) = market(random.Random(1), 50)
    message_of(rows, first)
    frame = Frame(message_of(rows, second))
    body = frame["deflated"][4:]
    assert zlib.decompressobj(-zlib.MAX_WBITS).decompress(body + b"\0\0\xff\xff") == frame.payload


def test_a_quiet_symbol_keeps_few_rows_beside_ever_newer_ones() -> None:
    rows, quiet = QuoteRows(), priced(1.0, None, None, symbol="OLD")
    for second in range(100):
        newer = priced(2.0, None, None, offset=second + 1, time_ms=1_000 * second)
        rows.snapshot([quiet, newer])
    (cells,) = rows.cells([quiet])
    assert len(cells.rows) <= MAX_ROWS_KEPT


# ---- trades and columns ----------------------------------------------------------------------


def test_trades_are_numbered_up_to_their_updates_offset() -> None:
    numbered = trade_rows(traded(9, trades=3, missing=2))
    assert [(trade.size, offset) for _, trade, offset in numbered] == [(1, 7), (2, 8), (3, 9)]


def test_times_of_trades_arrive_exactly() -> None:
    message = trades_message([*trade_rows(traded(1)), *trade_rows(traded(2))], {"AAPL": at(2)}, {})
    assert [message.event_ms + row.event_delta_ms for row in message.rows] == [1, 2]
    assert [message.received_ms + row.received_delta_ms for row in message.rows] == [4, 5]


def test_trades_become_columns() -> None:
    trades = trade_series("AAPL", TradeHistory("e1", 7, [TradePrint(5, 1.5, 100.0)], [6]))
    assert (trades.offset, trades.time_ms, trades.price, trades.size) == (7, [5], [1.5], [100.0])
    assert trades.offsets == [6]
