"""What Panel calls when the server starts and stops."""

import sys
from pathlib import Path

# The `panel` script does not put the current folder on the path.
project = str(Path(__file__).resolve().parents[1])
if project not in sys.path:
    sys.path.insert(0, project)

from dashboard import own_feed  # noqa: E402


def on_server_loaded(_server_context: object) -> None:
    """Start a feed where none is named."""
    own_feed.start_unless_named()


def on_server_unloaded(_server_context: object) -> None:
    """Stop the feed that was started here."""
    own_feed.stop()
