"""Users' alerts in Redis: those that are set, how they stand, and what has fired.

An alert fires in one step of Redis, from the armed ones to the history: whoever is killed, it has
happened or has not, and it cannot happen twice. How one stands is kept as a text of eight words:
whether it is armed, when it was set, until when it rests, who has armed or fired it last, the
number of that turn, epoch and event time of the price that did, and its symbol.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import cast

import msgspec
import structlog
from msgspec.structs import replace
from redis.asyncio import Redis

from feed_server.alerts import Standing
from feed_server.bus import names
from feed_server.bus.connection import bus_errors
from feed_server.bus.scripts import Script
from feed_server.protocol import Alert, Fired

EXPIRES_MS = 90 * 86_400_000
"""A user's alerts are forgotten so long after the user was last seen."""
FORGOTTEN_AT_ONCE = 100
"""Users."""

log = structlog.get_logger(__name__)

_decode_alert = msgspec.json.Decoder(Alert).decode
_decode_fired = msgspec.json.Decoder(Fired).decode
_encode = msgspec.json.Encoder().encode

_SET, _REMOVE = Script.of_file("alert_set.lua"), Script.of_file("alert_remove.lua")


class Full(StrEnum):
    """Why an alert was not set."""

    USER = "user"
    SYMBOLS = "symbols"


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of a change is published, after its number.

    Attributes:
        subject: Whose alerts have changed.
        fired: What has fired; `None` where one was set or taken away.
    """

    subject: str
    fired: Fired | None = None


class AlertNote(msgspec.Struct, frozen=True):
    """What is heard of a change.

    Attributes:
        subject: Whose alerts have changed.
        fired: What has fired; `None` where one was set or taken away.
        version: Number of that change, see `AlertStore.version`; 0 of what has fired.
    """

    subject: str
    fired: Fired | None = None
    version: int = 0


_decode_told = msgspec.json.Decoder(Told).decode


def decode_alert_note(payload: bytes) -> AlertNote:
    """Return what was published on `names.ALERTS`.

    Raises:
        ValueError: It is none of ours.
    """
    place, _, body = payload.partition(b" ")
    told = _decode_told(body)
    if told.fired is None:
        return AlertNote(told.subject, version=int(place))
    return AlertNote(told.subject, replace(told.fired, cursor=place.decode()))


def encode_told(subject: str, fired: Fired | None = None) -> bytes:
    """Return what is published of a change."""
    return _encode(Told(subject, fired))


Kept = tuple[dict[bytes, bytes], dict[bytes, bytes]]
"""A user's alerts and how they stand, as they are in Redis."""


