"""The document ``/asyncapi.json``. Pure."""

from collections.abc import Mapping
from typing import TypeAlias, get_args

from msgspec import Struct

from feed_server.gateway.api_docs.endpoints import Parameter, endpoints
from feed_server.gateway.api_docs.schemas import Json, close_codes, components, ref, split_docstring
from feed_server.protocol import (
    PROTOCOL_VERSION,
    Auth,
    Authenticated,
    ClientMessage,
    Error,
    List,
    Listed,
    Ping,
    Pong,
    ServerMessage,
    Subscribe,
    Subscribed,
    Unsubscribe,
    Unsubscribed,
)
from feed_server.settings import FeedSettings

DESCRIPTION = """\
Live market data of a Quotewire feed server. The gateway *receives* commands and *sends* all else.
Times are UTC epoch milliseconds. Unknown types and fields are to be ignored, and further elements
at the end of an array as well.

Payloads are JSON Schemas of the version 2020-12, in which `prefixItems` tells the elements of a
row. Tools that know no more than draft 07 see an array there.
"""
Kind: TypeAlias = type[Struct]

CLIENT_MESSAGES: tuple[Kind, ...] = get_args(ClientMessage)
SERVER_MESSAGES: tuple[Kind, ...] = get_args(ServerMessage)
ANSWERS: Mapping[Kind, Kind] = {
    Auth: Authenticated,
    Subscribe: Subscribed,
    Unsubscribe: Unsubscribed,
    List: Listed,
    Ping: Pong,
}
"""By command what answers it, where it is no `Error`."""

STREAMED = tuple(
    kind for kind in SERVER_MESSAGES if kind is Subscribed or kind not in ANSWERS.values()
)
"""What goes over an event stream: all but answers to commands that cannot be sent there."""

SOCKET, EVENTS = "socket", "events"
LIMITS = (
    "max_hz",
    "max_symbols",
    "max_message_bytes",
    "max_commands_per_s",
    "heartbeat_ms",
    "stall_timeout_ms",
    "auth_timeout_ms",
    "auth_grace_ms",
    "shutdown_spread_ms",
)
"""The settings that a client may meet."""


def asyncapi(settings: FeedSettings) -> Json:
    """Return the document."""
    stream = endpoints(settings)["/api/stream"]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Quotewire feed",
            "version": str(PROTOCOL_VERSION),
            "description": DESCRIPTION,
        },
        "defaultContentType": "application/json",
        "servers": _servers(settings),
        "channels": {
            SOCKET: {
                "address": "/ws",
                "title": "WebSocket",
                "description": "Begins with `welcome` and `status`. " + _about_tokens(settings),
                "servers": [{"$ref": "#/servers/websocket"}],
                "messages": _channel_messages((*CLIENT_MESSAGES, *SERVER_MESSAGES)),
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
                "x-close-codes": close_codes(),
                "x-limits": _limits(settings),
            },
            EVENTS: {
                "address": "/api/stream",
                "title": "Server-Sent Events",
                "description": stream.summary,
                "servers": [{"$ref": "#/servers/http"}],
                "messages": _channel_messages(STREAMED),
            },
        },
        "operations": {
            **{f"receive{kind.__name__}": _receive(kind) for kind in CLIENT_MESSAGES},
            **{f"send{kind.__name__}": _send(SOCKET, (kind,)) for kind in SERVER_MESSAGES},
            "stream": _send(EVENTS, STREAMED) | _query(stream.parameters),
        },
        "components": {
            "schemas": components((*CLIENT_MESSAGES, *SERVER_MESSAGES)),
            "messages": {
                _tag(kind): _message(kind) for kind in (*CLIENT_MESSAGES, *SERVER_MESSAGES)
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


def _servers(settings: FeedSettings) -> Json:
    address: Json = {
        "default": f"{settings.host}:{settings.feed_port}",
        "description": "Host and port as clients see them.",
    }
    asks_tokens = settings.verifying_key is not None
    secured: Json = {"security": [{"$ref": "#/components/securitySchemes/bearer"}]}
    common: Json = {"host": "{address}", "variables": {"address": address}}
    return {
        "websocket": common
        | {"protocol": "ws", "description": "`wss` behind a proxy that ends TLS."},
        "http": common
        | {"protocol": "http", "description": "`https` behind a proxy that ends TLS."}
        | (secured if asks_tokens else {}),
    }


def _about_tokens(settings: FeedSettings) -> str:
    if settings.verifying_key is None:
        return "This gateway asks for no token."
    return (
        "This gateway asks for a token: the client's first message is `auth`, within "
        f"{settings.auth_timeout_ms} ms."
    )


def _limits(settings: FeedSettings) -> Json:
    return {
        name: {
            "value": getattr(settings, name),
            "description": FeedSettings.model_fields[name].description,
        }
        for name in LIMITS
    }


def _tag(kind: Kind) -> str:
    return str(kind.__struct_config__.tag)


def _channel_messages(kinds: tuple[Kind, ...]) -> Json:
    return {_tag(kind): {"$ref": f"#/components/messages/{_tag(kind)}"} for kind in kinds}


def _message(kind: Kind) -> Json:
    summary, _ = split_docstring(kind.__doc__ or "")
    message: Json = {"name": _tag(kind), "title": kind.__name__, "summary": summary}
    if kind in ANSWERS or kind in ANSWERS.values() or kind is Error:
        message["correlationId"] = {
            "location": "$message.payload#/id",
            "description": "An answer has the number of its command.",
        }
    return message | {"payload": ref(kind)}


def _send(channel: str, kinds: tuple[Kind, ...]) -> Json:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": _messages(channel, kinds),
    }


def _receive(kind: Kind) -> Json:
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{SOCKET}"},
        "messages": _messages(SOCKET, (kind,)),
        "reply": {
            "channel": {"$ref": f"#/channels/{SOCKET}"},
            "messages": _messages(SOCKET, (ANSWERS[kind], Error)),
        },
    }


def _messages(channel: str, kinds: tuple[Kind, ...]) -> list[Json]:
    return [{"$ref": f"#/channels/{channel}/messages/{_tag(kind)}"} for kind in kinds]


def _query(parameters: tuple[Parameter, ...]) -> Json:
    """Return how a stream is asked for: what OpenAPI says of the same path."""
    query: Json = {
        "type": "object",
        "properties": {
            parameter.name: parameter.schema | {"description": parameter.description}
            for parameter in parameters
        },
    }
    return {"bindings": {"http": {"method": "GET", "query": query, "bindingVersion": "0.3.0"}}}
