"""The sockets between a page and its session."""

from bokeh.document import Document
from bokeh.server.contexts import BokehSessionContext


def keep_newest(document: Document | None) -> None:
    """Tell a session's changes to its newest socket only.

    A page that lost its socket comes back by another one, and for as long as the server has not
    noticed the loss it has both. Bokeh tells each of them a change, but what the change is made of
    only to the first: a page that is the second one cannot read it.
    """
    context = None if document is None else document.session_context
    if not isinstance(context, BokehSessionContext) or context.session is None:
        return
    _newest, *lost = sorted(
        context.session._subscribed_connections,  # Bokeh has no public name for them
        key=lambda connection: connection._socket.request.request_time(),
    )
    for connection in lost:
        connection.detach_session()
