"""The controls at the right of the header."""

import secrets

import param

from dashboard.browser import FOLDER, LiveElement, stylesheets


class Controls(LiveElement):
    """Pause and settings; besides, what the page does by itself: theme, keys, title, toasts."""

    session = param.String(doc="Names the session: another one knows nothing of the page.")

    _esm = FOLDER / "controls.js"
    _stylesheets = stylesheets("tokens", "controls")

    def __init__(self, **params: object) -> None:
        super().__init__(**{"session": secrets.token_hex(8), **params})

    async def _handle_msg(self, data: object) -> None:  # type: ignore[override]
        """Tell a page that has found its server again which session this is."""
        if data == {"do": "session"}:
            self._send_msg({"session": self.session})
        else:
            await super()._handle_msg(data)
