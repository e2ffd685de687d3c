"""What the feed calls what people ask for."""

import pytest

from dashboard.client import FeedError
from dashboard.client.names import Names
from feed_server.protocol import ErrorCode, QuoteRow, Quotes, SymbolInfo, SymbolList

ALIASES = {"aapl": "AAPL", "brk-b": "BRK.B"}


class Http:
    """A feed that has two instruments."""

    def __init__(self, *, is_away: bool = False) -> None:
        self.asked: list[str] = []
        self.is_away = is_away

    async def symbols(self) -> SymbolList:
        self.asked.append("/api/symbols")
        if self.is_away:
            raise FeedError("no feed")
        return SymbolList([SymbolInfo(s, s, "USD", 2, "fake", "") for s in ("AAPL", "BRK.B")])

    async def quotes(self, symbols: list[str]) -> Quotes:
        self.asked.append(symbols[0])
        if symbols[0] not in ALIASES:
            raise FeedError("no such instrument", ErrorCode.UNKNOWN_SYMBOL)
        return Quotes(0, 0, [QuoteRow(ALIASES[symbols[0]], 1, 1, None, None, 1, 0, 0, 1, 1)])


@pytest.fixture
def http() -> Http:
    return Http()


async def test_names_as_the_feed_has_them_stay(http: Http) -> None:
    names = Names(http)  # type: ignore[arg-type]
    assert not names.knows(["AAPL"])
    assert await names.of(["AAPL", "BRK.B"]) == ("AAPL", "BRK.B")
    assert names.knows(["AAPL", "BRK.B"])
    assert http.asked == ["/api/symbols"]


async def test_other_names_are_asked_for_once(http: Http) -> None:
    names = Names(http)  # type: ignore[arg-type]
    assert await names.of(["brk-b", "aapl", "AAPL"]) == ("BRK.B", "AAPL")
    assert await names.of(["brk-b"]) == ("BRK.B",)
    assert http.asked == ["/api/symbols", "brk-b", "aapl"]
    assert not names.knows(["aapl"])


async def test_what_the_feed_does_not_know_stays_as_it_was_asked(http: Http) -> None:
    names = Names(http)  # type: ignore[arg-type]
    assert await names.of(["NOPE", "aapl"]) == ("NOPE", "AAPL")


async def test_names_stay_as_they_were_asked_while_the_feed_is_away() -> None:
    assert await Names(Http(is_away=True)).of(["aapl"]) == ("aapl",)  # type: ignore[arg-type]
