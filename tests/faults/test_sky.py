"""What is given for an answer while someone lags behind."""

import asyncio
import random

from tests.faults.sky import KEPT, Sky
from tests.faults.weather import Fault, Kind


def told(kind: Kind, *before: bytes) -> list[bytes]:
    """Return what is told of four answers to the same request while something goes wrong."""

    async def ask() -> list[bytes]:
        sky = Sky(random.Random(1))
        for answer in before:
            assert sky.answer(b"/api/quotes", answer) == answer
        sky.add(Fault(kind))
        assert sky.answer(b"/api/trades", b"7") == b"7"
        return [sky.answer(b"/api/quotes", answer) for answer in (b"3", b"4", b"5", b"6")]

    return asyncio.run(ask())


def test_who_lags_behind_tells_every_other_time_what_was() -> None:
    assert KEPT == 4
    assert told(Kind.BEHIND, b"1", b"2") == [b"1", b"4", b"1", b"6"]
    assert told(Kind.BEHIND) == [b"3", b"4", b"3", b"6"]


def test_others_tell_what_is() -> None:
    assert told(Kind.SLOW, b"1", b"2") == [b"3", b"4", b"5", b"6"]
