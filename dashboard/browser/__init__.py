"""The browser's side: ES modules, and the base of the elements that run them.

The modules reach the page through one import map of ``data:`` addresses, so that they are loaded
once per page and shared by all elements, with no build step and nothing fetched from elsewhere; in
a notebook it works the same.
"""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from inspect import isawaitable
from pathlib import Path
from typing import ClassVar, Literal
from weakref import WeakSet

import param
from bokeh.document import Document
from bokeh.model import Model
from panel.custom import JSComponent
from panel.io.state import state

from dashboard.relay import Relay

FOLDER = Path(__file__).parent
OVER_PAGE = ("tokens", "toasts", "keys")
"""Stylesheets of what stands outside the elements, over the page."""
TokenGiver = Callable[[], str | Awaitable[str]]
"""A function, plain or async, that gives a token which is good for a while."""
ImportMap = dict[Literal["imports", "scopes"], dict[str, str]]

_have_map: WeakSet[Document] = WeakSet()


@cache
def import_map() -> ImportMap:
    """Return the import map that names every module ``quotewire/<path>``."""
    modules = {
        f"quotewire/{path.relative_to(FOLDER).as_posix()}": path
        for path in sorted(FOLDER.rglob("*.js"))
    }
    addresses = {name: module_url(name, path) for name, path in modules.items()}
    styles = dict(zip(OVER_PAGE, stylesheets(*OVER_PAGE), strict=True))
    text = f"export const STYLESHEETS = {json.dumps(styles)};\n"
    return {"imports": {**addresses, "quotewire/stylesheets.js": _data_url(text)}}


def give_modules(page: Document) -> None:
    """Give a page of our own template the modules in its head, so that no element brings them.

    See `page.html`, where ``quotewire_modules`` is put.
    """
    page.template_variables["quotewire_modules"] = _map_text()
    _have_map.add(page)


@cache
def _map_text() -> str:
    """Return the map as JSON: a megabyte that each open page refers to."""
    return json.dumps(import_map())


def module_url(name: str, path: Path) -> str:
    """Return a module as an address; debuggers show its name."""
    return _data_url(f"{path.read_text(encoding='utf-8')}\n//# sourceURL={name}\n")


def _data_url(text: str) -> str:
    return "data:text/javascript;base64," + base64.b64encode(text.encode()).decode()


def stylesheets(*names: str) -> list[str]:
    """Return the text of stylesheets in ``styles/``, by name without suffix."""
    return [(FOLDER / "styles" / f"{name}.css").read_text(encoding="utf-8") for name in names]


class LiveElement(JSComponent):
    """An element that gets live data in the browser, straight from the feed.

    It costs the Panel process nothing while it lives, unless the browser cannot reach the feed:
    then one element of the page relays it. Elements of one page share one connection.
    """

    feed_url = param.String(doc="Where browsers find the feed: http(s)://host:port[/path].")
    token = param.String(doc="What the feed lets the page in with; empty where it asks for none.")
    relay_url = param.String(
        doc="Where this process finds the feed, to relay it; empty where it does not.",
    )
    can_relay = param.Boolean(doc="Whether there is a `relay_url`.")
    renew = param.Callable(
        doc="A `TokenGiver` for a page that asks for its token; so that no token is in what a "
        "notebook keeps of its outputs."
    )
    can_renew = param.Boolean(doc="Whether there is a `renew`.")

    __abstract = True
    # These are not told to the browser.
    _rename: ClassVar[Mapping[str, str | None]] = {"relay_url": None, "renew": None}

    def __init__(self, **params: object) -> None:
        self._relay: Relay | None = None
        self._renewed = ""
        offers = {
            "can_relay": bool(params.get("relay_url")),
            "can_renew": bool(params.get("renew")),
        }
        super().__init__(**{**params, **offers})

    def __repr__(self, depth: int = 0) -> str:
        """Hide the token."""
        return f"{type(self).__name__}(feed_url={self.feed_url!r})"

    async def _handle_msg(self, data: object) -> None:  # type: ignore[override]
        """Take what the page says: in the event loop, for it is a coroutine."""
        if data == {"do": "renew"}:
            await self._give_token()
        elif self.relay_url:
            if self._relay is None:
                self._relay = Relay(self.relay_url, self._token, self._send_msg)
            self._relay.receive(data)

    def _token(self) -> str:
        return self._renewed or self.token

    async def _give_token(self) -> None:
        if self.renew is not None:
            token = self.renew()
            self._renewed = await token if isawaitable(token) else token
            self._send_msg({"token": self._renewed})

    def _cleanup(self, root: Model | None = None) -> None:
        """End with the session, or the notebook's output, what was relayed there."""
        super()._cleanup(root)
        if self._relay is not None and not self._models:
            self._relay.close()

    @classmethod
    def _process_importmap(cls) -> ImportMap:
        """Give the map to a page's first element only: it is the largest part of each.

        A page takes in all its elements' maps before it loads the first module. Outside a server
        session, where cells of a notebook are pages of their own, each element has it.
        """
        page = state.curdoc
        if page is None or page.session_context is None:
            return import_map()
        if page in _have_map:
            return {}
        _have_map.add(page)
        return import_map()
