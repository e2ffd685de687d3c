"""The figures of a chart, one above the other. The browser draws into them and fits their axes.

All are made before anyone asks for them, for a browser cannot make figures: panes for indicators,
lines for them and for other symbols. What is not used yet has no data and is not seen.
"""

from collections.abc import Sequence

from bokeh.core.properties import value
from bokeh.models import (
    CategoricalColorMapper,
    ColumnDataSource,
    FixedTicker,
    Grid,
    Line,
    LinearAxis,
    LinearScale,
    LogScale,
    Model,
    PanTool,
    Plot,
    Range1d,
    Scatter,
    Segment,
    VArea,
    VBar,
    WheelZoomTool,
)
from bokeh.models.annotations import Span
from bokeh.models.mappers import ColorMapper
from bokeh.transform import transform

BAR_WIDTH = 0.7
AXIS_WIDTH = 76  # pixels right of all figures, so that their bars stand above each other
OVERLAY_LINES = 12
OVERLAY_DOTS = 2
COMPARED = 4
INDICATOR_PANES = 4
PANE_LINES = 3

FLOOR = 1e-12
"""Where an area ends: out of view, and above zero, for a logarithmic axis has none."""

DIRECTIONS = ["up up", "up down", "down up", "down down"]
"""Of a bar: how it closed against its open, and against the close before."""

Parts = dict[str, object]
"""Models that the browser changes, by the names it knows them by."""


def price_pane(
    bars: ColumnDataSource, overlays: ColumnDataSource, compared: ColumnDataSource, x_range: Range1d
) -> tuple[Plot, Parts]:
    """Return the figure of the prices, with what is drawn over them.

    Args:
        bars: Its columns: x, open, high, low, close, direction.
        overlays: Columns x, line0 …, dots0 …
        compared: Columns x, close0 …
        x_range: Which bars are in view.
    """
    plot, parts = _pane(x_range)
    outline, body = _by_direction(), _by_direction()
    line, fill = transform("direction", outline), transform("direction", body)
    base = Span(dimension="width", location=0, visible=False)
    # The wick first: bodies are drawn over it.
    glyphs: Parts = {
        "area": plot.add_glyph(bars, VArea(x="x", y1=value(FLOOR), y2="close", fill_alpha=0.14)),
        "wick": plot.add_glyph(bars, Segment(x0="x", y0="high", x1="x", y1="low", line_color=line)),
        "body": plot.add_glyph(
            bars,
            VBar(
                x="x",
                width=BAR_WIDTH,
                top="open",
                bottom="close",
                line_color=line,
                fill_color=fill,
            ),
        ),
        "line": plot.add_glyph(bars, Line(x="x", y="close", line_width=1.8)),
    }
    parts.update(
        glyphs,
        outline=outline,
        fill=body,
        base=base,
        linear=LinearScale(),
        log=LogScale(),
        overlay_lines=_lines(plot, overlays, "line", OVERLAY_LINES),
        overlay_dots=_dots(plot, overlays),
        compared=_compared(plot, compared),
        compared_ranges=list(plot.extra_y_ranges.values()),
    )
    plot.add_layout(base)
    return plot, parts


def volume_pane(bars: ColumnDataSource, x_range: Range1d) -> tuple[Plot, Parts]:
    """Return the figure of the volumes.

    Args:
        bars: Its columns: x, volume, direction.
        x_range: Which bars are in view.
    """
    plot, parts = _pane(x_range)
    colours = _by_direction()
    plot.add_glyph(
        bars,
        VBar(
            x="x",
            width=BAR_WIDTH,
            top="volume",
            line_color=None,
            fill_color=transform("direction", colours),
            fill_alpha=0.5,
        ),
    )
    parts["fill"] = colours
    return plot, parts


def indicator_pane(x_range: Range1d) -> tuple[Plot, Parts]:
    """Return an empty figure for an indicator.

    Args:
        x_range: Which bars are in view.
    """
    plot, parts = _pane(x_range)
    source = _source(("x", "columns0", *(f"line{i}" for i in range(PANE_LINES))))
    columns = plot.add_glyph(
        source, VBar(x="x", width=BAR_WIDTH, top="columns0", line_color=None, fill_alpha=0.55)
    )
    parts.update(source=source, columns=[columns], lines=_lines(plot, source, "line", PANE_LINES))
    return plot, parts


def overlay_source() -> ColumnDataSource:
    """Return the source of what is drawn over the prices."""
    lines = (f"line{i}" for i in range(OVERLAY_LINES))
    return _source(("x", *lines, *(f"dots{i}" for i in range(OVERLAY_DOTS))))


def compared_source() -> ColumnDataSource:
    """Return the source of other symbols' closes."""
    return _source(("x", *(f"close{i}" for i in range(COMPARED))))


def _source(columns: Sequence[str]) -> ColumnDataSource:
    return ColumnDataSource({name: [] for name in columns})


def _pane(x_range: Range1d) -> tuple[Plot, Parts]:
    """One figure of the stack, without glyphs."""
    # At the newest bar the zoom goes on towards the past.
    zoom = WheelZoomTool(dimensions="width", maintain_focus=False)
    plot = Plot(
        x_range=x_range,
        y_range=Range1d(start=0, end=1),
        sizing_mode="stretch_both",
        min_width=0,
        min_height=0,
        min_border=0,
        min_border_right=AXIS_WIDTH,
        toolbar_location=None,
        outline_line_color=None,
        background_fill_color=None,
        border_fill_color=None,
    )
    plot.add_tools(PanTool(dimensions="width"), zoom)
    plot.toolbar.active_scroll = zoom
    ticker = FixedTicker(ticks=[])
    axis = LinearAxis(
        axis_line_color=None,
        major_tick_line_color=None,
        minor_tick_line_color=None,
        major_label_text_font_size="11px",
    )
    axis.update(ticker=ticker)
    plot.add_layout(axis, "right")
    grid = Grid(dimension=1, ticker=ticker, grid_line_width=0.5)
    plot.add_layout(grid)
    return plot, {
        "plot": plot,
        "range": plot.y_range,
        "axis": axis,
        "ticker": ticker,
        "grid": grid,
    }


def _lines(plot: Plot, source: ColumnDataSource, name: str, count: int) -> list[Model]:
    return [
        plot.add_glyph(source, Line(x="x", y=f"{name}{i}", line_width=1.4), visible=False)
        for i in range(count)
    ]


def _dots(plot: Plot, source: ColumnDataSource) -> list[Model]:
    return [
        plot.add_glyph(source, Scatter(x="x", y=f"dots{i}", size=3, line_color=None), visible=False)
        for i in range(OVERLAY_DOTS)
    ]


def _compared(plot: Plot, source: ColumnDataSource) -> list[Model]:
    """Lines of other symbols, each by a range of its own: to rebase one is to move its range."""
    plot.extra_y_ranges = {f"compared{i}": Range1d(start=0, end=1) for i in range(COMPARED)}
    return [
        plot.add_glyph(
            source,
            Line(x="x", y=f"close{i}", line_width=1.4),
            y_range_name=f"compared{i}",
            visible=False,
        )
        for i in range(COMPARED)
    ]


def _by_direction() -> ColorMapper:
    """Colours of `DIRECTIONS`; the browser sets those of its theme."""
    return CategoricalColorMapper(factors=DIRECTIONS, palette=["#000000"] * len(DIRECTIONS))
