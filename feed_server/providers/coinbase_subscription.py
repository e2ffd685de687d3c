"""Which products a connection to Coinbase carries, and what to ask it next; no network here.

One request is under way at a time, so that a refusal is known to be its own. Coinbase ignores a
request as a whole when one product of it is not known: it is asked again without that product, or
in smaller parts where the refusal names none.
"""

from collections.abc import Collection

import structlog

from feed_server.errors import UnavailableError
from feed_server.providers.coinbase_messages import (
    Refused,
    Request,
    Subscribe,
    Subscribed,
    Unsubscribe,
    named,
)

MAX_PRODUCTS = 100
"""Of one request."""
ANSWER_S = 5.0
"""A request that is not confirmed by then is taken for refused."""

log = structlog.get_logger(__name__)


class Subscription:
    """What one connection is asked for."""

    def __init__(self) -> None:
        self._wanted: frozenset[str] = frozenset()
        self._carried: frozenset[str] = frozenset()
        self._refused: frozenset[str] = frozenset()
        self._asked: Request | None = None
        self._asked_s = 0.0
        self._at_once = MAX_PRODUCTS
        self._why = ""

    @property
    def wanted(self) -> frozenset[str]:
        """Products that are wanted and not refused."""
        return self._wanted - self._refused

    @property
    def refused(self) -> frozenset[str]:
        """Products that are wanted, and refused."""
        return self._refused

    def want(self, products: Collection[str]) -> frozenset[str]:
        """Carry these and no others; return those that are not wanted any more."""
        dropped = self._wanted - frozenset(products)
        self._wanted = frozenset(products)
        self._refused &= self._wanted
        return dropped

    def next(self, now_s: float) -> Request | None:
        """Return what to send now.

        Raises:
            UnavailableError: All that is wanted is refused.
        """
        if self._asked is not None:
            if now_s - self._asked_s < ANSWER_S:
                return None
            self._refuse(self._asked, f"not answered within {ANSWER_S:g} s")
        if self._wanted and not self.wanted:
            raise UnavailableError(f"Coinbase carries none of what is wanted: {self._why}")
        self._asked, self._asked_s = self._request(), now_s
        return self._asked

    def confirm(self, said: Subscribed) -> None:
        """Take what the connection is said to carry."""
        self._carried = said.products
        if self._asked is None:
            return
        asked = frozenset(self._asked.product_ids)
        if isinstance(self._asked, Subscribe):
            done = asked <= self._carried
        else:
            done = not asked & self._carried
        if done:
            self._asked = None
            self._at_once = MAX_PRODUCTS

    def refuse(self, said: Refused) -> None:
        """Take a refusal of what was asked."""
        if self._asked is not None:
            why = f"{said.message}: {said.reason}"
            self._refuse(self._asked, why, named(said, self._asked.product_ids))

    def _request(self) -> Request | None:
        if left := sorted(self._carried - self._wanted):
            return Unsubscribe(left[:MAX_PRODUCTS])
        if missing := sorted(self.wanted - self._carried):
            return Subscribe(missing[: self._at_once])
        return None

    def _refuse(self, asked: Request, why: str, products: Collection[str] = ()) -> None:
        self._asked = None
        if isinstance(asked, Unsubscribe):
            # What comes of them nevertheless is left aside.
            self._carried -= frozenset(asked.product_ids)
            return
        if not products and len(asked.product_ids) > 1:
            self._at_once = len(asked.product_ids) // 2
            return
        lost = products or asked.product_ids
        self._refused |= frozenset(lost)
        self._why = why
        log.warning("coinbase does not carry a product", symbols=list(lost), reason=why[:200])
