"""What is described is what a running server does, and the other way round."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, get_args

import httpx
import jwt
import pytest
from jsonschema import Draft202012Validator
from tornado.web import RequestHandler
from tornado.websocket import WebSocketClientConnection, websocket_connect

from feed_server.app import Role, serve
from feed_server.bus.embedded import EmbeddedValkey
from feed_server.protocol import Interval, ServerMessage
from feed_server.settings import FeedSettings
from tests import pem
from tests.harness import FeedProcess, free_port, until

pytestmark = pytest.mark.integration

Json = dict[str, Any]

ALL = {str(kind.__struct_config__.tag) for kind in get_args(ServerMessage)}
COMMANDS: tuple[Json, ...] = (
    {"type": "auth", "id": 1, "token": "not asked for here"},
    {"type": "subscribe", "id": 2, "channel": "quotes", "symbols": ["AAPL", "IBM", "NOPE"]},
    {"type": "subscribe", "id": 3, "channel": "trades", "symbols": ["AAPL"], "max_hz": 5},
    {
        "type": "subscribe",
        "id": 4,
        "channel": "trades",
        "symbols": ["IBM"],
        "since": {"IBM": ["", 0]},
    },
    {"type": "subscribe", "id": 5, "channel": "bars", "symbols": ["AAPL"], "interval": "1d"},
    {"type": "list", "id": 6},
    {"type": "ping", "id": 7},
    {"type": "unsubscribe", "id": 8, "channel": "quotes", "symbols": ["IBM"]},
    {"type": "subscribe", "id": 9, "channel": "bars", "symbols": ["AAPL"]},
)


OF_USERS = {"/api/settings"}
"""What is told only to who shows a token."""


@pytest.fixture(scope="module")
def guarded() -> Iterator[FeedProcess]:
    """A feed server that asks for tokens."""
    with FeedProcess({"jwt_secret": pem.SECRET}, token=token()) as process:
        yield process


def token(**claims: object) -> str:
    return jwt.encode({"sub": "ann", "exp": time.time() + 600, **claims}, pem.SECRET, "HS256")


def bearer(**claims: object) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(**claims)}"}


def described(feed: FeedProcess, name: str) -> Json:
    document: Json = httpx.get(f"{feed.url}/{name}.json").raise_for_status().json()
    return document


def closed(schema: Any) -> Any:
    """Return a schema that takes no field that it does not describe."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: closed(part) for name, part in schema.items()}
    return strict | {"unevaluatedProperties": False} if "properties" in schema else strict


def check(value: object, schema: Json, document: Json) -> None:
    whole = {**closed(schema), "components": closed(document["components"])}
    Draft202012Validator(whole).validate(value)


def check_answer(answer: httpx.Response, document: Json) -> None:
    """Compare an answer with what is described for its path and status."""
    responses = document["paths"][answer.url.path]["get"]["responses"]
    response = responses[str(answer.status_code)]
    for name, header in response.get("headers", {}).items():
        if name in answer.headers or header.get("required"):
            number = header["schema"].get("type") == "integer"
            value = answer.headers[name]
            check(int(value) if number else value, header["schema"], document)
    content = response.get("content")
    if content is None:
        assert not answer.content
        return
    asked = answer.url.params.get("format", "")
    # The first is what is answered to who does not ask for another.
    media, described_as = next(
        ((m, s) for m, s in content.items() if asked in ("csv", "parquet") and asked in m),
        next(iter(content.items())),
    )
    assert answer.headers["Content-Type"].startswith(media)
    value = answer.json() if media == "application/json" else answer.text
    check(value, described_as["schema"], document)


def get(feed: FeedProcess, path: str, query: Mapping[str, str], **headers: str) -> httpx.Response:
    """Return an answer; of one that does not end, its beginning."""
    url = f"{feed.url}{path}"
    with httpx.stream("GET", url, params=query, headers=headers, timeout=5) as answer:
        if answer.headers["Content-Type"].startswith("text/event-stream"):
            text = next(answer.iter_text())
            answer._content = text.encode()
        else:
            answer.read()
    return answer


def parameters(document: Json, path: str) -> list[Json]:
    found = document["paths"][path]["get"]["parameters"]
    return [parameter for parameter in found if parameter["in"] == "query"]


def schema_of(parameter: Json, document: Json) -> Json:
    schema: Json = dict(parameter["schema"])
    name = schema.pop("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"][name] | schema if name else schema


