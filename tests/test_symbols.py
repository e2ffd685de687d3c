import re
import string
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed_server.market.symbols import candidates, match, normalised
from feed_server.protocol import SYMBOL_PATTERN

SYMBOLS = st.from_regex(SYMBOL_PATTERN, fullmatch=True, alphabet=st.characters(codec="ascii"))
SHARES = st.text(string.ascii_uppercase, min_size=1, max_size=5)
CURRENCIES = st.text(string.ascii_uppercase, min_size=3, max_size=3)


@pytest.mark.parametrize(
    ("typed", "symbol"),
    [
        ("brk.b", "BRK.B"),
        ("btc-usd", "BTC-USD"),
        (" eur/usd\n", "EUR/USD"),
        ("\u00a0^gspc\t", "^GSPC"),
        ("ry:tsx", "RY:TSX"),
    ],
)
def test_a_typed_symbol_is_trimmed_and_put_in_capitals(typed: str, symbol: str) -> None:
    assert normalised(typed) == symbol


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "  ",
        "BRK B",
        "A" * 65,
        "ＡＡＰＬ",  # full width
        "ААPL",  # Cyrillic
        "ﬁx",  # a ligature, the capitals of which are two ASCII letters
        "groß",
        "ıbm",  # dotless
        "AAPL\x00",
        "AAPL\u200b",
        "'; DROP",
        "A,B",
    ],
)
def test_what_is_no_symbol_is_refused_and_told_what_one_is(typed: str) -> None:
    with pytest.raises(ValueError, match=r"is no symbol; expected 1 to 64") as refused:
        normalised(typed)
    assert str(refused.value).isascii() or "…" in str(refused.value)
    assert len(str(refused.value)) < 400
    with pytest.raises(ValueError, match="is no symbol"):
        match(typed, {"AAPL"})


@given(SYMBOLS, st.sampled_from(["", " ", "\t\n"]))
def test_a_normalised_symbol_is_a_symbol_and_stays_the_same(symbol: str, space: str) -> None:
    once = normalised(f"{space}{symbol}{space}")
    assert re.fullmatch(SYMBOL_PATTERN, once)
    assert normalised(once) == once == once.upper()


@given(st.text())
def test_any_text_is_a_symbol_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert re.fullmatch(SYMBOL_PATTERN, normalised(text))


@given(SYMBOLS)
def test_spellings_are_different_symbols_and_begin_with_the_text(symbol: str) -> None:
    spellings = candidates(symbol)
    assert spellings[0] == symbol
    assert normalised(symbol) in spellings[:2]
    assert len(set(spellings)) == len(spellings)
    assert all(
        re.fullmatch(SYMBOL_PATTERN, spelling) or len(symbol) >= 64 for spelling in spellings
    )


@given(SHARES, st.sampled_from("AB"), st.permutations("./-"))
def test_a_share_class_is_found_with_any_separator(share: str, kind: str, of: list[str]) -> None:
    typed, declared = f"{share}{of[0]}{kind}", f"{share}{of[1]}{kind}"
    assert match(typed.lower(), {declared, share, f"{share}{kind}"}) == declared


@given(CURRENCIES, CURRENCIES, st.permutations(["/", "-", ".", ""]))
def test_a_pair_of_currencies_is_found_with_any_separator(a: str, b: str, of: list[str]) -> None:
    typed, declared = f"{a}{of[0]}{b}", f"{a}{of[1]}{b}"
    assert match(typed.lower(), {declared, a, b}) == declared


@given(st.sets(SYMBOLS, min_size=1), st.data())
def test_a_known_symbol_means_itself(known: set[str], data: st.DataObject) -> None:
    symbol = data.draw(st.sampled_from(sorted(known)))
    assert match(symbol, known) == symbol


@given(SYMBOLS, st.sets(SYMBOLS))
def test_a_match_is_one_of_the_known_symbols(text: str, known: set[str]) -> None:
    assert match(text, known) in {*known, None}


@given(SYMBOLS)
def test_a_symbol_declared_in_small_letters_is_found_whatever_is_typed(symbol: str) -> None:
    declared = symbol.lower()
    assert match(symbol, {declared}) == declared
    assert match(symbol.upper(), {declared}) == declared
    assert match(declared, {declared, symbol.upper()}) == declared


def test_a_share_class_is_not_taken_for_the_joined_letters() -> None:
    assert match("BRK.B", {"BRKB"}) is None
    assert match("BRKB", {"BRK.B"}) is None
    assert match("ABCDE.F", {"ABCDEF"}) is None
    assert match("MSFT", {"AAPL"}) is None


def test_a_pair_with_a_longer_first_half_is_found_joined() -> None:
    assert match("doge-usd", {"DOGEUSD"}) == "DOGEUSD"
    assert match("dogeusd", {"DOGE-USD"}) == "DOGE-USD"
