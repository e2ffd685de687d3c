"""What can be asked for over HTTP: every path with its parameters, answers and errors."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from feed_server.gateway.alerts_api import ID_PATTERN, START
from feed_server.gateway.api_docs.schemas import Json, ref
from feed_server.gateway.arrow import ARROW
from feed_server.gateway.commands import MIN_HZ
from feed_server.gateway.event_stream import CHANNELS, SWITCH
from feed_server.gateway.history import LATEST_MS
from feed_server.gateway.market_api import (
    DEFAULT_AGE_MS,
    MAX_AGE_MS,
    MAX_BARS,
    MAX_QUERY,
    MAX_TRADES,
)
from feed_server.gateway.tables import MEDIA, Format
from feed_server.market.indicator_spec import MAX_INDICATORS
from feed_server.protocol import (
    MAX_SETTINGS,
    MAX_SETTINGS_BODY_BYTES,
    MAX_SETTINGS_BYTES,
    SYMBOL_PATTERN,
    Alert,
    AlertList,
    AlertRequest,
    BarSeries,
    ErrorCode,
    GatewayList,
    IndicatorList,
    Interval,
    Quotes,
    Status,
    SymbolList,
    TradeSeries,
    UserSettings,
)
from feed_server.settings import LimitSettings

JSON = "application/json"
EVENTS = "text/event-stream"
PLACE_PATTERN = rf"^{SYMBOL_PATTERN}:[^:,]*:\d+$"
"""Where a client stands in a symbol, in an address."""
SPELLING = (
    "Capitals do not matter, nor what stands between the parts of a name: `brk-b` is `BRK.B`. One "
    "that is not declared is looked for at the sources."
)

FILES: Mapping[str, Json] = {
    MEDIA[Format.CSV]: {"type": "string"},
    MEDIA[Format.PARQUET]: {"type": "string", "format": "binary"},
}
TOKEN_ERRORS = (ErrorCode.AUTH_REQUIRED, ErrorCode.AUTH_FAILED, ErrorCode.AUTH_EXPIRED)
SYMBOL_ERRORS = (
    ErrorCode.BAD_PARAMETER,
    ErrorCode.UNKNOWN_SYMBOL,
    ErrorCode.FORBIDDEN,
    ErrorCode.SOURCE,
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an address.

    Attributes:
        name: As in the address.
        description: What it does.
        schema: Which values it can have, and what it is where it is left out.
        required: Whether it can't be left out.
    """

    name: str
    description: str
    schema: Json
    required: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What one path answers.

    Attributes:
        summary: What it is for.
        body: Schema of the answer.
        tag: What it belongs to.
        media: The answer's type.
        also: By the types of other forms of it, for who asks for one by `Accept`, their schemas.
        parameters: What can be asked for.
        errors: What can go wrong, beside what can anywhere.
        has_files: Whether the parameter `format` makes it a file.
        is_open: Whether it needs no token where others do.
        may_forbid: Whether it is forbidden to some also where no tokens are asked for: to pages
            from elsewhere, or to all, as nobody is known.
        has_etag: Whether an unchanged answer can be left out.
        unfit: Schema of an answer 503 that is no error.
        takes: Schema of what is sent, as JSON; `None` where nothing is.
        status: Of the answer.
        methods: What else the path does, by the method's name in small letters.
    """

    summary: str
    body: Json | None
    tag: str = "market data"
    media: str = JSON
    also: Mapping[str, Json] = field(default_factory=dict)
    parameters: tuple[Parameter, ...] = ()
    errors: tuple[ErrorCode, ...] = ()
    has_files: bool = False
    is_open: bool = False
    may_forbid: bool = False
    has_etag: bool = True
    unfit: Json | None = None
    takes: Json | None = None
    status: int = 200
    methods: Mapping[str, "Endpoint"] = field(default_factory=dict)


def endpoints(limits: LimitSettings) -> dict[str, Endpoint]:
    """Return all, by path."""
    users = {"/api/alerts": _alerts(), "/api/settings": _settings()}
    return {**_market_data(limits), **users, **_live(limits), **_operation()}


def _market_data(limits: LimitSettings) -> dict[str, Endpoint]:
    not_ready, busy = ErrorCode.NOT_READY, ErrorCode.TOO_MANY_COMMANDS
    return {
        "/api/symbols": Endpoint("All instruments.", ref(SymbolList), errors=(not_ready,)),
        "/api/search": Endpoint(
            "Instruments whose symbol or name has a text in it, the best first: declared ones, and "
            "those that a source knows. Any of them can be asked for.",
            ref(SymbolList),
            parameters=(
                Parameter(
                    "q",
                    "A part of a symbol or a name.",
                    {"type": "string", "minLength": 1, "maxLength": MAX_QUERY},
                    required=True,
                ),
            ),
            errors=(ErrorCode.BAD_PARAMETER, not_ready),
        ),
        "/api/status": Endpoint("How the sources and this gateway do.", ref(Status)),
        "/api/subscriptions": Endpoint(
            "How many want each symbol, at all gateways together.",
            {
                "type": "object",
                "additionalProperties": {"type": "integer", "minimum": 0},
                "description": "By symbol.",
            },
            errors=(not_ready,),
        ),
        "/api/gateways": Endpoint(
            "How all gateways do, each by its own account of the last seconds, and Redis.",
            ref(GatewayList),
        ),
        "/api/quotes": Endpoint(
            "Last values as a snapshot, for those who poll.",
            ref(Quotes),
            parameters=(
                _symbols(limits, "All where none is named; those are not fetched anew."),
                _integer(
                    "max_age_ms",
                    "A quote that was received longer ago is fetched anew, where its source has to "
                    "be asked for each; `Quotes.failed` tells where it could not be.",
                    0,
                    MAX_AGE_MS,
                    DEFAULT_AGE_MS,
                ),
                Parameter(
                    "since",
                    "`Quotes.cursor` of an earlier answer: only what has changed since then is "
                    "told. One that this gateway did not make asks for everything.",
                    {"type": "string", "default": ""},
                ),
                _format(),
            ),
            has_files=True,
            errors=(*SYMBOL_ERRORS, ErrorCode.TOO_MANY_SYMBOLS, not_ready, busy),
        ),
        "/api/bars": Endpoint(
            "The newest bars that begin from `start` to `end`, open ones last: those that the feed "
            "has built, and before them those of the source's history, as far as it goes back.",
            ref(BarSeries),
            also={ARROW: {"type": "string", "format": "binary"}},
            parameters=(
                _symbol(),
                Parameter(
                    "interval", "Length of the bars.", ref(Interval) | {"default": Interval.DAY}
                ),
                _integer("start", "First start, UTC epoch milliseconds.", 0, LATEST_MS, 0),
                _integer("end", "Last start, UTC epoch ms.", 0, LATEST_MS, LATEST_MS),
                _integer("limit", "How many bars at most.", 1, MAX_BARS, 500),
                _indicators(),
                _format(),
            ),
            has_files=True,
            errors=(*SYMBOL_ERRORS, ErrorCode.UNKNOWN_INTERVAL, not_ready, busy),
        ),
        "/api/indicators": Endpoint(
            "All indicators that can be computed from bars, with their parameters and outputs.",
            ref(IndicatorList),
        ),
        "/api/trades": Endpoint(
            "The newest trades, as far back as none is missing.",
            ref(TradeSeries),
            parameters=(
                _symbol(),
                _integer("limit", "How many trades at most.", 1, MAX_TRADES, 500),
                _format(),
            ),
            has_files=True,
            errors=(*SYMBOL_ERRORS, not_ready, busy),
        ),
    }


def _alerts() -> Endpoint:
    """Return what can be done with alerts; whose they are the token's claim `sub` says."""
    not_ready, forbidden = ErrorCode.NOT_READY, ErrorCode.FORBIDDEN
    busy = ErrorCode.TOO_MANY_COMMANDS
    name = Parameter(
        "id", "`Alert.id`.", {"type": "string", "pattern": f"^{ID_PATTERN}$"}, required=True
    )
    remove = Endpoint(
        "Remove one of the user's alerts.",
        None,
        tag="alerts",
        parameters=(name,),
        errors=(ErrorCode.BAD_PARAMETER, ErrorCode.NOT_FOUND, busy, forbidden, not_ready),
        may_forbid=True,
        has_etag=False,
        status=204,
    )
    set_ = Endpoint(
        "Set an alert, which the feed evaluates with every price, whether or not its user is "
        "connected. Its symbol is kept current meanwhile.",
        ref(Alert),
        tag="alerts",
        errors=(*SYMBOL_ERRORS, ErrorCode.TOO_MANY_ALERTS, busy, not_ready),
        may_forbid=True,
        has_etag=False,
        takes=ref(AlertRequest),
        status=201,
    )
    places: Json = {"type": "string", "default": START, "examples": [START, "1795404828306-1"]}
    since = "`AlertList.cursor` of an earlier answer: only what has fired since is told."
    return Endpoint(
        "The user's alerts that are set, and those that have fired.",
        ref(AlertList),
        tag="alerts",
        parameters=(Parameter("since", since, places),),
        errors=(ErrorCode.BAD_PARAMETER, forbidden, not_ready),
        methods={"post": set_, "delete": remove},
    )