def right_values(schema: Json) -> list[str]:
    match schema:
        case {"enum": list(values)} | {"examples": list(values)}:
            return [str(value) for value in values]
        case {"minimum": low, "maximum": high}:
            return [str(low), str(high)]
        case {"type": "number"}:
            return ["0", "0.5", "1000"]
        case {"type": "array", "items": {"pattern": _}}:
            return ["", "AAPL:4a19ab36:17", "AAPL::0,IBM:4a19ab36:17"]
        case {"type": "array"}:
            return ["AAPL", "AAPL,IBM", *([] if "minItems" in schema else [""])]
        case {"pattern": _} | {"maxLength": _}:
            return ["AAPL", "aapl"]
    return ["", "anything"]


def wrong_values(schema: Json) -> list[str]:
    match schema:
        case {"enum": _} | {"examples": _}:
            return ["nonsense"]
        case {"minimum": low, "maximum": high}:
            return [str(low - 1), str(high + 1), "1.5", "x", ""]
        case {"type": "number"}:
            return ["x", ""]
        case {"type": "array", "items": {"pattern": _}}:
            return ["AAPL", "AAPL:17", "AAPL:4a19ab36:x", f"AAPL:4a19ab36:{'9' * 5_000}"]
        case {"type": "array", "minItems": 1}:
            return ["", ",", "NOPE", ",".join(map(str, range(1001)))]
        case {"pattern": _} | {"maxLength": _}:
            return ["", "x" * 65, *(["NOPE", "%"] if "pattern" in schema else [])]
    return []


def needed(document: Json, path: str) -> dict[str, str]:
    return {p["name"]: "AAPL" for p in parameters(document, path) if p["required"]}


GO_TOGETHER = {
    ("/api/stream", "bars"): {"interval": "1d"},
    **{("/api/stream", interval.value): {"channel": "bars"} for interval in Interval},
    ("/api/stream", "SMA(20)"): {"channel": "bars", "interval": "1d"},
    ("/api/stream", "SMA(20),BBANDS(20,2,2)"): {"channel": "bars", "interval": "1d"},
}
"""What else a value of a path's parameter needs."""


@pytest.mark.parametrize("name", ["openapi", "asyncapi"])
def test_descriptions_are_there_without_a_token(guarded: FeedProcess, name: str) -> None:
    first = httpx.get(f"{guarded.url}/{name}.json")
    assert first.json()[name].startswith("3.")
    again = httpx.get(first.url, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_every_path_answers_as_described(guarded: FeedProcess) -> None:
    document = described(guarded, "openapi")
    for path in document["paths"]:
        answer = get(guarded, path, needed(document, path), **bearer())
        assert answer.status_code == 200, path
        check_answer(answer, document)


def test_without_tokens_only_what_is_a_users_is_refused(feed: FeedProcess) -> None:
    document = described(feed, "openapi")
    for path in document["paths"]:
        answer = get(feed, path, needed(document, path))
        assert answer.status_code == (403 if path in OF_USERS else 200), path
        check_answer(answer, document)


def test_every_value_of_a_parameter_that_is_described_is_taken(feed: FeedProcess) -> None:
    document = described(feed, "openapi")
    for path in document["paths"]:
        for parameter in parameters(document, path):
            for value in right_values(schema_of(parameter, document)):
                query = {**needed(document, path), **GO_TOGETHER.get((path, value), {})}
                answer = get(feed, path, query | {parameter["name"]: value})
                assert answer.status_code == 200, (path, query)
                check_answer(answer, document)


def test_every_other_value_is_refused_as_described(feed: FeedProcess) -> None:
    document = described(feed, "openapi")
    tried = 0
    for path in document["paths"]:
        for parameter in parameters(document, path):
            for value in wrong_values(schema_of(parameter, document)):
                query = {**needed(document, path), parameter["name"]: value}
                answer = get(feed, path, query)
                assert answer.status_code in (400, 404), (path, query)
                assert parameter["name"] in answer.json()["message"]
                check_answer(answer, document)
                tried += 1
    assert tried > 20


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/bars", 400),
        ("/api/trades", 400),
        ("/api/quotes?symbols=AAPL,NOPE", 404),
        ("/api/quotes?symbols=" + ",".join(map(str, range(1001))), 400),
        ("/api/quotes?symbols=%FF", 400),
    ],
)
def test_a_refusal_is_as_described(feed: FeedProcess, path: str, status: int) -> None:
    answer = httpx.get(f"{feed.url}{path}")
    assert answer.status_code == status
    check_answer(answer, described(feed, "openapi"))


def test_an_answer_without_change_is_as_described(feed: FeedProcess) -> None:
    url = f"{feed.url}/api/symbols"
    answer = httpx.get(url, headers={"If-None-Match": httpx.get(url).headers["ETag"]})
    assert answer.status_code == 304
    check_answer(answer, described(feed, "openapi"))


