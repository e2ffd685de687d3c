"""The bare limit of a fan-out in Python: ``send`` of one frame on every socket, in a loop."""

import socket
import sys
import time

from benchmarks.crowd import framed

ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def main(port: int, size_bytes: int, hz: float) -> None:
    """Serve for ever."""
    frame = framed(b"x" * size_bytes)
    server = socket.create_server(("127.0.0.1", port), backlog=1024)
    server.setblocking(False)
    sockets: list[socket.socket] = []
    next_s = time.monotonic()
    while True:
        _accept(server, sockets)
        gone = []
        for connection in sockets:
            try:
                connection.send(frame)
            except OSError:
                gone.append(connection)
        for connection in gone:
            sockets.remove(connection)
            connection.close()
        next_s += 1 / hz
        time.sleep(max(0.0, next_s - time.monotonic()))


def _accept(server: socket.socket, sockets: list[socket.socket]) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except BlockingIOError:
            return
        connection.settimeout(1)
        if not connection.recv(4096):  # only asked whether we listen
            connection.close()
            continue
        connection.sendall(ACCEPTED)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        sockets.append(connection)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
