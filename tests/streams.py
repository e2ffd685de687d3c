"""Two ends of a real connection: Tornado's on ours, a plain socket on the client's."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tornado.iostream import IOStream

from feed_server.gateway.client import Client, Patience
from feed_server.gateway.frames import Form, Frame
from feed_server.protocol import CloseCode, Error, ErrorCode

PATIENCE = Patience(max_backlog_bytes=100_000, stall_s=5, auth_s=3, grace_s=2)


@contextmanager
def connection(buffer_bytes: int = 8_192) -> Iterator[tuple[IOStream, socket.socket]]:
    """Give a stream, and the socket that it writes to; the kernel takes little between them."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer = socket.socket()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        peer.settimeout(30)
        peer.connect(server.getsockname())
        ours, _ = server.accept()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_bytes)
    ours.setblocking(False)
    stream = IOStream(ours)
    try:
        yield stream, peer
    finally:
        stream.close()
        peer.close()


def client_of(
    stream: IOStream,
    *,
    form: Form = "event",
    on_drained: Callable[[Client], None] = lambda _client: None,
    on_close: Callable[[CloseCode], None] = lambda _code: None,
) -> Client:
    """Return a client that came at time 0 and has not said who it is."""
    return Client(stream, form, PATIENCE, on_drained=on_drained, on_close=on_close, opened_s=0.0)


def numbered(number: int, length: int = 1_000) -> Frame:
    """Return a frame that is known again by its number."""
    return Frame(Error(ErrorCode.INTERNAL, f"{number:06d}" + "x" * length))


def events(data: bytes) -> list[int]:
    """Return the numbers of the frames in what was read, as events."""
    parts = data.split(b"\n\n")
    assert parts.pop() == b"", "a frame is cut off"
    return [int(part.partition(b'"message":"')[2][:6]) for part in parts]
