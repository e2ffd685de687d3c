"""What HTTP handlers have in common that also answer with a file."""

import asyncio
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote, urlencode

from feed_server.gateway.http_api import ApiHandler
from feed_server.gateway.requests import RequestError
from feed_server.gateway.tables import MEDIA, Format, Table, written
from feed_server.protocol import ErrorCode

T = TypeVar("T")

NOTE_CHARS = 1_000
"""What servers in between take of a header is little."""
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
            # A header takes ASCII only.
            self.set_header("Quotewire-Note", quote(table.note[:NOTE_CHARS]))
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
            RequestError: That is missing here.
        """
        try:
            return await asyncio.to_thread(write)
        except ImportError:
            raise RequestError(ErrorCode.BAD_PARAMETER, NO_ARROW) from None

    def _query(self, **others: int) -> str:
        """Return the request's own parameters, with others in their place."""
        asked = {name: texts[-1] for name, texts in self.request.query_arguments.items()}
        return urlencode({**asked, **others})
