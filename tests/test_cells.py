"""What the cells of a notebook leave in their kernel: a real one, with nobody to show it."""

import json
from collections.abc import Iterator

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from tests import pem
from tests.harness import PROJECT, clean_environment

pytestmark = pytest.mark.integration

LOADS = "application/vnd.holoviews_load.v0+json"
SHOWS = "application/vnd.holoviews_exec.v0+json"
WIDGET = "from dashboard.notebook import live_quote; live_quote('AAPL')"
COUNT = """
import gc, panel as pn
from dashboard.browser import LiveElement
kernel = get_ipython().kernel
print(
    len(pn.state._views), len(kernel.comm_manager.targets), len(kernel.comm_manager.comms),
    len(pn.state._comm_manager._comms),
    sum(len(each._models) for each in gc.get_objects() if isinstance(each, LiveElement)),
)
"""


@pytest.fixture
def kernel() -> Iterator[BlockingKernelClient]:
    """A running kernel."""
    manager, client = start_new_kernel(
        startup_timeout=60, cwd=str(PROJECT), env=clean_environment(jwt_secret=pem.SECRET)
    )
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(kernel: BlockingKernelClient, cell: str | None, code: str) -> tuple[dict[str, object], str]:
    """Run a cell as a front end does; return what it shows, by its type, and what it prints."""
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
    metadata = {} if cell is None else {"cellId": cell}
    request = kernel.session.msg("execute_request", content, metadata=metadata)
    kernel.shell_channel.send(request)
    shown: dict[str, object] = {}
    printed = ""
    while True:
        message = kernel.get_iopub_msg(timeout=60)
        if message["parent_header"].get("msg_id") != request["msg_id"]:
            continue
        content = message["content"]
        match message["msg_type"]:
            case "display_data" | "execute_result":
                shown |= content["data"]
            case "stream":
                printed += content["text"]
            case "error":
                raise AssertionError("\n".join(content["traceback"]))
            case "status" if content["execution_state"] == "idle":
                return shown, printed


def test_a_cell_that_is_run_again_leaves_nothing_of_what_it_showed(
    kernel: BlockingKernelClient,
) -> None:
    run(kernel, "first", WIDGET)
    run(kernel, "second", "import panel as pn; pn.Row(live_quote('IBM'), live_quote('FB'))")
    _, once = run(kernel, "count", COUNT)
    for _ in range(3):
        run(kernel, "first", WIDGET)
    assert run(kernel, "count", COUNT)[1] == once
    run(kernel, "first", "None")
    run(kernel, "second", "None")
    views, _, _, _, models = map(int, run(kernel, "count", COUNT)[1].split())
    assert (views, models) == (0, 0)


def test_panel_is_brought_by_the_first_cell_and_again_only_by_it(
    kernel: BlockingKernelClient,
) -> None:
    assert {LOADS, SHOWS} <= set(run(kernel, "first", WIDGET)[0])
    for cell in ("second", "third", "second"):
        shown, _ = run(kernel, cell, WIDGET)
        assert SHOWS in shown
        assert LOADS not in shown
    assert {LOADS, SHOWS} <= set(run(kernel, "first", WIDGET)[0]), "its output has gone"


def test_a_front_end_that_names_no_cells_shows_widgets_too(kernel: BlockingKernelClient) -> None:
    assert {LOADS, SHOWS} <= set(run(kernel, None, WIDGET)[0])
    assert SHOWS in run(kernel, None, WIDGET)[0]


def test_no_token_is_in_what_a_notebook_keeps(kernel: BlockingKernelClient) -> None:
    shown, _ = run(kernel, "token", f"{WIDGET}.renew()")
    header = str(shown["text/plain"]).strip("'").split(".")[0]
    assert len(header) > 20
    shown, _ = run(kernel, "widget", WIDGET)
    text = json.dumps({kind: each for kind, each in shown.items() if kind != LOADS})
    assert "can_renew" in text
    assert header not in text
