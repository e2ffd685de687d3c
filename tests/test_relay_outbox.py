from dashboard.relay.messages import Answer, Batch
from dashboard.relay.outbox import EVERY_MS, STALL_MS, Outbox


def taken(outbox: Outbox, now_ms: float) -> Batch:
    batch = outbox.take(now_ms)
    assert batch is not None
    return batch


def test_the_first_message_after_a_pause_goes_at_once() -> None:
    outbox = Outbox("page")
    outbox.put_text("a")
    assert outbox.deadline_ms() < 0
    assert taken(outbox, 1000).texts == ["a"]


def test_what_comes_between_two_batches_goes_together_and_in_order() -> None:
    outbox = Outbox("page")
    outbox.put_text("a")
    taken(outbox, 0)
    for at_ms in range(10, 200, 10):
        outbox.put_text(str(at_ms))
        assert outbox.take(at_ms) is None
    assert outbox.deadline_ms() == EVERY_MS
    assert taken(outbox, EVERY_MS).texts == [str(at_ms) for at_ms in range(10, 200, 10)]


def test_a_page_gets_four_messages_a_second_however_much_comes() -> None:
    outbox = Outbox("page")
    batches = []
    for at_ms in range(0, 10_000, 5):
        outbox.put_text("text")
        if (batch := outbox.take(at_ms)) is not None:
            batches.append(batch)
            outbox.answered(batch.number)
    assert len(batches) == 40
    assert sum(len(batch.texts) for batch in batches) == 1951


def test_batches_are_numbered_and_name_their_link() -> None:
    outbox = Outbox("page")
    for number in (1, 2):
        outbox.put_answer(Answer(7, body="{}"))
        batch = taken(outbox, number * 1000)
        assert (batch.relay, batch.number) == ("page", number)
        assert batch.answers == [Answer(7, body="{}")]


def test_while_two_are_unanswered_nothing_goes_and_the_box_fills() -> None:
    outbox = Outbox("page", max_bytes=10)
    for at_ms in (0, 1000):
        outbox.put_text("0123456789")
        taken(outbox, at_ms)
    outbox.put_text("0123")
    assert not outbox.is_full
    outbox.put_text("012345")
    assert outbox.is_full
    assert outbox.take(5000) is None
    outbox.answered(1)
    assert taken(outbox, 5000).texts == ["0123", "012345"]
    assert not outbox.is_full


def test_a_page_that_answers_nothing_is_gone() -> None:
    outbox = Outbox("page")
    outbox.put_text("a")
    taken(outbox, 0)
    outbox.put_text("b")
    taken(outbox, 300)
    assert outbox.deadline_ms() == STALL_MS
    assert not outbox.is_stalled(STALL_MS - 1)
    assert outbox.is_stalled(STALL_MS)
    outbox.answered(1)
    assert not outbox.is_stalled(STALL_MS)
    outbox.answered(2)
    assert outbox.deadline_ms() == float("inf")


def test_the_last_batch_takes_all_that_waits_along() -> None:
    outbox = Outbox("page")
    for text in ("a", "b", "c"):
        outbox.put_text(text)
        outbox.take(0)
    last = outbox.last(1001, "the server is shutting down")
    assert last.texts == ["b", "c"]
    assert last.closed == (1001, "the server is shutting down")
    assert last.number == 2
