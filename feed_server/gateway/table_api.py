"""What HTTP handlers have in common that also answer with a file."""

import asyncio
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote, urlencode

from feed_server.gateway.http_api import ApiHandler
from feed_server.gateway.requests import RequestError
from feed_server.gateway.tables import MEDIA, Format, Table, written
from feed_server.gateway.turns import BusyError
from feed_server.protocol import ErrorCode

T = TypeVar("T")

NOTE_CHARS = 2_000
"""Of a header; what servers in between take of all headers is 4 KiB, some of them."""
AT_ONCE, WAITING = 2, 8
"""How many files a gateway makes at a time, and how many others wait: of live data in the meantime
each takes its share of the time."""
RETRY_S = 2
TOO_MANY = f"this gateway is making many files: ask for yours again in {RETRY_S} s"
NO_ARROW = (
    "this gateway has no pyarrow, which Parquet and Arrow need: ask for format=csv or format=json"
)


class TableHandler(ApiHandler):
    """Market data as JSON, and with the parameter ``format`` as a file."""

    def asked_format(self) -> Format:
        """Return the parameter ``format``.

        Raises:
            RequestError: There is no such format.
        """
        text = self.get_query_argument("format", Format.JSON)
        try:
            return Format(text)
        except ValueError:
            raise RequestError(
                ErrorCode.BAD_PARAMETER, f"format={text!r} is not one of {', '.join(Format)}"
            ) from None

    async def answer_file(self, table: Table, form: Format) -> None:
        """Send a table to be saved; its headers tell what else there is to it.

        Raises:
            RequestError: This gateway cannot write it.
        """
        body = await self.in_thread(lambda: written(table, form))
        self.set_header("Content-Type", MEDIA[form])
        self.set_header("Content-Disposition", f'attachment; filename="{table.title}.{form}"')
        self.set_header("Quotewire-Rows", str(len(table)))
        if table.note is not None:
            self.set_header("Quotewire-Note", header_note(table.note))
        if table.next_end_ms is not None:
            self.set_header("Link", f'<?{self._query(end=table.next_end_ms)}>; rel="next"')
        self.finish(body)

    async def label_of(self, symbol: str) -> str:
        """Return what a reader must know of a symbol's prices, as `SymbolInfo.label`."""
        info = (await self.declared_symbols()).get(symbol)
        return "" if info is None else info.label

    async def in_thread(self, write: Callable[[], T]) -> T:
        """Return what a function returns that takes a moment, and may need pyarrow.

        Raises:
            RequestError: That is missing here, or many others wait already.
        """
        try:
            async with self.gateway.file_turns.turn():
                return await asyncio.to_thread(write)
        except ImportError:
            raise RequestError(ErrorCode.BAD_PARAMETER, NO_ARROW) from None
        except BusyError:
            raise RequestError(ErrorCode.TOO_MANY_COMMANDS, TOO_MANY) from None

    def write_error(self, status_code: int, **kwargs: object) -> None:
        """Send what went wrong; and when to come again, where too many wait for files."""
        exc_info = kwargs.get("exc_info")
        error = exc_info[1] if isinstance(exc_info, tuple) else None
        if isinstance(error, RequestError) and error.code is ErrorCode.TOO_MANY_COMMANDS:
            self.set_header("Retry-After", str(RETRY_S))
        super().write_error(status_code, **kwargs)

    def _query(self, **others: int) -> str:
        """Return the request's own parameters, with others in their place."""
        asked = {name: texts[-1] for name, texts in self.request.query_arguments.items()}
        return urlencode({**asked, **others})


def header_note(note: str) -> str:
    """Return a note as a header takes it: ASCII, bounded, and no character cut in two."""
    coded, room = [], NOTE_CHARS
    for character in note:
        coded.append(quote(character, errors="replace"))
        room -= len(coded[-1])
        if room < 0:
            return "".join(coded[:-1])
    return "".join(coded)
