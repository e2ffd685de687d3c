"""What symbols are meant by what clients write; the sources are asked for those not declared."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from itertools import islice

from feed_server.bus.requests import Answer, Failed, Found, Resolve, Search
from feed_server.bus.rpc import Caller
from feed_server.gateway.asking import Asking
from feed_server.gateway.market_view import MarketView
from feed_server.market.symbols import candidates, match, normalised
from feed_server.protocol import ErrorCode, SymbolInfo, SymbolList

PATIENCE_S = 5.0
"""How long the sources have to find a symbol."""
KEEP_UNKNOWN_S = 60.0
"""For so long what no source knows is not asked for again."""
KEEP_S = 2.0
"""And so long other answers are good."""
MAX_LOOKED_UP = 20
"""Symbols of one request that sources are asked for; the others are unknown."""
MAX_FOUND = 50
MAX_COMPARED = 1_000
"""Symbols that are compared with one that is unknown, to tell which may be meant."""


class Lookup:
    """Finds instruments by what clients write.

    Args:
        caller: Reaches the sources.
        view: Has the symbols that are declared.
    """

    def __init__(self, caller: Caller, view: MarketView) -> None:
        self._view = view
        self._resolves = Asking(caller, PATIENCE_S, _keep_s, most=10_000)
        self._searches = Asking(caller, PATIENCE_S, lambda _answer: KEEP_S, most=500)
        self._capitals: dict[str, list[str]] = {}
        self._indexed: Mapping[str, SymbolInfo] = {}
        self._length = 0

    def meaning(self, text: str, known: Mapping[str, SymbolInfo]) -> str | None:
        """Return which of the known symbols a text means, see `match`; None where it is none."""
        if text in known:
            return text
        try:
            spellings = candidates(text)
        except ValueError:
            return None
        # Compared with all that there are, every unknown symbol would take milliseconds.
        index = self._index(known)
        return match(text, [symbol for s in spellings for symbol in index.get(s.upper(), ())])

    async def find(
        self,
        texts: Iterable[str],
        known: Mapping[str, SymbolInfo],
        allows: Callable[[str], bool],
    ) -> dict[str, Failed]:
        """Ask the sources for those symbols that are not known; what they find is declared.

        Args:
            texts: What a client has written.
            known: What there is.
            allows: Tells what it may have; nobody is asked for other symbols.

        Returns:
            By text why none was found.
        """
        if not self._view.hears:
            return {}
        asked = {text: name for text in self.unknown(texts, known) if allows(name := _name(text))}
        looked_up = dict(islice(asked.items(), MAX_LOOKED_UP))
        answers = await asyncio.gather(*map(self._resolve, looked_up.values()))
        return {
            text: answer
            for text, answer in zip(looked_up, answers, strict=True)
            if isinstance(answer, Failed)
        }

    def unknown(self, texts: Iterable[str], known: Mapping[str, SymbolInfo]) -> list[str]:
        """Return what means none of the known symbols but can be one, once each."""
        once = dict.fromkeys(texts)
        return [text for text in once if self.meaning(text, known) is None and _name(text)]

    async def search(self, text: str, known: Mapping[str, SymbolInfo]) -> SymbolList:
        """Return instruments that a part of their symbol or name finds, the best first."""
        declared = _search(text, known.values())
        answer = await self._searches.ask(Search(text))
        found = answer.infos if isinstance(answer, Found) else []
        infos = {info.symbol: info for info in (*declared, *found)}
        wanted = text.casefold()
        best = sorted(infos.values(), key=lambda info: info.symbol.casefold() != wanted)
        return SymbolList(
            best[:MAX_FOUND], note=answer.message if isinstance(answer, Failed) else None
        )

    async def _resolve(self, name: str) -> Answer:
        answer = await self._resolves.ask(Resolve(name))
        if isinstance(answer, Found):
            self._view.declare(answer.infos)
        return answer

    def _index(self, known: Mapping[str, SymbolInfo]) -> Mapping[str, list[str]]:
        """Return symbols by their capitals; made anew when there are others."""
        if self._indexed is not known or self._length != len(known):
            self._capitals = {}
            for symbol in known:
                self._capitals.setdefault(symbol.upper(), []).append(symbol)
            self._indexed, self._length = known, len(known)
        return self._capitals


def codes(why: Mapping[str, Failed]) -> dict[str, ErrorCode]:
    """Return what programs are told of symbols that no source has found.

    Where there is no source to ask, all there is are the symbols that are declared.
    """
    return {
        text: ErrorCode.UNKNOWN_SYMBOL if failed.code == ErrorCode.NOT_READY else failed.code
        for text, failed in why.items()
    }


def explained(text: str, code: ErrorCode, *, why: Mapping[str, Failed], known: list[str]) -> str:
    """Return what a person is told of a symbol that cannot be had.

    Args:
        text: What is asked for.
        code: What programs are told.
        why: What the sources have said of it, see `Lookup.find`.
        known: What there is that it may have.
    """
    if code == ErrorCode.FORBIDDEN:
        return f"{text!r}: {code.reason}"
    said = f"; asked whether there is one: {why[text].message}" if text in why else ""
    if code != ErrorCode.UNKNOWN_SYMBOL:
        return f"{text!r}: {code.reason}{said}"
    try:
        name = normalised(text)
    except ValueError as error:
        return str(error)
    near = (s for s in known if s[:1] == name[:1] and abs(len(s) - len(name)) <= 2)
    close = get_close_matches(name, islice(near, MAX_COMPARED))
    perhaps = f"perhaps {', '.join(close)}; " if close else ""
    advice = f"{perhaps}see /api/symbols, or find it by /api/search?q="
    return f"{text!r}: no such instrument; {advice}{said}"


def _name(text: str) -> str:
    """Return what a source is asked for; empty where a text cannot be a symbol."""
    try:
        return normalised(text)
    except ValueError:
        return ""


def _keep_s(answer: Answer) -> float:
    if isinstance(answer, Failed) and answer.code == ErrorCode.UNKNOWN_SYMBOL:
        return KEEP_UNKNOWN_S
    return KEEP_S


def _search(text: str, infos: Iterable[SymbolInfo]) -> list[SymbolInfo]:
    wanted = text.casefold()
    found = (
        info for info in infos if wanted in info.symbol.casefold() or wanted in info.name.casefold()
    )

    def rank(info: SymbolInfo) -> tuple[bool, str]:
        return not info.symbol.casefold().startswith(wanted), info.symbol

    return sorted(found, key=rank)
