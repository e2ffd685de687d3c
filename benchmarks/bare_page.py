"""A page of the same shell with one word in it: what Panel itself costs."""

import panel as pn
import panel_material_ui as pmui

pn.extension()
pmui.Page(title="bare", main=[pn.pane.Markdown("ready 1")]).servable()
