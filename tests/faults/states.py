"""Whether the state that a client showed was true: its record against the proxy's log. Pure."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import inf

from tests.faults.proxy import Delivery
from tests.faults.record import Record, Sample, StateChange
from tests.faults.weather import ALL_CUT, POLLS_PASS, Spell

SLACK_MS = 1_000
"""Between what the proxy wrote and what a busy machine shows of it."""

NOTED_MS = 200
"""A delivery is noted so much later at most."""

SILENT_MS = 1_000
"""Longer than a heartbeat and this nothing is heard of a connection that lives."""

FLOWING_MS = 3_000
"""After so long of hearing something on one connection a client is live."""

POLL_TIMEOUT_MS = 6_000
"""A poll is not given up sooner: the feed may ask a source for 5 s before it answers."""

FALLEN_BACK_MS = 5_000
"""So long after its connection is gone a client polls, or is live again."""

TOLD_MS = 500
"""Listeners are told a change so much later at most."""

FROZEN_MS = 5_000
"""A client is not busy for so long that it shows nothing new."""

OFFLINE_MS = 15_000
LIVE_AGAIN_MS = 20_000


def of_states(
    record: Record,
    deliveries: Sequence[Delivery],
    spells: Sequence[Spell],
    *,
    heartbeat_ms: int,
    poll_ms: int,
    until_ms: float,
) -> Iterator[str]:
    """Tell where the state that was shown was not true.

    Args:
        record: The client's.
        deliveries: What the proxy gave it.
        spells: What the proxy did to it.
        heartbeat_ms: How long the feed is silent at most.
        poll_ms: How often the client polls.
        until_ms: The end of the run; until then all was well after the last spell.
    """
    frames = [delivery.at_ms for delivery in deliveries if delivery.what == "ws"]
    answers = [delivery.at_ms for delivery in deliveries if delivery.what == "/api/quotes"]
    live_ms = heartbeat_ms + SILENT_MS + SLACK_MS
    polling_ms = poll_ms + POLL_TIMEOUT_MS + SLACK_MS
    for sample in record.samples:
        if sample.state == "live" and _age(frames, sample.at_ms) > live_ms:
            yield f"{_at(sample)}: live, but heard last {_age(frames, sample.at_ms):.0f} ms ago"
        if sample.state == "polling" and _age(answers, sample.at_ms) > polling_ms:
            yield f"{_at(sample)}: polling, but answered {_age(answers, sample.at_ms):.0f} ms ago"
        if sample.state == "closed":
            yield f"{_at(sample)}: closed, though nobody closed it"
    yield from _of_flow(record.samples, deliveries, heartbeat_ms + SILENT_MS / 2)
    yield from _of_outages(record.samples, spells)
    yield from _of_calm(record.samples, spells, until_ms)
    yield from _of_fallback(record.samples, spells)
    yield from _of_told(record.samples, record.states)
    for earlier, later in pairwise(record.samples):
        if later.at_ms - earlier.at_ms > FROZEN_MS:
            yield f"{_at(later)}: nothing was shown since {_at(earlier)}"
    for before, after in pairwise(record.states):
        if (before.state, before.code, before.way) == (after.state, after.code, after.way):
            yield f"{after.at_ms:.0f}: {after.state} ({after.code}) was told twice"


def _of_flow(
    samples: Sequence[Sample], deliveries: Sequence[Delivery], gap_ms: float
) -> Iterator[str]:
    """Tell where a client was not live though a connection had told it something all the time."""
    for begin_ms, end_ms in _flows(deliveries, gap_ms):
        for sample in _between(samples, begin_ms + FLOWING_MS, end_ms):
            if sample.state != "live":
                yield f"{_at(sample)}: {sample.state}, but heard all since {begin_ms:.0f}"


def _flows(deliveries: Sequence[Delivery], gap_ms: float) -> Iterator[tuple[float, float]]:
    """Yield from when to when a connection told something, without a longer gap than this."""
    links: dict[int, list[float]] = {}
    for delivery in deliveries:
        if delivery.what == "ws":
            links.setdefault(delivery.link, []).append(delivery.at_ms)
    for moments in links.values():
        begin_ms = moments[0]
        for before_ms, after_ms in pairwise(moments):
            if after_ms - before_ms > gap_ms:
                yield begin_ms, before_ms
                begin_ms = after_ms
        yield begin_ms, moments[-1]


def _of_outages(samples: Sequence[Sample], spells: Sequence[Spell]) -> Iterator[str]:
    for spell in spells:
        if spell.kind not in ALL_CUT:
            continue
        begin_ms = spell.begin_ms + OFFLINE_MS + SLACK_MS
        for sample in _between(samples, begin_ms, spell.end_ms):
            if sample.state != "offline":
                yield f"{_at(sample)}: {sample.state} {OFFLINE_MS} ms after all was cut"


def _of_calm(samples: Sequence[Sample], spells: Sequence[Spell], until_ms: float) -> Iterator[str]:
    calm_ms = max((spell.end_ms for spell in spells), default=0.0) + LIVE_AGAIN_MS
    for sample in _between(samples, calm_ms, until_ms):
        if sample.state != "live":
            yield f"{_at(sample)}: {sample.state} {LIVE_AGAIN_MS} ms after all was well again"


def _of_fallback(samples: Sequence[Sample], spells: Sequence[Spell]) -> Iterator[str]:
    """Tell where a client that was live did not go on in time by what was left to it."""
    for spell in spells:
        others = [other for other in spells if other is not spell]
        before = [s.state for s in _between(samples, spell.begin_ms - SLACK_MS, spell.begin_ms)]
        if (
            spell.kind not in POLLS_PASS
            or set(before) != {"live"}
            or any(other.begin_ms <= spell.begin_ms <= other.end_ms for other in others)
        ):
            continue
        next_ms = min((o.begin_ms for o in others if o.begin_ms > spell.begin_ms), default=inf)
        begin_ms = spell.begin_ms + FALLEN_BACK_MS + SLACK_MS
        for sample in _between(samples, begin_ms, next_ms):
            if sample.state not in ("live", "polling"):
                yield f"{_at(sample)}: {sample.state} {FALLEN_BACK_MS} ms after {spell.kind}"


def _of_told(samples: Sequence[Sample], states: Sequence[StateChange]) -> Iterator[str]:
    """Tell where another state was shown than listeners were told, or are told in a moment."""
    moments = [change.at_ms for change in states]
    for sample in samples:
        begin = max(0, bisect_right(moments, sample.at_ms - TOLD_MS) - 1)
        end = bisect_right(moments, sample.at_ms + TOLD_MS)
        told = [change.state for change in states[begin:end]]
        if told and sample.state not in told:
            yield f"{_at(sample)}: {sample.state} is shown, {told[-1]} was told"


def _between(samples: Sequence[Sample], begin_ms: float, end_ms: float) -> Iterator[Sample]:
    return (sample for sample in samples if begin_ms <= sample.at_ms <= end_ms)


def _age(moments: Sequence[float], at_ms: float) -> float:
    """Return how long ago the last of some moments was; moments are in order."""
    place = bisect_right(moments, at_ms + NOTED_MS)
    return at_ms - moments[place - 1] if place else inf


def _at(sample: Sample) -> str:
    return f"{sample.at_ms:.0f}"
