"""History of a replay: bars of any interval from its tapes. Pure."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from feed_server.protocol import Interval
from feed_server.providers.bar_columns import (
    Pieces,
    Span,
    Starts,
    bar_starts,
    newest_bars,
    trade_pieces,
)
from feed_server.providers.replay_path import path_columns
from feed_server.providers.replay_tape import BarTape, Tape, TradeTape


def tape_bars(
    tapes: Sequence[Tape], interval: Interval, zone: str, span: Span, limit: int
) -> pd.DataFrame:
    """Return the bars in a span, the newest ``limit`` at most, see `Provider.history`.

    They are those that the trades of the tapes make. Where a bar of a tape lies within a wanted
    one, it is taken as it is, for its trades would reproduce it.
    """
    starts_of = bar_starts(interval, zone)
    return newest_bars(_newest_first(tapes, span, starts_of), starts_of, limit)


def _newest_first(tapes: Sequence[Tape], span: Span, starts_of: Starts) -> Iterator[Pieces]:
    for tape in reversed(tapes):
        if isinstance(tape, TradeTape):
            yield from _filled(trade_pieces(tape.times, tape.prices, tape.sizes), span)
        elif isinstance(tape, BarTape):
            yield from _of_bars(tape, span, starts_of)


def _of_bars(tape: BarTape, span: Span, starts_of: Starts) -> Iterator[Pieces]:
    rows = np.flatnonzero((tape.ends > span.first_ms) & (tape.times < span.last_ms))
    if not len(rows):
        return
    tape = tape.part(slice(int(rows[0]), int(rows[-1]) + 1))
    is_within_one = starts_of(tape.times) == starts_of(tape.ends - 1)
    if is_within_one.all():
        yield from _filled(Pieces(tape.times, tape.prices, tape.sizes), span)
        return
    for row in reversed(range(len(tape.times))):
        if is_within_one[row]:
            bar = tape.part(slice(row, row + 1))
            yield from _filled(Pieces(bar.times, bar.prices, bar.sizes), span)
        else:
            trades = path_columns(tape.symbol, tape.path_bar(row))
            yield from _filled(trade_pieces(*trades), span)


def _filled(pieces: Pieces, span: Span) -> Iterator[Pieces]:
    """Give what lies in the span, where something does."""
    inside = (pieces.times >= span.first_ms) & (pieces.times < span.last_ms)
    if inside.all():
        yield pieces
    elif inside.any():
        yield pieces.at(inside)
