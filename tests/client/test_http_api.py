"""Requests to a feed that answers well, badly, slowly or not at all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest

from dashboard.client import FeedAccessError, FeedError, FeedUnavailableError
from dashboard.client.credentials import Credentials, TokenSource, headers
from dashboard.client.http_api import HttpApi
from feed_server.protocol import ErrorCode
from tests.client.raw_server import raw_server
from tests.harness import free_port, until

Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]

SYMBOLS = b'{"symbols":[]}'


def response(body: bytes, status: str = "200 OK", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n\r\n".encode() + body


@asynccontextmanager
async def server(respond: Respond | bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Give the address of a server that answers in one way, and what it is asked."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        if isinstance(respond, bytes):
            writer.write(respond)
        else:
            await respond(writer)

    async with raw_server(serve) as port:
        yield f"http://127.0.0.1:{port}", asked


@asynccontextmanager
async def api(
    respond: Respond | bytes, token: TokenSource | None = None, timeout_s: float = 5
) -> AsyncIterator[tuple[HttpApi, list[bytes]]]:
    async with server(respond) as (url, asked):
        http = HttpApi(url, Credentials(token), timeout_s=timeout_s)
        try:
            yield http, asked
        finally:
            await http.aclose()


async def test_an_answer_is_decoded() -> None:
    async with api(response(SYMBOLS)) as (http, asked):
        assert (await http.symbols()).symbols == []
    assert asked[0].startswith(b"GET /api/symbols HTTP")


async def test_parameters_that_are_not_given_are_not_sent() -> None:
    async with api(response(b"{}")) as (http, asked):
        with pytest.raises(FeedError):
            await http.bars("BRK.B", "1d", start_ms=0, indicators=["SMA(20)", "RSI"])
    line = asked[0].split(b"\r\n")[0].decode()
    assert (
        line
        == "GET /api/bars?symbol=BRK.B&interval=1d&start=0&indicators=SMA%2820%29%2CRSI HTTP/1.1"
    )


async def test_a_refusal_has_the_code_and_the_words_of_the_feed() -> None:
    body = b'{"code":"unknown_symbol","message":"\'NOPE\': no such instrument"}'
    async with api(response(body, "404 Not Found")) as (http, _):
        with pytest.raises(FeedError, match="'NOPE'") as refused:
            await http.trades("NOPE")
    assert refused.value.code is ErrorCode.UNKNOWN_SYMBOL
    assert type(refused.value) is FeedError


async def test_a_refusal_names_what_python_has_and_lists_not_hundreds() -> None:
    """Who passes an answer on to a page has it as the feed says it."""
    words = "'NOPE': no such instrument; see /api/symbols, or find it by /api/search?q="
    body = msgspec.json.encode({"code": "unknown_symbol", "message": words})
    async with api(response(body, "404 Not Found")) as (http, _):
        with pytest.raises(FeedError, match=r"see feed\.symbols\(\), .* feed\.search\(text\)$"):
            await http.quotes(["NOPE"])
        with pytest.raises(FeedError, match=r"/api/search\?q=$"):
            await http.get("/api/quotes", symbols="NOPE")
    words = f"no indicator 'SMB', did you mean SMA?; there are Overlap: {'HT_TRENDLINE, ' * 100}"
    body = msgspec.json.encode({"code": "bad_parameter", "message": words})
    async with api(response(body, "400 Bad Request")) as (http, _):
        with pytest.raises(FeedError, match=r"did you mean SMA\?; /api/indicators") as refused:
            await http.bars("AAPL", "1d", indicators=["SMB"])
    assert "HT_TRENDLINE" not in str(refused.value)


async def test_a_refused_token_is_an_error_of_access() -> None:
    body = b'{"code":"auth_expired","message":"the token has expired"}'
    async with api(response(body, "401 Unauthorized"), token="old") as (http, _):
        with pytest.raises(FeedAccessError, match="expired"):
            await http.symbols()


@pytest.mark.parametrize(
    "answer",
    [
        response(b"<html>Log in to this network</html>"),
        response(b'{"symbols":[{"symbol":'),
        response(b'{"symbols":7}'),
        response(b"\xff\xfe\x00"),
        response(b'{"symbols":[{"symbol":"\xff"}]}'),
        response(b'{"more":' + b"[" * 100_000),
        response(b'{"code":"\xff"}', "502 Bad Gateway"),
        response(b""),
        response(b"<h1>Bad gateway</h1>", "502 Bad Gateway"),
        response(b"", "302 Found"),
        response(b"<h1>404: Not Found</h1>", "404 Not Found"),
    ],
)
async def test_an_answer_that_is_none_of_a_feed_is_told_with_the_address(answer: bytes) -> None:
    async with api(answer) as (http, _):
        with pytest.raises(FeedUnavailableError, match=r"/api/symbols .*as a feed does") as told:
            await http.symbols()
        assert http.url in str(told.value)


@pytest.mark.parametrize(
    "answer",
    [response(SYMBOLS[:-3], length=len(SYMBOLS)), b"", b"nonsense\r\n\r\n", response(b"")[:20]],
)
async def test_an_answer_that_breaks_off_is_none(answer: bytes) -> None:
    async with api(answer) as (http, _):
        with pytest.raises(FeedUnavailableError, match="make run"):
            await http.symbols()


async def test_no_feed_is_told_with_what_to_do() -> None:
    http = HttpApi(f"http://127.0.0.1:{free_port()}", Credentials(None))
    with pytest.raises(FeedUnavailableError, match="make run"):
        await http.status()
    await http.aclose()


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(response(b"", length=1000))
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def hang(writer: asyncio.StreamWriter) -> None:
    await writer.drain()
    await asyncio.sleep(30)


@pytest.mark.parametrize("respond", [drip, hang])
async def test_an_answer_that_takes_too_long_is_not_waited_for(respond: Respond) -> None:
    async with api(respond, timeout_s=0.3) as (http, _), asyncio.timeout(20):
        with pytest.raises(FeedUnavailableError):
            await http.symbols()


async def test_a_request_can_be_cancelled() -> None:
    async with api(hang) as (http, asked):
        request = asyncio.create_task(http.symbols())
        await until(lambda: asyncio.sleep(0, bool(asked)))
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request


@pytest.mark.parametrize("refused", ["second", "nothing"])
async def test_a_token_is_shown_until_it_is_refused(refused: str) -> None:
    tokens = iter(["first", "second", "third"])
    answers = [response(SYMBOLS), response(SYMBOLS)]
    if refused == "second":
        body = b'{"code":"auth_expired","message":"the token has expired"}'
        answers.insert(1, response(body, "401 Unauthorized"))

    async def token() -> str:
        await asyncio.sleep(0)
        return next(tokens)

    async def respond(writer: asyncio.StreamWriter) -> None:
        writer.write(answers.pop(0))

    async with api(respond, token=token) as (http, asked):
        await http.symbols()
        await http.symbols()
    shown = [text.split(b"Bearer ")[1].split(b"\r\n")[0] for text in asked]
    assert shown == [b"first", b"first", b"second"][: len(asked)]
    assert answers == []


async def test_a_function_that_gives_no_token_is_told() -> None:
    def token() -> str:
        raise OSError("the login server is away")

    async with api(response(SYMBOLS), token=token) as (http, asked):
        with pytest.raises(FeedAccessError, match="login server"):
            await http.symbols()
    assert asked == []


def test_a_token_is_not_shown_in_a_representation() -> None:
    assert "hunter2" not in repr(Credentials("hunter2"))
    assert Credentials(lambda: "hunter2").renewable
    assert not Credentials("hunter2").renewable


async def test_without_a_token_none_is_shown() -> None:
    assert headers(await Credentials(None).shown()) == {}


async def test_a_token_that_is_refused_many_times_is_renewed_once() -> None:
    given: list[str] = []

    async def token() -> str:
        await asyncio.sleep(0)
        given.append(f"t{len(given)}")
        return given[-1]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        good = b"Bearer t0\r" not in asked
        body = b'{"code":"auth_expired","message":"the token has expired"}'
        writer.write(response(SYMBOLS) if good else response(body, "401 Unauthorized"))

    async with raw_server(serve) as port:
        http = HttpApi(f"http://127.0.0.1:{port}", Credentials(token), timeout_s=5)
        await asyncio.gather(*(http.symbols() for _ in range(5)))
        await http.aclose()
    assert given == ["t0", "t1"]
