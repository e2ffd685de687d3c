"""Answers over HTTP to what a `Session` asks: polls and history."""

import asyncio
from collections.abc import Callable

from dashboard.client.core.actions import Action, Load, Poll
from dashboard.client.core.session import Session
from dashboard.client.errors import FeedError, FeedUnavailableError
from dashboard.client.http_api import HttpApi
from feed_server.protocol import BarSeries, TradeSeries

POLL_TIMEOUT_S = 6.0
"""A feed may ask a source for 5 s before it answers; after two that failed the client is offline,
which must not take longer than 15 s."""

Answer = Callable[[Session, float], list[Action]]
"""Tells a session, at a time in milliseconds, what has come of its request."""


async def answer(http: HttpApi, asked: Poll | Load) -> Answer:
    """Ask for what a session asks for."""
    try:
        return await (_poll(http, asked) if isinstance(asked, Poll) else _load(http, asked))
    except (FeedError, TimeoutError) as error:
        return failed(asked, *_explained(error))


def failed(asked: Poll | Load, code: str, reason: str) -> Answer:
    """Return the answer that there is none; code and reason as for `Session.poll_failed`."""
    if isinstance(asked, Poll):
        return lambda session, now_ms: session.poll_failed(now_ms, asked.id, code, reason)
    return lambda session, now_ms: session.load_failed(now_ms, asked.id, code, reason)


async def _poll(http: HttpApi, poll: Poll) -> Answer:
    """Ask for the state of the sources, and for quotes where there are symbols."""
    async with asyncio.timeout(POLL_TIMEOUT_S):
        status = await http.status()
        quotes = await http.quotes(poll.symbols, poll.since) if poll.symbols else None
    return lambda session, now_ms: session.polled(now_ms, poll.id, quotes, status)


async def _load(http: HttpApi, load: Load) -> Answer:
    """Ask for bars or trades."""
    series = await _series(http, load)
    return lambda session, now_ms: session.loaded(now_ms, load.id, series)


async def _series(http: HttpApi, load: Load) -> BarSeries | TradeSeries:
    if load.interval is None:
        return await http.trades(load.symbol, limit=load.limit)
    return await http.bars(
        load.symbol,
        load.interval,
        start_ms=load.start_ms,
        end_ms=load.end_ms,
        limit=load.limit,
        indicators=load.indicators,
    )


def _explained(error: FeedError | TimeoutError) -> tuple[str, str]:
    if isinstance(error, TimeoutError):
        return "unreachable", f"no answer within {POLL_TIMEOUT_S:g} s"
    if isinstance(error, FeedUnavailableError):
        return "unreachable", error.reason
    return error.code or "unreachable", str(error)
