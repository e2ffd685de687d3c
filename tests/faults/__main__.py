"""``python -m tests.faults --minutes 10 --seed 7``: a long run, and a report."""

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from playwright.sync_api import sync_playwright

from deploy.browser import find_chromium
from tests.browser.conftest import CHROMIUM_ARGUMENTS
from tests.faults.browser_client import BrowserClient
from tests.faults.python_client import PythonClient
from tests.faults.run import LOG_ENTRIES, StartClient, run
from tests.faults.weather import plan


def main() -> int:
    """Run, print what became of each client; return 1 where something is wrong."""
    arguments = _arguments()
    with ExitStack() as opened:
        clients: list[StartClient] = []
        wait: Callable[[float], object] = time.sleep
        if arguments.client in ("python", "both"):
            clients.append(PythonClient)
        if arguments.client in ("browser", "both"):
            playwright = opened.enter_context(sync_playwright())
            browser = playwright.chromium.launch(
                executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS
            )
            opened.callback(browser.close)
            clients.append(partial(BrowserClient, browser))
            idle = browser.new_page()
            # Playwright only hears its pages while it is waited for.
            wait = lambda seconds: idle.wait_for_timeout(seconds * 1000)  # noqa: E731
        seconds = arguments.minutes * 60
        outcomes = run(
            [(start, plan(arguments.seed + n, seconds)) for n, start in enumerate(clients)],
            seconds=seconds,
            seed=arguments.seed,
            log_entries=arguments.log_entries,
            wait=wait,
        )
    for outcome in outcomes:
        print(outcome)
    return int(any(outcome.violations for outcome in outcomes))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=7, help="of the faults")
    parser.add_argument("--client", choices=("python", "browser", "both"), default="both")
    parser.add_argument(
        "--log-entries", type=int, default=LOG_ENTRIES, help="updates the feed keeps of a symbol"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
