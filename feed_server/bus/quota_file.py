"""Keeps what was spent of vendors' limits beside the embedded Valkey, which ends with us."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import msgspec
import structlog
from redis.asyncio import Redis

from feed_server.bus import names
from feed_server.bus.connection import bus_errors
from feed_server.errors import BusError

SAVE_EVERY_S = 1.0
KEEP_MS = 86_400_000
"""No vendor's limit is on a longer stretch."""

log = structlog.get_logger(__name__)


class _Spent(msgspec.Struct, frozen=True):
    """What one provider has spent: credits by when, and until when nothing may be (epoch ms)."""

    credits: list[tuple[str, float]]
    blocked_ms: int


_decode = msgspec.json.Decoder(dict[str, _Spent]).decode


class QuotaFile:
    """A file beside the embedded Valkey.

    Args:
        redis: The client.
        path: The file; its folder is made where there is none.
        providers: Names of those whose budgets are kept.
    """

    def __init__(self, redis: Redis, path: Path, providers: Sequence[str]) -> None:
        self._redis = redis
        self._path = path
        self._providers = providers
        self._saved: dict[str, _Spent] = {}

    async def load(self) -> None:
        """Put back what was spent before; a file that cannot be read is as none.

        Raises:
            BusError: Redis could not be reached.
        """
        try:
            self._saved = _decode(self._path.read_bytes())
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            log.warning(
                "what was spent before is not known", file=str(self._path), error=str(error)
            )
            return
        with bus_errors("putting back what was spent"):
            for provider in self._providers:
                await self._put_back(provider)

    async def _put_back(self, provider: str) -> None:
        spent = self._saved.get(provider)
        if spent is None:
            return
        if spent.credits:
            await self._redis.zadd(names.quota(provider), dict(spent.credits))
            await self._redis.pexpire(names.quota(provider), KEEP_MS)
        if spent.blocked_ms:
            key = names.quota_blocked(provider)
            await self._redis.set(key, spent.blocked_ms, pxat=spent.blocked_ms)

    async def run(self) -> None:
        """Save what is spent until cancelled, and once more then."""
        try:
            while True:
                await asyncio.sleep(SAVE_EVERY_S)
                await self.save()
        finally:
            await self.save()

    async def save(self) -> None:
        """Write the file where something was spent; a failure is logged."""
        try:
            spent = {**self._saved, **{name: await self._spent(name) for name in self._providers}}
            if spent != self._saved:
                self._write(spent)
                self._saved = spent
        except (BusError, OSError) as error:
            log.warning("what is spent is not saved", file=str(self._path), error=str(error))

    def _write(self, spent: dict[str, _Spent]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_name(f"{self._path.name}.{os.getpid()}.part")
        part.write_bytes(msgspec.json.encode(spent))
        part.replace(self._path)

    async def _spent(self, provider: str) -> _Spent:
        with bus_errors("reading what is spent"):
            credits = await self._redis.zrange(names.quota(provider), 0, -1, withscores=True)
            blocked = await self._redis.get(names.quota_blocked(provider))
        kept = cast(list[tuple[bytes, float]], credits)
        return _Spent([(name.decode(), at_ms) for name, at_ms in kept], int(blocked or 0))
