"""Takes TCP connections, so many and no more, whether or not anything is asked on them."""

from typing import cast

from tornado.http1connection import HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.web import Application

from feed_server.gateway.limits import ConnectionCount, client_address
from feed_server.gateway.metrics import Metrics
from feed_server.gateway.requests import RequestError
from feed_server.settings import FeedSettings

MAX_HEAD_BYTES = 65_536
"""Of a request: its address can name all symbols that may be asked for, each with a position."""
MAX_BODY_BYTES = 65_536
"""Of a request; a user's settings alone may be longer, see `settings_api`."""
BODY_TIMEOUT_S = 10.0
BUFFER_BYTES = MAX_HEAD_BYTES + 65_536
"""What a connection may send ahead of what is read of it, beside a message: its headers."""
SPARE = 32
"""Sockets more than there may be connections: such as those whose end is not yet noticed."""


class Listener(HTTPServer):
    """Counts the sockets that are not live connections: waiting for a request, or being answered.

    Live connections leave this count for the gateway's own, so that an address can have about
    twice ``max_connections_per_address`` sockets at most.
    """

    @classmethod
    def of(cls, application: Application, settings: FeedSettings, metrics: Metrics) -> "Listener":
        """Return one with the limits of the settings."""
        listener = cls(
            application,
            xheaders=False,
            max_header_size=MAX_HEAD_BYTES,
            max_body_size=MAX_BODY_BYTES,
            max_buffer_size=settings.max_message_bytes + BUFFER_BYTES,
            idle_connection_timeout=settings.idle_timeout_ms / 1000,
            body_timeout=BODY_TIMEOUT_S,
        )
        listener._metrics = metrics
        listener._peers = {}
        listener._count = ConnectionCount(
            settings.max_connections + SPARE,
            settings.max_connections_per_address + SPARE,
            unlimited=frozenset(settings.trusted_proxies),
        )
        return listener

    _metrics: Metrics
    _count: ConnectionCount
    _peers: dict[IOStream, str]

    def handle_stream(self, stream: IOStream, address: tuple[str, int]) -> None:
        """Take a socket, or close it."""
        peer = client_address(address[0], None, frozenset())
        try:
            self._count.admit(peer)
        except RequestError as error:
            self._metrics.errors.labels(error.code.value).inc()
            stream.close()
            return
        self._peers[stream] = peer
        super().handle_stream(stream, address)

    def on_close(self, server_conn: object) -> None:
        """Forget a socket that has ended, or that has become a live connection."""
        super().on_close(server_conn)
        self._count.leave(self._peers.pop(cast(HTTP1ServerConnection, server_conn).stream))
