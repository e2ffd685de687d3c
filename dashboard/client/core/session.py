"""The whole client but its I/O: a connection, what is wanted of it, and what came. Pure.

What happens goes in by a method, with the time; what is to be done comes out, as a list of
`actions`. It never waits: `deadline` says when `tick` is due. A shell opens links, sends requests
and holds one timer.
"""

import random as chance
from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from dashboard.client.core.actions import Action, Failed, Mode, StateChanged, Way
from dashboard.client.core.bars import Bar
from dashboard.client.core.conversation import Conversation
from dashboard.client.core.entries import Want
from dashboard.client.core.latency import Meter
from dashboard.client.core.parts import Parts
from dashboard.client.core.settings import Settings
from dashboard.client.core.staleness import Age
from dashboard.client.core.trades import Trade
from feed_server.protocol import (
    BarSeries,
    Channel,
    Quote,
    Quotes,
    ServerMessage,
    Status,
    SymbolInfo,
    TradeSeries,
)

__all__ = ["Session", "Settings", "Want"]


class Session:
    """A client of one feed.

    Every method that takes ``now_ms`` returns what is to be done, in order; each may be called at
    any time, in any order.

    Args:
        settings: How it goes about its work.
        random: Uniform in [0, 1), for the jitter.

    Attributes:
        settings: As they are now.
    """

    def __init__(
        self, settings: Settings | None = None, random: Callable[[], float] = chance.random
    ) -> None:
        self.settings = settings or Settings()
        self._parts = Parts(self.settings, random)
        self._talk = Conversation(self._parts)

    @property
    def state(self) -> StateChanged:
        """The connection's state as it was told last."""
        return self._parts.state

    # ---- life

    def start(self, now_ms: float) -> list[Action]:
        """Begin, also after `stop` or after the feed has closed for good; else nothing."""
        actions = self._parts.machine.start(now_ms)
        if actions:
            self._parts.login.restart()
        return self._parts.perform(now_ms, actions)

    def stop(self, now_ms: float) -> list[Action]:
        """End: links are closed, nothing is asked any more. What is wanted and held is kept."""
        return self._parts.perform(now_ms, self._parts.machine.stop(now_ms))

    def tick(self, now_ms: float) -> list[Action]:
        """Do what is due; nothing, where it is too early."""
        return [
            *self._parts.perform(now_ms, self._parts.machine.tick(now_ms)),
            *self._parts.admit(now_ms, self._parts.login.tick(now_ms)),
            *self._parts.follow(self._parts.wanted.tick(now_ms)),
            *self._parts.history.tick(now_ms, self._parts.machine),
            *self._parts.ping(now_ms),
        ]

    def deadline(self) -> float | None:
        """Return when the next `tick` is due, None where nothing is.

        Most messages put it off. A shell need not move its timer then: a tick that comes too early
        does nothing, and the deadline after it says when to come again.
        """
        due = (
            self._parts.machine.deadline(),
            self._parts.login.deadline(),
            self._parts.wanted.deadline(),
            None if self._parts.machine.is_hidden else self._parts.history.deadline(),
            self._parts.ping_ms,
        )
        return min((at for at in due if at is not None), default=None)

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
        given = {"mode": mode, "poll_ms": poll_ms, "max_hz": max_hz, "relay": relay}
        told = {name: value for name, value in given.items() if value is not None}
        self.settings = replace(self.settings, **told)
        steps = self._parts.machine.configure(now_ms, mode=mode, poll_ms=poll_ms, relay=relay)
        actions = self._parts.perform(now_ms, steps)
        if max_hz is not None:
            actions += self._parts.follow(self._parts.wanted.configure(max_hz))
        return actions

    def online(self, now_ms: float) -> list[Action]:
        """Take note that the network is back: what waits is tried at once."""
        return self._parts.perform(now_ms, self._parts.machine.online(now_ms))

    def visible(self, now_ms: float) -> list[Action]:
        """Take note that the page is seen again: it catches up, and what waits is tried at once."""
        self._parts.books.meter.seen(True)
        actions = self._parts.perform(now_ms, self._parts.machine.visible(now_ms))
        if self._parts.way is not None and self._parts.ping_ms is None:
            self._parts.ping_ms = now_ms
        return actions

    def hidden(self, now_ms: float) -> list[Action]:
        """Take note that nobody sees the page: nothing is asked for until `visible`."""
        self._parts.books.meter.seen(False)
        self._parts.ping_ms = None
        return self._parts.perform(now_ms, self._parts.machine.hidden(now_ms))

    def token(self, now_ms: float, token: str) -> list[Action]:
        """Show this token from now on; also before `start`, and as the answer to `Renew`.

        An open link is kept and shows it; a session that was closed for want of it starts again.
        """
        actions = self._parts.admit(now_ms, self._parts.login.take(token))
        again = self._parts.machine.token(now_ms)
        if again:
            self._parts.login.restart()
        actions += self._parts.perform(now_ms, again)
        if self._parts.way is None:
            actions += self._parts.follow(self._parts.wanted.allowed(now_ms))
            if self._parts.rounds.is_held:
                actions += self._parts.perform(now_ms, self._parts.machine.repoll(now_ms))
        return actions

    # ---- what is wanted

    def want(self, now_ms: float, want: Want) -> list[Action]:
        """Begin to get something; wants are counted, and kept across all that happens.

        What is held already of it is not told again: see `quote` and `bars`.
        """
        actions = self._parts.follow(self._parts.wanted.want(want))
        if want.history and want.interval is not None:
            held = self._parts.books.positions("bars", want.interval, want.symbols)
            actions += self._parts.history.wanted(now_ms, want.interval, held, self._parts.machine)
        return actions

    def unwant(self, now_ms: float, want: Want) -> list[Action]:
        """End what the same want began. The feed is told, and what is held is let go, 2 s later."""
        return self._parts.follow(self._parts.wanted.unwant(now_ms, want))

    def older(self, now_ms: float, symbol: str, interval: str, bars: int) -> list[Action]:
        """Load so many bars before the earliest that is held, of a series that is wanted.

        They come as `BarsChanged`. Nothing is done where there are none, see `has_older`; to ask
        once more while they are on their way does no harm.
        """
        if self.state.state == "closed":
            return []
        return self._parts.history.older(now_ms, symbol, interval, bars, self._parts.machine)

    # ---- what came

    def received(
        self, now_ms: float, way: Way, message: ServerMessage | None, size_bytes: int = 0
    ) -> list[Action]:
        """Take a message of a link; None is one of a kind that is not known here."""
        return self._talk.received(now_ms, way, message, size_bytes)

    def closed(self, now_ms: float, way: Way, number: int | None, reason: str) -> list[Action]:
        """Take note that a link has ended, or could not be opened.

        Args:
            now_ms: The time.
            way: Which link.
            number: The WebSocket's close code, None where there is none.
            reason: Why, for a person.
        """
        if way not in self._parts.frames or way == "polling":
            return []
        self._parts.unlink(way)
        return self._parts.perform(now_ms, self._parts.machine.closed(now_ms, way, number, reason))

    def polled(
        self, now_ms: float, id: int, quotes: Quotes | None, status: Status | None = None
    ) -> list[Action]:
        """Take the answer to a `Poll`; ``quotes`` is None where none were asked for."""
        return self._talk.polled(now_ms, id, quotes, status)

    def poll_failed(self, now_ms: float, id: int, code: str, reason: str) -> list[Action]:
        """Take note that a `Poll` has failed.

        Args:
            now_ms: The time.
            id: The poll's.
            code: The feed's `ErrorCode`; ``unreachable`` where it did not answer.
            reason: Why, for a person.
        """
        return self._talk.poll_failed(now_ms, id, code, reason)

    def loaded(self, now_ms: float, id: int, series: BarSeries | TradeSeries) -> list[Action]:
        """Take the answer to a `Load`."""
        return self._parts.history.loaded(now_ms, id, series, self._parts.machine)

    def load_failed(self, now_ms: float, id: int, code: str, reason: str) -> list[Action]:
        """Take note that a `Load` has failed; arguments as for `poll_failed`."""
        return self._talk.load_failed(now_ms, id, code, reason)

    def painted(self, now_ms: float) -> None:
        """Take note that quotes told of so far have been painted, or handed over."""
        self._parts.books.meter.shown(now_ms)

    def symbols(self, symbols: Iterable[SymbolInfo]) -> None:
        """Take what instruments there are: which source tells each, and which are replayed."""
        self._parts.books.symbols_came(symbols)

    # ---- what is known

    @property
    def meter(self) -> Meter:
        """What is measured and counted."""
        return self._parts.books.meter

    def quote(self, symbol: str) -> Quote | None:
        """Return the newest quote of a symbol that is wanted, None where there is none yet."""
        return self._parts.books.quote(symbol)

    def bars(self, symbol: str, interval: str) -> Sequence[Bar]:
        """Return the bars held of a series, oldest first; not to be changed."""
        return self._parts.books.bars(symbol, interval)

    def failure(
        self,
        channel: Channel,
        interval: str | None,
        symbol: str,
        indicators: Iterable[str] = (),
    ) -> Failed | None:
        """Return why the feed does not give something that is wanted, None where it does.

        It is told once: who comes later to want the same has to ask.
        """
        return self._parts.wanted.failure(channel, interval, symbol, tuple(indicators))

    def trades(self, symbol: str) -> list[Trade]:
        """Return the last trades of a symbol that is wanted, oldest first."""
        return self._parts.books.trades(symbol)

    def outputs(self, indicator: str) -> Sequence[str]:
        """Return the names of an indicator's outputs; empty before history told them."""
        return self._parts.books.outputs(indicator)

    def age(self, symbol: str, now_ms: float) -> Age:
        """Tell how old a symbol's quote is, and whether it is too old."""
        return self._parts.books.age(symbol, now_ms)

    def is_loaded(self, symbol: str, interval: str) -> bool:
        """Tell whether the history of a series is there that was wanted."""
        return self._parts.books.is_loaded(symbol, interval)

    def history_failure(self, symbol: str, interval: str) -> tuple[str, str] | None:
        """Return code and reason why history that is wanted is not there; None where it may come.

        It is asked for again, ever more seldom.
        """
        return self._parts.history.failure(symbol, interval)

    def has_older(self, symbol: str, interval: str) -> bool:
        """Tell whether there may be bars before the earliest that is held, and room for them."""
        return self._parts.history.has_older(symbol, interval)

    def sizes(self) -> dict[str, int]:
        """Return how much is held of what comes and goes, to see that nothing grows."""
        return {
            "wanted": len(self._parts.wanted),
            "requests": len(self._parts.requests),
            "loads": len(self._parts.history),
            "links": len(self._parts.frames),
            "books": len(self._parts.books),
        }
