"""HTTP: how this gateway does, for those who operate it, and what is not there."""

import time

from feed_server.gateway.http_api import OpenHandler
from feed_server.gateway.requests import RequestError
from feed_server.protocol import ErrorCode


class NotFoundHandler(OpenHandler):
    """Any path that is not served."""

    def prepare(self) -> None:
        """Answer that there is nothing here."""
        super().prepare()
        raise RequestError(ErrorCode.NOT_FOUND, f"no such path: {self.request.path}")


class HealthHandler(OpenHandler):
    """``/healthz``: the process is alive."""

    def get(self) -> None:
        """Answer that it is."""
        self.answer({"status": "ok", "server": self.gateway.name})


class ReadyHandler(OpenHandler):
    """``/readyz``: fit for traffic; 503 with the reasons where not."""

    async def get(self) -> None:
        """Answer with the reasons against."""
        started_s = time.monotonic()
        reasons = await self.gateway.not_ready_reasons()
        self.set_status(503 if reasons else 200)
        self.answer(
            {
                "ready": not reasons,
                "reasons": reasons,
                "symbols_behind": self.gateway.view.unsettled,
                "redis_ms": round((time.monotonic() - started_s) * 1000, 2),
            }
        )


class MetricsHandler(OpenHandler):
    """``/metrics``: for Prometheus."""

    def get(self) -> None:
        """Answer with all figures."""
        self.set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.finish(self.gateway.figures())
