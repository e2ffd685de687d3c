"""HTTP: how all gateways and Redis do; and what this gateway tells the others of itself."""

import asyncio
from typing import TYPE_CHECKING

import structlog

from feed_server.errors import BusError
from feed_server.gateway.http_api import ApiHandler
from feed_server.protocol import GatewayList, GatewayReport

if TYPE_CHECKING:
    from feed_server.gateway.server import Gateway

TELL_EVERY_S = 2.0

log = structlog.get_logger(__name__)


class GatewaysHandler(ApiHandler):
    """``/api/gateways``: a `GatewayList`."""

    async def get(self) -> None:
        """Answer with what gateways say of themselves; of this one, as it is now."""
        gateway = self.gateway
        redis, told = await gateway.reports.all()
        reports = {report.server: report for report in (*told, report_of(gateway))}
        in_order = [reports[name] for name in sorted(reports)]
        self.answer(GatewayList(gateway.name, in_order, redis))


def report_of(gateway: "Gateway") -> GatewayReport:
    """Return how a gateway does now."""
    gateway.gauge()
    metrics, view = gateway.metrics, gateway.view
    waiting = [client.waiting_bytes for client in gateway.clients]
    lag_s = view.redis_lag_s
    return GatewayReport(
        server=gateway.name,
        updated_ms=gateway.hub.now_ms(),
        started_ms=gateway.started_ms,
        clients=len(waiting),
        clients_behind=metrics.read(metrics.behind),
        cohorts=gateway.hub.fanout.cohorts,
        symbols=metrics.read(metrics.watched_symbols),
        symbols_behind=metrics.read(metrics.symbols_behind),
        rate=round(gateway.hub.rate, 3),
        flush_p50_ms=metrics.recent_flush.at_ms(50),
        flush_p99_ms=metrics.recent_flush.at_ms(99),
        latency_p50_ms=metrics.recent_latency.at_ms(50),
        latency_p99_ms=metrics.recent_latency.at_ms(99),
        backlog_bytes=sum(waiting),
        largest_backlog_bytes=max(waiting, default=0),
        redis_lag_ms=None if lag_s is None else round(lag_s * 1000, 3),
        hears=view.hears,
        updates=metrics.read(metrics.updates),
        frames=metrics.read(metrics.frames),
        sent_bytes=metrics.read(metrics.sent_bytes),
        missed=metrics.read(metrics.missed),
    )


async def keep_telling(gateway: "Gateway") -> None:
    """Tell the other gateways how this one does, until cancelled."""
    while True:
        try:
            await gateway.reports.tell(report_of(gateway))
        except BusError as error:
            log.info("how this gateway does was not told", error=str(error))
        await asyncio.sleep(TELL_EVERY_S)