def _settings() -> Endpoint:
    errors = (ErrorCode.FORBIDDEN, ErrorCode.NOT_READY)
    put = Endpoint(
        "Join settings with those that are kept: of each the newer choice counts. The answer has "
        "all, and says why some of what was sent was not taken: a user can have "
        f"{MAX_SETTINGS} settings, and {MAX_SETTINGS_BYTES} bytes in all. A request has "
        f"{MAX_SETTINGS_BODY_BYTES} bytes at most.",
        ref(UserSettings),
        tag="settings",
        errors=(
            *errors,
            ErrorCode.BAD_PARAMETER,
            ErrorCode.TOO_LARGE,
            ErrorCode.TOO_MANY_COMMANDS,
        ),
        may_forbid=True,
        has_etag=False,
        takes=ref(UserSettings),
    )
    return Endpoint(
        "The user's settings, as the dashboard has sent them; the token's claim `sub` says whose. "
        "Where no tokens are asked for nobody is known: none are kept, and the answer is 403.",
        ref(UserSettings),
        tag="settings",
        errors=errors,
        may_forbid=True,
        methods={"put": put},
    )


def _live(limits: LimitSettings) -> dict[str, Endpoint]:
    return {
        "/api/stream": Endpoint(
            "One subscription as Server-Sent Events: each event's data is a message of "
            "`/asyncapi.json`. Symbols that cannot be had beside others are told in `subscribed`.",
            {"type": "string"},
            tag="live data",
            media=EVENTS,
            parameters=(
                Parameter("channel", "Of what.", {"enum": sorted(CHANNELS), "default": "quotes"}),
                _symbols(limits, "At least one of them can be had.", required=True),
                Parameter("interval", "Which bars; for channel `bars` only.", ref(Interval)),
                _indicators(),
                Parameter(
                    "max_hz",
                    f"Messages a second at most: at least {MIN_HZ}, or 0 for the server's "
                    f"{limits.max_hz:g}, which is the most there is.",
                    {"type": "number", "minimum": 0, "default": 0},
                ),
                Parameter(
                    "since",
                    "Where the client stands, each as `SYMBOL:epoch:offset`, separated by commas: "
                    "as `Subscribe.since`.",
                    {"type": "array", "items": {"type": "string", "pattern": PLACE_PATTERN}},
                ),
                Parameter(
                    "snapshot",
                    "Whether to begin with the state as it is now: as `Subscribe.snapshot`.",
                    {"enum": list(SWITCH), "default": "1"},
                ),
            ),
            errors=(
                *SYMBOL_ERRORS,
                ErrorCode.TOO_MANY_SYMBOLS,
                ErrorCode.UNKNOWN_INTERVAL,
                ErrorCode.NOT_READY,
                ErrorCode.TOO_MANY_CONNECTIONS,
            ),
            has_etag=False,
        )
    }


