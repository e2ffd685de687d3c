"""The Python client with a real feed."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pandas as pd
import pytest

from dashboard.client import (
    Bar,
    FeedClient,
    FeedError,
    FeedUnavailableError,
    Quote,
    StateChanged,
    Trade,
    blocking,
)
from dashboard.client.core.actions import Mode
from tests.client.raw_server import raw_server
from tests.harness import FeedProcess, free_port, until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def busy() -> Iterator[FeedProcess]:
    """A feed with several trades a second of each symbol, and bars of a second."""
    with FeedProcess(
        {"provider": "simulated", "simulated_symbols": "5", "simulated_hz": "5"}
    ) as process:
        yield process


@asynccontextmanager
async def leaving_nothing() -> AsyncIterator[None]:
    """Fail where a task is left, or a thread."""
    tasks, threads = asyncio.all_tasks(), set(threading.enumerate())
    yield
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks
    left = {thread.name for thread in set(threading.enumerate()) - threads}
    assert {name for name in left if not name.startswith("asyncio_")} == set()


# ---- what is asked once ----------------------------------------------------------------------


async def test_history_is_a_frame_of_real_bars(feed: FeedProcess) -> None:
    async with FeedClient(feed.url) as client:
        history = await client.history("AAPL", limit=1000)
    assert (history.symbol, history.interval, len(history)) == ("AAPL", "1d", 1000)
    frame = history.to_pandas()
    assert list(frame.columns) == ["open", "high", "low", "close", "volume", "final"]
    assert len(frame) == 1000
    assert frame.index.is_monotonic_increasing
    assert str(frame.index.dtype).endswith("UTC]")
    bar = frame.loc[pd.Timestamp("2012-05-31", tz="UTC")]
    assert (bar["open"], bar["close"], bar["volume"]) == (580.74, 577.73, 17559800)


async def test_history_can_be_asked_for_by_time_and_with_indicators(feed: FeedProcess) -> None:
    async with FeedClient(feed.url) as client:
        history = await client.history(
            "AAPL",
            start="2012-05-01",
            end=pd.Timestamp("2012-05-31", tz="UTC"),
            indicators=["SMA(5)", "BBANDS(20,2,2)"],
        )
    frame = history.to_pandas()
    assert frame.index[0] == pd.Timestamp("2012-05-01", tz="UTC")
    assert frame.index[-1] == pd.Timestamp("2012-05-31", tz="UTC")
    mean = frame["close"].rolling(5).mean()
    assert frame["SMA(5)"].iloc[-1] == pytest.approx(mean.iloc[-1])
    assert "BBANDS(20,2,2,0).upperband" in frame


async def test_a_snapshot_is_the_last_values(feed: FeedProcess) -> None:
    async with FeedClient(feed.url) as client:
        assert list(await client.snapshot("IBM")) == ["IBM"]
        frame = (await client.snapshot()).to_pandas()
        assert sorted(frame.index) == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
        assert len(await client.symbols()) == 5
        assert [info.symbol for info in await client.search("apple")] == ["AAPL"]


async def test_an_unknown_symbol_is_told(feed: FeedProcess) -> None:
    async with FeedClient(feed.url) as client:
        with pytest.raises(FeedError, match="NOPE"):
            await client.history("NOPE")
        with pytest.raises(FeedError, match="NOPE"):
            await anext(client.quotes("NOPE"))


async def test_one_unknown_symbol_does_not_keep_the_others(feed: FeedProcess) -> None:
    async with FeedClient(feed.url) as client, asyncio.timeout(20):
        quotes = client.quotes("AAPL", "NOPE")
        with pytest.raises(FeedError, match="NOPE"):
            await anext(quotes)
        assert (await anext(quotes)).symbol == "AAPL"


async def test_no_feed_is_told_with_what_to_do() -> None:
    async with FeedClient(f"http://127.0.0.1:{free_port()}") as client:
        with pytest.raises(FeedUnavailableError, match="make run"):
            await client.history("AAPL")
        for _ in range(2):
            with pytest.raises(FeedUnavailableError, match="make run") as told:
                await anext(client.quotes("AAPL"))
            assert str(told.value).count("make run") == 1


@pytest.mark.parametrize("mode", ["websocket", "polling"])
async def test_no_feed_is_told_by_each_way(mode: Mode) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with FeedClient(url, mode=mode) as client, asyncio.timeout(20):
        with pytest.raises(FeedUnavailableError, match="make run"):
            await anext(client.quotes("AAPL"))


# ---- streams ---------------------------------------------------------------------------------


async def test_quotes_stream_and_each_is_newer(feed: FeedProcess) -> None:
    async with leaving_nothing(), FeedClient(feed.url) as client, asyncio.timeout(30):
        quotes = [quote async for quote in client.quotes("AAPL", "IBM", limit=10)]
    for symbol in ("AAPL", "IBM"):
        times = [quote.time_ms for quote in quotes if quote.symbol == symbol]
        assert times == sorted(times)
        assert times


@pytest.mark.parametrize("mode", ["websocket", "polling"])
async def test_quotes_stream_by_each_way(busy: FeedProcess, mode: Mode) -> None:
    client = FeedClient(busy.url, mode=mode, poll_ms=100)
    async with leaving_nothing(), asyncio.timeout(30), client:
        symbol = (await client.symbols())[0].symbol
        quotes = [quote async for quote in client.quotes(symbol, limit=5)]
        assert client.state.way == mode
    times = [quote.time_ms for quote in quotes]
    assert times == sorted(times)


async def test_trades_stream_in_order(busy: FeedProcess) -> None:
    async with leaving_nothing(), FeedClient(busy.url) as client, asyncio.timeout(30):
        symbols = [info.symbol for info in (await client.symbols())[:3]]
        trades = [trade async for trade in client.trades(*symbols, limit=50)]
    assert all(isinstance(trade, Trade) for trade in trades)
    for symbol in symbols:
        offsets = [trade.offset for trade in trades if trade.symbol == symbol]
        assert offsets == sorted(set(offsets))


async def test_bars_form_and_become_final_with_their_indicators(busy: FeedProcess) -> None:
    async with leaving_nothing(), FeedClient(busy.url) as client, asyncio.timeout(60):
        symbol = (await client.symbols())[0].symbol
        finals: list[Bar] = []
        async with client.bars(symbol, "1s", indicators=["SMA(2)"]) as bars:
            async for bar in bars:
                assert (bar.symbol, bar.interval) == (symbol, "1s")
                if bar.final:
                    finals.append(bar)
                if len(finals) == 3:
                    break
        history = await client.history(symbol, "1s", limit=100)
    starts = [bar.start_ms for bar in finals]
    assert starts == sorted(set(starts))
    frame = history.to_pandas()
    # The first may lack trades from before the symbol was wanted, which history has.
    for bar in finals[1:]:
        row = frame.loc[pd.Timestamp(bar.start_ms, unit="ms", tz="UTC")]
        assert (row["open"], row["close"], row["volume"]) == (bar.open, bar.close, bar.volume)
        assert list(bar.indicators) == ["SMA(2)"]


async def test_streams_share_one_connection(feed: FeedProcess) -> None:
    async with leaving_nothing(), FeedClient(feed.url) as client, asyncio.timeout(30):
        streams = [client.quotes("AAPL"), client.quotes("IBM"), client.quotes("AAPL", "IBM")]
        quotes = await asyncio.gather(*(anext(stream) for stream in streams))
        assert [quote.symbol for quote in quotes[:2]] == ["AAPL", "IBM"]
        assert len(connections(feed.port)) == 2


def connections(port: int) -> list[str]:
    """Return our own connections to a feed: a WebSocket, and one for requests."""
    with open("/proc/self/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    return [row[1] for row in rows if row[2].endswith(f":{port:04X}") and row[3] == "01"]


async def test_a_second_stream_begins_with_what_is_known(feed: FeedProcess) -> None:
    async with FeedClient(feed.url) as client, asyncio.timeout(30):
        first = client.quotes("AAPL")
        held = await anext(first)
        second = asyncio.create_task(_first(client))
        for _ in range(3):  # no turn of the loop is for a message to come
            await asyncio.sleep(0)
        assert second.done()
        quote = second.result()
        assert quote is not None
        assert quote.time_ms >= held.time_ms


async def test_a_reader_that_leaves_its_quotes_leaves_no_task_behind(feed: FeedProcess) -> None:
    async with leaving_nothing(), FeedClient(feed.url) as client:
        quotes = client.quotes("AAPL")
        await anext(quotes)
        await quotes.aclose()
        async for _ in client.quotes("AAPL"):
            break


async def test_a_reader_that_is_cancelled_leaves_no_task_behind(feed: FeedProcess) -> None:
    async with leaving_nothing(), FeedClient(feed.url) as client:

        async def read() -> None:
            async for _ in client.quotes("AAPL", "IBM"):
                pass

        reader = asyncio.create_task(read())
        await until(lambda: asyncio.sleep(0, client.state.state == "live"))
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader


@pytest.mark.parametrize("turns", [0, 1, 3, 6, 10, 20, 50])
async def test_a_client_that_is_left_while_it_connects_leaves_nothing_behind(
    feed: FeedProcess, turns: int
) -> None:
    async with leaving_nothing():
        async with FeedClient(feed.url) as client:
            reader = asyncio.create_task(_first(client))
            for _ in range(turns):
                await asyncio.sleep(0)
        await asyncio.wait([reader])
        assert isinstance(reader.exception(), (FeedError, StopAsyncIteration, type(None)))


async def _first(client: FeedClient) -> Quote | None:
    async for quote in client.quotes("AAPL"):
        return quote
    return None


async def test_streams_end_with_their_client(feed: FeedProcess) -> None:
    async with FeedClient(feed.url) as client:
        quotes = client.quotes("AAPL")
        await anext(quotes)
    with pytest.raises(StopAsyncIteration):
        await anext(quotes)
    with pytest.raises(FeedError, match="closed"):
        await anext(client.quotes("AAPL"))
    with pytest.raises(FeedError, match="closed"):
        await client.history("AAPL")


async def test_a_client_belongs_to_one_loop(feed: FeedProcess) -> None:
    async with FeedClient(feed.url) as client:
        await client.symbols()

        def elsewhere() -> None:
            asyncio.run(client.symbols())

        with pytest.raises(FeedError, match="another event loop"):
            await asyncio.to_thread(elsewhere)


async def test_clients_in_two_loops_do_not_know_of_each_other(feed: FeedProcess) -> None:
    async def read() -> list[Quote]:
        async with FeedClient(feed.url) as client:
            return [quote async for quote in client.quotes("AAPL", limit=5)]

    ours, theirs = await asyncio.gather(read(), asyncio.to_thread(lambda: asyncio.run(read())))
    assert len(ours) == len(theirs) == 5


# ---- outages ---------------------------------------------------------------------------------


async def test_quotes_go_on_after_the_feed_was_killed_and_started_again() -> None:
    states: list[StateChanged] = []
    with FeedProcess() as feed:
        async with leaving_nothing(), FeedClient(feed.url) as client:
            client.on_state(states.append)
            quotes = client.quotes("AAPL")
            before = await anext(quotes)
            await asyncio.to_thread(feed.kill)
            await asyncio.to_thread(feed.start)
            async with asyncio.timeout(30):
                after = await anext(quotes)
                while after.received_ms < before.received_ms + 1000:
                    after = await anext(quotes)
            await quotes.aclose()
    assert after.symbol == "AAPL"
    told = [state.state for state in states]
    assert told[:2] == ["connecting", "live"]
    assert "offline" in told
    assert all(state.reason for state in states)


async def test_it_polls_while_the_websocket_is_refused_and_returns_to_it(
    busy: FeedProcess,
) -> None:
    gate = Gate(busy.port, refuses_websockets=True)
    async with leaving_nothing(), raw_server(gate.serve) as port:
        url = f"http://127.0.0.1:{port}"
        async with FeedClient(url, poll_ms=200) as client, asyncio.timeout(60):
            symbol = (await client.symbols())[0].symbol
            quotes = client.quotes(symbol, keep="every")
            began_s = time.monotonic()
            times = [(await anext(quotes)).time_ms for _ in range(3)]
            assert time.monotonic() - began_s < 15
            assert (client.state.state, client.state.way) == ("polling", "polling")
            gate.refuses_websockets = False
            while client.state.way == "polling":
                times.append((await anext(quotes)).time_ms)
            times += [(await anext(quotes)).time_ms for _ in range(3)]
            assert (client.state.state, client.state.way) == ("live", "websocket")
            await quotes.aclose()
    assert times == sorted(times)


@dataclass
class Gate:
    """Passes connections on to a feed, except for WebSockets where it is told so."""

    target: int
    refuses_websockets: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if self.refuses_websockets and b"/ws" in head.split(b"\r\n")[0]:
            return
        theirs, ours = await asyncio.open_connection("127.0.0.1", self.target)
        ours.write(head)
        try:
            await asyncio.gather(_pipe(reader, ours), _pipe(theirs, writer))
        finally:
            ours.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


# ---- code that is not asynchronous -----------------------------------------------------------


def test_the_blocking_client_does_the_same(feed: FeedProcess) -> None:
    threads = threading.active_count()
    with blocking.FeedClient(feed.url) as client:
        assert len(client.history("AAPL", limit=5).to_pandas()) == 5
        assert list(client.snapshot("IBM")) == ["IBM"]
        assert len(client.symbols()) == 5
        assert client.search("apple")[0].symbol == "AAPL"
        assert [quote.symbol for quote in client.quotes("AAPL", limit=3)] == ["AAPL"] * 3
        assert next(client.bars("AAPL", "1d")).symbol == "AAPL"
        assert next(client.trades("AAPL", "IBM")).symbol in ("AAPL", "IBM")
        assert client.state.state == "live"
        with client.quotes("IBM") as quotes:
            assert next(quotes).symbol == "IBM"
        assert list(quotes) == []
        with pytest.raises(FeedError, match="NOPE"):
            next(client.quotes("NOPE"))
        left = client.quotes("AAPL")
        next(left)
    assert threading.active_count() == threads
    with pytest.raises(FeedError, match="closed"):
        client.symbols()
    with pytest.raises(FeedError, match="closed"):
        next(left)
    client.close()


async def test_the_blocking_client_works_where_a_loop_runs(feed: FeedProcess) -> None:
    with blocking.FeedClient(feed.url) as client:
        assert next(client.quotes("AAPL")).symbol == "AAPL"


def test_a_blocking_client_that_nobody_holds_ends(feed: FeedProcess) -> None:
    threads = threading.active_count()
    assert next(blocking.FeedClient(feed.url).quotes("AAPL")).symbol == "AAPL"
    assert threading.active_count() == threads


def test_a_blocking_reader_hears_of_the_end_that_another_thread_makes(feed: FeedProcess) -> None:
    client = blocking.FeedClient(feed.url)
    quotes = client.quotes("AAPL", max_hz=0.1)
    next(quotes)
    ended: list[BaseException | None] = []

    def read() -> None:
        try:
            for _ in quotes:
                pass
        except FeedError as error:
            ended.append(error)
        else:
            ended.append(None)

    reader = threading.Thread(target=read)
    reader.start()
    client.close()
    reader.join(10)
    assert not reader.is_alive()
    assert len(ended) == 1


def test_a_blocking_client_does_not_wait_for_itself(feed: FeedProcess) -> None:
    told: list[str] = []
    with blocking.FeedClient(feed.url) as client:

        def ask(_state: StateChanged) -> None:
            try:
                client.symbols()
            except FeedError as error:
                told.append(str(error))

        client.on_state(ask)
        next(client.quotes("AAPL"))
    assert told
    assert "for ever" in told[0]
