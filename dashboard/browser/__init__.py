"""The browser's side: ES modules, and the base of the elements that run them.

The modules reach the page through one import map of ``data:`` addresses, so that they are loaded
once per page and shared by all elements, with no build step and nothing fetched from elsewhere; in
a notebook it works the same.
"""

import base64
from functools import cache
from pathlib import Path
from typing import ClassVar

import param
from panel.custom import JSComponent

FOLDER = Path(__file__).parent


@cache
def import_map() -> dict[str, dict[str, str]]:
    """Return the import map that names every module ``quotewire/<path>``."""
    modules = sorted(FOLDER.rglob("*.js"))
    return {
        "imports": {
            f"quotewire/{path.relative_to(FOLDER).as_posix()}": _data_url(path) for path in modules
        }
    }


def _data_url(path: Path) -> str:
    name = f"quotewire/{path.relative_to(FOLDER).as_posix()}"
    text = f"{path.read_text(encoding='utf-8')}\n//# sourceURL={name}\n"
    return "data:text/javascript;base64," + base64.b64encode(text.encode()).decode()


def stylesheets(*names: str) -> list[str]:
    """Return the text of stylesheets in ``styles/``, by name without suffix."""
    return [(FOLDER / "styles" / f"{name}.css").read_text(encoding="utf-8") for name in names]


class LiveElement(JSComponent):
    """An element that gets live data in the browser, straight from the feed.

    It costs the Panel process nothing while it lives. Elements of one page share one connection.
    """

    feed_url = param.String(doc="Where browsers find the feed: http(s)://host:port[/path].")

    _importmap: ClassVar[dict[str, dict[str, str]]] = import_map()

    __abstract = True
