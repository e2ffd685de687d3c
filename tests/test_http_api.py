"""What HTTP handlers have in common, without a server."""

from types import SimpleNamespace
from typing import cast

import pytest

from feed_server.gateway import http_api
from feed_server.gateway.http_api import ApiHandler
from feed_server.gateway.lookup import explained
from feed_server.protocol import ErrorCode, SymbolInfo


class Lookup:
    async def find(self, *_: object) -> dict[str, object]:
        return {}

    def meaning(self, text: str, known: dict[str, SymbolInfo]) -> str | None:
        return text if text in known else None


async def test_of_many_unknown_symbols_one_is_compared_with_all_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[str] = []

    def count(text: str, code: ErrorCode, **others: object) -> str:
        compared.append(text)
        return explained(text, code, why={}, known=["AAPL"])

    async def declared() -> dict[str, SymbolInfo]:
        return {"AAPL": SymbolInfo("AAPL", "Apple", "USD", 2, "test", "TEST")}

    monkeypatch.setattr(http_api, "explained", count)
    handler = SimpleNamespace(
        gateway=SimpleNamespace(lookup=Lookup(), settings=SimpleNamespace(max_symbols=1_000)),
        grant=SimpleNamespace(allows_symbol=lambda _symbol: True),
        declared_symbols=declared,
    )
    asked = ["AAPL", *(f"AAP{number}" for number in range(500))]
    symbols, _ = await ApiHandler.find(cast(ApiHandler, handler), asked)
    assert (symbols, compared) == (["AAPL"], ["AAP0"])
