"""HTTP: a user's alerts. Whose they are is the token's to say; without tokens all are one user."""

import hashlib
import math
import re

import msgspec

from feed_server.alerts import is_met, reading
from feed_server.bus.alerts import AlertStore, Full
from feed_server.gateway.http_api import ApiHandler
from feed_server.gateway.market_api import DEFAULT_AGE_MS
from feed_server.gateway.requests import RequestError
from feed_server.protocol import Alert, AlertList, AlertRequest, Condition, ErrorCode, Quote
from feed_server.settings import FeedSettings

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
        self.gateway.seen.note(subject)
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
        self.count_change(subject)
        (symbol,) = await self.symbols_of("quotes", [asked.symbol])
        settings, now_ms = self.gateway.settings, self.gateway.hub.now_ms()
        alert = Alert(
            id=_name(symbol, asked),
            symbol=symbol,
            condition=asked.condition,
            level=asked.level,
            repeat=asked.repeat,
            note=asked.note.strip(),
            created_ms=now_ms,
            armed=may_arm(asked, await self._fresh_quote(symbol)),
        )
        kept = await self._store().set(
            subject, alert, most=settings.max_alerts, most_symbols=settings.max_alert_symbols
        )
        if isinstance(kept, Full):
            raise RequestError(ErrorCode.TOO_MANY_ALERTS, _why_full(kept, settings))
        self.set_status(201)
        self.answer(kept)

    async def _fresh_quote(self, symbol: str) -> Quote | None:
        """Return the last price of a symbol, `None` where it may be another by now."""
        view = self.gateway.view
        if not await view.want([symbol]):
            return None
        if await self.gateway.freshness.refresh([symbol], DEFAULT_AGE_MS):
            return None
        latest = view.latest.get(symbol)
        return None if latest is None else latest.update.quote

    async def delete(self) -> None:
        """Remove the alert ``id``; answer with nothing."""
        subject = self._subject()
        self.count_change(subject)
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


def may_arm(asked: AlertRequest, quote: Quote | None) -> bool:
    """Tell whether the next crossing may fire an alert: the price is known to be before its level.

    Args:
        asked: The alert.
        quote: The symbol's quote, `None` where no fresh one is known.
    """
    if quote is None:
        return False
    value = reading(asked.condition, quote.last, quote.prev_close)
    return value is not None and not is_met(asked.condition, asked.level, value)


def _why_full(why: Full, settings: FeedSettings) -> str:
    if why is Full.USER:
        return f"{settings.max_alerts} alerts are set, and no more may be: remove some"
    return (
        f"all users' alerts look at {settings.max_alert_symbols} symbols, and at no more may they: "
        "choose one of those, or remove others"
    )


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
