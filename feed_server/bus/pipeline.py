"""Many commands in one write, their replies in one read."""

import asyncio
import math
from collections.abc import Iterable
from itertools import islice

import hiredis
from redis.asyncio import Redis
from redis.exceptions import ResponseError

TIMEOUT_S = 3.0
COMMANDS_PER_WRITE = 50

Argument = bytes | bytearray | memoryview | str | int | float


def pack(*command: Argument) -> bytes:
    """Return a command as it is sent."""
    packed: bytes = hiredis.pack_command(command)  # type: ignore[arg-type]  # takes any length
    return packed


async def execute(redis: Redis, commands: Iterable[bytes]) -> list[object]:
    """Send packed commands, and return their replies; an error reply is returned, not raised.

    It does what ``Redis.pipeline`` does without what that costs: 6 µs of CPU a command instead of
    22. Redis works on the first while the rest is still being packed, where ``commands`` is lazy.
    A failure in between closes the connection, since replies may still come.

    Raises:
        RedisError, OSError, TimeoutError: The connection was lost, or no reply came in time; any of
            the commands may have been executed.
    """
    connection = await redis.connection_pool.get_connection()
    replies: list[object] = []
    try:
        async with asyncio.timeout(TIMEOUT_S):
            sent = 0
            rest = iter(commands)
            while some := list(islice(rest, COMMANDS_PER_WRITE)):
                await connection.send_packed_command([b"".join(some)])
                sent += len(some)
            for _ in range(sent):
                try:
                    # One deadline for all: redis-py's own, for each reply, costs more than all else
                    replies.append(await connection.read_response(timeout=math.inf))
                except ResponseError as error:
                    replies.append(error)
    except BaseException:
        await connection.disconnect(nowait=True)
        raise
    finally:
        await redis.connection_pool.release(connection)
    return replies


def raise_first_error(replies: Iterable[object]) -> None:
    """Raise the first of the replies that is an error, if there is one."""
    for reply in replies:
        if isinstance(reply, ResponseError):
            raise reply
