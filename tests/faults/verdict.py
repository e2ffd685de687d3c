"""Whether a client told all there was, and nothing else: its record against the ledger. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import inf
from typing import Generic, TypeVar

from tests.faults.record import (
    BarKey,
    Lost,
    QuoteKey,
    Record,
    TradeKey,
)

K = TypeVar("K", TradeKey, BarKey)

LATE_LOSS_MS = 5_000
"""A loss is told before what comes after it, or so much later at most: history is asked first."""


def of_series(
    name: str,
    seen: Sequence[tuple[float, K]],
    truth: Sequence[K],
    losses: Sequence[float],
    *,
    time_at: int = 0,
    from_ms: float = inf,
) -> Iterator[str]:
    """Tell what is wrong with the trades or final bars of one series.

    Args:
        name: Of the series, for a person.
        seen: When each was told, and which.
        truth: All there were. What was seen of before its begin is only looked at for its order.
        losses: When the client told that some are lost; before the first was seen, any may be.
        time_at: Where in the keys their time is. Not at the begin: they begin with offsets. Where
            those jump, a change without a trade lies between, or a trade: who has lost the place
            cannot know, and may say so.
        from_ms: From when on all have to be told.
    """
    if not truth:
        return
    seen = list(_known(seen, truth[0]))
    if not seen:
        if not losses:
            yield f"{name}: nothing was told of {len(truth)}"
        return
    losses = [loss_ms for loss_ms in losses if loss_ms >= seen[0][0]]
    missed = [key for key in truth[: _place(truth, seen[0][1])] if key[time_at] >= from_ms]
    if missed:
        yield f"{name}: the first {len(missed)} are missing"
    walk = _Walk(truth, losses, numbered=time_at > 0)
    for at_ms, key in seen:
        yield from (f"{name}: {wrong}" for wrong in walk.step(at_ms, key))
    yield from (f"{name}: {wrong}" for wrong in walk.end())


class _Walk(Generic[K]):
    """A way along the truth, by what was seen of it."""

    def __init__(self, truth: Sequence[K], losses: list[float], *, numbered: bool) -> None:
        self._truth: Sequence[K] = truth
        self._losses = losses
        self._numbered = numbered
        self._places: dict[K, int] = {key: place for place, key in enumerate(truth)}
        self._doubts: list[tuple[float, float]] = []
        self._at: int | None = None
        self._at_ms = 0.0

    def step(self, now_ms: float, key: K) -> Iterator[str]:
        """Go on to what was seen next; tell what is wrong with it."""
        place, at = self._places.get(key), self._at
        if place is None:
            yield f"{key} never was"
            return
        if at is not None and place <= at:
            yield f"{key} was told {'twice' if place == at else 'again, or too late'}"
            return
        if at is not None and place > at + 1:
            if not self._explained(now_ms):
                yield f"{place - at - 1} before {key} are missing, silently"
        elif at is not None and self._numbered and key[0] > self._truth[at][0] + 1:
            self._doubts.append((self._at_ms, now_ms))
        self._at, self._at_ms = place, now_ms

    def end(self) -> Iterator[str]:
        """Tell what is missing after all that was seen, and what was wrongly told as lost."""
        missing = len(self._truth) - 1 - (len(self._truth) if self._at is None else self._at)
        if missing > 0:
            yield f"the last {missing} are missing"
        for loss_ms in self._losses:
            if not any(begin_ms <= loss_ms <= end_ms for begin_ms, end_ms in self._doubts):
                yield f"told as lost at {loss_ms:.0f}, but nothing is missing there"

    def _explained(self, now_ms: float) -> bool:
        """Tell whether the gap up to now was told as lost; one word is for one gap."""
        for loss_ms in self._losses:
            if self._at_ms <= loss_ms <= now_ms + LATE_LOSS_MS:
                self._losses.remove(loss_ms)
                return True
        return False


def _place(truth: Sequence[K], key: K) -> int:
    return truth.index(key) if key in truth else 0


def _known(seen: Sequence[tuple[float, K]], first: K) -> Iterator[tuple[float, K]]:
    """Leave out what was before the ledger began: history that the client loaded."""
    begun = False
    for at_ms, key in seen:
        begun = begun or key[0] >= first[0]
        if begun:
            yield at_ms, key


def of_lossless(
    record: Record,
    trades: Mapping[str, Sequence[TradeKey]],
    bars: Mapping[tuple[str, str], Sequence[BarKey]],
    *,
    from_ms: float = inf,
    may_lose: bool = True,
) -> Iterator[str]:
    """Tell what is wrong with trades and final bars.

    Args:
        record: The client's.
        trades: All there were, by symbol.
        bars: All final ones there were, by symbol and interval.
        from_ms: From when on all have to be told.
        may_lose: Whether a client may say that some are lost.
    """
    if not may_lose:
        for loss in record.losses:
            of = " ".join(filter(None, (loss.channel, loss.symbol, loss.interval)))
            yield f"{loss.at_ms:.0f}: {of} are said to be lost, though the feed has all"
    for symbol, trades_told in trades.items():
        lost = _losses(record.losses, "trades", symbol, None)
        name, seen = f"trades of {symbol}", record.trades[symbol]
        yield from of_series(name, seen, trades_told, lost, time_at=1, from_ms=from_ms)
    for (symbol, interval), bars_told in bars.items():
        lost = _losses(record.losses, "bars", symbol, interval)
        name = f"{interval} bars of {symbol}"
        yield from of_series(name, record.bars[symbol, interval], bars_told, lost, from_ms=from_ms)


def _losses(losses: Sequence[Lost], channel: str, symbol: str, interval: str | None) -> list[float]:
    wanted = (channel, symbol, interval)
    return [loss.at_ms for loss in losses if (loss.channel, loss.symbol, loss.interval) == wanted]


def of_quotes(
    record: Record,
    final: Mapping[str, QuoteKey],
    trades: Mapping[str, Sequence[TradeKey]],
) -> Iterator[str]:
    """Tell what is wrong with quotes: a price that never was, older after newer, another end."""
    for symbol, truth in final.items():
        seen = [key for _, key in record.quotes[symbol]]
        last = seen[-1] if seen else None
        if last != truth:
            yield f"quotes of {symbol}: ends with {last}, the feed with {truth}"
        prices: dict[int, set[float]] = {}
        for _, time_ms, price, _ in trades[symbol]:
            prices.setdefault(time_ms, set()).add(price)
        begin_ms = trades[symbol][0][1]
        for time_ms, price, _ in seen:
            if time_ms >= begin_ms and price not in prices.get(time_ms, ()):
                yield f"quotes of {symbol}: {price} at {time_ms} never was"
        for (before_ms, *_), (after_ms, *_) in pairwise(seen):
            if after_ms < before_ms:
                yield f"quotes of {symbol}: {after_ms} came after {before_ms}"
