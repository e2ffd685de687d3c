"""Tornado as its manual shows it: each Redis message by ``write_message`` to every client."""

import asyncio
import sys

from redis.asyncio import Redis
from tornado.web import Application
from tornado.websocket import WebSocketClosedError, WebSocketHandler


class Handler(WebSocketHandler):
    """One client."""

    clients: set["Handler"] = set()  # noqa: RUF012

    def open(self, *_args: str, **_kwargs: str) -> None:
        """Take a client."""
        self.set_nodelay(True)
        self.clients.add(self)

    def on_message(self, _message: str | bytes) -> None:
        """Ignore what clients say."""

    def on_close(self) -> None:
        """Forget a client."""
        self.clients.discard(self)


async def main(port: int, redis_url: str, channel: str) -> None:
    """Serve for ever."""
    Application([("/ws", Handler)]).listen(port, "127.0.0.1")
    pubsub = Redis.from_url(redis_url).pubsub()
    await pubsub.subscribe(channel)
    async for message in pubsub.listen():
        if message["type"] == "message":
            text = message["data"].decode()
            for client in list(Handler.clients):
                try:
                    # Awaited by nobody, as in the manual: a slow client does not stop the others.
                    client.write_message(text)
                except WebSocketClosedError:
                    Handler.clients.discard(client)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
