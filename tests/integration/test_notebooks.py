import subprocess
import sys

import pytest

from tests.harness import PROJECT, FeedProcess, clean_environment

pytestmark = pytest.mark.integration


def test_the_notebooks_run_against_a_live_feed(feed: FeedProcess) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--nbmake", "--nbmake-timeout=60", "notebooks"),
            *("-q", "-p", "no:cacheprovider"),
        ],
        cwd=PROJECT,
        env=clean_environment(feed_url=feed.url),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
