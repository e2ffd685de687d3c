"""HTTP: a user's settings, for the dashboard in any of the user's browsers."""

import msgspec

from feed_server.bus.user_settings import MAX_BYTES
from feed_server.gateway.http_api import ApiHandler
from feed_server.gateway.requests import RequestError
from feed_server.protocol import (
    MAX_SETTINGS,
    ErrorCode,
    UserSetting,
    UserSettings,
)

_decode = msgspec.json.Decoder(UserSettings).decode


class SettingsHandler(ApiHandler):
    """``/api/settings``: whose they are is the token's to say."""

    async def get(self) -> None:
        """Answer with the user's `UserSettings`."""
        self.answer(UserSettings(await self.gateway.user_settings.read(self._subject())))

    async def put(self) -> None:
        """Join the settings that are sent with those that are kept; answer with all."""
        subject, told = self._subject(), parse_settings(self.request.body)
        if not await self.gateway.user_settings.merge(subject, told.settings):
            raise RequestError(
                ErrorCode.BAD_PARAMETER,
                f"settings: a user can have {MAX_SETTINGS}, and {MAX_BYTES} bytes in all",
            )
        await self.get()

    def _subject(self) -> str:
        """Return whose settings are meant.

        Raises:
            RequestError: No token says so.
        """
        if not self.grant.subject:
            raise RequestError(
                ErrorCode.FORBIDDEN,
                "settings are kept for who has signed in: a token names the user in its claim sub, "
                "and there is none",
            )
        return self.grant.subject


def parse_settings(body: bytes) -> UserSettings:
    """Return the settings that a request's body tells.

    Raises:
        RequestError: It tells none that can be kept.
    """
    try:
        told = _decode(body)
        # What is kept is known to be JSON, and has no more bytes than it needs.
        kept = {
            name: UserSetting(
                msgspec.Raw(msgspec.json.encode(msgspec.json.decode(one.value))), one.at_ms
            )
            for name, one in told.settings.items()
        }
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise RequestError(ErrorCode.BAD_PARAMETER, f"no settings: {error}") from None
    return UserSettings(kept)