class AlertStore:
    """Reads and writes users' alerts. Every method raises `BusError` where Redis is away.

    Args:
        redis: The client.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def set(
        self, subject: str, alert: Alert, *, most: int, most_symbols: int
    ) -> Alert | Full:
        """Set an alert of a user; return how it is kept, or why not.

        Args:
            subject: Whose.
            alert: Of one of its name it changes the note and whether it stays: that stands as
                before.
            most: How many a user may have.
            most_symbols: At how many symbols all users' alerts may look.
        """
        with bus_errors("setting an alert"):
            answer = await _SET.run(
                self._redis,
                _keys(subject),
                *(subject, alert.id, _encode(alert), alert.symbol, int(alert.armed)),
                *(alert.created_ms, most, most_symbols, names.ALERTS, encode_told(subject)),
            )
        if isinstance(answer, bytes):
            return _with_standing(alert, answer)[0]
        return Full.USER if answer == 0 else Full.SYMBOLS

    async def remove(self, subject: str, name: str) -> bool:
        """Take an alert of a user away; tell whether it was there."""
        with bus_errors("removing an alert"):
            done = await _REMOVE.run(
                self._redis,
                _keys(subject),
                *(subject, names.ALERTS, encode_told(subject), name, 0),
            )
        return bool(done)

    async def see(self, subjects: Sequence[str], now_ms: int) -> None:
        """Note that users were seen; of those who have alerts."""
        if not subjects:
            return
        with bus_errors("noting who was seen"):
            await self._redis.zadd(
                names.ALERT_USERS, dict.fromkeys(subjects, now_ms), xx=True, gt=True
            )

    async def forget_unseen(self, before_ms: int) -> int:
        """Take all alerts of users away who were last seen then or before; return how many.

        Of so many users at most as are seen to at once.
        """
        taken = 0
        with bus_errors("forgetting alerts"):
            subjects = await self._redis.zrangebyscore(
                names.ALERT_USERS, "-inf", before_ms, start=0, num=FORGOTTEN_AT_ONCE
            )
            for subject in (text.decode() for text in cast(list[bytes], subjects)):
                arguments = (subject, names.ALERTS, encode_told(subject), "", before_ms)
                taken += cast(int, await _REMOVE.run(self._redis, _keys(subject), *arguments))
        return taken

    async def version(self) -> int:
        """Return the number of the last alert that was set or taken away."""
        with bus_errors("reading alerts"):
            return int(await self._redis.get(names.ALERT_VERSION) or 0)

    async def alerts(self, subject: str) -> list[Alert]:
        """Return a user's alerts, the oldest first."""
        found = decode_alerts((await self.kept([subject]))[subject])
        return sorted((one for one, _ in found), key=lambda one: (one.created_ms, one.id))

    async def kept(self, subjects: Sequence[str]) -> Mapping[str, Kept]:
        """Return several users' alerts as they are kept, for `decode_alerts`."""
        with bus_errors("reading alerts"):
            async with self._redis.pipeline(transaction=True) as pipe:
                for subject in subjects:
                    pipe.hgetall(names.alerts(subject))
                    pipe.hgetall(names.alert_standings(subject))
                replies = await pipe.execute()
        return dict(zip(subjects, zip(replies[::2], replies[1::2], strict=True), strict=True))

    async def fired(self, subject: str, since: str = "-") -> list[Fired]:
        """Return what has fired of a user's alerts, the oldest first.

        Args:
            subject: Whose.
            since: `Fired.cursor` of the last that is known.
        """
        after = since if since == "-" else f"({since}"
        with bus_errors("reading what has fired"):
            kept = await self._redis.xrange(names.fired_alerts(subject), after)
        entries = cast(list[tuple[bytes, dict[bytes, bytes]]], kept)
        found = []
        for place, entry in entries:
            try:
                fired = _decode_fired(entry.get(b"f", b""))
            except ValueError as error:
                # It harms itself, and no other.
                log.error("what has fired cannot be used", error=str(error))
                continue
            found.append(replace(fired, cursor=place.decode()))
        return found

    async def users(self) -> list[str]:
        """Return the subjects that have alerts."""
        with bus_errors("reading who has alerts"):
            subjects = cast("list[bytes]", await self._redis.zrange(names.ALERT_USERS, 0, -1))
        return sorted(subject.decode() for subject in subjects)


def _keys(subject: str) -> tuple[str, ...]:
    return (
        names.alerts(subject),
        names.alert_standings(subject),
        names.ALERT_USERS,
        names.ALERT_SYMBOLS,
        names.ALERT_VERSION,
        names.ALERT_CHANGES,
    )


def decode_alerts(kept: Kept) -> list[tuple[Alert, Standing]]:
    """Return a user's alerts and how they stand; one that cannot be read is left out."""
    texts, standings = kept
    found = []
    for name, text in texts.items():
        try:
            found.append(_with_standing(_decode_alert(text), standings[name]))
        except (ValueError, KeyError) as error:
            # It harms itself, and no other.
            log.error("an alert in redis cannot be used", error=repr(error))
    return found


def _with_standing(alert: Alert, text: bytes) -> tuple[Alert, Standing]:
    armed, created, rests, writer, _number, epoch, time_ms, _symbol = text.decode().split(" ", 7)
    standing = Standing(
        armed == "1", int(rests), "" if epoch == "-" else epoch, int(time_ms), writer
    )
    return replace(alert, armed=standing.armed, created_ms=int(created)), standing
