"""How indicators are asked for."""

import time

import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from feed_server.market.indicator_functions import function
from feed_server.market.indicator_spec import (
    IndicatorError,
    catalogue,
    parse_spec,
    parse_specs,
)
from feed_server.protocol import split_specs


def refusal(text: str) -> str:
    with pytest.raises(IndicatorError) as caught:
        parse_spec(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("SMA(20)", "SMA(20)"),
        (" sma ( 20 ) ", "SMA(20)"),
        ("SMA", "SMA(30)"),
        ("SMA()", "SMA(30)"),
        ("SMA(timeperiod=20)", "SMA(20)"),
        ("BBANDS(20,2,2)", "BBANDS(20,2,2,0)"),
        ("bbands(20, 2.50, 2.0)", "BBANDS(20,2.5,2,0)"),
        ("BBANDS(20,nbdevdn=1,nbdevup=-0)", "BBANDS(20,0,1,0)"),
        ("MACD(12,26,9)", "MACD(12,26,9)"),
        ("MACD(signalperiod=5)", "MACD(12,26,5)"),
        ("MACD(5,SignalPeriod=3)", "MACD(5,26,3)"),
        ("RSI(14)", "RSI(14)"),
        ("vwap", "VWAP"),
        ("SAR(2e-2,.2)", "SAR(0.02,0.2)"),
        ("CDLDOJI", "CDLDOJI"),
        ("KDJ", "KDJ(9,3,13,3,13)"),
    ],
)
def test_one_indicator_has_one_text(text: str, canonical: str) -> None:
    spec = parse_spec(text)
    assert spec.text == canonical
    assert parse_spec(spec.text) == spec
    assert hash(parse_spec(spec.text)) == hash(spec)


def test_outputs_and_inputs_are_those_of_talib() -> None:
    assert parse_spec("BBANDS").outputs == ("upperband", "middleband", "lowerband")
    assert parse_spec("BBANDS").inputs == ("close",)
    assert parse_spec("OBV").inputs == ("close", "volume")
    assert parse_spec("CORREL").inputs == ("high", "low")
    assert parse_spec("SMA(20)").lookback == 19


def test_all_of_talib_can_be_asked_for_but_what_needs_more_than_bars() -> None:
    offered = {info.name for info in catalogue()}
    assert set(talib.get_functions()) - offered == {"MAVP"}
    for name in offered:
        assert parse_spec(name).name == name
    assert "needs a period of its own for every bar" in refusal("MAVP(2,30)")


def test_the_catalogue_tells_what_may_be_written() -> None:
    (bbands,) = (info for info in catalogue() if info.name == "BBANDS")
    assert [one.name for one in bbands.parameters] == ["timeperiod", "nbdevup", "nbdevdn", "matype"]
    period, up, _, kind = bbands.parameters
    assert (period.kind, period.default, period.minimum, period.maximum) == ("integer", 20, 2, 2000)
    assert (up.kind, up.default, up.minimum, up.maximum) == ("real", 2, None, None)
    assert (kind.minimum, kind.maximum) == (0, 13)
    assert kind.choices[1] == "Exponential Moving Average"
    assert bbands.overlay == bbands.outputs
    assert not function("RSI").overlay
    assert not function("AVGDEV").overlay
    assert function("SUPERTREND").overlay == ["supertrend"]
    assert function("OBV").from_first
    assert not function("VWAP").from_first


def test_ranges_are_those_that_talib_keeps_to() -> None:
    limits = {
        (info.name, one.name): (one.minimum, one.maximum)
        for info in catalogue()
        for one in info.parameters
    }
    assert limits["MAMA", "fastlimit"] == (0.01, 0.99)
    assert limits["T3", "vfactor"] == (0, 1)
    assert limits["PERCENTILE", "percentile"] == (0, 100)
    assert limits["SAR", "acceleration"] == (0, None)
    assert limits["ATR", "timeperiod"] == (1, 2000)


