"""What a browser needs to draw indicators and other symbols with: made when it asks for it.

Each model costs a page time to open, and the browser time with each tick; most charts need none.
"""

from collections.abc import Mapping

from bokeh.models import ColumnDataSource, Plot

from dashboard.charts.panes import (
    COMPARED,
    INDICATOR_PANES,
    OVERLAY_DOTS,
    OVERLAY_LINES,
    PANE_LINES,
    Parts,
    Shared,
    add_compared,
    add_dots,
    add_line,
    indicator_pane,
)

MOST = {
    "panes": INDICATOR_PANES,
    "lines": OVERLAY_LINES,
    "dots": OVERLAY_DOTS,
    "compared": COMPARED,
}
ROOM = {**MOST, "paneLines": PANE_LINES}
"""What there can be, as the browser is told it."""
FIRST = {"lines": 1, "compared": 1}
"""Made up front: Bokeh tells a page of a source by what draws it, once. What told of it later would
set it back to what it was."""


class Supply:
    """Makes what is missing of a chart.

    Args:
        price: The figure of the prices.
        overlays: What its lines and dots of indicators are drawn from.
        compared: What its lines of other symbols are drawn from.
        shared: What all figures of the chart have.

    Attributes:
        panes: Figures for indicators, from above.
    """

    def __init__(
        self,
        price: Plot,
        overlays: ColumnDataSource,
        compared: ColumnDataSource,
        shared: Shared,
    ) -> None:
        self.panes: list[Plot] = []
        self._price = price
        self._overlays = overlays
        self._compared = compared
        self._shared = shared
        self._made: dict[str, list[object]] = {name: [] for name in (*MOST, "compared_ranges")}
        self.make(FIRST)

    @property
    def made(self) -> Parts:
        """Lists of all that was made, by the names the browser knows them by."""
        return {name: list(made) for name, made in self._made.items()}

    def make(self, wanted: Mapping[str, object]) -> bool:
        """Make what is missing; a browser may ask again before the first ones came.

        Args:
            wanted: How many of each there shall be at least, by the names in `MOST`.

        Returns:
            Whether anything was made.
        """
        made = False
        for name, most in MOST.items():
            count = wanted.get(name)
            if not isinstance(count, int):
                continue
            for slot in range(len(self._made[name]), min(count, most)):
                self._add(name, slot)
                made = True
        return made

    def _add(self, name: str, slot: int) -> None:
        match name:
            case "panes":
                plot, part = indicator_pane(self._shared)
                self.panes.append(plot)
                self._made[name].append(part)
            case "lines":
                self._made[name].append(add_line(self._price, self._overlays, slot, self._shared))
            case "dots":
                self._made[name].append(add_dots(self._price, self._overlays, slot, self._shared))
            case _:
                line, y_range = add_compared(self._price, self._compared, slot, self._shared)
                self._made[name].append(line)
                self._made["compared_ranges"].append(y_range)
