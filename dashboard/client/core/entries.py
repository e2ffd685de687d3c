"""One thing that is wanted: by whom how often, what was asked of it, and what was refused. Pure."""

from collections.abc import Iterable

import msgspec

from dashboard.client.core.actions import Failed
from dashboard.client.core.limits import LIMITS
from dashboard.client.core.trials import Trials
from feed_server.protocol import Channel, ErrorCode


class Want(msgspec.Struct, frozen=True, kw_only=True):
    """What one user of a session wants; given back as it is to end it.

    Attributes:
        channel: Which channel.
        symbols: Which instruments, as the feed names them.
        interval: Which bars; for channel ``bars`` only.
        indicators: To be computed at each bar, such as ``SMA(20)``.
        max_hz: Messages a second at most, 0 for what the settings say. Of several wants of a symbol
            the highest counts.
        history: Bars to be loaded before the live ones, 0 for none. Of several wants of a series
            the most counts.
    """

    channel: Channel
    symbols: tuple[str, ...]
    interval: str | None = None
    indicators: tuple[str, ...] = ()
    max_hz: float = 0
    history: int = 0


Terms = tuple[tuple[str, ...], float]
"""With which indicators and at what rate something is asked for."""

_WantTerms = tuple[tuple[str, ...], float, int]

_ASKED_AGAIN = {"unknown_symbol"} | {str(code) for code in ErrorCode if code.retry}
_BAD_INDICATOR = ErrorCode.BAD_PARAMETER.value
"""Where an indicator is refused."""
_REASONS = {str(code): code.reason for code in ErrorCode}


class Entry:
    """One symbol of a channel, and of bars one interval.

    Attributes:
        channel: Which channel.
        interval: Which bars.
        symbol: The instrument.
        wants: How often it is wanted, by terms.
        asked: What the feed was asked for, None where it was not.
        forget_ms: When it has lingered long enough; None while it is wanted.
        failed: Why it is not given, None where it is.
        again_ms: When it is asked for again, None where it is not to be.
        trials: What is known of its indicators.
    """

    def __init__(self, channel: Channel, interval: str | None, symbol: str) -> None:
        self.channel = channel
        self.interval = interval
        self.symbol = symbol
        self.wants: dict[_WantTerms, int] = {}
        self.asked: Terms | None = None
        self.forget_ms: float | None = None
        self.failed: str | None = None
        self._reason = ""
        self._wait_ms = 0.0
        self.again_ms: float | None = None
        self.trials = Trials()

    def want(self, want: Want) -> None:
        """Count it as wanted once more."""
        terms = (want.indicators, want.max_hz, want.history)
        self.wants[terms] = self.wants.get(terms, 0) + 1
        self.forget_ms = None

    def unwant(self, now_ms: float, want: Want) -> bool:
        """Count it as wanted once less; tell whether nobody wants it on these terms any more."""
        terms = (want.indicators, want.max_hz, want.history)
        if terms not in self.wants:
            return False
        self.wants[terms] -= 1
        if self.wants[terms]:
            return False
        del self.wants[terms]
        self.trials.keep({name for names, _, _ in self.wants for name in names})
        if not self.wants:
            self.forget_ms = now_ms + LIMITS.linger_ms
        return True

    def served_wants(self) -> list[_WantTerms]:
        """Return the wants that the feed does not refuse for one of their indicators."""
        return [want for want in self.wants if self.trials.refusal(want[0]) is None]

    def terms(self, max_hz: float) -> Terms:
        """Return with which indicators and at what rate it is to be asked for."""
        wants = self.served_wants()
        indicators = {name for names, _, _ in wants for name in names}
        rates = [hz or max_hz for _, hz, _ in wants]
        return self.trials.choose(indicators), 0 if 0 in rates else max(rates, default=0)

    def ask(self, max_hz: float) -> Terms | None:
        """Return the terms to ask for it on, as is done then; None where there is no need."""
        terms = self.terms(max_hz)
        if not self.served_wants() or self.asked == terms or self.again_ms is not None:
            return None
        self.asked = terms
        return terms

    def may_be_polled(self, now_ms: float) -> bool:
        """Tell whether it is of use to ask for it now."""
        return self.failed is None or is_due(self.again_ms, now_ms)

    def served(self, indicators: Iterable[str]) -> None:
        """It is there."""
        self.failed, self._wait_ms, self.again_ms = None, 0.0, None
        self.trials.took(indicators)

    def refused(
        self, now_ms: float, code: str, reason: str, indicators: tuple[str, ...]
    ) -> list[Failed]:
        """It cannot be had, or not with these indicators; return what is to be told of that."""
        bad = self.trials.refuse(indicators, reason) if code == _BAD_INDICATOR else None
        if bad is not None:
            if self.asked is not None and self.asked[0] == indicators:
                self.asked = None
            return [self._failed(code, reason, (name,)) for name in bad]
        self.asked = None
        self.again_ms = None
        if code in _ASKED_AGAIN:
            doubled_ms = 2 * self._wait_ms or LIMITS.unknown_base_ms
            self._wait_ms = min(doubled_ms, LIMITS.unknown_cap_ms)
            self.again_ms = now_ms + self._wait_ms
        if code == self.failed or not self.wants:
            return []
        self.failed, self._reason = code, reason
        return [self._failed(code, reason)]

    def failure(self, indicators: tuple[str, ...]) -> Failed | None:
        """Return why it is not given with these indicators, None where it is."""
        if self.failed is not None:
            return self._failed(self.failed, self._reason)
        refusal = self.trials.refusal(indicators)
        return None if refusal is None else self._failed(_BAD_INDICATOR, refusal, indicators)

    def _failed(self, code: str, reason: str, indicators: tuple[str, ...] = ()) -> Failed:
        said = reason or f"{self.symbol}: {_REASONS.get(code, code)}"
        return Failed(self.channel, self.symbol, self.interval, code, said, indicators)


def is_due(at: float | None, now_ms: float) -> bool:
    """Tell whether a time has come; None is one that never does."""
    return at is not None and now_ms >= at
