"""The document ``/openapi.json``. Pure."""

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

from feed_server.gateway.api_docs.endpoints import (
    FILES,
    JSON,
    TOKEN_ERRORS,
    Endpoint,
    Parameter,
    endpoints,
)
from feed_server.gateway.api_docs.schemas import Json, components, error_codes, ref
from feed_server.protocol import (
    PROTOCOL_VERSION,
    Alert,
    AlertList,
    AlertRequest,
    BarSeries,
    Error,
    ErrorCode,
    GatewayList,
    IndicatorList,
    Quotes,
    Status,
    SymbolList,
    TradeSeries,
    UserSettings,
)
from feed_server.settings import FeedSettings

DESCRIPTION = """\
Polling, history and health of a Quotewire feed server; the messages of its WebSocket are in
`/asyncapi.json`. Times are UTC epoch milliseconds. Unknown fields are to be ignored, and further
elements at the end of an array as well. Every error has the same body, see `Error`.
"""
BODIES = (
    *(SymbolList, Status, Quotes, BarSeries, IndicatorList, TradeSeries),
    *(AlertRequest, Alert, AlertList, UserSettings, GatewayList, Error),
)
BEARER = "bearer"


def openapi(settings: FeedSettings) -> Json:
    """Return the document."""
    asks_tokens = settings.verifying_key is not None
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Quotewire feed over HTTP",
            "version": str(PROTOCOL_VERSION),
            "description": DESCRIPTION,
        },
        "servers": [{"url": "/"}],
        "security": _security(asks_tokens),
        "paths": {
            path: {
                method: _operation(method, path, told, asks_tokens)
                for method, told in {"get": endpoint, **endpoint.methods}.items()
            }
            for path, endpoint in endpoints(settings).items()
        },
        "components": {
            "schemas": components(BODIES),
            "securitySchemes": {
                BEARER: {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "Asked for by this gateway."
                    if asks_tokens
                    else "Not asked for by this gateway.",
                }
            },
        },
        "x-error-codes": error_codes(),
    }


def _security(asks_tokens: bool) -> list[Json]:
    return [{BEARER: []}] if asks_tokens else []


def _operation(method: str, path: str, endpoint: Endpoint, asks_tokens: bool) -> Json:
    needs_token = asks_tokens and not endpoint.is_open
    parameters = [_parameter(parameter) for parameter in endpoint.parameters]
    name = path.removeprefix("/api/").strip("/").removesuffix(".json")
    taken: Json = {"required": True, "content": {JSON: {"schema": endpoint.takes}}}
    return ({} if endpoint.takes is None else {"requestBody": taken}) | {
        "operationId": name if method == "get" else f"{method}_{name}",
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "security": _security(needs_token),
        "parameters": parameters + ([_IF_NONE_MATCH] if endpoint.has_etag else []),
        "responses": _responses(endpoint, needs_token),
    }


def _parameter(parameter: Parameter) -> Json:
    described: Json = {
        "name": parameter.name,
        "in": "query",
        "description": parameter.description,
        "required": parameter.required,
        "schema": parameter.schema,
    }
    if parameter.schema.get("type") == "array":
        described |= {"style": "form", "explode": False}
    return described


def _responses(endpoint: Endpoint, needs_token: bool) -> Json:
    good: Json = {"description": endpoint.summary}
    if endpoint.body is not None:
        files = FILES if endpoint.has_files else {}
        forms = {endpoint.media: endpoint.body, **endpoint.also, **files}
        good["content"] = {media: {"schema": schema} for media, schema in forms.items()}
    responses: Json = {str(endpoint.status): good}
    if endpoint.has_etag:
        good["headers"] = {"ETag": _ETAG} | (_FILE_HEADERS if endpoint.has_files else {})
        responses["304"] = {"description": "Nothing has changed since the answer with that ETag."}
    errors = {*endpoint.errors, ErrorCode.INTERNAL}
    if not (needs_token or endpoint.may_forbid):
        errors.discard(ErrorCode.FORBIDDEN)
    by_status = attrgetter("http_status")
    for status, codes in groupby(sorted(errors, key=by_status), by_status):
        responses[str(status)] = _error(codes)
    if needs_token:
        responses["401"] = _error(TOKEN_ERRORS) | {"headers": {"WWW-Authenticate": _CHALLENGE}}
    if endpoint.unfit is not None:
        responses["503"] = {
            "description": "It is not, for these reasons.",
            "content": {JSON: {"schema": endpoint.unfit}},
        }
    return responses


def _error(codes: Iterable[ErrorCode]) -> Json:
    told = sorted(codes, key=attrgetter("number"))
    return {
        "description": "\n".join(f"- `{code}`: {code.reason}" for code in told),
        "content": {JSON: {"schema": ref(Error) | {"properties": {"code": {"enum": list(told)}}}}},
    }


_ETAG: Json = {
    "required": True,
    "description": "Give it back as `If-None-Match`.",
    "schema": {"type": "string"},
}
_FILE_HEADERS: Json = {
    "Content-Disposition": {
        "description": "Of a file: its name.",
        "schema": {"type": "string", "examples": ['attachment; filename="IBM-1d-REPLAY.csv"']},
    },
    "Quotewire-Rows": {
        "description": "Of a file: how many rows it has.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Quotewire-Note": {
        "description": "Of a file: why rows are missing that a source may have, for a person; "
        "percent-encoded.",
        "schema": {"type": "string"},
    },
    "Link": {
        "description": "Of a file of bars: where to get the part before it, as `rel=next`, with "
        "the same parameters; there is none where there are no older ones.",
        "schema": {"type": "string", "examples": ['<?symbol=IBM&end=1338335999999>; rel="next"']},
    },
}
_CHALLENGE: Json = {"schema": {"const": "Bearer"}}
_IF_NONE_MATCH: Json = {
    "name": "If-None-Match",
    "in": "header",
    "description": "ETag of an earlier answer: one that has not changed since is 304, without a "
    "body.",
    "schema": {"type": "string"},
}