def test_who_may_not_is_told_so_as_described(guarded: FeedProcess) -> None:
    document = described(guarded, "openapi")
    for path, item in document["paths"].items():
        query = needed(document, path)
        for headers in ({}, {"Authorization": "Basic x"}, bearer(exp=time.time() - 60)):
            answer = get(guarded, path, query, **headers)
            assert answer.status_code == (401 if item["get"]["security"] else 200), path
            check_answer(answer, document)


@pytest.mark.parametrize(
    "path", ["/api/quotes", "/api/bars?symbol=AAPL", "/api/trades?symbol=AAPL"]
)
def test_what_a_token_does_not_allow_is_as_described(guarded: FeedProcess, path: str) -> None:
    answer = httpx.get(f"{guarded.url}{path}", headers=bearer(channels=[]))
    assert answer.status_code == 403
    check_answer(answer, described(guarded, "openapi"))


async def test_a_handler_reads_the_parameters_that_are_described(
    valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: dict[str, dict[str, str]] = {}
    get_query_argument = RequestHandler.get_query_argument

    def spy(self: RequestHandler, name: str, default: str, strip: bool = True) -> str:
        read.setdefault(self.request.path, {})[name] = default
        return get_query_argument(self, name, default, strip)

    monkeypatch.setattr(RequestHandler, "get_query_argument", spy)
    async with running(valkey.url) as http:
        document: Json = (await http.get("/openapi.json")).json()
        for path in document["paths"]:
            async with http.stream("GET", path, params=needed(document, path)) as answer:
                assert answer.is_success or path in OF_USERS
    for path in document["paths"]:
        told = {
            parameter["name"]: str(parameter["schema"].get("default", ""))
            for parameter in parameters(document, path)
        }
        assert read.get(path, {}) == told, path


@asynccontextmanager
async def running(redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A feed server in this process."""
    port = free_port()
    settings = FeedSettings.model_validate({"feed_port": port, "redis_url": redis_url})
    server = asyncio.create_task(serve(settings, Role.ALL))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:

        async def is_ready() -> bool:
            with suppress(httpx.TransportError):
                answer = await http.get("/api/quotes")
                return answer.is_success and bool(answer.json()["rows"])
            return False

        await until(is_ready)
        yield http
    server.cancel()
    with suppress(asyncio.CancelledError):
        await server


@asynccontextmanager
async def connected(feed: FeedProcess) -> AsyncIterator[WebSocketClientConnection]:
    socket = await websocket_connect(f"ws://127.0.0.1:{feed.port}/ws")
    try:
        yield socket
    finally:
        socket.close()


async def set_alert(feed: FeedProcess) -> None:
    alert = {"symbol": "AAPL", "condition": "price_above", "level": 1e9}
    async with httpx.AsyncClient() as http:
        (await http.post(f"{feed.url}/api/alerts", json=alert)).raise_for_status()


async def test_every_message_of_a_session_is_as_described() -> None:
    heard: Counter[str] = Counter()
    with FeedProcess({"heartbeat_ms": "300"}) as feed:
        document = described(feed, "asyncapi")
        messages = document["components"]["messages"]
        async with connected(feed) as socket:
            for command in COMMANDS:
                check(command, messages[command["type"]]["payload"], document)
                await socket.write_message(json.dumps(command))
            await set_alert(feed)
            async with asyncio.timeout(30):
                while text := await socket.read_message():
                    message = json.loads(text)
                    check(message, messages[message["type"]]["payload"], document)
                    heard[message["type"]] += 1
                    if heard.keys() == ALL - {"shutdown"} and heard.total() > 60:
                        assert feed.process is not None
                        feed.process.terminate()
    assert heard.keys() == ALL


def test_every_event_of_a_stream_is_as_described(feed: FeedProcess) -> None:
    document = described(feed, "asyncapi")
    events = document["channels"]["events"]["messages"]
    heard = set()
    query = {"symbols": "AAPL,IBM,NOPE"}
    with httpx.stream("GET", f"{feed.url}/api/stream", params=query, timeout=5) as answer:
        for line in answer.iter_lines():
            if line:
                message = json.loads(line.removeprefix("data: "))
                heard.add(message["type"])
                tag = events[message["type"]]["$ref"].rpartition("/")[2]
                check(message, document["components"]["messages"][tag]["payload"], document)
            if heard == {"welcome", "status", "subscribed", "quotes", "heartbeat"}:
                break
