"""The page shell: brand, badge, settings and theme around the pages."""

import panel as pn
import panel_material_ui as pmui
import param

from dashboard.badge import ConnectionBadge
from dashboard.browser import FOLDER
from dashboard.config import DashboardConfig
from dashboard.navigation import Navigation
from dashboard.pages import PAGES, Pages
from dashboard.settings import TransportSetting
from dashboard.tokens import TokenSigner, page_token

FONT = 'Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif'

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
                },
            }
        }
    },
    "MuiToolbar": {
        "styleOverrides": {
            "root": {"minHeight": "48px !important", "paddingInline": "14px !important"},
        }
    },
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
    pn.extension(reconnect=True, notifications=True)
    token = page_token(TokenSigner.from_config(config))
    feed: dict[str, object] = {
        "feed_url": config.browser_feed_url,
        "relay_url": config.server_feed_url,
        "token": token.param.value,
    }
    pages = Pages(feed)
    navigation = Navigation(**feed, page=_asked_page(), margin=(0, 8))
    content = pn.Column(pages[navigation.page], sizing_mode="stretch_both", margin=0)

    async def show(event: param.parameterized.Event) -> None:
        content[:] = [pages[event.new]]

    navigation.param.watch(show, "page")
    badge = ConnectionBadge(**feed, margin=(0, 8, 0, 0))
    transport = TransportSetting(**feed, margin=0)
    return pmui.Page(
        title="◢ Quotewire",
        site_url="",  # the brand leads to this page as it is
        favicon=FOLDER / "favicon.svg",
        header=[navigation, pn.HSpacer(), badge, transport],
        main=[content],
        theme="dark",
        theme_config=THEME,
        sx={"& .main": {"backgroundColor": "var(--mui-palette-background-default)"}},
        busy_indicator=None,
    )


def _asked_page() -> str:
    """Return the page that the address names, so that it is there at once."""
    (told, *_) = pn.state.session_args.get("page", [b""])
    name = told.decode("utf-8", "replace")
    return name if name in PAGES else "dashboard"
