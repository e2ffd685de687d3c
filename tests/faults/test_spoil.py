"""Nothing that is broken can be taken for what the feed says."""

import random

import msgspec
import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from feed_server.protocol import Heartbeat, decode_server_message, encode
from tests.faults.spoil import spoiled_body, spoiled_frame, text_frame

MESSAGE = encode(Heartbeat(1, 2))


def told(data: bytes) -> list[bytes]:
    """Return the texts that a client of RFC 6455 makes of what it is sent."""
    protocol = ClientProtocol(parse_uri("ws://feed.test/ws"), state=OPEN)
    protocol.receive_data(data)
    events = protocol.events_received()
    return [bytes(e.data) for e in events if isinstance(e, Frame) and e.opcode is Opcode.TEXT]


def is_message(text: bytes) -> bool:
    try:
        return decode_server_message(text) is not None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def test_a_sound_frame_is_told() -> None:
    assert [is_message(text) for text in told(text_frame(MESSAGE))] == [True]


@pytest.mark.parametrize("seed", range(60))
def test_a_broken_frame_or_body_is_no_message(seed: int) -> None:
    dice = random.Random(seed)
    assert not any(map(is_message, told(spoiled_frame(dice, text_frame(MESSAGE)))))
    assert not is_message(spoiled_body(dice, MESSAGE))
