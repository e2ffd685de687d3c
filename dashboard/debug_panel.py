"""The debug panel: how the connection, the feed and its sources do, all the way."""

import param
from bokeh.models import Plot
from panel.viewable import Children

from dashboard.browser import FOLDER, LiveElement, stylesheets
from dashboard.charts.latency import histogram_figure, series_figure


class DebugPage(LiveElement):
    """The debug panel as a page of its own, such as for a second screen."""

    figures = Children(doc="A histogram and a series of latencies.")
    parts = param.Dict(doc="Models the browser changes, by the names it knows them by.")

    _esm = FOLDER / "debug_page.js"
    _stylesheets = stylesheets("tokens", "debug")

    def __init__(self, **params: object) -> None:
        figures, parts = _figures()
        super().__init__(**{**params, "figures": figures, "parts": parts})


class DebugDrawer(LiveElement):
    """The debug panel over any page; its figures are made when it is opened first, for few are."""

    figures = Children(doc="None before the drawer was opened; then as of `DebugPage`.")
    parts = param.Dict({}, doc="As of `DebugPage`.")

    _esm = FOLDER / "debug_drawer.js"
    _stylesheets = stylesheets("tokens", "drawer", "debug")

    async def _handle_msg(self, data: object) -> None:  # type: ignore[override]
        """Make the figures for a browser that shows them now."""
        if data != {"do": "figures"}:
            await super()._handle_msg(data)
        elif not self.figures:
            figures, parts = _figures()
            self.param.update(parts=parts, figures=figures)


def _figures() -> tuple[list[Plot], dict[str, object]]:
    histogram, histogram_parts = histogram_figure()
    series, series_parts = series_figure()
    return [histogram, series], {"histogram": histogram_parts, "series": series_parts}
