"""What is served where."""

from typing import TYPE_CHECKING

from tornado.routing import URLSpec

from feed_server.gateway import health_api, market_api
from feed_server.gateway.alerts_api import AlertsHandler
from feed_server.gateway.api_docs.handlers import AsyncApiHandler, OpenApiHandler
from feed_server.gateway.event_stream import EventStreamHandler
from feed_server.gateway.gateways_api import GatewaysHandler
from feed_server.gateway.settings_api import SettingsHandler
from feed_server.gateway.websocket import FeedSocket

if TYPE_CHECKING:
    from feed_server.gateway.server import Gateway

HANDLERS = {
    "/ws": FeedSocket,
    "/api/symbols": market_api.SymbolsHandler,
    "/api/search": market_api.SearchHandler,
    "/api/status": market_api.StatusHandler,
    "/api/subscriptions": market_api.SubscriptionsHandler,
    "/api/gateways": GatewaysHandler,
    "/api/quotes": market_api.QuotesHandler,
    "/api/bars": market_api.BarsHandler,
    "/api/indicators": market_api.IndicatorsHandler,
    "/api/trades": market_api.TradesHandler,
    "/api/alerts": AlertsHandler,
    "/api/settings": SettingsHandler,
    "/api/stream": EventStreamHandler,
    "/healthz": health_api.HealthHandler,
    "/readyz": health_api.ReadyHandler,
    "/metrics": health_api.MetricsHandler,
    "/openapi.json": OpenApiHandler,
    "/asyncapi.json": AsyncApiHandler,
    ".*": health_api.NotFoundHandler,
}


def routes(gateway: "Gateway") -> list[URLSpec]:
    """Return all routes of a gateway."""
    return [URLSpec(path, handler, {"gateway": gateway}) for path, handler in HANDLERS.items()]
