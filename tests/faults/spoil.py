"""Bytes that are broken, so that whoever reads them can see it. Pure.

TCP's checksums and TLS let no changed byte through unseen; what does happen is that something in
between answers itself, cuts short, or mixes up streams.
"""

import random
import struct

_PAGE = b"<!DOCTYPE html><html><body><h1>Please log in to the network</h1></body></html>"
_TEXTS = (
    b'{"type":"trades","event_ms":17954048',
    b"\xff\xfe\x00 no text",
    b"null",
    b"[]",
    b"7",
    b'{"type":"quotes"}',
    b'{"type":"bars","interval":"1s","rows":[["AAA"]]}',
    b'{"type":"heartbeat"}',
    b"",
    _PAGE,
)
"""What no server says: not text, not JSON, not a message."""

_STATUSES = (b"502 Bad Gateway", b"503 Service Unavailable", b"403 Forbidden", b"200 OK", b"407 ?")
_CORS = b"Access-Control-Allow-Origin: *\r\n"


def text_frame(payload: bytes) -> bytes:
    """Return a server's frame of a text."""
    if len(payload) < 126:
        return struct.pack("!BB", 0x81, len(payload)) + payload
    return struct.pack("!BBH", 0x81, 126, len(payload)) + payload


def spoiled_frame(dice: random.Random, frame: bytes) -> bytes:
    """Return what comes instead of a frame: against RFC 6455, or no message of the protocol."""
    first, second = frame[0], frame[1]
    broken = (
        bytes((0x83, second)) + frame[2:],  # an opcode that there is not
        bytes((first | 0x30, second)) + frame[2:],  # reserved bits
        bytes((first, second | 0x80)) + frame[2:],  # masked, as only clients do
        struct.pack("!BBQ", 0x81, 127, 2**62) + frame,  # a length that never comes
        bytes((0xC1, 40)) + dice.randbytes(40),  # deflated by nobody
    )
    return dice.choice((*broken, *map(text_frame, _TEXTS)))


def spoiled_body(dice: random.Random, body: bytes) -> bytes:
    """Return what comes instead of an answer's body."""
    return dice.choice((body[: len(body) // 2], *_TEXTS))


def stranger_answer(dice: random.Random) -> bytes:
    """Return an HTTP answer of someone in between; pages may read some of them."""
    return answer(
        dice.choice(_STATUSES),
        dice.choice((_PAGE, b"", b"{}")),
        _CORS if dice.random() < 0.5 else b"",
    )


def answer(status: bytes, body: bytes, headers: bytes = b"") -> bytes:
    """Return an HTTP answer; the connection lives on."""
    head = b"HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: %d\r\n%s\r\n"
    return head % (status, len(body), headers) + body
