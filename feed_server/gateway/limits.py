"""How much a stranger may do: commands of a connection or user, connections of an address. Pure."""

from collections import Counter, OrderedDict
from collections.abc import Container
from ipaddress import IPv6Address, ip_address
from math import inf

from feed_server.gateway.requests import RequestError
from feed_server.protocol import ErrorCode

BURST_S = 2.0
"""A client that was quiet may send what it could have sent in this time at once."""


class CommandRate:
    """A token bucket: so many commands a second, and twice as many at once.

    Args:
        per_s: Commands a second.
    """

    __slots__ = ("_left", "_per_s", "_taken_s")

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._left = BURST_S * per_s
        self._taken_s = -inf

    def take(self, now_s: float) -> bool:
        """Count one command; False when it is one too many.

        Args:
            now_s: A clock that never steps, in seconds.
        """
        filled = self._left + (now_s - self._taken_s) * self._per_s
        self._left = min(BURST_S * self._per_s, filled)
        self._taken_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


class SubjectRates:
    """A `CommandRate` for each user, of those who were heard of last.

    Args:
        per_s: Commands a second.
        most: Users that are remembered.
    """

    def __init__(self, per_s: float, most: int = 10_000) -> None:
        self._per_s = per_s
        self._most = most
        self._rates: OrderedDict[str, CommandRate] = OrderedDict()

    def take(self, subject: str, now_s: float) -> bool:
        """Count one command of a user; False when it is one too many.

        Args:
            subject: The user.
            now_s: A clock that never steps, in seconds.
        """
        rate = self._rates.setdefault(subject, CommandRate(self._per_s))
        self._rates.move_to_end(subject)
        if len(self._rates) > self._most:
            self._rates.popitem(last=False)
        return rate.take(now_s)


class ConnectionCount:
    """Counts open connections, in all and by address.

    Args:
        most: Connections at most.
        most_per_address: Connections at most that one address can have.
        unlimited: Addresses that only the limit of all is for.
    """

    def __init__(
        self, most: int, most_per_address: int, *, unlimited: Container[str] = frozenset()
    ) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._unlimited = unlimited
        self._by_address: Counter[str] = Counter()
        self._open = 0

    def __len__(self) -> int:
        return self._open

    def admit(self, address: str) -> None:
        """Count a new connection; give it back by `leave` when it has ended.

        Raises:
            RequestError: It is one too many, and is not counted.
        """
        if self._open >= self._most:
            raise _full(f"this gateway has {self._most} connections and takes no more")
        has = self._by_address[address]
        if has >= self._most_per_address and address not in self._unlimited:
            raise _full(
                f"this address has {self._most_per_address} connections open and may have no more"
            )
        self._by_address[address] += 1
        self._open += 1

    def leave(self, address: str) -> None:
        """Forget a connection that was admitted, once."""
        self._open -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]


def client_address(peer: str, forwarded_for: str | None, trusted: frozenset[str]) -> str:
    """Return the address that a request comes from, behind proxies that we trust.

    Each proxy appends to the header the address that it was asked from, so it is read from its
    end, as long as a trusted proxy wrote it; what a client made up stands further left.

    Args:
        peer: Address of the other end of the socket.
        forwarded_for: Header ``X-Forwarded-For``; several of them joined by commas, in order.
        trusted: Addresses of our own proxies.
    """
    address = _plain(peer) or peer
    hops = forwarded_for.split(",") if forwarded_for else []
    while address in trusted and hops:
        hop = _plain(hops.pop())
        if hop is None:
            break
        address = hop
    return address


def _plain(text: str) -> str | None:
    """Return an address in its one form, without a port; None where it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def _full(message: str) -> RequestError:
    return RequestError(ErrorCode.TOO_MANY_CONNECTIONS, message)
