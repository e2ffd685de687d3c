"""A page that has the process which serves it collect its garbage, and says so."""

import gc

import panel as pn

pn.extension()
gc.collect()
pn.pane.Str("collected").servable()
