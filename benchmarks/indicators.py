"""What one change of a forming bar costs in indicators: SMA, RSI and MACD over a long series.

Each change is a new close of the forming bar, taken as the gateway takes it: the bar into the
series, then each indicator's values out of it. Every bar of fifty changes becomes final.

Beside it the bare limit of doing it the plain way: TA-Lib's three functions over the whole series.
Their last values are the witness that both are the same.
"""

import random
import time
from collections.abc import Iterator
from math import isclose

import numpy as np
import talib

from benchmarks.figures import percentile, show, show_ratio
from feed_server.market.history_join import bar_array
from feed_server.market.indicator_line import Values
from feed_server.market.indicator_spec import parse_specs
from feed_server.market.indicators import Series
from feed_server.market.session import SessionCalendar
from feed_server.protocol import Bar, Interval

RUNS = 5
BARS = 2_000
CHANGES = 5_000
CHANGES_A_BAR = 50
BARE_CHANGES = 500
ASKED = ("SMA(20)", "RSI(14)", "MACD(12,26,9)")
TARGET_US = 50.0


def main() -> None:
    """Measure and print."""
    print(f"indicators: {', '.join(ASKED)} on a forming bar after {BARS:,} bars", flush=True)
    medians, tails, finals, bare = [], [], [], []
    for run in range(RUNS):
        forming, final = _measure(run)
        medians.append(percentile(forming, 50))
        tails.append(percentile(forming, 99))
        finals.append(percentile(final, 50))
        bare.append(percentile(_measure_bare(run), 50))
    show("one update of a forming bar, median", medians, "µs", TARGET_US)
    show("one update of a forming bar, 99 %", tails, "µs")
    show("one bar becomes final, median", finals, "µs")
    show("TA-Lib over the whole series, median", bare, "µs")
    show_ratio("one update, of TA-Lib over the whole series", medians, bare)


def _measure(run: int) -> tuple[list[float], list[float]]:
    """Return what each change took while its bar was forming, and at its end, in microseconds."""
    specs = parse_specs(ASKED)
    prices = _walk(run)
    bars = [_bar(number, next(prices), final=True) for number in range(BARS)]
    series = Series(SessionCalendar("America/New_York"))
    series.load(bar_array(bars))
    for spec in specs:
        series.follow(spec)
    forming: list[float] = []
    final: list[float] = []
    values: list[Values] = []
    for change in range(1, CHANGES + 1):
        ends = change % CHANGES_A_BAR == 0
        bar = _bar(len(bars), next(prices), final=ends)
        began_ns = time.perf_counter_ns()
        series.take(bar)
        values = [series.values(spec, bar) for spec in specs]
        (final if ends else forming).append((time.perf_counter_ns() - began_ns) / 1000)
        if ends:
            bars.append(bar)
    _check(bars, values)
    return forming, final


def _measure_bare(run: int) -> list[float]:
    """Return what TA-Lib takes for each change of the last of as many bars, in microseconds."""
    prices = _walk(run)
    close = np.array([next(prices) for _ in range(BARS + 1)])
    taken = []
    for _ in range(BARE_CHANGES):
        close[-1] = next(prices)
        began_ns = time.perf_counter_ns()
        _last_values(close)
        taken.append((time.perf_counter_ns() - began_ns) / 1000)
    return taken


def _check(bars: list[Bar], values: list[Values]) -> None:
    """Check the last bar's values.

    Raises:
        AssertionError: They are not TA-Lib's.
    """
    expected = _last_values(np.array([bar.close for bar in bars]))
    found = [value for listed in values for value in listed]
    for one, other in zip(found, expected, strict=True):
        assert one is not None, "an indicator has no value"
        assert isclose(one, other, rel_tol=1e-9), f"{one} is not TA-Lib's {other}"


def _last_values(close: "np.typing.NDArray[np.float64]") -> list[float]:
    """Return the last values in the order of the indicators' names: MACD, RSI, SMA."""
    macd = [float(output[-1]) for output in talib.MACD(close, 12, 26, 9)]
    return [*macd, float(talib.RSI(close, 14)[-1]), float(talib.SMA(close, 20)[-1])]


def _walk(seed: int) -> Iterator[float]:
    chance, price = random.Random(seed), 100.0
    while True:
        price *= 1 + chance.gauss(0, 0.001)
        yield round(price, 2)


def _bar(number: int, price: float, *, final: bool) -> Bar:
    start_ms = number * Interval.MINUTE.ms
    high, low = price + 0.05, price - 0.05
    return Bar("S", Interval.MINUTE, start_ms, price, high, low, price, 100.0, start_ms, final)


if __name__ == "__main__":
    main()
