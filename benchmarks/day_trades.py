"""A busy day's trades of one symbol: a real one where the files are there, else a made one."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from feed_server.protocol import Trade

SYMBOL = "BAC"
REAL = Path(__file__).parents[2] / "shared" / "data" / "ticks" / "BAC_2013-10-07_trades.csv.gz"
MADE = 88_000
OPEN_MS = 1_381_152_600_000
"""2013-10-07, 09:30 in New York."""
SESSION_MS = 23_400_000


def is_real() -> bool:
    """Tell whether the real day is there."""
    return REAL.exists()


def day_frame() -> pd.DataFrame:
    """Return ``time`` (UTC epoch ms), ``price`` and ``size`` of each trade, in order of time."""
    if is_real():
        frame = pd.read_csv(REAL)
        times = pd.to_datetime(frame["time"], utc=True, format="ISO8601")
        return frame.assign(time=times.dt.as_unit("ms").astype("int64"))
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "time": OPEN_MS + np.sort(rng.integers(0, SESSION_MS, MADE)),
            "price": np.round(14 + np.cumsum(rng.choice([-0.01, 0.0, 0.01], MADE)) / 20, 2),
            "size": rng.integers(1, 20, MADE) * 100.0,
        }
    )


def day_trades() -> Sequence[Trade]:
    """Return the day's trades."""
    frame = day_frame()
    columns = (frame[name].tolist() for name in ("time", "price", "size"))
    return [Trade(SYMBOL, t, p, float(s)) for t, p, s in zip(*columns, strict=True)]
