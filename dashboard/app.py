"""The page shell: brand, badge, settings and theme around the pages."""

from functools import partial
from pathlib import Path

import panel as pn
import panel_material_ui as pmui
import param
from panel.io.resources import LOCAL_DIST
from panel.util.parameters import edit_readonly

from dashboard.alerts_bell import AlertsBell
from dashboard.badge import ConnectionBadge
from dashboard.browser import FOLDER, give_modules
from dashboard.config import DashboardConfig
from dashboard.controls import Controls
from dashboard.debug_panel import DebugDrawer
from dashboard.navigation import Navigation
from dashboard.page_sockets import keep_newest
from dashboard.pages import PAGES, Pages
from dashboard.settings_drawer import SettingsDrawer
from dashboard.tokens import TokenSigner, page_token, signed_in_user

TEMPLATE = Path(__file__).with_name("page.html")
FONT = 'Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif'

PHONE = "@media (max-width: 900px)"
NAVIGATION_HEIGHT = "calc(48px + env(safe-area-inset-bottom))"
"""Of the links between the pages, which are at the foot of a phone: as in `navigation.css`."""

# The header is a surface like the others; the shell would fill it with the primary colour.
COMPONENTS = {
    "MuiAppBar": {
        "styleOverrides": {
            "root": {
                "backgroundColor": "var(--mui-palette-background-paper)",
                "backgroundImage": "none",
                "color": "var(--mui-palette-text-primary)",
                "borderBottom": "1px solid var(--mui-palette-divider)",
                "boxShadow": "none",
                "& .title": {
                    "color": "var(--mui-palette-text-primary)",
                    "fontSize": "15px",
                    "fontWeight": 700,
                    "whiteSpace": "nowrap",
                    # A telephone has room for the mark only, beside states of two words.
                    "@media (max-width: 480px)": {"width": "1.1em", "overflow": "hidden"},
                },
                # On a phone the mark alone is the brand.
                PHONE: {"& .title": {"width": "1em", "overflow": "hidden"}},
            }
        }
    },
    "MuiToolbar": {
        "styleOverrides": {
            "root": {
                "minHeight": "48px !important",
                "paddingInline": "14px !important",
                PHONE: {"paddingInline": "8px 4px !important"},
                "& > .MuiBox-root:nth-of-type(2)": {"minWidth": 0},  # what the header holds
            },
        }
    },
    "MuiIconButton": {
        "styleOverrides": {
            "root": {
                "padding": "6px",
                "&.Mui-focusVisible": {"outline": "2px solid var(--mui-palette-primary-main)"},
            }
        }
    },
    # The page draws one even where its `busy_indicator` is None.
    "MuiLinearProgress": {"styleOverrides": {"root": {"display": "none"}}},
}


def _theme(palette: dict[str, object]) -> dict[str, object]:
    return {
        "palette": palette,
        "typography": {"fontFamily": FONT},
        "components": COMPONENTS,
    }


THEME = {
    "dark": _theme(
        {
            "primary": {"main": "#40a9ff"},
            "background": {"default": "#0c1017", "paper": "#161c27"},
            "text": {"primary": "#e6ebf4", "secondary": "#8b97ab"},
            "divider": "#252d3b",
        }
    ),
    "light": _theme(
        {
            "primary": {"main": "#1668b8"},
            "background": {"default": "#f2f4f8", "paper": "#ffffff"},
            "text": {"primary": "#18202e", "secondary": "#5f6b7d"},
            "divider": "#dfe3ea",
        }
    ),
}


def create_app(config: DashboardConfig) -> pmui.Page:
    """Return the dashboard.

    It opens whether or not the feed is there; the browser waits for it.
    """
    _serve_own_files()
    # What Panel would notify of is told by `server_link.js`, among the page's other messages.
    pn.extension(reconnect=True)
    token = page_token(TokenSigner.from_config(config))
    feed: dict[str, object] = {
        "feed_url": config.browser_feed_url,
        "relay_url": config.server_feed_url,
        "token": token.param.value,
    }
    pages = Pages(feed)
    inline: dict[str, object] = {**feed, "align": "center"}
    page = _asked_page()
    navigation = Navigation(
        **inline, page=page, shown=page, sizing_mode="stretch_width", margin=(0, 12, 0, 8)
    )
    content = pn.Column(pages[page], sizing_mode="stretch_both", margin=0)

    async def show(event: param.parameterized.Event) -> None:
        content[:] = [pages[event.new]]
        navigation.shown = event.new

    navigation.param.watch(show, "page")
    badge = ConnectionBadge(**inline, margin=(0, 8, 0, 0))
    drawer = SettingsDrawer(**inline, user=signed_in_user() or "", margin=0)
    debug = DebugDrawer(**inline, margin=0)
    bell = AlertsBell(**inline, margin=(0, 8, 0, 0))
    controls = Controls(**inline, margin=0)
    shell = pmui.Page(
        title="◢ Quotewire",
        site_url="",  # the brand leads to this page as it is
        favicon=FOLDER / "favicon.svg",
        header=[navigation, badge, bell, controls, drawer, debug],
        main=[content],
        theme=_told_theme(),
        theme_config=THEME,
        template=TEMPLATE.read_text(encoding="utf-8"),
        sx={
            "& .main": {"backgroundColor": "var(--mui-palette-background-default)"},
            PHONE: {"& .main-content": {"paddingBottom": NAVIGATION_HEIGHT}},
        },
        busy_indicator=None,
    )
    _leave_others(shell)
    pn.state.onload(partial(keep_newest, pn.state.curdoc))
    return shell


def _leave_others(shell: pmui.Page) -> None:
    """Have a page follow what it is busy with itself, in place of what any page is.

    Else the process, which knows what all are busy with, would keep every page that was ever open;
    and each message of one would change them all, which takes a walk through all models of each.
    Only another reference ends the one that is there.
    """
    with edit_readonly(shell):
        shell.busy = shell.param.loading


def _serve_own_files() -> None:
    """Let a session that a page's socket begins, which lost its own, ask no other host for files.

    Panel tells only those their address here that a request for the page began.
    """
    page = pn.state.curdoc
    if page is not None:
        page.template_variables.setdefault("dist_url", LOCAL_DIST)
        give_modules(page)


def _asked_page() -> str:
    """Return the page that the address names, or the browser's usual one: it is there at once."""
    (asked, *_) = pn.state.session_args.get("page", [b""])
    usual = pn.state.cookies.get("quotewire_page") or ""
    names = (asked.decode("utf-8", "replace"), usual, "dashboard")
    return next(name for name in names if name in PAGES)


def _told_theme() -> str:
    """Return the theme that the browser had last, so that its first picture has it already."""
    return "light" if pn.state.cookies.get("quotewire_theme", "").endswith("light") else "dark"
