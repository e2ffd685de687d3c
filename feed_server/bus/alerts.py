"""Users' alerts in Redis: those that are set, which of them are armed, and what has fired.

An alert fires in one step of Redis, from the armed ones to the history: whoever is killed, it has
happened or has not, and it cannot happen twice.
"""

from collections.abc import Sequence
from importlib import resources
from typing import cast

import msgspec
import structlog
from msgspec.structs import replace
from redis.asyncio import Redis

from feed_server.bus import names
from feed_server.bus.connection import bus_errors
from feed_server.errors import FencedError
from feed_server.protocol import Alert, Fired

KEPT_FIRED = 200
"""Of each user, the newest."""
FIRED_EXPIRES_MS = 90 * 86_400_000
"""A user's history is forgotten so long after the last of it."""
FENCED = -2
"""A script's answer where a later writer was there."""

log = structlog.get_logger(__name__)

_decode_alert = msgspec.json.Decoder(Alert).decode
_decode_fired = msgspec.json.Decoder(Fired).decode
_encode = msgspec.json.Encoder().encode


class AlertNote(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is published of a change.

    Attributes:
        subject: Whose alerts have changed.
        fired: What has fired; `None` where one was set or taken away.
    """

    subject: str
    fired: Fired | None = None


_decode_note = msgspec.json.Decoder(AlertNote).decode


def decode_alert_note(payload: bytes) -> AlertNote:
    """Return what was published on `names.ALERTS`.

    Raises:
        ValueError: It is none of ours.
    """
    place, _, body = payload.partition(b" ")
    note = _decode_note(body)
    if note.fired is None:
        return note
    return AlertNote(note.subject, replace(note.fired, cursor=place.decode()))


def _script(name: str) -> str:
    return resources.files("feed_server.bus").joinpath(f"alert_{name}.lua").read_text("utf-8")


class AlertStore:
    """Reads and writes users' alerts. Every method raises `BusError` where Redis is away.

    Args:
        redis: The client.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._set_script, self._remove_script = _script("set"), _script("remove")

    async def set(self, subject: str, alert: Alert, most: int) -> bool:
        """Set an alert of a user; tell whether there was room.

        Args:
            subject: Whose.
            alert: It takes the place of the one of its name.
            most: How many a user may have.
        """
        arguments = (subject, alert.id, _encode(alert), int(alert.armed), most)
        with bus_errors("setting an alert"):
            done = await self._redis.eval(
                *(self._set_script, 3, *_keys(subject)),
                *(*arguments, names.ALERTS, _encode(AlertNote(subject))),
            )
        return bool(done)

    async def remove(self, subject: str, name: str) -> bool:
        """Take an alert of a user away; tell whether it was there."""
        note = _encode(AlertNote(subject))
        with bus_errors("removing an alert"):
            done = await self._redis.eval(
                *(self._remove_script, 3, *_keys(subject)), *(subject, name, names.ALERTS, note)
            )
        return bool(done)

    async def alerts(self, subject: str) -> list[Alert]:
        """Return a user's alerts, the oldest first."""
        (found,) = (await self.alerts_of([subject])).values()
        return found

    async def alerts_of(self, subjects: Sequence[str]) -> dict[str, list[Alert]]:
        """Return several users' alerts, of each the oldest first."""
        with bus_errors("reading alerts"):
            async with self._redis.pipeline(transaction=True) as pipe:
                for subject in subjects:
                    pipe.hvals(names.alerts(subject))
                    pipe.smembers(names.armed_alerts(subject))
                replies = await pipe.execute()
        pairs = zip(subjects, replies[::2], replies[1::2], strict=True)
        return {subject: _alerts(kept, armed) for subject, kept, armed in pairs}

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
        return [
            replace(_decode_fired(entry[b"f"]), cursor=place.decode()) for place, entry in entries
        ]

    async def users(self) -> list[str]:
        """Return the subjects that have alerts."""
        with bus_errors("reading who has alerts"):
            subjects = cast("set[bytes]", await self._redis.smembers(names.ALERT_USERS))
        return sorted(subject.decode() for subject in subjects)


class AlertWriter:
    """What who evaluates alerts does to them; there is one at a time.

    Args:
        redis: The client.
        sources: Of whose symbols, for the fence.
    """

    def __init__(self, redis: Redis, sources: str) -> None:
        self._redis = redis
        self._script = _script("turn")
        self._fence = names.alerts_fence(sources)

    async def arm(self, subject: str, alert: Alert, fence: int) -> bool:
        """Let the next crossing fire an alert; tell whether it does: it may be gone, or rest.

        Raises:
            BusError: Redis could not be reached; it can be done again.
            FencedError: A later writer was there.
        """
        return await self._turn(subject, alert.id, fence, "arm")

    async def fire(self, subject: str, fired: Fired, fence: int, *, rest_ms: int) -> bool:
        """Fire an alert; tell whether it was armed: if not, it has fired already, or is gone.

        Args:
            subject: Whose.
            fired: What is to be told of it.
            fence: The number of the lock under which this process writes.
            rest_ms: One that stays is not armed again sooner.

        Raises:
            BusError: Redis could not be reached; it may have happened, and can be done again.
            FencedError: A later writer was there.
        """
        how = "fire again" if fired.repeat else "fire"
        return await self._turn(
            *(subject, fired.id, fence, how, _encode(fired)),
            *(KEPT_FIRED, FIRED_EXPIRES_MS, names.ALERTS, _encode(AlertNote(subject, fired))),
            rest_ms,
        )

    async def _turn(
        self, subject: str, name: str, fence: int, how: str, *more: bytes | str | int
    ) -> bool:
        rests = names.resting_alert(subject, name)
        keys = (*_keys(subject), names.fired_alerts(subject), self._fence, rests)
        with bus_errors("firing an alert"):
            done = await self._redis.eval(
                self._script, len(keys), *keys, subject, name, fence, how, *more
            )
        if done == FENCED:
            raise FencedError("a later writer has evaluated alerts")
        return bool(done)


def _keys(subject: str) -> tuple[str, str, str]:
    return names.alerts(subject), names.armed_alerts(subject), names.ALERT_USERS


def _alerts(kept: Sequence[bytes], armed: set[bytes]) -> list[Alert]:
    alerts = []
    for text in kept:
        try:
            alert = _decode_alert(text)
        except ValueError as error:
            # It harms itself, and no other.
            log.error("an alert in redis cannot be used", error=str(error))
            continue
        alerts.append(replace(alert, armed=alert.id.encode() in armed))
    return sorted(alerts, key=lambda alert: (alert.created_ms, alert.id))
