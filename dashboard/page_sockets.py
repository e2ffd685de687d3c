"""The sockets between a page and its session."""

from bokeh.document import Document
from bokeh.server.connection import ServerConnection
from bokeh.server.contexts import BokehSessionContext


def keep_newest(document: Document | None) -> None:
    """Tell a session's changes to its newest socket only; call when its page is loaded.

    A page that lost its socket comes back by another one, and for as long as the server has not
    noticed the loss it has both. Bokeh tells each of them a change, but what the change is made of
    only to the first: a page that is the second one cannot read it.
    """
    context = None if document is None else document.session_context
    session = context.session if isinstance(context, BokehSessionContext) else None
    if session is None:
        return
    subscribe = session.subscribe

    def subscribe_alone(connection: ServerConnection) -> None:
        for lost in tuple(session._subscribed_connections):  # Bokeh has no public name for them
            # It keeps its session: Bokeh looks for that when the socket closes.
            session.unsubscribe(lost)
        subscribe(connection)

    session.subscribe = subscribe_alone  # type: ignore[method-assign]
