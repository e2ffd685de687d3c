"""Servers that do the same fan-out: ours and its peers, each with the way to feed it."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.children import Child
from benchmarks.crowd import subscribe
from benchmarks.feed import gateway
from benchmarks.feeder import Command, Post, Raw, Tick
from benchmarks.peers import nchan as peers_nchan
from tests.harness import free_port

CHANNEL = "bench"
SYMBOL = "LISTED"
"""So long that one quote is a message of 140 bytes."""
MAX_HZ = 100
NODE_FOLDER = Path(__file__).parent / "peers" / "node"


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
    feed: tuple[Command, ...] = ()
    path: str = "/ws"
    say: tuple[bytes, ...] = ()


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
        yield Running(child, (Tick([SYMBOL], work.hz),), say=(say,))


@contextmanager
def bare_send(work: Work) -> Iterator[Running]:
    """Run the bare ``send`` loop; it needs no Redis."""
    arguments = [str(work.size_bytes), str(work.hz)]
    with _python("benchmarks.peers.bare_send", arguments) as child:
        yield Running(child)


@contextmanager
def write_message(work: Work) -> Iterator[Running]:
    """Run Tornado's ``write_message`` to every client."""
    with _python("benchmarks.peers.write_message", [work.redis_url, CHANNEL]) as child:
        yield Running(child, (Raw(CHANNEL, work.size_bytes, work.hz),))


@contextmanager
def websockets_broadcast(work: Work) -> Iterator[Running]:
    """Run the websockets library's ``broadcast``."""
    if find_spec("websockets") is None:
        raise NotMeasuredError("no websockets library, pip install websockets")
    with _python("benchmarks.peers.websockets_broadcast", [work.redis_url, CHANNEL]) as child:
        yield Running(child, (Raw(CHANNEL, work.size_bytes, work.hz),))


@contextmanager
def node(work: Work) -> Iterator[Running]:
    """Run Node's ws."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NotMeasuredError("no Node here, install node and npm")
    if not (NODE_FOLDER / "node_modules").is_dir():
        print("  no node_modules yet: npm ci", flush=True)
        command = ["npm", "ci", "--no-audit", "--no-fund"]
        try:
            subprocess.run(command, cwd=NODE_FOLDER, check=True, capture_output=True, timeout=180)
        except subprocess.SubprocessError as error:
            shutil.rmtree(NODE_FOLDER / "node_modules", ignore_errors=True)
            raise NotMeasuredError(f"npm ci has failed in {NODE_FOLDER}, run it there") from error
    port = free_port()
    server = str(NODE_FOLDER / "server.js")
    with Child(["node", server, str(port), work.redis_url, CHANNEL], port) as child:
        yield Running(child, (Raw(CHANNEL, work.size_bytes, work.hz),))


@contextmanager
def nchan(work: Work) -> Iterator[Running]:
    """Run nginx with nchan; it is fed over HTTP and passes each message through Redis."""
    found = peers_nchan.find()
    if found is None:
        peers_nchan.obtain()
        found = peers_nchan.find()
    if found is None:
        raise NotMeasuredError(f"no nchan here, install {' and '.join(peers_nchan.PACKAGES)}")
    nginx, module = found
    port = free_port()
    with TemporaryDirectory(prefix="quotewire-nchan-") as folder:
        config = peers_nchan.write_config(Path(folder), module, port, work.redis_url, CHANNEL)
        with Child([nginx, "-c", str(config), "-e", f"{folder}/error.log"], port) as child:
            feed = Post(port, peers_nchan.PUBLISH_PATH, work.size_bytes, work.hz)
            yield Running(child, (feed,), path=peers_nchan.SUBSCRIBE_PATH)


CONTENDERS = (
    Contender("bare send loop", bare_send, 1.25),
    Contender("nchan", nchan, 1.0),
    Contender("Node ws", node, 0.85),
    Contender("websockets broadcast", websockets_broadcast, 0.7),
    Contender("Tornado write_message", write_message, 0.25),
)


def _python(module: str, arguments: list[str]) -> Child:
    port = free_port()
    return Child([sys.executable, "-m", module, str(port), *arguments], port)
