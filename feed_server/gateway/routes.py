"""What is served where."""

from typing import TYPE_CHECKING

from tornado.routing import URLSpec

from feed_server.gateway import http_api
from feed_server.gateway.api_docs.handlers import AsyncApiHandler, OpenApiHandler
from feed_server.gateway.event_stream import EventStreamHandler
from feed_server.gateway.websocket import FeedSocket

if TYPE_CHECKING:
    from feed_server.gateway.server import Gateway

HANDLERS = {
    "/ws": FeedSocket,
    "/api/symbols": http_api.SymbolsHandler,
    "/api/status": http_api.StatusHandler,
    "/api/subscriptions": http_api.SubscriptionsHandler,
    "/api/quotes": http_api.QuotesHandler,
    "/api/bars": http_api.BarsHandler,
    "/api/trades": http_api.TradesHandler,
    "/api/stream": EventStreamHandler,
    "/healthz": http_api.HealthHandler,
    "/readyz": http_api.ReadyHandler,
    "/metrics": http_api.MetricsHandler,
    "/openapi.json": OpenApiHandler,
    "/asyncapi.json": AsyncApiHandler,
    ".*": http_api.NotFoundHandler,
}


def routes(gateway: "Gateway") -> list[URLSpec]:
    """Return all routes of a gateway."""
    return [URLSpec(path, handler, {"gateway": gateway}) for path, handler in HANDLERS.items()]
