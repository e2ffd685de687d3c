"""A symbol's bars, live. The figures are made here; the browser keeps them moving."""

from functools import partial

import param
from bokeh.models import ColumnDataSource, Range1d
from panel.io.document import unlocked
from panel.io.state import state
from panel.viewable import Child, Children

from dashboard.browser import FOLDER, LiveElement, stylesheets
from dashboard.charts.panes import (
    Shared,
    compared_source,
    overlay_source,
    price_pane,
    volume_pane,
)
from dashboard.charts.supply import ROOM, Supply
from feed_server.protocol import Interval

COLUMNS = ("x", "open", "high", "low", "close", "volume", "direction")
FEWEST_BARS = 15  # that one can zoom in to


class CandleChart(LiveElement):
    """A symbol's candles, or line, with volumes and indicators, live, under its price in words.

    The browser loads the history and moves the last bar; nothing of that comes back to Python.
    """

    symbol = param.String(doc="Which symbol; empty for the one that the page has selected.")
    interval: "param.Selector[str]" = param.Selector(
        default=Interval.DAY.value,
        objects=[i.value for i in Interval],
        doc="Length of the bars; of a chart of the page's symbol the page's address tells it.",
    )
    titled = param.Boolean(default=True, doc="Whether its symbol and price stand over it.")
    source = param.ClassSelector(class_=ColumnDataSource, doc="The bars; columns: `COLUMNS`.")
    overlays = param.ClassSelector(class_=ColumnDataSource, doc="What is drawn over the prices.")
    compared = param.ClassSelector(class_=ColumnDataSource, doc="Other symbols' closes.")
    price = Child(doc="The figure of the prices.")
    volume = Child(doc="The figure of the volumes.")
    panes = Children(doc="Figures for indicators; as many as were ever needed at once.")
    parts = param.Dict(doc="Models the browser changes, by the names it knows them by.")
    made = param.Dict(doc="Lists of those that are made when it asks, and of panes' models.")
    room = param.Dict(doc="How many of these there can be.")

    _esm = FOLDER / "chart.js"
    _render_policy = "manual"  # the browser puts panes that come late beside what it has drawn
    _stylesheets = stylesheets("tokens", "popover", "chart", "chart_tools", "indicators", "export")

    def __init__(self, **params: object) -> None:
        source = ColumnDataSource({name: [] for name in COLUMNS})
        overlays, compared = overlay_source(), compared_source()
        x_range = Range1d(start=0, end=1, min_interval=FEWEST_BARS)
        shared = Shared(x_range)
        price, price_parts = price_pane(source, shared)
        volume, volume_parts = volume_pane(source, shared)
        self._supply = Supply(price, overlays, compared, shared)
        parts = {
            "x_range": x_range,
            "price": price_parts,
            "volume": volume_parts,
        }
        super().__init__(
            source=source,
            overlays=overlays,
            compared=compared,
            price=price,
            volume=volume,
            parts=parts,
            made=self._supply.made,
            room=ROOM,
            **params,
        )

    async def _handle_msg(self, data: object) -> None:  # type: ignore[override]
        """Make what a browser needs to draw its indicators and other symbols."""
        match data:
            case {"do": "make", **wanted}:
                # Under the document's lock, for a page may ask before Panel knows it to be ready:
                # until then nothing that a page already has can be changed without.
                state.execute(partial(self._make, wanted), schedule=True)
            case _:
                await super()._handle_msg(data)

    def _make(self, wanted: dict[object, object]) -> None:
        with unlocked():  # all in one message
            if self._supply.make({str(name): count for name, count in wanted.items()}):
                self.param.update(made=self._supply.made, panes=list(self._supply.panes))
