"""Calls of a provider, within its vendor's limits and a bounded time."""

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

import pandas as pd
import structlog

from feed_server.bus.quota import Grant, Quota, Quotas
from feed_server.errors import (
    BusError,
    NotOfferedError,
    ProviderError,
    RateLimitedError,
    UnavailableError,
)
from feed_server.market.events import SessionSnapshot
from feed_server.protocol import Budget, Interval, SymbolInfo
from feed_server.providers.base import Provider

PATIENCE_S = 4.0
"""How long somebody who asks may wait for the budget."""
CALL_S = 30.0
"""A call that takes longer has failed."""

RESERVE = 0.5
"""The share of a limit that searches and history leave for prices."""
RESERVED_FROM_S = 3600.0
"""Limits on shorter stretches come back soon enough."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


def quota_of(quotas: Quotas, provider: Provider) -> Quota:
    """Return the budget of a provider's vendor."""
    limits = [(rate.limit, rate.per_s) for rate in provider.capabilities.rates]
    return quotas.of(provider.name, limits)


class Vendor:
    """One provider's calls.

    Args:
        provider: The provider.
        quota: Its vendor's limits.
    """

    def __init__(self, provider: Provider, quota: Quota) -> None:
        self.provider = provider
        self.name = provider.name
        self.can = provider.capabilities
        self._quota = quota
        self._left = [rate.limit for rate in self.can.rates]

    def budgets(self) -> list[Budget]:
        """Return the vendor's limits, and what was left of them when it was last asked."""
        pairs = zip(self.can.rates, self._left, strict=True)
        return [Budget(rate.limit, rate.per_s, left) for rate, left in pairs]

    def pause_s(self, credits: int) -> float:
        """Return how long to wait after spending credits, so that a day's budget lasts.

        The first half of a long limit may go as fast as it is asked for; the rest is spread.
        """
        pairs = zip(self.can.rates, self._left, strict=True)
        return max(
            (
                credits * rate.per_s / rate.limit
                for rate, left in pairs
                if rate.per_s >= RESERVED_FROM_S and left < rate.limit * RESERVE
            ),
            default=0.0,
        )

    async def spend(self, at_most: int) -> Grant:
        """Spend credits, see `Quota.take`.

        Raises:
            BusError: Redis could not be reached.
        """
        if not self.can.rates:
            return Grant(at_most, 0.0, [])
        grant = await self._quota.take(at_most)
        self._left = grant.left
        return grant

    async def quotes(self, symbols: Sequence[str]) -> Mapping[str, SessionSnapshot | ProviderError]:
        """Return quotes as the provider does; their credits are spent already.

        Raises:
            ProviderError: There are none.
        """
        return await self._call(self.provider.quotes(symbols))

    async def history(
        self, symbol: str, interval: Interval, start_ms: int, end_ms: int
    ) -> pd.DataFrame:
        """Return bars as the provider does.

        Raises:
            ProviderError: There are none, or not soon.
            BusError: Redis could not be reached.
        """
        if interval not in self.can.intervals:
            raise NotOfferedError(f"{self.name} has no bars of {interval}")
        await self._keep_reserve()
        await self._spend_one()
        return await self._call(self.provider.history(symbol, interval, start_ms, end_ms))

    async def search(self, text: str) -> list[SymbolInfo]:
        """Return instruments as the provider does.

        Raises:
            ProviderError: It could not tell, or not soon.
            BusError: Redis could not be reached.
        """
        if self.can.open_list:
            await self._keep_reserve()
            await self._spend_one()
        return await self._call(self.provider.search(text))

    async def symbols(self) -> Sequence[SymbolInfo]:
        """Return the instruments that can be asked for from the start.

        Raises:
            ProviderError: It could not tell.
        """
        return await self._call(self.provider.symbols())

    async def _keep_reserve(self) -> None:
        """Refuse to look back, or things up, with what is left for prices.

        Raises:
            RateLimitedError: Less than half of a limit is left, which strangers could spend.
        """
        await self.spend(0)
        for rate, left in zip(self.can.rates, self._left, strict=True):
            if rate.per_s >= RESERVED_FROM_S and left < rate.limit * RESERVE:
                raise RateLimitedError(
                    f"what {self.name} still allows for now is kept for prices",
                    rate.per_s / 10,
                )

    async def _spend_one(self) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not (grant := await self.spend(1)).credits:
            if time.monotonic() + grant.wait_s > deadline_s:
                raise RateLimitedError(f"the limits of {self.name} are reached", grant.wait_s)
            await asyncio.sleep(max(0.05, grant.wait_s))

    async def _call(self, call: Coroutine[None, None, T]) -> T:
        try:
            async with asyncio.timeout(CALL_S):
                return await call
        except TimeoutError:
            raise UnavailableError(f"{self.name} has not answered in {CALL_S:g} s") from None
        except RateLimitedError as error:
            if error.retry_after_s:
                # Others who share the budget need not hear the same.
                with suppress(BusError):
                    await self._quota.block(error.retry_after_s)
            raise
        except ProviderError:
            raise
        except Exception:
            # A fault of one source must not end the others.
            log.exception("a source has a fault of its own", source=self.name)
            raise UnavailableError(f"{self.name} has a fault of its own; the log has it") from None
