"""Scripts that run in Redis: loaded where they are not known, then called by their hash."""

import hashlib
from collections.abc import Iterable, Iterator
from importlib import resources

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from feed_server.bus import pipeline


class Script:
    """A script that runs in Redis.

    Args:
        text: What it does.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        # As Redis names it. Not register_script: that asks before each pipeline if it is there.
        self._sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    @classmethod
    def of_file(cls, file: str) -> "Script":
        """Return the script of a file beside this one."""
        return cls(resources.files("feed_server.bus").joinpath(file).read_text("utf-8"))

    def pack(self, keys: Iterable[str], *arguments: pipeline.Argument) -> bytes:
        """Return a call of it as it is sent by `run_all`."""
        named = list(keys)
        return pipeline.pack("EVALSHA", self._sha, len(named), *named, *arguments)

    async def run(self, redis: Redis, keys: Iterable[str], *arguments: pipeline.Argument) -> object:
        """Run it once, and return its answer.

        Raises:
            RedisError, OSError, TimeoutError: See `pipeline.execute`.
        """
        (answer,) = await self.run_all(redis, [self.pack(keys, *arguments)])
        return answer

    async def run_all(self, redis: Redis, packed: Iterable[bytes]) -> list[object]:
        """Run it several times in one pipeline, and return the answers.

        Raises:
            RedisError, OSError, TimeoutError: See `pipeline.execute`.
        """
        calls: list[bytes] = []
        replies = await pipeline.execute(redis, _kept(packed, calls))
        unknown = [i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            # Redis has restarted, failed over or flushed its scripts.
            await redis.script_load(self._text)
            again = await pipeline.execute(redis, [calls[i] for i in unknown])
            for i, reply in zip(unknown, again, strict=True):
                replies[i] = reply
        pipeline.raise_first_error(replies)
        return replies


def _kept(commands: Iterable[bytes], into: list[bytes]) -> Iterator[bytes]:
    """Give the commands one by one, and keep them to be sent again."""
    for command in commands:
        into.append(command)
        yield command
