import json
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed_server.gateway.frames import MIN_DEFLATED_BYTES, Frame, deflate_offer
from feed_server.protocol import Error, ErrorCode

ACCEPTED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
TAIL = b"\x00\x00\xff\xff"


def frame_of(length: int, fill: str = "x") -> Frame:
    """Return a frame whose payload has a length, in bytes."""
    empty = len(Frame(Error(ErrorCode.INTERNAL, "")).payload)
    return Frame(Error(ErrorCode.INTERNAL, fill * (length - empty)))


def parse(frame: bytes) -> tuple[int, bytes]:
    """Return the first byte and the payload of an unmasked frame that is no longer than it says."""
    first, length = frame[0], frame[1]
    assert not length & 0x80, "a server must not mask"
    head = 2
    if length == 126:
        (length,) = struct.unpack("!H", frame[2:4])
        head = 4
        assert length > 125, "not the shortest form"
    elif length == 127:
        (length,) = struct.unpack("!Q", frame[2:10])
        head = 10
        assert length > 0xFFFF, "not the shortest form"
    assert len(frame) == head + length
    return first, frame[head:]


def inflate(body: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    return inflater.decompress(body + TAIL) + inflater.flush()


@pytest.mark.parametrize("length", [60, 125, 126, 127, 65_535, 65_536, 200_000])
def test_a_plain_frame_is_a_whole_unmasked_text_of_any_length(length: int) -> None:
    frame = frame_of(length)
    assert len(frame.payload) == length
    assert parse(frame["plain"]) == (0x81, frame.payload)


@pytest.mark.parametrize("length", [MIN_DEFLATED_BYTES, 5_000, 65_535, 2_000_000])
def test_a_deflated_frame_inflates_to_the_message(length: int) -> None:
    frame = frame_of(length)
    first, body = parse(frame["deflated"])
    assert first == 0xC1  # FIN, RSV1, text: RFC 7692, 7.2.1.
    assert not body.endswith(TAIL)
    assert inflate(body) == frame.payload


@given(st.text(min_size=MIN_DEFLATED_BYTES, max_size=2_000))
def test_a_deflated_frame_inflates_whatever_it_says(text: str) -> None:
    frame = Frame(Error(ErrorCode.INTERNAL, text))
    _, body = parse(frame["deflated"])
    assert inflate(body) == frame.payload


def test_a_short_message_is_sent_as_it_is_to_those_who_inflate() -> None:
    frame = frame_of(MIN_DEFLATED_BYTES - 1)
    assert frame["deflated"] == frame["plain"]


def test_a_deflated_frame_means_the_same_whatever_a_client_got_before() -> None:
    """As to a client that keeps its inflater from frame to frame, which RFC 7692 lets it do."""
    first, second, shared = (parse(frame_of(900, fill)["deflated"])[1] for fill in "abc")
    keeps = zlib.decompressobj(-zlib.MAX_WBITS)
    for body in (first, second):
        keeps.decompress(body + TAIL)
    assert keeps.decompress(shared + TAIL) == inflate(shared)


def test_an_event_is_one_line_of_data() -> None:
    frame = Frame(Error(ErrorCode.INTERNAL, "two\nlines"))
    text = frame["event"].decode()
    assert text.startswith("data: ")
    assert text.endswith("\n\n")
    assert text.count("\n") == 2
    assert json.loads(text.removeprefix("data: "))["message"] == "two\nlines"


def test_each_form_is_made_once() -> None:
    frame = frame_of(1_000)
    assert frame["deflated"] is frame["deflated"]
    assert frame["plain"] is frame["plain"]


@pytest.mark.parametrize(
    "offer",
    [
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        'permessage-deflate; client_max_window_bits="12"',
        "permessage-deflate; client_max_window_bits=15; server_no_context_takeover",
        "permessage-deflate;server_no_context_takeover;client_no_context_takeover",
        "x-webkit-deflate-frame, permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_max_window_bits=10, permessage-deflate",
        " permessage-deflate ",
    ],
)
def test_an_offer_without_a_smaller_window_is_accepted_without_contexts(offer: str) -> None:
    assert deflate_offer(offer) == ACCEPTED


@pytest.mark.parametrize(
    "offer",
    [
        None,
        "",
        "x-webkit-deflate-frame",
        "permessage-deflated",
        "permessage-bzip2; level=9",
        "permessage-deflate; server_max_window_bits=10",
        'permessage-deflate; server_max_window_bits="15"',
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; of_the_future=1",
        ";;,,;",
    ],
)
def test_who_offers_nothing_that_can_be_shared_gets_plain_frames(offer: str | None) -> None:
    assert deflate_offer(offer) is None


@given(st.text())
def test_no_offer_does_more_than_be_declined(offer: str) -> None:
    assert deflate_offer(offer) in (None, ACCEPTED)
