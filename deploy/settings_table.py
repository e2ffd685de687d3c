"""Writes ``docs/settings.md`` from the settings' own descriptions."""

from pathlib import Path

from pydantic.fields import FieldInfo

from dashboard.config import DashboardConfig
from feed_server.environment import ENV_PREFIX
from feed_server.settings import FeedSettings

TARGET = Path(__file__).resolve().parents[1] / "docs" / "settings.md"

HEAD = """# Settings

All are environment variables; an empty one counts as not set. A wrong value ends the start with one
line that names it. (Made by `python -m deploy.settings_table` from the code.)
"""

NOTEBOOKS = """
## Notebooks

| variable | default | meaning |
|---|---|---|
| `QUOTEWIRE_FEED_URL` | `http://127.0.0.1:8765` | Where `FeedClient()` finds the feed. |
| `QUOTEWIRE_TOKEN` | none | What the feed lets it in with, where it asks for a token; \
`python -m dashboard.tokens NAME` makes one. |
"""


def settings_page() -> str:
    """Return the page's text."""
    parts = [HEAD]
    for title, settings in (("Dashboard", DashboardConfig), ("Feed server", FeedSettings)):
        rows = [_row(name, field) for name, field in settings.model_fields.items()]
        parts.append(f"\n## {title}\n\n| variable | default | meaning |\n|---|---|---|\n")
        parts.append("".join(rows))
    return "".join(parts) + NOTEBOOKS


def _row(name: str, field: FieldInfo) -> str:
    default = "none" if field.default in (None, ()) else f"`{field.default}`"
    return f"| `{ENV_PREFIX}{name.upper()}` | {default} | {field.description} |\n"


if __name__ == "__main__":
    TARGET.write_text(settings_page(), encoding="utf-8")
