"""The whole client but its I/O: a connection, what is wanted of it, and what came. Pure.

What happens goes in by a method, with the time; what is to be done comes out, as a list of
`actions`. It never waits: `deadline` says when `tick` is due. A shell opens links, sends requests
and holds one timer.
"""

import random as chance
from collections.abc import Callable, Sequence

import msgspec

from dashboard.client.core.actions import Action, Mode, StateChanged, Way
from dashboard.client.core.bars import Bar
from feed_server.protocol import (
    BarSeries,
    Channel,
    Quote,
    Quotes,
    ServerMessage,
    Status,
    TradeSeries,
)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a session goes about its work.

    Attributes:
        mode: Which ways it takes.
        poll_ms: How often it polls.
        max_hz: Messages a second at most of a subscription that does not say; 0 for the server's
            own default.
        relay: Whether there is a relay.
        renewable: Whether the shell can get another token when one is asked for by `Renew`.
    """

    mode: Mode = "auto"
    poll_ms: int = 1000
    max_hz: float = 0
    relay: bool = False
    renewable: bool = False


class Want(msgspec.Struct, frozen=True, kw_only=True):
    """What one user of the session wants; given back as it is to `Session.unwant`.

    Attributes:
        channel: Which channel.
        symbols: Which instruments.
        interval: Which bars; for channel ``bars`` only.
        indicators: To be computed at each bar, such as ``SMA(20)``.
        max_hz: Messages a second at most, 0 for what the settings say. Of several wants of a symbol
            the highest counts.
        history: Bars to be loaded before the live ones, 0 for none. Of several wants of a series
            the most counts.
    """

    channel: Channel
    symbols: tuple[str, ...]
    interval: str | None = None
    indicators: tuple[str, ...] = ()
    max_hz: float = 0
    history: int = 0


class Session:
    """A client of one feed.

    Every method that takes ``now_ms`` returns what is to be done, in order; each may be called at
    any time, in any order.

    Args:
        settings: How it goes about its work.
        random: Uniform in [0, 1), for the jitter.

    Attributes:
        settings: As they are now.
        state: The connection's state as it was told last.
    """

    def __init__(
        self, settings: Settings | None = None, random: Callable[[], float] = chance.random
    ) -> None:
        self.settings = settings or Settings()
        self.state = StateChanged("connecting", "starting", "not started yet", "websocket", 0)
        self._random = random

    # ---- life

    def start(self, now_ms: float) -> list[Action]:
        """Begin, also after `stop` or after the feed has closed for good; else nothing."""
        raise NotImplementedError

    def stop(self, now_ms: float) -> list[Action]:
        """End: links are closed, nothing is due any more. What is wanted and held is kept."""
        raise NotImplementedError

    def tick(self, now_ms: float) -> list[Action]:
        """Do what is due; nothing, where it is too early."""
        raise NotImplementedError

    def deadline(self) -> float | None:
        """Return when the next `tick` is due, None where nothing is.

        Most messages put it off. A shell need not move its timer then: a tick that comes too early
        does nothing, and the deadline after it says when to come again.
        """
        raise NotImplementedError

    def configure(
        self,
        now_ms: float,
        *,
        mode: Mode | None = None,
        poll_ms: int | None = None,
        max_hz: float | None = None,
        relay: bool | None = None,
    ) -> list[Action]:
        """Change settings; None leaves one as it is."""
        raise NotImplementedError

    def online(self, now_ms: float) -> list[Action]:
        """Take note that the network is back: what waits is tried at once."""
        raise NotImplementedError

    def visible(self, now_ms: float) -> list[Action]:
        """Take note that the page is seen again: it catches up, and what waits is tried at once."""
        raise NotImplementedError

    def hidden(self, now_ms: float) -> list[Action]:
        """Take note that nobody sees the page: nothing is asked for until `visible`."""
        raise NotImplementedError

    def token(self, now_ms: float, token: str) -> list[Action]:
        """Show this token from now on; also before `start`, and as the answer to `Renew`.

        An open link is kept and shows it; a session that was closed for want of it starts again.
        """
        raise NotImplementedError

    # ---- what is wanted

    def want(self, now_ms: float, want: Want) -> list[Action]:
        """Begin to get something; wants are counted, and kept across all that happens.

        What is held already of it is not told again: see `quote` and `bars`.
        """
        raise NotImplementedError

    def unwant(self, now_ms: float, want: Want) -> list[Action]:
        """End what the same want began. The feed is told, and what is held is let go, 2 s later."""
        raise NotImplementedError

    # ---- what came

    def received(
        self, now_ms: float, way: Way, message: ServerMessage | None, size_bytes: int = 0
    ) -> list[Action]:
        """Take a message of a link; None is one of a kind that is not known here."""
        raise NotImplementedError

    def closed(self, now_ms: float, way: Way, number: int | None, reason: str) -> list[Action]:
        """Take note that a link has ended, or could not be opened.

        Args:
            now_ms: The time.
            way: Which link.
            number: The WebSocket's close code, None where there is none.
            reason: Why, for a person.
        """
        raise NotImplementedError

    def polled(
        self, now_ms: float, id: int, quotes: Quotes | None, status: Status | None = None
    ) -> list[Action]:
        """Take the answer to a `Poll`; ``quotes`` is None where none were asked for."""
        raise NotImplementedError

    def poll_failed(self, now_ms: float, id: int, code: str, reason: str) -> list[Action]:
        """Take note that a `Poll` has failed.

        Args:
            now_ms: The time.
            id: The poll's.
            code: The feed's `ErrorCode`; ``unreachable`` where it did not answer.
            reason: Why, for a person.
        """
        raise NotImplementedError

    def loaded(self, now_ms: float, id: int, series: BarSeries | TradeSeries) -> list[Action]:
        """Take the answer to a `Load`."""
        raise NotImplementedError

    def load_failed(self, now_ms: float, id: int, code: str, reason: str) -> list[Action]:
        """Take note that a `Load` has failed; arguments as for `poll_failed`."""
        raise NotImplementedError

    def painted(self, now_ms: float) -> None:
        """Take note that quotes told of so far have been painted, or handed over."""
        raise NotImplementedError

    # ---- what is known

    def quote(self, symbol: str) -> Quote | None:
        """Return the newest quote of a symbol that is wanted, None where there is none yet."""
        raise NotImplementedError

    def bars(self, symbol: str, interval: str) -> Sequence[Bar]:
        """Return the bars held of a series, oldest first; not to be changed."""
        raise NotImplementedError
