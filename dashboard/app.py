"""The page shell: brand, badge, settings and theme around the pages."""

import panel as pn
import panel_material_ui as pmui

from dashboard.badge import ConnectionBadge
from dashboard.browser import FOLDER
from dashboard.config import DashboardConfig
from dashboard.pages.market import market_page
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
                    # A telephone has room for the mark only, beside states of two words.
                    "@media (max-width: 480px)": {"width": "1.1em", "overflow": "hidden"},
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
    badge = ConnectionBadge(**feed, margin=(0, 8, 0, 0))
    transport = TransportSetting(**feed, margin=0)
    return pmui.Page(
        title="◢ Quotewire",
        site_url="",  # the brand leads to this page as it is
        favicon=FOLDER / "favicon.svg",
        header=[pn.HSpacer(), badge, transport],
        main=[market_page(feed)],
        theme="dark",
        theme_config=THEME,
        sx={"& .main": {"backgroundColor": "var(--mui-palette-background-default)"}},
        busy_indicator=None,
    )
