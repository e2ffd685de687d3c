"""The way to the feed through a page's own server, for browsers that cannot reach the feed.

A tunnel: the feed's messages and answers go to the page as they are, and the page's commands to the
feed, over the channel that the page has anyway (Panel's socket, a notebook's comm). A page opens it
when the other ways have failed, and nothing is spent on it before.

It gives no rights. On the tunnelled connection the page shows its token itself, as it would on its
own, so that login, renewal and denial are one thing on every way; requests show that same token,
which the page has from this process. The address is this process's, never the page's.
"""

from collections.abc import Callable

import msgspec

from dashboard.client.credentials import Credentials
from dashboard.relay.link import Link, Send
from dashboard.relay.messages import Opened, PageMessage
from dashboard.relay.outbox import Outbox

__all__ = ["Relay"]

MAX_LINKS = 4
"""Of one element, which can be on several pages where a notebook is open twice."""


class Relay:
    """What the pages of one element have opened. Nothing of it outlives `close`.

    Args:
        feed_url: Where this process finds the feed, ``http://host:port``.
        token: Gives the page's token; empty where it has none.
        send: Takes messages to all pages of the element; each knows its own by their ``relay``.
        outbox: Makes the outbox of a link by its name.
    """

    def __init__(
        self,
        feed_url: str,
        token: Callable[[], str],
        send: Send,
        outbox: Callable[[str], Outbox] = Outbox,
    ) -> None:
        self._feed_url = feed_url
        self._token = token
        self._send = send
        self._outbox = outbox
        self._links: dict[str, Link] = {}

    @property
    def links(self) -> int:
        """How many are open."""
        return len(self._links)

    def receive(self, data: object) -> None:
        """Take a message of a page; to be called in the event loop.

        Raises:
            msgspec.ValidationError: It is none.
        """
        message = msgspec.convert(data, PageMessage)
        link = self._links.get(message.relay)
        if isinstance(message, Opened):
            if link is None:
                self._open(message.relay)
        elif link is not None:  # else it crossed with the link's end
            link.receive(message)

    def close(self) -> None:
        """End all links; safe to call twice, and from where no event loop is."""
        for link in list(self._links.values()):
            link.close()

    def _open(self, name: str) -> None:
        if len(self._links) >= MAX_LINKS:
            refusal = Outbox(name).last(None, "too many pages are relayed")
            self._send(msgspec.to_builtins(refusal))
            return
        credentials = Credentials(self._token if self._token() else None)
        link = Link(self._outbox(name), self._feed_url, credentials, self._send)
        self._links[name] = link
        link.task.add_done_callback(lambda _task: self._links.pop(name, None))
