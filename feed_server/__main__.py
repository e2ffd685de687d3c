"""Starts the feed server: ``python -m feed_server [all|ingest|gateway]``."""

import argparse
import asyncio
import signal
import sys

from feed_server import log
from feed_server.app import Role, serve
from feed_server.errors import ConfigurationError, QuotewireError
from feed_server.settings import FeedSettings

EXIT_CONFIGURATION = 2
"""Exit code of an error that a restart cannot mend."""


def main() -> int:
    """Run until SIGINT or SIGTERM; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m feed_server", description=__doc__)
    parser.add_argument("role", nargs="?", type=Role, choices=list(Role), default=Role.ALL)
    role = parser.parse_args().role
    code = 0
    try:
        settings = FeedSettings.from_environment()
        log.configure(settings.log_level)
        asyncio.run(_run(settings, role))
    except* ConfigurationError as errors:
        _say(errors)
        code = EXIT_CONFIGURATION
    except* QuotewireError as errors:
        _say(errors)
        code = 1
    return code


async def _run(settings: FeedSettings, role: Role) -> None:
    serving = asyncio.create_task(serve(settings, role))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        if not serving.cancelled():
            raise


def _say(errors: BaseExceptionGroup[Exception]) -> None:
    for error in errors.exceptions:
        if isinstance(error, BaseExceptionGroup):
            _say(error)
        else:
            print(f"quotewire feed: {error}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