def test_a_wrong_name_gets_the_near_ones_first_then_all() -> None:
    text = refusal("SMAA(20)")
    assert text.startswith("no indicator 'SMAA', did you mean SMA")
    for name in ("BBANDS", "RSI", "VWAP", "CDLDOJI", "OBV"):
        assert name in text
    assert "Momentum Indicators: " in text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("SMA(0)", ["timeperiod of SMA", "a whole number from 1 to 2000", "'0'"]),
        ("RSI(1)", ["timeperiod of RSI", "a whole number from 2 to 2000", "'1'"]),
        ("SMA(2001)", ["timeperiod of SMA", "a whole number from 1 to 2000"]),
        ("SMA(20.5)", ["timeperiod of SMA", "a whole number from 1 to 2000", "'20.5'"]),
        ("SMA(nan)", ["timeperiod of SMA", "'nan'"]),
        ("SMA(٢٠)", ["timeperiod of SMA"]),
        ("SMA(2_0)", ["timeperiod of SMA"]),
        ("SMA(,)", ["too many parameters", "SMA takes timeperiod=30"]),
        ("BBANDS(20,inf)", ["nbdevup of BBANDS must be a number", "'inf'"]),
        ("BBANDS(20,1e999)", ["nbdevup of BBANDS must be a number"]),
        ("T3(5,1.5)", ["vfactor of T3 must be a number from 0 to 1, not '1.5'"]),
        ("SAR(-1)", ["acceleration of SAR must be a number of at least 0, not '-1'"]),
        ("MA(20,14)", ["matype of MA must be one of 0: Simple Moving Average; 1: "]),
        ("SMA(period=20)", ["'period' is unknown", "SMA takes timeperiod=30 (a whole number"]),
        ("SMA(20,timeperiod=3)", ["too many parameters"]),
        ("MACD(12,fastperiod=3)", ["'fastperiod' is given twice"]),
        ("MACD(slowperiod=3,12)", ["parameters without a name come first"]),
        ("RSI(14,2)", ["too many parameters", "RSI takes timeperiod=14"]),
        ("VWAP(3)", ["too many parameters; VWAP has no parameters"]),
        ("TRIX(1000)", ["first value after", "2000 are allowed", "shorten"]),
    ],
)
def test_a_wrong_parameter_gets_what_is_allowed(text: str, parts: list[str]) -> None:
    message = refusal(text)
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    "text", ["", "(20)", "SMA(20", "SMA 20", "SMA(20))", "SMA(SMA(2))", "СМА(20)", "A" * 10_000]
)
def test_what_is_no_specification_is_told_how_one_looks(text: str) -> None:
    message = refusal(text)
    assert "such as SMA(20)" in message
    assert len(message) < 500


@given(st.text(max_size=60) | st.from_regex(r"[A-Z]{2,5}\([0-9a-z=,. -]{0,20}\)"))
def test_any_text_is_an_indicator_or_refused(text: str) -> None:
    try:
        spec = parse_spec(text)
    except IndicatorError:
        return
    assert parse_spec(spec.text) == spec


def test_lists_are_split_at_the_commas_outside_of_parentheses() -> None:
    assert split_specs("SMA(20),BBANDS(20,2,2) , VWAP,,") == ["SMA(20)", "BBANDS(20,2,2)", "VWAP"]
    assert split_specs("") == []
    assert split_specs("SMA(20,EMA(5),RSI") == ["SMA(20,EMA(5)", "RSI"], "refused when it is parsed"


def test_whoever_asks_for_very_much_takes_little_of_our_time() -> None:
    many = [f"{name}({n})" for name in ("RSI", "SMA", "CCI", "ROC") for n in range(3, 1_900)]
    began_s = time.process_time()
    assert split_specs("," * 60_000) == []
    assert split_specs("(," * 30_000) != []
    with pytest.raises(IndicatorError, match="7588 indicators asked for"):
        parse_specs(many)
    assert time.process_time() - began_s < 0.2


def test_the_order_of_asking_is_no_difference() -> None:
    one = parse_specs(["rsi(14)", "SMA(20)", "sma(timeperiod=20)"])
    assert one == parse_specs(["SMA(20)", "RSI"])
    assert [spec.text for spec in one] == ["RSI(14)", "SMA(20)"]


def test_there_is_a_limit_to_how_many_are_asked_for() -> None:
    with pytest.raises(IndicatorError, match="21 indicators asked for, 20 allowed"):
        parse_specs([f"SMA({period})" for period in range(2, 23)])
