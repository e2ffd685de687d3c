"""Figures of how long data takes. The browser draws into them, from what it measures itself."""

from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    FixedTicker,
    Grid,
    Line,
    LinearAxis,
    Model,
    NumeralTickFormatter,
    Plot,
    Range1d,
    VBar,
)

EDGES_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""Upper ends of the histogram's bins; the last bin has all that took longer: as `histogram.js`."""
LABELLED_MS = (1, 10, 100, 1000)
MINUTES = 5
"""How far the series goes back: as `series.js`."""
SPANS = ("event", "painted")
"""What is measured: from the market's event to the feed, and from there to the screen."""
PERCENTILES = ("p50", "p95", "p99")
DASHES = {"p50": "solid", "p95": "dashed", "p99": "dotted"}
BAR_WIDTH = 0.38

Parts = dict[str, object]
"""Models that the browser changes, by the names it knows them by."""


def histogram_figure() -> tuple[Plot, Parts]:
    """Return a figure of how often which latency was seen, a bar for each span in each bin."""
    bins = range(len(EDGES_MS) + 1)
    source = ColumnDataSource(
        {
            "event_x": [i - BAR_WIDTH / 2 for i in bins],
            "painted_x": [i + BAR_WIDTH / 2 for i in bins],
            **{span: [0.0 for _ in bins] for span in SPANS},
        }
    )
    plot, parts = _plot(
        Range1d(start=-0.6, end=len(EDGES_MS) + 0.6), NumeralTickFormatter(format="0%")
    )
    # Where two bins meet stands the edge between them.
    edges = {i + 0.5: _words(ms) for i, ms in enumerate(EDGES_MS) if ms in LABELLED_MS}
    parts["axes"] = [*_axes(parts), _below(plot, edges)]
    parts["bars"] = {
        span: plot.add_glyph(
            source, VBar(x=f"{span}_x", top=span, width=BAR_WIDTH, line_color=None)
        )
        for span in SPANS
    }
    parts["source"] = source
    return plot, parts


def series_figure() -> tuple[Plot, Parts]:
    """Return a figure of the percentiles over the last minutes; x is seconds from now."""
    names = [f"{span}_{percentile}" for span in SPANS for percentile in PERCENTILES]
    source = ColumnDataSource({name: [] for name in ("x", *names)})
    plot, parts = _plot(Range1d(start=-MINUTES * 60, end=0), NumeralTickFormatter(format="0,0"))
    minutes = {-60.0 * m: f"−{m} min" for m in range(1, MINUTES)}
    parts["axes"] = [*_axes(parts), _below(plot, {**minutes, 0.0: "now"})]
    parts["lines"] = {
        span: [
            plot.add_glyph(
                source,
                Line(x="x", y=f"{span}_{p}", line_width=1.5, line_dash=DASHES[p]),
            )
            for p in PERCENTILES
        ]
        for span in SPANS
    }
    parts["source"] = source
    return plot, parts


def _plot(x_range: Range1d, formatter: NumeralTickFormatter) -> tuple[Plot, Parts]:
    plot = Plot(
        x_range=x_range,
        y_range=Range1d(start=0, end=1),
        sizing_mode="stretch_both",
        min_width=0,
        min_height=0,
        min_border=0,
        toolbar_location=None,
        outline_line_color=None,
        background_fill_color=None,
        border_fill_color=None,
    )
    axis = _axis()
    axis.update(formatter=formatter, ticker=BasicTicker(desired_num_ticks=3, num_minor_ticks=0))
    plot.add_layout(axis, "left")
    grid = Grid(dimension=1, ticker=axis.ticker, grid_line_width=0.5)
    plot.add_layout(grid)
    return plot, {"y_range": plot.y_range, "axes": [axis], "grid": grid}


def _below(plot: Plot, labels: dict[float, str]) -> LinearAxis:
    axis = _axis()
    axis.update(ticker=FixedTicker(ticks=list(labels)), major_label_overrides=labels)
    plot.add_layout(axis, "below")
    return axis


def _axis() -> LinearAxis:
    return LinearAxis(
        axis_line_color=None,
        major_tick_line_color=None,
        minor_tick_line_color=None,
        major_label_text_font_size="11px",
    )


def _axes(parts: Parts) -> list[Model]:
    axes = parts["axes"]
    assert isinstance(axes, list)
    return axes


def _words(ms: int) -> str:
    return str(ms) if ms < 1000 else f"{ms // 1000} s"
