"""A real HTTP server that answers as a test tells it, also as no server should."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that came.

    Attributes:
        path: Without the query.
        query: Its parameters.
        headers: By name in lower case.
        time_s: When it came, by the monotonic clock.
    """

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    time_s: float


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is answered.

    Attributes:
        body: Bytes and text as they are, anything else as JSON.
        wait_s: Silence before it.
        drip_s: Silence before each byte of the body.
        missing: Bytes that the headers promise and that never come: it hangs up instead.
        drop: Hangs up without a word.
        reset: Hangs up rudely, where it hangs up.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = b""
    wait_s: float = 0.0
    drip_s: float = 0.0
    missing: int = 0
    drop: bool = False
    reset: bool = False

    @property
    def data(self) -> bytes:
        """The body as it is sent."""
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


class FaultServer:
    """The server, in a thread of its own.

    Attributes:
        answers: By path what is answered; a function is asked with the request.
        requests: What came, in order.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Callable[[Asked], Answer]] = {}
        self.requests: list[Asked] = []
        self.ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()

    def answer(self, asked: Asked) -> Answer:
        """Return what is answered to a request."""
        self.requests.append(asked)
        found = self.answers.get(asked.path, Answer(status=404, body="<h1>Not Found</h1>"))
        return found(asked) if callable(found) else found


def _handler(server: FaultServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            asked = Asked(path=parts.path, query=query, headers=headers, time_s=time.monotonic())
            answer = server.answer(asked)
            # Whoever asked may be gone already.
            with suppress(ConnectionError):
                self._give(answer)

        def _give(self, answer: Answer) -> None:
            server.ended.wait(answer.wait_s)
            if answer.drop:
                self._hang_up(reset=answer.reset)
                return
            data = answer.data
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data) + answer.missing))
            self.end_headers()
            for part in [data[i : i + 1] for i in range(len(data))] if answer.drip_s else [data]:
                server.ended.wait(answer.drip_s)
                self.wfile.write(part)
            if answer.missing:
                self._hang_up(reset=answer.reset)

        def _hang_up(self, *, reset: bool) -> None:
            self.close_connection = True
            if reset:
                now = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
            else:
                with suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)
            self.connection.close()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler
