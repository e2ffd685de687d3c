"""HTTP: a user's alerts. Whose they are is the token's to say; without tokens all are one user."""

import hashlib
import math
import re

import msgspec

from feed_server.alerts import is_met, reading
from feed_server.bus.alerts import AlertStore
from feed_server.gateway.http_api import ApiHandler
from feed_server.gateway.requests import RequestError
from feed_server.protocol import Alert, AlertList, AlertRequest, Condition, ErrorCode

MAX_LEVEL = 1e12
START = "0-0"
"""Before all that has fired."""
CURSOR_PATTERN = r"\d{1,16}-\d{1,16}"
ID_PATTERN = "[0-9a-f]{16}"

_decode = msgspec.json.Decoder(AlertRequest).decode


class AlertsHandler(ApiHandler):
    """``/api/alerts``: to list (also what has fired ``since=``), set and remove (``id=``)."""

    async def get(self) -> None:
        """Answer with an `AlertList`."""
        subject, store = self._subject(), self._store()
        since = self._matching("since", CURSOR_PATTERN, default=START)
        # In this order: what fires in between is in both, but never in none.
        alerts = await store.alerts(subject)
        fired = await store.fired(subject, since)
        allows = self.grant.allows_symbol
        self.answer(
            AlertList(
                [alert for alert in alerts if allows(alert.symbol)],
                [told for told in fired if allows(told.symbol)],
                fired[-1].cursor if fired else since,
                self.gateway.settings.max_alerts,
            )
        )

    async def post(self) -> None:
        """Set an alert, an `AlertRequest`; answer with the `Alert`."""
        subject, asked = self._subject(), parse_alert(self.request.body)
        (symbol,) = await self.symbols_of("quotes", [asked.symbol])
        latest = (await self.gateway.reader.last_values([symbol])).get(symbol)
        quote = None if latest is None else latest.update.quote
        value = None
        if quote is not None:
            value = reading(asked.condition, quote.last, quote.prev_close)
        alert = Alert(
            id=_name(symbol, asked),
            symbol=symbol,
            condition=asked.condition,
            level=asked.level,
            repeat=asked.repeat,
            note=asked.note.strip(),
            created_ms=self.gateway.hub.now_ms(),
            armed=value is not None and not is_met(asked.condition, asked.level, value),
        )
        most = self.gateway.settings.max_alerts
        if not await self._store().set(subject, alert, most):
            raise RequestError(
                ErrorCode.TOO_MANY_ALERTS, f"{most} alerts are set, and no more may be: remove some"
            )
        self.set_status(201)
        self.answer(alert)

    async def delete(self) -> None:
        """Remove the alert ``id``; answer with nothing."""
        subject = self._subject()
        name = self._matching("id", ID_PATTERN)
        if not await self._store().remove(subject, name):
            raise RequestError(
                ErrorCode.NOT_FOUND, f"there is no alert {name!r}: it may have fired"
            )
        self.set_status(204)

    def _subject(self) -> str:
        """Return whose alerts are meant.

        Raises:
            RequestError: The token names nobody, or does not allow prices.
        """
        self.require("quotes")
        if self.gateway.authenticator.required and not self.grant.subject:
            raise RequestError(
                ErrorCode.FORBIDDEN,
                "alerts need a login: they are a user's, whom the token names in its claim sub, "
                "and this one names nobody",
            )
        return self.grant.subject

    def _store(self) -> AlertStore:
        return self.gateway.alerts

    def _matching(self, name: str, pattern: str, default: str = "") -> str:
        value = self.get_query_argument(name, default)
        if not re.fullmatch(pattern, value, re.ASCII):
            raise RequestError(ErrorCode.BAD_PARAMETER, f"{name}={value!r} is none of this API's")
        return value


def parse_alert(body: bytes) -> AlertRequest:
    """Return the alert that a request's body describes.

    Raises:
        RequestError: It describes none that can be.
    """
    try:
        asked = _decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        hint = f"; condition is one of {', '.join(Condition)}" if "condition" in str(error) else ""
        raise RequestError(ErrorCode.BAD_PARAMETER, f"no alert: {error}{hint}") from None
    level = asked.level
    if not math.isfinite(level) or abs(level) > MAX_LEVEL:
        raise RequestError(ErrorCode.BAD_PARAMETER, f"level must be within ±{MAX_LEVEL:g}")
    if level <= 0 and not asked.condition.is_change:
        raise RequestError(ErrorCode.BAD_PARAMETER, f"level {level:g} is no price: it must be > 0")
    return asked


def _name(symbol: str, asked: AlertRequest) -> str:
    """Return the name of an alert: what is set twice is one."""
    text = f"{symbol}|{asked.condition}|{asked.level!r}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
