"""What ``panel serve dashboard`` runs for each page."""

import sys
from pathlib import Path

# The `panel` script does not put the current folder on the path.
project = str(Path(__file__).resolve().parents[1])
if project not in sys.path:
    sys.path.insert(0, project)

from dashboard.app import create_app  # noqa: E402
from dashboard.config import DashboardConfig  # noqa: E402

create_app(DashboardConfig.from_environment()).servable()
