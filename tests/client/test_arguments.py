"""What callers may write, and what they are told of what they may not."""

from datetime import date

import pytest

from dashboard.client import FeedClient
from dashboard.client.arguments import Indicators, Symbols, indicator_texts, symbol_names


@pytest.mark.parametrize(
    "written",
    ["SMA(20),BBANDS(20,2,2)", "SMA(20), BBANDS(20,2,2),", ["SMA(20)", "BBANDS(20,2,2)"]],
)
def test_indicators_are_a_list_or_one_text(written: Indicators) -> None:
    assert indicator_texts(written) == ("SMA(20)", "BBANDS(20,2,2)")


@pytest.mark.parametrize("given", [("AAPL", "IBM"), (["AAPL", "IBM"],), (("AAPL",), "IBM")])
def test_symbols_are_given_one_by_one_or_as_a_list(given: tuple[Symbols, ...]) -> None:
    assert symbol_names(given) == ("AAPL", "IBM")


@pytest.mark.parametrize("given", [(7,), ([["AAPL"]],), (None,)])
def test_what_is_no_symbol_is_refused_at_the_call(given: tuple[Symbols, ...]) -> None:
    with pytest.raises(TypeError, match="symbols must be texts, as in 'AAPL', 'IBM'"):
        FeedClient().quotes(*given)


def test_bars_are_of_one_symbol() -> None:
    with pytest.raises(ValueError, match="bars are of one symbol"):
        FeedClient().bars(["AAPL", "IBM"])  # type: ignore[arg-type] # as callers may


def test_a_way_to_tell_of_loss_that_is_none_is_refused_at_the_call() -> None:
    for streams in (FeedClient().quotes, FeedClient().trades, FeedClient().bars):
        with pytest.raises(ValueError, match="on_loss 'foo' must be warn, raise or a function"):
            streams("AAPL", on_loss="foo")  # type: ignore[arg-type] # as callers may


@pytest.mark.parametrize("limit", [-1, 0, 10_001])
async def test_so_many_bars_as_cannot_be_are_refused_at_the_call(limit: int) -> None:
    with pytest.raises(ValueError, match=f"limit {limit} must be a number of bars, 1 to 10,000"):
        await FeedClient().history("AAPL", limit=limit)


@pytest.mark.parametrize("time", ["yesterday", "", date(2026, 1, 31), 1.5])
async def test_a_time_that_is_none_is_told_with_its_argument(time: str) -> None:
    with pytest.raises(ValueError, match=r"^end .* must be a datetime, a text such as 2026-01-31"):
        await FeedClient().history("AAPL", end=time)
