"""The figures of a chart, one above the other. The browser draws into them and fits their axes.

A browser cannot make figures: Python makes panes and lines for indicators and for other symbols
when a browser needs them, without data and not seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bokeh.core.properties import value
from bokeh.models import (
    AllIndices,
    AllLabels,
    BasicTickFormatter,
    CategoricalColorMapper,
    CDSView,
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
OVERLAY_LINES = 10
OVERLAY_DOTS = 1
COMPARED = 4
INDICATOR_PANES = 4
PANE_LINES = 3

FLOOR = 1e-12
"""Where an area ends: out of view, and above zero, for a logarithmic axis has none."""

DIRECTIONS = ["up up", "up down", "down up", "down down"]
"""Of a bar: how it closed against its open, and against the close before."""

Parts = dict[str, object]
"""Models that the browser changes, by the names it knows them by."""


def _pan() -> PanTool:
    return PanTool(dimensions="width")


def _zoom() -> WheelZoomTool:
    # At the newest bar the zoom goes on towards the past.
    return WheelZoomTool(dimensions="width", maintain_focus=False)


@dataclass(frozen=True)
class Shared:
    """What all figures of one chart have in common: a model costs a page a millisecond.

    Attributes:
        x_range: Which bars are in view.
        everything: All that a source has.
        pan: Moves the bars in view.
        zoom: Shows more of them, or fewer.
        linear: What an axis is measured by; each figure makes its own of it.
        labels: Which labels of an axis are drawn: all.
        formatter: How they are written, where the browser does not say it.
    """

    x_range: Range1d
    everything: AllIndices = field(default_factory=AllIndices)
    pan: PanTool = field(default_factory=_pan)
    zoom: WheelZoomTool = field(default_factory=_zoom)
    linear: LinearScale = field(default_factory=LinearScale)
    labels: AllLabels = field(default_factory=AllLabels)
    formatter: BasicTickFormatter = field(default_factory=BasicTickFormatter)


def price_pane(bars: ColumnDataSource, shared: Shared) -> tuple[Plot, Parts]:
    """Return the figure of the prices.

    Args:
        bars: Its columns: x, open, high, low, close, direction.
        shared: What all figures of the chart have.
    """
    plot, parts = _pane(shared)
    outline, body = _by_direction(), _by_direction()
    line, fill = transform("direction", outline), transform("direction", body)
    base = Span(dimension="width", location=0, visible=False)
    area = VArea(x="x", y1=value(FLOOR), y2="close", fill_alpha=0.14)
    wick = Segment(x0="x", y0="high", x1="x", y1="low", line_color=line)
    box = VBar(x="x", width=BAR_WIDTH, top="open", bottom="close", line_color=line, fill_color=fill)
    closes = Line(x="x", y="close", line_width=1.8)
    # The wick before the body, which is drawn over it.
    drawn = {"area": area, "wick": wick, "body": box, "line": closes}
    glyphs: Parts = {
        name: plot.add_glyph(bars, glyph, view=_view(shared)) for name, glyph in drawn.items()
    }
    parts.update(
        glyphs,
        outline=outline,
        fill=body,
        base=base,
        linear=shared.linear,
        log=LogScale(),
    )
    plot.add_layout(base)
    return plot, parts


def volume_pane(bars: ColumnDataSource, shared: Shared) -> tuple[Plot, Parts]:
    """Return the figure of the volumes.

    Args:
        bars: Its columns: x, volume, direction.
        shared: What all figures of the chart have.
    """
    plot, parts = _pane(shared)
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
        view=_view(shared),
    )
    parts["fill"] = colours
    return plot, parts


def indicator_pane(shared: Shared) -> tuple[Plot, Parts]:
    """Return an empty figure for an indicator.

    Args:
        shared: What all figures of the chart have.
    """
    plot, parts = _pane(shared)
    source = _source(("x", "columns0", *(f"line{i}" for i in range(PANE_LINES))))
    columns = plot.add_glyph(
        source,
        VBar(x="x", width=BAR_WIDTH, top="columns0", line_color=None, fill_alpha=0.55),
        view=_view(shared),
    )
    parts.update(source=source, columns=[columns])
    parts["lines"] = [add_line(plot, source, slot, shared) for slot in range(PANE_LINES)]
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


def _pane(shared: Shared) -> tuple[Plot, Parts]:
    """One figure of the stack, without glyphs."""
    plot = Plot(
        x_range=shared.x_range,
        y_range=Range1d(start=0, end=1),
        x_scale=shared.linear,
        y_scale=shared.linear,
        title=None,
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
    plot.add_tools(shared.pan, shared.zoom)
    plot.toolbar.active_scroll = shared.zoom
    ticker = FixedTicker(ticks=[])
    axis = LinearAxis(
        axis_line_color=None,
        major_tick_line_color=None,
        minor_tick_line_color=None,
        major_label_text_font_size="11px",
        major_label_policy=shared.labels,
        formatter=shared.formatter,
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


def add_line(plot: Plot, source: ColumnDataSource, slot: int, shared: Shared) -> Model:
    """Add a line of an indicator to a figure, and return its renderer.

    Args:
        plot: The figure.
        source: Has a column ``line<slot>``.
        slot: Which of its lines.
        shared: What all figures of the chart have.
    """
    line = Line(x="x", y=f"line{slot}", line_width=1.4)
    return plot.add_glyph(source, line, visible=False, view=_view(shared))


def add_dots(plot: Plot, source: ColumnDataSource, slot: int, shared: Shared) -> Model:
    """Add dots of an indicator to a figure, and return their renderer; as `add_line`."""
    dots = Scatter(x="x", y=f"dots{slot}", size=3, line_color=None)
    return plot.add_glyph(source, dots, visible=False, view=_view(shared))


def add_compared(
    plot: Plot, source: ColumnDataSource, slot: int, shared: Shared
) -> tuple[Model, Range1d]:
    """Add the line of another symbol to a figure; return its renderer and its range.

    It has a range of its own: to rebase it is to move that.

    Args:
        plot: The figure.
        source: Has a column ``close<slot>``.
        slot: Which of the other symbols.
        shared: What all figures of the chart have.
    """
    name = f"compared{slot}"
    y_range = Range1d(start=0, end=1)
    plot.extra_y_ranges = {**plot.extra_y_ranges, name: y_range}
    line = Line(x="x", y=f"close{slot}", line_width=1.4)
    return (
        plot.add_glyph(source, line, y_range_name=name, visible=False, view=_view(shared)),
        y_range,
    )


def _view(shared: Shared) -> CDSView:
    """One for each renderer: it keeps what it has drawn."""
    return CDSView(filter=shared.everything)


def _by_direction() -> ColorMapper:
    """Colours of `DIRECTIONS`; the browser sets those of its theme."""
    return CategoricalColorMapper(factors=DIRECTIONS, palette=["#000000"] * len(DIRECTIONS))
