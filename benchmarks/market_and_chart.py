"""The market table and a chart in one page: elements of the dashboard, with one main thread."""

import panel as pn

from dashboard.charts.candles import CandleChart
from dashboard.config import DashboardConfig
from dashboard.market import Market

pn.extension()
feed = {"feed_url": DashboardConfig.from_environment().browser_feed_url}
half = {"sizing_mode": "stretch_both", "margin": 0, "min_height": 860}
pn.Row(Market(**feed, **half), CandleChart(**feed, **half), sizing_mode="stretch_both").servable()
