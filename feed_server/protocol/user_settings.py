"""A user's settings, which the feed keeps and does not look into."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

MAX_SETTINGS = 64
"""Names at most that a user can have."""
MAX_SETTINGS_BYTES = 262_144
"""Of one user's settings in all, as they are kept: of each its name, time and JSON. All that the
dashboard's schema allows has room."""
MAX_SETTINGS_BODY_BYTES = 2 * MAX_SETTINGS_BYTES
"""Of a request: what is kept may have been written with more characters."""
SETTING_PATTERN = "[a-z][a-z0-9_]{0,39}"
"""What a setting can be called."""
LATEST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999."""

SettingName = Annotated[str, msgspec.Meta(pattern=f"^{SETTING_PATTERN}$")]


class UserSetting(msgspec.Struct, frozen=True):
    """One setting as it was chosen.

    Attributes:
        value: Anything that JSON can tell; null: as is usual.
        at_ms: When it was chosen, UTC epoch milliseconds: of two choices the newer one counts.
    """

    value: msgspec.Raw
    at_ms: Annotated[int, msgspec.Meta(ge=0, le=LATEST_MS)]


class UserSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """Body of ``/api/settings``, in both directions.

    Attributes:
        settings: By name. What is sent is joined with what is kept: of each the newer choice.
        refused: In an answer, of what was sent, why it was not taken, by name. The others were.
    """

    settings: Annotated[Mapping[SettingName, UserSetting], msgspec.Meta(max_length=MAX_SETTINGS)]
    refused: Mapping[SettingName, str] = {}
