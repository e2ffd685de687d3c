"""Keeps users' alerts and settings beside the embedded Valkey, which ends with us."""

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from feed_server.bus import names
from feed_server.bus.connection import bus_errors
from feed_server.errors import BusError

SAVE_EVERY_S = 1.0
SCANNED_AT_ONCE = 1_000
"""Keys that are looked at in one step."""

log = structlog.get_logger(__name__)


class _Key(msgspec.Struct, array_like=True, frozen=True):
    """What one key has: as Redis dumps it, and until when (epoch ms; 0 for ever)."""

    name: bytes
    dump: bytes
    until_ms: int


_decode = msgspec.msgpack.Decoder(list[_Key]).decode


class UserFile:
    """A file beside the embedded Valkey.

    Args:
        redis: The client.
        path: The file; its folder is made where there is none.
    """

    def __init__(self, redis: Redis, path: Path) -> None:
        self._redis = redis
        self._path = path
        self._saved: list[bytes | None] | None = None

    async def load(self) -> None:
        """Put back what there was; a file that cannot be read is as none, and is kept aside.

        Raises:
            BusError: Redis could not be reached.
        """
        try:
            keys = _decode(self._path.read_bytes())
        except FileNotFoundError:
            keys = []
        except (OSError, ValueError) as error:
            aside = self._path.with_name(f"{self._path.name}.unreadable")
            log.error("users' alerts and settings are lost", file=str(aside), error=str(error))
            self._path.replace(aside)
            keys = []
        now_ms = time.time_ns() // 1_000_000
        with bus_errors("putting back alerts and settings"):
            for key in keys:
                if not key.until_ms or key.until_ms > now_ms:
                    await self._put_back(key)
        self._saved = await self._changes()

    async def _put_back(self, key: _Key) -> None:
        try:
            await self._redis.restore(
                key.name, key.until_ms, key.dump, replace=True, absttl=bool(key.until_ms)
            )
        except ResponseError as error:
            log.error("what a user had is lost", key=key.name.decode(), error=str(error))

    async def run(self) -> None:
        """Save what changes until cancelled, and once more then."""
        try:
            while True:
                await asyncio.sleep(SAVE_EVERY_S)
                await self.save()
        finally:
            # When users were last seen is saved now: it changes all the time.
            self._saved = None
            await self.save()

    async def save(self) -> None:
        """Write the file where something has changed; a failure is logged."""
        try:
            changes = await self._changes()
            if changes != self._saved:
                self._write(await self._keys())
                self._saved = changes
        except (BusError, OSError) as error:
            log.warning("alerts and settings are not saved", file=str(self._path), error=str(error))

    async def _changes(self) -> list[bytes | None]:
        with bus_errors("reading what has changed"):
            found = await self._redis.mget(names.ALERT_CHANGES, names.SETTINGS_CHANGES)
        return cast(list[bytes | None], found)

    async def _keys(self) -> list[_Key]:
        found = []
        with bus_errors("reading alerts and settings"):
            for pattern in names.OF_USERS:
                async for name in self._redis.scan_iter(pattern, count=SCANNED_AT_ONCE):
                    # The fence is of a lock whose numbers begin anew.
                    if not name.startswith(names.alerts_fence("").encode()):
                        found.append(name)
            dumps = [await self._dump(found[i : i + 100]) for i in range(0, len(found), 100)]
        return [key for some in dumps for key in some]

    async def _dump(self, keys: Sequence[bytes]) -> list[_Key]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for name in keys:
                pipe.dump(name)
                pipe.pexpiretime(name.decode())
            replies = await pipe.execute()
        triples = zip(keys, replies[::2], replies[1::2], strict=True)
        return [_Key(name, dump, max(0, until)) for name, dump, until in triples if dump]

    def _write(self, keys: Sequence[_Key]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_name(f"{self._path.name}.{os.getpid()}.part")
        part.touch(mode=0o600)
        part.write_bytes(msgspec.msgpack.encode(keys))
        part.replace(self._path)
