"""A day of reconnects in seconds: a session gets through everything, loses nothing unsaid, and
does not grow.
"""

import gc
import sys
from collections import Counter
from functools import partial

import pytest

from dashboard.client.core import actions as do
from dashboard.client.core.session import Settings
from tests.client.simulated_feed import (
    KEPT,
    MINUTE_MS,
    SYMBOLS,
    WANTS,
    Network,
    World,
    every,
)

HOUR_MS = 3_600_000.0
WARM_HOURS = 6
GROWTH_BLOCKS = 3_000
"""Memory that may come and go from hour to hour; a leak of one object an event is 100,000."""
SETTLED_MS = 30_000
"""A good network for so long makes a session live."""


class Trouble:
    """What happens to a world in a day, and whether its session is live when nothing is wrong."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.kinds: Counter[str] = Counter()
        self._calm_ms = 0.0
        self._is_hidden = False
        self._begun = [*KEPT]
        for want in KEPT:
            world.perform(world.session.want(0, want))
        every(world, 8_000, 70_000, self._change)
        every(world, 5_000, 60_000, self._wants)
        every(world, 3_000, 3_000, self._check)
        for symbol in SYMBOLS:
            every(world, 5_000, 20_000, partial(world.trade, symbol))

    def _change(self) -> None:
        choices = {
            "drop": lambda: self.world.drop(self.world.chance.choice((None, 1006, 4008, 4009))),
            "shutdown": self.world.shut_down,
            "restart": lambda: self.world.begin_anew(self.world.chance.choice(SYMBOLS)),
            "network": self._network,
            "page": self._page,
            "online": lambda: self._say(self.world.session.online(self.world.now_ms)),
            "unknown": self._unknown,
            "mode": self._mode,
            "nothing": lambda: None,
        }
        weights = (4, 1, 1, 6, 3, 1, 1, 1, 6)
        kind = self.world.chance.choices(list(choices), weights)[0]
        self.kinds[kind] += 1
        self._calm_ms = self.world.now_ms if kind != "nothing" else self._calm_ms
        choices[kind]()

    def _network(self) -> None:
        states: tuple[Network, ...] = ("good", "good", "http", "silent", "blocked")
        self.world.network = self.world.chance.choice(states)
        if self.world.network == "blocked":
            self.world.drop(None)

    def _page(self) -> None:
        session, now_ms = self.world.session, self.world.now_ms
        self._is_hidden = not self._is_hidden
        self._say(session.hidden(now_ms) if self._is_hidden else session.visible(now_ms))

    def _unknown(self) -> None:
        self.world.unknown = set() if self.world.unknown else {"NEW"}
        self.world.drop(None)

    def _mode(self) -> None:
        modes: tuple[do.Mode, ...] = ("auto", "auto", "websocket", "polling")
        mode = self.world.chance.choice(modes)
        self._say(self.world.session.configure(self.world.now_ms, mode=mode))

    def _wants(self) -> None:
        session, now_ms = self.world.session, self.world.now_ms
        others = self._begun[len(KEPT) :]
        if len(others) > 8 or (others and self.world.chance.random() < 0.5):
            want = self.world.chance.choice(others)
            self._begun.remove(want)
            self._say(session.unwant(now_ms, want))
        else:
            want = self.world.chance.choice(WANTS)
            self._begun.append(want)
            self._say(session.want(now_ms, want))

    def _say(self, actions: list[do.Action]) -> None:
        self.world.perform(actions)

    def _check(self) -> None:
        world = self.world
        calm = world.now_ms - self._calm_ms > SETTLED_MS
        if not calm or world.network != "good" or self._is_hidden:
            return
        expected = "polling" if world.session.settings.mode == "polling" else "live"
        assert world.session.state.state == expected, (world.now_ms, world.session.state)


class Ledger:
    """Whether what is told of the lossless channels is whole, but for what is told to be lost."""

    def __init__(self, world: World) -> None:
        self.trades = self.finals = 0
        self.lost: Counter[str] = Counter()
        self.states: Counter[str] = Counter()
        self._world = world
        self._offset: int | None = None
        self._start_ms: int | None = None
        self._said: do.StateChanged | None = None
        world.told.append(self._told)

    def _told(self, action: do.Action) -> None:
        match action:
            case do.TradesChanged():
                for trade in action.trades:
                    if trade.symbol == "GOLD":
                        self._trade(trade.offset)
            case do.BarsChanged(symbol="GOLD"):
                for bar in action.finals:
                    self._final(bar.start_ms)
            case do.Lost(symbol="GOLD"):
                self.lost[f"{action.channel} {action.code}"] += 1
                if action.channel == "trades":
                    self._offset = None
                else:
                    self._start_ms = None
            case do.StateChanged():
                same = self._said is not None and (
                    (action.state, action.code, action.way)
                    == (self._said.state, self._said.code, self._said.way)
                )
                assert not same, f"told twice: {action}"
                self._said = action
                self.states[action.state] += 1

    def _trade(self, offset: int) -> None:
        self.trades += 1
        assert self._offset is None or offset == self._offset + 1, (self._offset, offset)
        self._offset = offset

    def _final(self, start_ms: int) -> None:
        self.finals += 1
        assert self._start_ms is None or start_ms == self._start_ms + MINUTE_MS, (
            self._start_ms,
            start_ms,
        )
        self._start_ms = start_ms


def live_through(seed: int, settings: Settings, *, auth: bool = False) -> tuple[World, Ledger]:
    world = World(seed, settings, SYMBOLS, auth=auth)
    Trouble(world)
    ledger = Ledger(world)
    if auth:
        world.renew()
    world.perform(world.session.start(0))
    return world, ledger


CASES = {
    "open": (Settings(poll_ms=3_000), False),
    "relay": (Settings(poll_ms=3_000, relay=True), False),
    "tokens": (Settings(poll_ms=3_000, renewable=True), True),
}


@pytest.mark.parametrize("name", CASES)
def test_a_day_of_trouble_loses_nothing_unsaid(name: str) -> None:
    settings, auth = CASES[name]
    world, ledger = live_through(7, settings, auth=auth)
    for hour in range(1, 25):
        world.run(hour * HOUR_MS)
    assert world.events > 50_000
    assert set(ledger.states) >= {"connecting", "live", "polling", "stale", "offline"}
    assert ledger.trades > 3_000
    assert ledger.finals > 800
    assert sum(ledger.lost.values()) > 0
    assert world.session.meter.counts.reconnects > 150


def test_a_day_of_trouble_leaves_nothing_behind() -> None:
    world, _ = live_through(8, Settings(poll_ms=3_000, relay=True, renewable=True), auth=True)
    world.run(WARM_HOURS * HOUR_MS)
    blocks = []
    for hour in range(WARM_HOURS + 1, 25):
        world.run(hour * HOUR_MS)
        gc.collect()
        blocks.append(sys.getallocatedblocks())
        held = world.session.sizes()
        assert held["wanted"] <= 20, held
        assert held["books"] <= 20, held
        assert held["requests"] <= 100, held
        assert held["loads"] <= 20, held
        assert held["links"] <= 2, held
        assert world.pending() < 200
    half = len(blocks) // 2
    assert max(blocks[half:]) < max(blocks[:half]) + GROWTH_BLOCKS, blocks


def test_what_nobody_wants_any_more_is_let_go() -> None:
    world = World(10, Settings(), SYMBOLS)
    for want in (*KEPT, *WANTS):
        world.perform(world.session.want(0, want))
    world.perform(world.session.start(0))
    world.run(60_000)
    for want in (*KEPT, *WANTS):
        world.perform(world.session.unwant(world.now_ms, want))
    world.run(90_000)
    assert world.session.sizes() == {
        "wanted": 0,
        "requests": 0,
        "loads": 0,
        "links": 1,
        "books": 0,
    }
    world.perform(world.session.stop(world.now_ms))
    assert world.session.deadline() is None
