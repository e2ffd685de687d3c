"""The market table as Panel streams it: from Python, by the session's own channel.

Served by ``panel serve``; ``?table=tabulator`` or ``?table=perspective``. Every row changes with
every patch, and ``n`` counts them: so that a page tells how many have reached its screen.
"""

import itertools

import numpy as np
import pandas as pd
import panel as pn

ROWS = 500
PERIOD_MS = 50
COLUMNS = ("last", "change", "percent", "bid", "ask", "spread", "volume", "n")

pn.extension("tabulator", "perspective")
(asked, *_) = pn.state.session_args.get("table", [b"tabulator"])
random = np.random.default_rng(1)
opened = random.uniform(10, 500, ROWS).round(2)
last = opened.copy()
volume = np.zeros(ROWS)
patches = itertools.count()


def now() -> dict[str, np.ndarray]:
    """Return the table's numbers by column."""
    change = last - opened
    bid, ask = last - 0.01, last + 0.01
    count = np.full(ROWS, float(next(patches)))
    values = (last, change, 100 * change / opened, bid, ask, ask - bid, volume, count)
    return {name: value.round(2) for name, value in zip(COLUMNS, values, strict=True)}


frame = pd.DataFrame({"symbol": [f"SYM{n:03}" for n in range(ROWS)], **now()})
layout = {"height": 800, "sizing_mode": "stretch_width"}
table: pn.widgets.Tabulator | pn.pane.Perspective
if asked == b"perspective":
    table = pn.pane.Perspective(frame, plugin="datagrid", settings=False, editable=False, **layout)
else:
    table = pn.widgets.Tabulator(frame, disabled=True, show_index=False, **layout)


def push() -> None:
    """Change every row."""
    last[:] = np.abs(last + random.normal(0, 0.05, ROWS))
    volume[:] += random.integers(1, 100, ROWS)
    table.patch({name: [(slice(0, ROWS), values)] for name, values in now().items()})


table.servable()
pn.state.add_periodic_callback(push, period=PERIOD_MS)
