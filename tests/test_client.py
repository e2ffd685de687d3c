import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from feed_server.gateway.auth import Grant
from feed_server.gateway.client import Client
from feed_server.protocol import CloseCode, Pong
from tests.streams import PATIENCE, client_of, connection, events, numbered

KNOWN = Grant("ann", expires_s=1_000.0)


@dataclass
class Link:
    """A client whose other end reads nothing by itself, and what the client has said."""

    client: Client
    peer: socket.socket
    codes: list[CloseCode] = field(default_factory=list)
    drained: list[Client] = field(default_factory=list)

    def fill(self) -> int:
        """Write frames until one has to wait; return how many there were."""
        for number in range(10_000):
            self.client.say_frame(numbered(number))
            if self.client.waiting_bytes:
                return number + 1
        raise AssertionError("the kernel takes everything")

    async def read_all(self) -> bytes:
        """Read until nothing waits any more, and what is on its way."""
        loop, data = asyncio.get_running_loop(), b""
        self.peer.setblocking(False)
        async with asyncio.timeout(10):
            while self.client.waiting_bytes:
                data += await loop.sock_recv(self.peer, 65_536)
            while not data.endswith(b"\n\n"):
                data += await loop.sock_recv(self.peer, 65_536)
        return data


@pytest.fixture
async def link() -> AsyncIterator[Link]:
    codes: list[CloseCode] = []
    drained: list[Client] = []
    with connection() as (stream, peer):
        client = client_of(stream, on_drained=drained.append, on_close=codes.append)
        yield Link(client, peer, codes, drained)


async def test_what_it_is_told_alone_waits_its_turn(link: Link) -> None:
    said = link.fill()
    assert not link.client.is_free
    link.client.say_frame(numbered(said))
    assert events(await link.read_all()) == list(range(said + 1))
    assert link.client.is_free
    assert link.drained == [link.client]


async def test_lossless_data_waits_up_to_the_backlog(link: Link) -> None:
    said = link.fill()
    queued = 0
    while link.client.queue(numbered(said + queued)):
        queued += 1
    assert 50 < queued < PATIENCE.max_backlog_bytes / 1_000
    assert link.client.waiting_bytes <= PATIENCE.max_backlog_bytes
    assert link.codes == []
    assert events(await link.read_all()) == list(range(said + queued))


async def test_one_frame_larger_than_the_backlog_may_wait_alone(link: Link) -> None:
    link.client.say_frame(numbered(0, length=2 * PATIENCE.max_backlog_bytes))
    assert link.client.waiting_bytes
    assert not link.client.queue(numbered(1))
    assert link.codes == []


async def test_nothing_is_queued_for_one_that_is_behind(link: Link) -> None:
    link.fill()
    link.client.is_behind = True
    assert not link.client.queue(numbered(1))


async def test_who_lets_too_many_answers_wait_is_closed(link: Link) -> None:
    link.fill()
    for number in range(200):
        link.client.say_frame(numbered(number))
    assert link.codes == [CloseCode.SLOW_CONSUMER]
    assert link.client.waiting_bytes <= PATIENCE.max_backlog_bytes


async def test_a_closed_client_is_told_nothing_more_and_is_closed_once(link: Link) -> None:
    link.client.close(CloseCode.REVOKED)
    link.client.close(CloseCode.STALLED)
    link.client.say(Pong(1, 2))
    assert link.codes == [CloseCode.REVOKED]
    assert link.client.frames == 0
    assert not link.client.is_free
    assert not link.client.queue(numbered(0))


async def test_a_closed_client_does_not_catch_up(link: Link) -> None:
    link.fill()
    link.client.close(CloseCode.REVOKED)
    await link.read_all()
    assert link.drained == []
    assert not link.client.is_free


async def test_who_does_not_say_who_it_is_in_time_must_go(link: Link) -> None:
    assert link.client.overdue(PATIENCE.auth_s, 0) is None
    assert link.client.overdue(PATIENCE.auth_s + 0.1, 0) == CloseCode.AUTH_REQUIRED
    link.client.grant = KNOWN
    assert link.client.overdue(PATIENCE.auth_s + 0.1, 0) is None


async def test_who_lets_its_token_expire_must_go_after_the_grace(link: Link) -> None:
    link.client.grant = KNOWN
    assert link.client.overdue(1, KNOWN.expires_s + PATIENCE.grace_s) is None
    assert link.client.overdue(1, KNOWN.expires_s + PATIENCE.grace_s + 1) == CloseCode.AUTH_EXPIRED
    link.client.grant = Grant.EVERYTHING
    assert link.client.overdue(1, 1e12) is None


async def test_who_takes_nothing_of_what_waits_must_go(link: Link) -> None:
    link.client.grant = KNOWN
    assert link.client.overdue(1e9, 0) is None
    link.fill()
    began_s = link.client.progress_s
    assert link.client.overdue(began_s + PATIENCE.stall_s, 0) is None
    assert link.client.overdue(began_s + PATIENCE.stall_s + 0.1, 0) == CloseCode.STALLED
    await link.read_all()
    assert link.client.overdue(1e9, 0) is None


async def test_who_takes_something_now_and_then_may_stay(link: Link) -> None:
    link.client.grant = KNOWN
    said = link.fill()
    while link.client.queue(numbered(said)):
        pass
    before_s = link.client.progress_s
    await asyncio.get_running_loop().run_in_executor(None, link.peer.recv, 8_192)
    async with asyncio.timeout(10):
        while link.client.progress_s == before_s:
            await asyncio.get_running_loop().run_in_executor(None, link.peer.recv, 8_192)
    assert link.client.waiting_bytes
    assert link.client.overdue(before_s + PATIENCE.stall_s, 0) is None
