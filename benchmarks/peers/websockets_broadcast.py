"""The websockets library: each Redis message by its ``broadcast`` to every client."""

import asyncio
import sys

from redis.asyncio import Redis
from websockets.asyncio.server import ServerConnection, broadcast, serve


async def main(port: int, redis_url: str, channel: str) -> None:
    """Serve for ever."""
    clients: set[ServerConnection] = set()

    async def stay(client: ServerConnection) -> None:
        clients.add(client)
        try:
            await client.wait_closed()
        finally:
            clients.discard(client)

    pubsub = Redis.from_url(redis_url).pubsub()
    await pubsub.subscribe(channel)
    async with serve(stay, "127.0.0.1", port, compression=None):
        async for message in pubsub.listen():
            if message["type"] == "message":
                broadcast(clients, message["data"].decode())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