def _operation() -> dict[str, Endpoint]:
    document: Json = {"type": "object", "required": ["info"]}
    return {
        "/healthz": _open(
            "Whether the process lives.",
            _record(status={"const": "ok"}, server={"type": "string"}),
        ),
        "/readyz": _open(
            "Whether this gateway is fit for traffic.",
            _readiness(True, maxItems=0),
            unfit=_readiness(False, minItems=1),
        ),
        "/metrics": _open(
            "Figures for Prometheus.", {"type": "string"}, media="text/plain; version=0.0.4"
        ),
        "/openapi.json": _open("This description, OpenAPI 3.1.", document),
        "/asyncapi.json": _open("The messages, AsyncAPI 3.0.", document),
    }


def _open(summary: str, body: Json, *, media: str = JSON, unfit: Json | None = None) -> Endpoint:
    return Endpoint(summary, body, tag="operation", media=media, is_open=True, unfit=unfit)


def _indicators() -> Parameter:
    text = (
        f"What to compute from the bars, {MAX_INDICATORS} indicators at most, separated by commas: "
        "such as `SMA(20),BBANDS(20,2,2)`; see `/api/indicators`."
    )
    examples = ["SMA(20)", "SMA(20),BBANDS(20,2,2)"]
    return Parameter("indicators", text, {"type": "string", "default": "", "examples": examples})


def _format() -> Parameter:
    text = (
        "How the answer is written: `csv` and `parquet` are files with one column for each field "
        "and each output of an indicator, prices exact; times are ISO 8601 in UTC in CSV, and "
        "timestamps in Parquet. A gateway without pyarrow has no `parquet`, and says so."
    )
    return Parameter("format", text, {"enum": list(Format), "default": Format.JSON})


def _symbol() -> Parameter:
    names: Json = {"type": "string", "pattern": f"^{SYMBOL_PATTERN}$"}
    return Parameter("symbol", f"Which instrument. {SPELLING}", names, required=True)


def _symbols(limits: LimitSettings, otherwise: str, *, required: bool = False) -> Parameter:
    names: Json = {"type": "array", "items": {"type": "string"}, "maxItems": limits.max_symbols}
    if required:
        names["minItems"] = 1
    text = f"Which instruments, separated by commas. {otherwise} {SPELLING}"
    return Parameter("symbols", text, names, required)


def _integer(name: str, description: str, low: int, high: int, default: int) -> Parameter:
    schema: Json = {"type": "integer", "minimum": low, "maximum": high, "default": default}
    return Parameter(name, description, schema)


def _record(**properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _readiness(ready: bool, **reasons: int) -> Json:
    return _record(
        ready={"const": ready},
        reasons={"type": "array", "items": {"type": "string"}, **reasons},
        symbols_behind={
            "type": "integer",
            "minimum": 0,
            "description": "How many wanted symbols have not been current for longer than a "
            "moment. It is no reason by itself: other gateways would fare no better.",
        },
        redis_ms={
            "type": "number",
            "description": "How long it took to find out, Redis's answer included.",
        },
    )
