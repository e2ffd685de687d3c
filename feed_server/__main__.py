"""Starts the feed server, or tells the gateways that run what to do."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Coroutine

from feed_server import log
from feed_server.app import Role, serve
from feed_server.bus.connection import connect
from feed_server.bus.control import ControlMessage, Disconnect, Drain, publish_control
from feed_server.errors import ConfigurationError, QuotewireError
from feed_server.settings import FeedSettings

EXIT_CONFIGURATION = 2
"""Exit code of an error that a restart cannot mend."""


NEEDS_REDIS = (
    "set QUOTEWIRE_REDIS_URL to the Redis of the gateways that shall hear it; one that runs with "
    "an embedded Valkey is ended by Ctrl-C"
)


RECORD_NEEDS_REDIS = (
    "set QUOTEWIRE_REDIS_URL to the Redis of the feed that shall be recorded; start that feed with "
    "the same setting, for one with an embedded Valkey cannot be recorded"
)


def main() -> int:
    """Run until SIGINT or SIGTERM, or until the gateways were told; return the exit code."""
    arguments = _parser().parse_args()
    code = 0
    try:
        settings = FeedSettings.from_environment()
        log.configure(settings.log_level)
        match arguments.command:
            case "drain":
                asyncio.run(_tell(settings, Drain(arguments.gateway)))
            case "disconnect":
                asyncio.run(_tell(settings, Disconnect(arguments.subject)))
            case "record":
                asyncio.run(_record(settings, arguments.symbols))
            case role:
                asyncio.run(_run(settings, Role(role or Role.ALL)))
    except* ConfigurationError as errors:
        _say(errors)
        code = EXIT_CONFIGURATION
    except* QuotewireError as errors:
        _say(errors)
        code = 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m feed_server", description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser(Role.ALL, help="fetch, publish and serve clients; what is done by default")
    commands.add_parser(Role.INGEST, help="only fetch and publish")
    commands.add_parser(Role.GATEWAY, help="only serve clients")
    drain = commands.add_parser(
        "drain", help="let a gateway send its clients away and take no more, before it is ended"
    )
    drain.add_argument(
        "gateway", metavar="GATEWAY", type=_name, help="its name, as its /healthz tells"
    )
    disconnect = commands.add_parser(
        "disconnect",
        help="close the connections of a token's subject at all gateways; its tokens stay valid",
    )
    disconnect.add_argument("subject", metavar="SUBJECT", type=_name, help="claim sub of the token")
    recorder = commands.add_parser(
        "record", help="write what a running feed publishes to Parquet files, until Ctrl-C"
    )
    recorder.add_argument(
        "symbols", metavar="SYMBOL", nargs="*", type=_name, help="what to record; without: all"
    )
    return parser


def _name(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("it must not be empty")
    return text


async def _tell(settings: FeedSettings, message: ControlMessage) -> None:
    if settings.redis_url is None:
        raise ConfigurationError(NEEDS_REDIS)
    redis = connect(settings.redis_url.get_secret_value())
    try:
        heard = await publish_control(redis, message)
    finally:
        await redis.aclose()
    if not heard:
        raise QuotewireError("no gateway heard it: none is connected to that Redis")
    print(f"gateways that heard it: {heard}")


async def _record(settings: FeedSettings, symbols: list[str]) -> None:
    from feed_server.ingest.recorder import record  # loads pyarrow, which others do without

    if settings.redis_url is None:
        raise ConfigurationError(RECORD_NEEDS_REDIS)
    url = settings.redis_url.get_secret_value()
    await _until_signalled(record(url, settings.record_folder, symbols))


async def _run(settings: FeedSettings, role: Role) -> None:
    await _until_signalled(serve(settings, role))


async def _until_signalled(work: Coroutine[None, None, None]) -> None:
    serving = asyncio.create_task(work)
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
