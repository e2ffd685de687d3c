"""Whatever pages and their links do: the server of the pages has nothing to complain of."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tests.browser.charts import DRAWN_MS, drawn
from tests.browser.conftest import Dashboard
from tests.browser.test_dashboard import RECOVERY_MS, state
from tests.harness import FeedProcess

pytestmark = pytest.mark.browser

PAGE = "?page=symbol&symbol=AAPL"
LINK = re.compile("/dashboard/ws")
KNOWN = re.compile(
    "BokehUserWarning: reference already known|Failed sending message as connection was closed"
)
"""No news: what a page that came back tells of itself, and that one closed while it was told."""


@pytest.fixture
def quiet(
    running_feed: FeedProcess, browser: Browser, tmp_path: Path
) -> Iterator[tuple[Dashboard, Page]]:
    """A server of its own and an empty page; what the server logs by its end fails the test."""
    context = browser.new_context()
    said = tmp_path / "panel.log"
    server = Dashboard(feed_url=running_feed.url, log=str(said))
    try:
        server.wait()
        yield server, context.new_page()
    finally:
        context.close()
        server.stop()
    assert [line for line in said.read_text().splitlines() if not KNOWN.search(line)] == []


def in_messages(
    send: Callable[[str | bytes], None], take: Callable[[list[str]], bool]
) -> Callable[[str | bytes], None]:
    """Return what sends frames on, but for those of messages that ``take`` takes.

    A message of Bokeh is a header, metadata and content; none of a page's has buffers.
    """
    message: list[str] = []

    def frame(text: str | bytes) -> None:
        assert isinstance(text, str)
        message.append(text)
        if len(message) == 3:
            whole, message[:] = list(message), []
            assert not json.loads(whole[0]).get("num_buffers")
            if not take(whole):
                for part in whole:
                    send(part)

    return frame


def test_a_page_may_ask_for_lines_before_its_server_knows_that_it_is_ready(
    quiet: tuple[Dashboard, Page],
) -> None:
    server, page = quiet
    held: list[list[str]] = []
    links: list[WebSocketRoute] = []

    def hold_ready(message: list[str]) -> bool:
        is_it = "document_ready" in message[2]
        if is_it:
            held.append(message)
        return is_it

    def link(socket: WebSocketRoute) -> None:
        links.append(socket.connect_to_server())
        socket.on_message(in_messages(links[0].send, hold_ready))

    page.route_web_socket(LINK, link)
    indicators = ("BBANDS(20,2,2,0)", "SAR(0.02,0.2)")
    page.goto(f"{server.url}{PAGE}&compare=IBM;MSFT&indicators={';'.join(indicators)}")
    drawn(page, 300)
    for name in indicators:
        expect(page.get_by_test_id(f"indicator-{name}")).to_contain_text(".", timeout=DRAWN_MS)
    for symbol in ("IBM", "MSFT"):
        expect(page.get_by_test_id(f"compared-{symbol}")).to_contain_text("%", timeout=DRAWN_MS)
    page.wait_for_function("window.__quotewire.chart.bars > 300")
    # Of each there are as many as were asked for, and no other is left over.
    made = """() => {
      const [plot] = [...window.Bokeh.documents[0]._all_models.values()]
        .filter(({type, extra_y_ranges}) => type === "Plot" && "compared0" in extra_y_ranges);
      const own = ({glyph}) => String(glyph.y?.field ?? "").replace(/\\d/, "");
      const lines = plot.renderers.map(own);
      const count = (name) => lines.filter((one) => one === name).length;
      return [count("line"), count("dots"), Object.keys(plot.extra_y_ranges).length];
    }"""
    page.wait_for_function(f"String(({made})()) === '3,1,2'", timeout=DRAWN_MS)
    assert held, "the page has not said that it is ready"
    for message in held:
        for part in message:
            links[0].send(part)
    expect(page.get_by_test_id("toast")).to_have_count(0)


def test_a_page_that_came_back_before_its_loss_was_noticed_leaves_nothing_behind(
    quiet: tuple[Dashboard, Page],
) -> None:
    server, page = quiet
    sockets: list[WebSocketRoute] = []
    ends: list[WebSocketRoute] = []

    def link(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        ends.append(socket.connect_to_server())
        socket.on_close(lambda _code, _reason: None)  # the server's end stays open

    def pane(number: int, *indicators: str) -> None:
        page.evaluate(
            """async (indicators) => {
              const {address} = await import("quotewire/address.js");
              address.set({indicators});
            }""",
            list(indicators),
        )
        expect(page.get_by_test_id(f"pane-{number}")).to_be_visible(timeout=RECOVERY_MS)

    page.route_web_socket(LINK, link)
    page.goto(f"{server.url}{PAGE}")
    state(page, "live")
    drawn(page, 300)
    pane(0, "RSI(14)")
    sockets[0].close(code=1001)
    pane(1, "RSI(14)", "CCI(14)")
    assert len(ends) == 2
    ends[0].close()
    pane(2, "RSI(14)", "CCI(14)", "MOM(10)")
