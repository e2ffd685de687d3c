from feed_server.ingest.floor import Floor
from feed_server.protocol import SymbolInfo, Trade
from tests.tape import OPEN_MS, Tape


def test_trades_are_kept_of_a_symbol_that_was_wanted_before_it_was_known() -> None:
    floor = Floor(
        [Tape()],
        grace_ms=0,
        now_ms=lambda: OPEN_MS,
        on_due=lambda _symbol: None,
        on_waiting=lambda _symbol: None,
    )
    floor.want(["BAC", "IBM"], True)
    floor.want(["IBM"], False)
    for symbol, trades in {"BAC": 1, "IBM": 0}.items():
        line = floor.open(SymbolInfo(symbol, symbol, "USD", 2, "tape", "TAPE", "UTC"))
        floor.take("tape", [Trade(symbol, OPEN_MS, 14.0, 1.0)])
        update = line.take_update()
        assert update is not None
        assert len(update.trades) == trades
