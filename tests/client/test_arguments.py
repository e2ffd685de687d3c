"""What callers may write, and what they are told of what they may not."""

import pytest

from dashboard.client.arguments import Indicators, indicator_texts


@pytest.mark.parametrize(
    "written",
    ["SMA(20),BBANDS(20,2,2)", "SMA(20), BBANDS(20,2,2),", ["SMA(20)", "BBANDS(20,2,2)"]],
)
def test_indicators_are_a_list_or_one_text(written: Indicators) -> None:
    assert indicator_texts(written) == ("SMA(20)", "BBANDS(20,2,2)")
