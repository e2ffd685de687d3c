"""What a page and its server say to each other of a relay: over the element's custom messages."""

import msgspec


class Opened(msgspec.Struct, tag="open", tag_field="do", frozen=True):
    """The page wants a link of this name."""

    relay: str


class Said(msgspec.Struct, tag="say", tag_field="do", frozen=True):
    """A command for the feed, the ``number``-th of its link, from 1."""

    relay: str
    number: int
    text: str


class Asked(msgspec.Struct, tag="get", tag_field="do", frozen=True):
    """A request for ``/api/<path>``, by default to read; of another the body is ``text``, JSON."""

    relay: str
    id: int
    path: str
    query: dict[str, str] = {}
    method: str = "GET"
    text: str = ""


class Got(msgspec.Struct, tag="got", tag_field="do", frozen=True):
    """The page has a batch, and so all before it."""

    relay: str
    number: int


class Closed(msgspec.Struct, tag="close", tag_field="do", frozen=True):
    """The page is done with a link."""

    relay: str


PageMessage = Opened | Said | Asked | Got | Closed


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Answer to one request of the page.

    Attributes:
        id: The page's number for the request.
        body: What the feed answered, as JSON text, or nothing; null where it answered with an
            error.
        code: The feed's code for that error; null where the feed could not be asked.
        message: What went wrong, for a person.
    """

    id: int
    body: str | None = None
    code: str | None = None
    message: str = ""


class Batch(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message to the page.

    Attributes:
        relay: Names the link.
        number: Counts a link's batches from 1.
        texts: Messages of the feed, in order.
        answers: To requests.
        closed: With the last batch: the close code, null where there is none, and the reason.
    """

    relay: str
    number: int
    texts: list[str] = []
    answers: list[Answer] = []
    closed: tuple[int | None, str] | None = None
