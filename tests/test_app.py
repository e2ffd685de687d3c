"""What a page of the dashboard leaves in the process that has served it."""

import gc
import weakref

import panel_material_ui as pmui
from bokeh.document import Document
from panel.io.state import set_curdoc, state

from dashboard.app import create_app
from dashboard.config import DashboardConfig


def test_nothing_keeps_a_page_that_is_gone() -> None:
    page = weakref.ref(_opened())

    gc.collect()

    assert page() is None


def test_a_page_does_not_change_when_another_is_busy() -> None:
    page = _opened()
    before = page.busy

    state._add_busy_event("of another page")
    try:
        assert state.busy
        assert page.busy == before
    finally:
        state._remove_busy_event("of another page")


def _opened() -> pmui.Page:
    with set_curdoc(Document()):
        return create_app(DashboardConfig())
