"""Servers that do the same fan-out: ours and its peers, each with the way to feed it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from benchmarks.children import Child
from benchmarks.crowd import subscribe
from benchmarks.feed import gateway
from benchmarks.feeder import Command, Raw, Tick
from tests.harness import free_port

CHANNEL = "bench"
SYMBOL = "FOUR"
"""So long that one quote is a message of 140 bytes."""
MAX_HZ = 100


class NotMeasuredError(Exception):
    """A contender cannot run here; the text says what to install."""


@dataclass(frozen=True)
class Work:
    """What a contender has to do.

    Attributes:
        redis_url: Where what it sends comes from.
        size_bytes: Length of a message.
        hz: Messages a second.
    """

    redis_url: str
    size_bytes: int
    hz: float


@dataclass(frozen=True)
class Running:
    """A contender that runs.

    Attributes:
        child: Its processes.
        feed: What the feeder is told, so that it has something to send.
        path: Of its WebSocket.
        say: What each client says first.
    """

    child: Child
    feed: Command | None
    path: str = "/ws"
    say: bytes | None = None


@dataclass(frozen=True)
class Contender:
    """A contender.

    Attributes:
        name: For people.
        start: Runs it.
        most: Our cost per frame, as a factor of its, that is the target.
    """

    name: str
    start: Callable[[Work], AbstractContextManager[Running]]
    most: float | None = None


@contextmanager
def ours(work: Work) -> Iterator[Running]:
    """Run the feed server's gateway."""
    with gateway(work.redis_url, max_hz=str(MAX_HZ)) as child:
        say = subscribe([SYMBOL], max_hz=MAX_HZ)
        yield Running(child, Tick([SYMBOL], work.hz), say=say)


@contextmanager
def bare_send(work: Work) -> Iterator[Running]:
    """Run the bare ``send`` loop; it needs no Redis."""
    arguments = [str(work.size_bytes), str(work.hz)]
    with _python("benchmarks.peers.bare_send", arguments) as child:
        yield Running(child, None)


@contextmanager
def write_message(work: Work) -> Iterator[Running]:
    """Run Tornado's ``write_message`` to every client."""
    with _python("benchmarks.peers.write_message", [work.redis_url, CHANNEL]) as child:
        yield Running(child, Raw(CHANNEL, work.size_bytes, work.hz))


CONTENDERS = (
    Contender("bare send loop", bare_send, 1.25),
    Contender("Tornado write_message", write_message, 0.25),
)


def _python(module: str, arguments: list[str]) -> Child:
    port = free_port()
    return Child([sys.executable, "-m", module, str(port), *arguments], port)
