"""Whose connections a gateway has, and what they are told of alerts: pure rules."""

from typing import Any, cast

from feed_server.bus.alerts import AlertNote
from feed_server.gateway.alert_notes import AlertNotes
from feed_server.gateway.auth import Grant, SymbolRule
from feed_server.gateway.client import Client
from feed_server.gateway.frames import Frame
from feed_server.gateway.limits import SubjectRates
from feed_server.gateway.subjects import Subjects
from feed_server.protocol import Alerted, Condition, Fired, encode


class Listening:
    """Stands in for a client."""

    def __init__(self, symbols: SymbolRule | None = None) -> None:
        self.grant = Grant("", 0.0, symbols=symbols)
        self.heard: list[Frame] = []

    def say_frame(self, frame: Frame) -> None:
        self.heard.append(frame)

    @property
    def client(self) -> Client:
        return cast(Client, self)


def fired() -> Fired:
    return Fired(
        id="a",
        symbol="AAPL",
        condition=Condition.PRICE_ABOVE,
        level=1.0,
        repeat=False,
        note="",
        price=1.0,
        value=1.0,
        time_ms=1,
        fired_ms=1,
    )


def notes(subjects: Subjects) -> tuple[AlertNotes, list[Any]]:
    timers: list[Any] = []
    return AlertNotes(subjects, lambda _s, call: timers.append(call)), timers


def test_a_client_is_of_one_subject_at_a_time() -> None:
    subjects, one, other = Subjects(), Listening().client, Listening().client
    subjects.put(one, "ann")
    subjects.put(other, "ann")
    subjects.put(one, "bob")
    assert [list(subjects.of(name)) for name in ("ann", "bob")] == [[other], [one]]
    for _ in range(2):
        subjects.drop(one)
    assert list(subjects) == ["ann"]


def test_changes_of_a_user_are_told_together_and_to_no_other() -> None:
    subjects, ann, bob = Subjects(), Listening(), Listening()
    subjects.put(ann.client, "ann")
    subjects.put(bob.client, "bob")
    told, timers = notes(subjects)
    for version in range(50):
        told.take(AlertNote("ann", version=version))
    assert not ann.heard
    (timer,) = timers
    timer()
    assert (len(ann.heard), len(bob.heard)) == (1, 0)


def test_what_has_fired_comes_at_once_after_the_changes_before_it() -> None:
    subjects, ann = Subjects(), Listening()
    blind = Listening(SymbolRule.parse(["IBM"]))
    subjects.put(ann.client, "ann")
    subjects.put(blind.client, "ann")
    told, timers = notes(subjects)
    told.take(AlertNote("ann", version=1))
    told.take(AlertNote("ann", fired()))
    for timer in timers:
        timer()
    assert (len(ann.heard), len(blind.heard)) == (2, 1)
    assert [frame.payload for frame in ann.heard] == [encode(Alerted()), encode(Alerted(fired()))]


def test_each_user_has_a_rate_of_changes() -> None:
    rates = SubjectRates(2, most=2)
    assert [rates.take("ann", 0.0) for _ in range(5)] == [True] * 4 + [False]
    assert rates.take("bob", 0.0)
    assert not rates.take("ann", 0.0)
    assert rates.take("ann", 1.0)
