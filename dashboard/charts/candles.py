"""Candlesticks with volume below. The figures are made here; the browser keeps them moving."""

import param
from bokeh.models import (
    BasicTicker,
    CategoricalColorMapper,
    ColumnDataSource,
    CrosshairTool,
    FixedTicker,
    Model,
    NumeralTickFormatter,
    PanTool,
    Range1d,
    WheelZoomTool,
)
from bokeh.models.annotations import Span
from bokeh.plotting import figure
from bokeh.transform import transform
from panel.viewable import Child

from dashboard.browser import FOLDER, LiveElement, stylesheets
from feed_server.protocol import Interval

COLUMNS = ("x", "start_ms", "open", "high", "low", "close", "volume", "direction")
DIRECTIONS = ["up", "down"]
BAR_WIDTH = 0.7
AXIS_WIDTH = 84  # pixels right of both figures, so that their bars stand above each other
FEWEST_BARS = 15  # that one can zoom in to


class CandleChart(LiveElement):
    """A symbol's candles and volumes, live, under its price in words.

    The browser loads the history and moves the last bar; nothing of that comes back to Python.
    """

    symbol = param.String(doc="Which symbol; empty for the one that the page has selected.")
    interval: "param.Selector[str]" = param.Selector(
        default=Interval.DAY.value, objects=[i.value for i in Interval], doc="Length of the bars."
    )
    source = param.ClassSelector(class_=ColumnDataSource, doc="The bars; columns: `COLUMNS`.")
    price = Child(doc="The figure of the candles.")
    volume = Child(doc="The figure of the volumes.")
    parts = param.Dict(doc="Models the browser changes, by the names it knows them by.")

    _esm = FOLDER / "chart.js"
    _stylesheets = stylesheets("tokens", "chart")

    def __init__(self, **params: object) -> None:
        source = ColumnDataSource({name: [] for name in COLUMNS})
        x_range = Range1d(start=0, end=1, min_interval=FEWEST_BARS)
        crosshair = Span(dimension="height", line_dash="dotted", line_width=1)
        price, price_parts = _price_figure(source, x_range, crosshair)
        volume, volume_parts = _volume_figure(source, x_range, crosshair)
        parts = {"x_range": x_range, "crosshair": crosshair, **price_parts, **volume_parts}
        super().__init__(source=source, price=price, volume=volume, parts=parts, **params)


def _price_figure(
    source: ColumnDataSource, x_range: Range1d, crosshair: Span
) -> tuple[figure, dict[str, Model]]:
    level = Span(dimension="width", line_dash="dotted", line_width=1)
    plot = _pane(x_range, (level, crosshair))
    outline, body = _by_direction(), _by_direction()
    line, fill = transform("direction", outline), transform("direction", body)
    # The wick first: bodies are drawn over it.
    plot.segment("x", "high", "x", "low", source=source, line_color=line)
    plot.vbar("x", BAR_WIDTH, "open", "close", source=source, line_color=line, fill_color=fill)
    last_line = Span(dimension="width", line_dash="dashed", line_width=1, visible=False)
    plot.add_layout(last_line)
    axis = plot.yaxis[0]
    axis.ticker = BasicTicker(desired_num_ticks=8)
    axis.formatter = NumeralTickFormatter(format="0,0.00")
    plot.xaxis.visible = False
    return plot, {
        "price_range": plot.y_range,
        "price_format": axis.formatter,
        "price_ticker": axis.ticker,
        "level": level,
        "outline": outline,
        "body": body,
        "last_line": last_line,
    }


def _volume_figure(
    source: ColumnDataSource, x_range: Range1d, crosshair: Span
) -> tuple[figure, dict[str, Model]]:
    plot = _pane(x_range, crosshair)
    bars = _by_direction()
    plot.vbar(
        "x",
        BAR_WIDTH,
        "volume",
        source=source,
        line_color=None,
        fill_color=transform("direction", bars),
        fill_alpha=0.5,
    )
    plot.yaxis[0].ticker = FixedTicker(ticks=[])
    plot.xaxis[0].ticker = FixedTicker(ticks=[])
    return plot, {
        "volume_range": plot.y_range,
        "volume_axis": plot.yaxis[0],
        "volume_ticks": plot.yaxis[0].ticker,
        "date_axis": plot.xaxis[0],
        "date_ticks": plot.xaxis[0].ticker,
        "volume_bars": bars,
    }


def _pane(x_range: Range1d, crosshair: Span | tuple[Span, Span]) -> figure:
    """One figure of the stack; the browser fits its y range to the bars in view."""
    # At the newest bar the zoom goes on towards the past.
    zoom = WheelZoomTool(dimensions="width", maintain_focus=False)
    plot = figure(
        x_range=x_range,
        y_range=Range1d(start=0, end=1),
        y_axis_location="right",
        sizing_mode="stretch_both",
        min_width=0,
        min_height=0,
        min_border=0,
        min_border_right=AXIS_WIDTH,
        toolbar_location=None,
        outline_line_color=None,
        tools=[
            PanTool(dimensions="width"),
            zoom,
            CrosshairTool(overlay=crosshair),
        ],
        active_scroll=zoom,
    )
    plot.xgrid.visible = False
    plot.ygrid.grid_line_width = 0.5  # the theme sets the colour
    plot.axis.axis_line_color = None
    plot.axis.major_tick_line_color = None
    plot.axis.minor_tick_line_color = None
    return plot


def _by_direction() -> CategoricalColorMapper:
    """Colours of up and down; the browser sets those of its theme."""
    return CategoricalColorMapper(factors=DIRECTIONS, palette=["#40a9ff", "#ff9f40"])
