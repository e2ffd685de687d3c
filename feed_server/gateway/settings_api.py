"""HTTP: a user's settings, for the dashboard in any of the user's browsers."""

from collections.abc import Mapping

import msgspec
from tornado.http1connection import HTTP1Connection
from tornado.web import stream_request_body

from feed_server.gateway.http_api import ApiHandler
from feed_server.gateway.requests import RequestError
from feed_server.protocol import (
    MAX_SETTINGS,
    MAX_SETTINGS_BODY_BYTES,
    MAX_SETTINGS_BYTES,
    ErrorCode,
    UserSetting,
    UserSettings,
)

AHEAD_MS = 10_000
"""How far a browser's clock may be ahead of the feed's: a later time counts as that. Else no other
choice could be newer until it has come."""
MAX_HEARD_BYTES = 16 * MAX_SETTINGS_BODY_BYTES
"""Of a body that is too large so much is let pass by, so that its sender can hear why."""
NO_ROOM = (
    f"there is no room: a user can have {MAX_SETTINGS} settings, "
    f"and {MAX_SETTINGS_BYTES} bytes in all"
)

_decode = msgspec.json.Decoder(UserSettings).decode


@stream_request_body
class SettingsHandler(ApiHandler):
    """``/api/settings``: whose they are is the token's to say."""

    def prepare(self) -> None:
        """Let in who may; the body comes afterwards.

        Raises:
            RequestError: It is going to be too large.
        """
        self._body = bytearray()
        connection = self.request.connection
        assert isinstance(connection, HTTP1Connection)
        connection.set_max_body_size(MAX_HEARD_BYTES)
        super().prepare()
        told = self.request.headers.get("Content-Length", "")
        if told.isdecimal() and int(told) > MAX_SETTINGS_BODY_BYTES:
            raise _too_large()

    def data_received(self, chunk: bytes) -> None:
        """Take a part of the body; of one that is too large no more than tells so."""
        if len(self._body) <= MAX_SETTINGS_BODY_BYTES:
            self._body += chunk

    async def get(self) -> None:
        """Answer with the user's `UserSettings`."""
        await self._tell({})

    async def put(self) -> None:
        """Join the settings that are sent with those that are kept; answer with all."""
        subject = self._subject()
        self.count_change(subject)
        if len(self._body) > MAX_SETTINGS_BODY_BYTES:
            raise _too_large()
        told = parse_settings(bytes(self._body), self.gateway.hub.now_ms())
        no_room = await self.gateway.user_settings.merge(subject, told.settings)
        await self._tell({**told.refused, **dict.fromkeys(no_room, NO_ROOM)})

    async def _tell(self, refused: Mapping[str, str]) -> None:
        kept = await self.gateway.user_settings.read(self._subject())
        self.answer(UserSettings(kept, refused))

    def _subject(self) -> str:
        """Return whose settings are meant.

        Raises:
            RequestError: No token says so.
        """
        if not self.grant.subject:
            raise RequestError(
                ErrorCode.FORBIDDEN,
                "settings are a user's, whom a token names in its claim sub: there is none",
            )
        return self.grant.subject


def parse_settings(body: bytes, now_ms: int) -> UserSettings:
    """Return the settings that a request's body tells, and which of them cannot be kept.

    Args:
        body: JSON.
        now_ms: What is chosen much later is chosen now.

    Raises:
        RequestError: It tells none.
    """
    try:
        told = _decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise RequestError(ErrorCode.BAD_PARAMETER, f"no settings: {error}") from None
    kept: dict[str, UserSetting] = {}
    refused: dict[str, str] = {}
    for name, one in told.settings.items():
        try:
            # What is kept is known to be JSON, and has no more bytes than it needs.
            value = msgspec.json.encode(msgspec.json.decode(one.value))
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            refused[name] = f"its value cannot be kept: {error}"
        else:
            kept[name] = UserSetting(msgspec.Raw(value), min(one.at_ms, now_ms + AHEAD_MS))
    return UserSettings(kept, refused)


def _too_large() -> RequestError:
    return RequestError(
        ErrorCode.TOO_LARGE, f"settings: a request has {MAX_SETTINGS_BODY_BYTES} bytes at most"
    )
