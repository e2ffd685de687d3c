"""How the tests share the machine when several processes run them (pytest-xdist)."""

import fcntl
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

ROOM = Path(__file__)
DOOR = ROOM.with_name("__init__.py")


BROWSERS = 2
"""Workers that have a browser, with a dashboard and a feed of its own."""


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each worker whole files, as their fixtures are; those that need a browser go to few."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", maxsplit=1)[0]
        if not path.startswith("tests/browser/"):
            return path
        return f"browser {crc32(path.encode()) % BROWSERS}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """Share out files in their order: those that take long come first."""
    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Start one more than there are processors: the tests wait more than they compute."""
    return (os.cpu_count() or 1) + 1


# Before the plugin that limits a test's time: to wait for others does not count.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let a test that measures time have the machine for itself."""
    if not hasattr(item.config, "workerinput"):
        return (yield)
    with _room(alone=item.get_closest_marker("alone") is not None):
        return (yield)


@contextmanager
def _room(*, alone: bool) -> Iterator[None]:
    """Hold the room, alone or with others; who waits to be alone holds the door meanwhile."""
    with ROOM.open() as room, DOOR.open() as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        yield
