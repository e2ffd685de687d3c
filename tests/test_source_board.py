from feed_server.bus.publisher import STATUS_EXPIRES_MS
from feed_server.gateway.source_board import SourceBoard
from feed_server.protocol import SourceState, SourceStatus

EXPIRES_S = STATUS_EXPIRES_MS / 1000


def status(
    source: str = "replay",
    state: SourceState = SourceState.LIVE,
    message: str = "streaming",
    market_ms: int = 0,
) -> SourceStatus:
    return SourceStatus(source, source.upper(), state, message, market_ms, market_ms)


def test_the_last_word_of_each_source_counts_in_order_of_their_names() -> None:
    board = SourceBoard()
    board.take(status("replay", SourceState.CONNECTING), 0)
    board.take(status("exchange"), 0)
    board.take(status("replay"), 1)
    assert board.statuses(1) == [status("exchange"), status("replay")]


def test_a_source_that_has_fallen_silent_is_down_until_it_speaks_again() -> None:
    board = SourceBoard()
    board.take(status(), 10)
    assert board.statuses(10 + EXPIRES_S - 0.1)[0].state == SourceState.LIVE
    (silent,) = board.statuses(10 + EXPIRES_S)
    assert (silent.state, silent.message) == (SourceState.DOWN, "the source has fallen silent")
    board.take(status(), 20)
    assert board.statuses(20) == [status()]


def test_news_is_what_a_reader_must_know_and_is_told_once() -> None:
    board = SourceBoard()
    assert not board.has_changed(0)
    board.take(status(), 0)
    assert board.has_changed(0)
    assert not board.has_changed(0)
    board.take(status(market_ms=5), 1)
    assert not board.has_changed(1)
    board.take(status(message="slowly"), 2)
    assert board.has_changed(2)
    board.take(status(state=SourceState.CLOSED), 3)
    assert board.has_changed(3)


def test_silence_is_news() -> None:
    board = SourceBoard()
    board.take(status(), 0)
    board.has_changed(0)
    assert not board.has_changed(EXPIRES_S - 0.1)
    assert board.has_changed(EXPIRES_S)
    assert not board.has_changed(EXPIRES_S + 1)
