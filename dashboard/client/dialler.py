"""TCP connections for Tornado's clients, which can be given up at any moment."""

import asyncio
import socket
import ssl
from typing import Any

from tornado.iostream import IOStream
from tornado.tcpclient import TCPClient
from typing_extensions import override


class Dialler(TCPClient):
    """Connects to one address of a host after the other.

    Tornado's own loses a connection that is made in the moment in which it is given up: it stays
    open.

    Args:
        timeout_s: For all addresses together; each gets the same share of what is left.
    """

    def __init__(self, timeout_s: float) -> None:
        super().__init__()
        self._timeout_s = timeout_s

    @override
    async def connect(
        self,
        host: str,
        port: int,
        *_others: object,
        ssl_options: dict[str, Any] | ssl.SSLContext | None = None,
        max_buffer_size: int | None = None,
        **_more: object,
    ) -> IOStream:
        """Return a stream, encrypted where ``ssl_options`` are given."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._timeout_s
        infos = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for left in range(len(infos), 0, -1):
            family, kind, protocol, _, address = infos[-left]
            share_s = (until_s - loop.time()) / left
            try:
                async with asyncio.timeout(share_s):
                    connection = await _connected(socket.socket(family, kind, protocol), address)
            except OSError:
                if left == 1:
                    raise
            else:
                stream = IOStream(connection, max_buffer_size=max_buffer_size)
                if ssl_options is None:
                    return stream
                return await _encrypted(stream, ssl_options, host)
        raise OSError(f"{host} has no address")


async def _connected(connection: socket.socket, address: Any) -> socket.socket:
    try:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, address)
    except BaseException:
        connection.close()
        raise
    return connection


async def _encrypted(
    stream: IOStream, options: dict[str, Any] | ssl.SSLContext, host: str
) -> IOStream:
    try:
        handshake = stream.start_tls(False, options, host)
    except BaseException:
        stream.close()
        raise
    try:
        return await handshake
    except BaseException:
        # Given up: before it was done, or in the moment in which it was.
        if not handshake.cancel() and not handshake.cancelled() and handshake.exception() is None:
            handshake.result().close()
        raise
