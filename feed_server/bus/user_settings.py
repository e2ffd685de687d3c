"""Users' settings in Redis: of each the newest choice, whichever browser it comes from."""

from collections.abc import Mapping
from typing import cast

import msgspec
from redis.asyncio import Redis

from feed_server.bus import names
from feed_server.bus.connection import bus_errors
from feed_server.bus.scripts import Script
from feed_server.protocol import MAX_SETTINGS, MAX_SETTINGS_BYTES, UserSetting

EXPIRES_MS = 400 * 86_400_000
"""A user's settings are forgotten so long after someone asked for them or changed them."""


class SettingsStore:
    """Reads and writes users' settings. Every method raises `BusError` where Redis is away.

    Args:
        redis: The client.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._merge = Script.of_file("settings_merge.lua")

    async def read(self, subject: str) -> dict[str, UserSetting]:
        """Return a user's settings by name."""
        key = names.user_settings(subject)
        with bus_errors("reading settings"):
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hgetall(key)
                pipe.pexpire(key, EXPIRES_MS)
                kept, _ = await pipe.execute()
        entries = cast("dict[bytes, bytes]", kept)
        return {name.decode(): _setting(text) for name, text in sorted(entries.items())}

    async def merge(self, subject: str, settings: Mapping[str, UserSetting]) -> list[str]:
        """Join settings with those of a user; return the names of those that had no room.

        Args:
            subject: Whose.
            settings: By name; one that is not newer than what is kept changes nothing.
        """
        told = [
            argument
            for name, setting in settings.items()
            for argument in (name, setting.at_ms, bytes(setting.value))
        ]
        with bus_errors("changing settings"):
            refused = await self._merge.run(
                self._redis,
                [names.user_settings(subject)],
                *(MAX_SETTINGS_BYTES, MAX_SETTINGS, EXPIRES_MS, *told),
            )
            await self._redis.incr(names.SETTINGS_CHANGES)
        return [name.decode() for name in cast(list[bytes], refused)]


def _setting(text: bytes) -> UserSetting:
    at_ms, _, value = text.partition(b" ")
    return UserSetting(msgspec.Raw(value), int(at_ms))
