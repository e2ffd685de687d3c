"""What a user can set: the one list of it. Browsers keep it, and check it by a schema made here."""

from collections.abc import Mapping
from typing import TypeAlias

import param

Json: TypeAlias = Mapping[str, object]

PAGES = ("dashboard", "market", "symbol", "debug")
ZONE_PATTERN = r"^(exchange|local|UTC|[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2})$"
ALL_SYMBOLS = "All symbols"

_NAME: Json = {"type": "string", "pattern": r"^\S(.{0,38}\S)?$"}


def _texts(longest: int, most: int, pattern: str) -> Json:
    return {
        "type": "array",
        "items": {"type": "string", "pattern": pattern, "maxLength": longest},
        "maxItems": most,
        "uniqueItems": True,
    }


FORMATS: Mapping[str, Json] = {"timezone": {"format": "zone"}}
"""What a browser checks besides, by the setting's name."""
ITEMS: Mapping[str, Mapping[str, Json]] = {
    "watchlists": {"name": _NAME, "symbols": _texts(64, 500, r"^[\w.:^=/-]+$")},
    "chart_templates": {
        "name": _NAME,
        "indicators": _texts(100, 20, r"^[A-Z0-9_]{1,32}(\([\d.,\s-]*\))?$"),
    },
}
"""What the items of a list are made of, by the list's name; no two have the same ``name``."""


MOST_BYTES: Mapping[str, int] = {"watchlists": 196_608, "chart_templates": 49_152}
"""Of a list as JSON, by its name: so much and all the rest is kept of a user by the feed, which is
20 lists of 500 symbols of 16 characters."""


class Settings(param.Parameterized):
    """A user's settings, with what is usual; names and values are those of the browser."""

    mode: "param.Selector[str]" = param.Selector(
        default="auto",
        objects=["auto", "websocket", "polling"],
        label="Transport",
        doc="How live data comes: WebSocket, HTTP polling, or WebSocket with polling behind it.",
    )
    poll_ms: "param.Number[float]" = param.Number(
        default=1000,
        bounds=(250, 60_000),
        label="Poll interval",
        doc="From one poll to the next, in milliseconds.",
    )
    max_hz: "param.Number[float]" = param.Number(
        default=0,
        bounds=(0, 60),
        label="Most updates",
        doc="Updates a second at most; 0: as the feed likes.",
    )
    theme: "param.Selector[str]" = param.Selector(
        default="system",
        objects=["system", "dark", "light"],
        label="Theme",
        doc="Dark or light, or as the system has it.",
    )
    palette: "param.Selector[str]" = param.Selector(
        default="blue_orange",
        objects=["blue_orange", "green_red", "red_up"],
        label="Up and down",
        doc="The first one is told apart by all; in East Asia red is up.",
    )
    animations = param.Boolean(default=True, label="Animations", doc="Whether anything moves.")
    flash = param.Boolean(default=True, label="Flash", doc="Whether a price that moves flashes.")
    timezone: "param.String[str]" = param.String(
        default="exchange",
        regex=ZONE_PATTERN,
        label="Time zone",
        doc="Of the exchange, of this computer (`local`), or a name such as Europe/Berlin.",
    )
    number_format: "param.Selector[str]" = param.Selector(
        default="auto",
        objects=["auto", "1,234.56", "1.234,56", "1 234,56"],
        label="Numbers",
        doc="How numbers are written; `auto`: as is usual in the browser's language.",
    )
    default_page: "param.Selector[str]" = param.Selector(
        default=PAGES[0],
        objects=list(PAGES),
        label="First page",
        doc="The page of an address that names none.",
    )
    watchlists: "param.List[list[dict[str, object]]]" = param.List(
        default=[{"name": ALL_SYMBOLS, "symbols": []}],
        item_type=dict,
        bounds=(1, 20),
        label="Watchlists",
        doc="Named lists of symbols, the usual one first; an empty one is all of the feed.",
    )
    chart_templates: "param.List[list[dict[str, object]]]" = param.List(
        default=[],
        item_type=dict,
        bounds=(0, 20),
        label="Chart templates",
        doc="Indicators kept under a name, to be put on another chart.",
    )


def schema() -> dict[str, dict[str, object]]:
    """Return the JSON Schema of each setting, by name."""
    names = [name for name in Settings.param if name != "name"]
    return {name: _schema(name, Settings.param[name]) for name in names}


def _schema(name: str, setting: "param.Parameter[object]") -> dict[str, object]:
    told: dict[str, object] = {
        "title": setting.label,
        "description": setting.doc,
        "default": setting.default,
    }
    match setting:
        case param.Selector():
            return told | {"enum": list(setting.objects)}
        case param.Boolean():
            return told | {"type": "boolean"}
        case param.Number(bounds=(least, most)):
            return told | {"type": "number", "minimum": least, "maximum": most}
        case param.String():
            told |= {"type": "string", "pattern": setting.regex, "maxLength": 64}
            return {**told, **FORMATS.get(name, {})}
        case param.List(bounds=(least, most)):
            return told | {
                "type": "array",
                "items": {"type": "object", "properties": ITEMS[name]},
                "minItems": least,
                "maxItems": most,
                "maxBytes": MOST_BYTES[name],
            }
    raise TypeError(f"{name}: a {type(setting).__name__} cannot be a setting yet")
