"""The side of alerts in Redis of who evaluates them: it arms and fires."""

import secrets
from collections.abc import Iterable, Sequence

import msgspec
from redis.asyncio import Redis

from feed_server.alerts import Firing, Turn
from feed_server.bus import names
from feed_server.bus.alerts import encode_told
from feed_server.bus.connection import bus_errors
from feed_server.bus.scripts import Script
from feed_server.errors import FencedError
from feed_server.protocol import Fired

KEPT_FIRED = 200
"""Of each user, the newest."""
FIRED_EXPIRES_MS = 90 * 86_400_000
"""A user's history is forgotten so long after the last of it."""
FENCED = -2
"""The script's answer where a later writer was there."""

# KEYS: 1 the fence. ARGV: 1 number of the writer's lock. Returns 0 where a later writer was there.
_CLAIM = Script("""
local fence = redis.call('GET', KEYS[1])
if fence and tonumber(ARGV[1]) < tonumber(fence) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1])
return 1
""")
_TURN = Script.of_file("alert_turn.lua")
_encode = msgspec.json.Encoder().encode


class AlertWriter:
    """What who evaluates alerts does to them; there is one at a time.

    Args:
        redis: The client.
        sources: Of whose symbols, for the fence.

    Attributes:
        name: No other has it, nor had.
    """

    def __init__(self, redis: Redis, sources: str) -> None:
        self.name = secrets.token_hex(8)
        self._redis = redis
        self._fence = names.alerts_fence(sources)
        self._number = 0

    async def claim(self, fence: int) -> None:
        """Refuse what an earlier writer still sends: how alerts stand is ours to say.

        Raises:
            BusError: Redis could not be reached; it can be done again.
            FencedError: A later writer was there.
        """
        with bus_errors("claiming alerts"):
            done = await _CLAIM.run(self._redis, [self._fence], fence)
        if not done:
            raise FencedError("a later writer has evaluated alerts")

    def pack(self, turns: Iterable[Turn], fence: int, now_ms: int) -> list[bytes]:
        """Return turns as they are sent by `write`, any number of times.

        Args:
            turns: In the order in which they happen.
            fence: The number of the lock under which this process writes.
            now_ms: Our clock.
        """
        return [self._pack(turn, fence, now_ms) for turn in turns]

    async def write(self, packed: Sequence[bytes]) -> list[bool]:
        """Let turns happen, in one pipeline; tell of each whether it has.

        If not, the alert is gone or was not armed: how it stands should be read.

        Raises:
            BusError: Redis could not be reached; they may have happened, and can be sent again.
            FencedError: A later writer was there.
        """
        with bus_errors("firing alerts"):
            answers = await _TURN.run_all(self._redis, packed)
        if FENCED in answers:
            raise FencedError("a later writer has evaluated alerts")
        return list(map(bool, answers))

    def _pack(self, turn: Turn, fence: int, now_ms: int) -> bytes:
        self._number += 1
        watch, tick = turn.watch, turn.tick
        subject, alert = watch.subject, watch.alert
        about = (subject, alert.id, fence, self.name, self._number, tick.epoch or "-", tick.time_ms)
        if not isinstance(turn, Firing):
            return _TURN.pack(self._keys(subject), *about, "arm")
        fired = fired_of(turn, now_ms)
        return _TURN.pack(
            self._keys(subject),
            *about,
            *("fire again" if alert.repeat else "fire", _encode(fired)),
            *(KEPT_FIRED, FIRED_EXPIRES_MS, names.ALERTS, encode_told(subject, fired)),
            turn.rests_until_ms,
        )

    def _keys(self, subject: str) -> tuple[str, ...]:
        return (
            names.alerts(subject),
            names.alert_standings(subject),
            names.ALERT_USERS,
            names.ALERT_SYMBOLS,
            names.fired_alerts(subject),
            self._fence,
            names.ALERT_CHANGES,
        )


def fired_of(turn: Firing, now_ms: int) -> Fired:
    """Return what is told of an alert that fires."""
    alert = turn.watch.alert
    return Fired(
        id=alert.id,
        symbol=alert.symbol,
        condition=alert.condition,
        level=alert.level,
        repeat=alert.repeat,
        note=alert.note,
        price=turn.tick.price,
        value=turn.value,
        time_ms=turn.tick.time_ms,
        fired_ms=now_ms,
    )
