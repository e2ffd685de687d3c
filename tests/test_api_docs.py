"""The descriptions for programs are whole, well-formed and follow the code."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias, cast, get_args

import msgspec
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from feed_server import protocol
from feed_server.gateway.api_docs.asyncapi import asyncapi
from feed_server.gateway.api_docs.endpoints import endpoints
from feed_server.gateway.api_docs.openapi import openapi
from feed_server.gateway.api_docs.schemas import split_docstring
from feed_server.gateway.routes import HANDLERS
from feed_server.protocol import ClientMessage, CloseCode, ErrorCode, ServerMessage, encode
from feed_server.settings import FeedSettings
from tests import pem

Json: TypeAlias = dict[str, "Node"]
Node: TypeAlias = "Json | list[Node] | str | int | float | bool | None"

STRUCTS = [
    kind
    for kind in vars(protocol).values()
    if inspect.isclass(kind) and issubclass(kind, msgspec.Struct)
]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FeedSettings.model_fields:
        monkeypatch.delenv(f"QUOTEWIRE_{name.upper()}", raising=False)


def served(make: Callable[[FeedSettings], Mapping[str, object]], **settings: object) -> Json:
    """Return a document as a client gets it."""
    return cast(Json, msgspec.json.decode(encode(make(FeedSettings.model_validate(settings)))))


def at(document: Node, *path: str | int) -> Node:
    for step in path:
        document = cast(Json, document)[cast(str, step)]
    return document


def record(document: Node, *path: str) -> Json:
    found = at(document, *path)
    assert isinstance(found, dict)
    return found


def both(**settings: object) -> list[Json]:
    return [served(openapi, **settings), served(asyncapi, **settings)]


def references(node: Node) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(found := node.get("$ref"), str):
            yield found
        for below in node.values():
            yield from references(below)
    elif isinstance(node, list):
        for below in node:
            yield from references(below)


def test_openapi_is_well_formed() -> None:
    OpenAPIV31SpecValidator(served(openapi)).validate()


def test_openapi_is_well_formed_where_tokens_are_asked_for() -> None:
    document = served(openapi, jwt_secret=pem.SECRET)
    OpenAPIV31SpecValidator(document).validate()


def test_every_route_is_described_and_nothing_else() -> None:
    assert set(record(served(openapi), "paths")) == HANDLERS.keys() - {"/ws", ".*"}


def test_asyncapi_has_what_its_version_asks_for() -> None:
    document = served(asyncapi)
    assert document["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= record(document, "info").keys()
    for server in record(document, "servers").values():
        assert {"host", "protocol"} <= cast(Json, server).keys()
    for name, channel in record(document, "channels").items():
        assert cast(Json, channel)["address"] in HANDLERS, name
    for name, operation in record(document, "operations").items():
        assert cast(Json, operation)["action"] in ("send", "receive"), name
        assert at(operation, "channel", "$ref") in ("#/channels/socket", "#/channels/events")


@pytest.mark.parametrize("document", both(), ids=["openapi", "asyncapi"])
def test_every_reference_leads_somewhere(document: Json) -> None:
    found = set(references(document))
    assert found
    for reference in found:
        at(document, *reference.removeprefix("#/").split("/"))


@pytest.mark.parametrize("document", both(), ids=["openapi", "asyncapi"])
def test_every_schema_is_one(document: Json) -> None:
    for name in record(document, "components", "schemas"):
        Draft202012Validator.check_schema(record(document, "components", "schemas", name))


@pytest.mark.parametrize(
    ("messages", "action", "verb"),
    [(ClientMessage, "receive", "receive"), (ServerMessage, "send", "send")],
)
def test_every_message_is_described(messages: object, action: str, verb: str) -> None:
    document = served(asyncapi)
    for kind in get_args(messages):
        tag = kind.__struct_config__.tag
        operation = record(document, "operations", f"{verb}{kind.__name__}")
        assert operation["action"] == action
        assert operation["messages"] == [{"$ref": f"#/channels/socket/messages/{tag}"}]
        assert at(document, "channels", "socket", "messages", tag, "$ref") == (
            f"#/components/messages/{tag}"
        )
        payload = at(document, "components", "messages", tag, "payload", "$ref")
        assert payload == f"#/components/schemas/{kind.__name__}"


def test_no_other_message_is_described() -> None:
    described = record(served(asyncapi), "components", "messages")
    assert len(described) == len(get_args(ClientMessage)) + len(get_args(ServerMessage))


def test_all_codes_are_described_with_what_belongs_to_them() -> None:
    document = served(asyncapi)
    errors = at(document, "components", "schemas", "ErrorCode", "x-codes")
    assert [code["number"] for code in cast(list[Json], errors)] == [e.number for e in ErrorCode]
    closes = at(document, "channels", "socket", "x-close-codes")
    assert [code["number"] for code in cast(list[Json], closes)] == [c.number for c in CloseCode]


def test_an_error_is_described_at_its_status() -> None:
    for path, endpoint in endpoints(FeedSettings()).items():
        responses = record(served(openapi), "paths", path, "get", "responses")
        for code in endpoint.errors:
            if code is not ErrorCode.FORBIDDEN or endpoint.may_forbid:
                assert f"`{code}`" in str(at(responses, str(code.http_status), "description"))


def test_limits_are_those_of_the_settings() -> None:
    http, live = both(max_symbols=7, max_hz=3, feed_port=4321)
    quotes = cast(list[Json], at(http, "paths", "/api/quotes", "get", "parameters"))
    assert at(quotes[0], "schema", "maxItems") == 7
    assert at(live, "channels", "socket", "x-limits", "max_hz", "value") == 3
    address = at(live, "servers", "websocket", "variables", "address", "default")
    assert address == "127.0.0.1:4321"


def test_tokens_are_asked_for_where_the_gateway_does() -> None:
    free = record(served(openapi), "paths")
    guarded = record(served(openapi, jwt_secret=pem.SECRET), "paths")
    assert at(free, "/api/quotes", "get", "security") == []
    assert at(guarded, "/api/quotes", "get", "security") == [{"bearer": []}]
    assert "401" in record(guarded, "/api/quotes", "get", "responses")
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json", "/asyncapi.json"):
        assert at(guarded, path, "get", "security") == []


def test_no_secret_is_in_a_description() -> None:
    for document in both(jwt_secret=pem.SECRET):
        assert pem.SECRET not in encode(document).decode()


@pytest.mark.parametrize("kind", STRUCTS, ids=lambda kind: kind.__name__)
def test_a_docstring_tells_of_fields_that_are_there(kind: type[msgspec.Struct]) -> None:
    summary, attributes = split_docstring(kind.__doc__ or "")
    assert summary
    assert not attributes or list(attributes) == list(kind.__struct_fields__)


def test_a_row_is_described_element_by_element() -> None:
    schemas = record(served(asyncapi), "components", "schemas")
    items = cast(list[Json], at(schemas, "TradeRow", "prefixItems"))
    assert [item["title"] for item in items] == [
        "symbol",
        "price",
        "size",
        "event_delta_ms",
        "received_delta_ms",
        "offset",
    ]
    assert items[2]["description"] == "Shares or units; 0 where the source knows none."


def test_a_docstring_is_split_where_its_attributes_begin() -> None:
    docstring = """One line.

    Attributes:
        a: First,
            and more of it.
        b: Second: with a colon.

    Raises:
        ValueError: Never.
    """
    assert split_docstring(docstring) == (
        "One line.",
        {"a": "First, and more of it.", "b": "Second: with a colon."},
    )
