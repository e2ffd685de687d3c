from feed_server.ingest.outbox import Outbox


def test_symbols_are_taken_first_come_first_and_once() -> None:
    outbox = Outbox(100)
    assert not outbox
    for symbol in ("AAPL", "IBM", "AAPL", "MSFT"):
        outbox.add(symbol)
    assert outbox
    assert outbox.take(2) == ["AAPL", "IBM"]
    outbox.add("AAPL")
    assert outbox.take(9) == ["MSFT", "AAPL"]
    assert outbox.take(9) == []
    assert not outbox


def test_it_is_full_when_too_many_changes_wait_and_has_room_when_they_are_taken() -> None:
    outbox = Outbox(3)
    outbox.add("AAPL")
    outbox.add("AAPL")
    assert not outbox.full
    outbox.add("IBM")
    assert outbox.full
    outbox.take(1)
    assert not outbox.full


def test_it_says_when_all_that_waited_has_left() -> None:
    outbox = Outbox(most=100)
    for symbol in ("A", "B", "A"):
        outbox.add(symbol)
    mark = outbox.entered
    outbox.add("C")
    assert outbox.left < mark
    outbox.take(1)
    assert outbox.left < mark
    outbox.take(1)
    assert outbox.left == mark < outbox.entered
