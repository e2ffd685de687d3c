"""One message as bytes for the wire: encoded and compressed once for all who get it. Pure."""

import struct
import zlib
from typing import Literal

from feed_server.protocol import ServerMessage, encode

Form = Literal["plain", "deflated", "event"]
"""A WebSocket frame (RFC 6455), the same with permessage-deflate (RFC 7692), or a Server-Sent
Event."""

MIN_DEFLATED_BYTES = 200
"""Shorter messages gain nothing by compression; RFC 7692 lets each message do without."""

DEFLATE_LEVEL = 6

_FINAL_TEXT = 0x81
_COMPRESSED = 0x40
_TAIL = b"\x00\x00\xff\xff"
_ACCEPTABLE = {"server_no_context_takeover", "client_no_context_takeover", "client_max_window_bits"}


class Frame(dict[Form, bytes]):
    """A message in every form that a client may want it in; each is made when first asked for.

    It is a dictionary because it is looked into once for each client, in the loop that counts.

    Attributes:
        payload: The message as JSON.
    """

    __slots__ = ("payload",)

    def __init__(self, message: ServerMessage) -> None:
        super().__init__()
        self.payload = encode(message)

    def __missing__(self, form: Form) -> bytes:
        made = self[form] = _FORMS[form](self.payload)
        return made


def _plain(payload: bytes) -> bytes:
    return _header(_FINAL_TEXT, len(payload)) + payload


def _deflated(payload: bytes) -> bytes:
    if len(payload) < MIN_DEFLATED_BYTES:
        return _plain(payload)
    # Without context takeover: a frame must mean the same to all, whatever they got before.
    deflater = zlib.compressobj(DEFLATE_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    short = (deflater.compress(payload) + deflater.flush(zlib.Z_SYNC_FLUSH)).removesuffix(_TAIL)
    return _header(_FINAL_TEXT | _COMPRESSED, len(short)) + short


def _event(payload: bytes) -> bytes:
    return b"data: " + payload + b"\n\n"


def _header(first: int, length: int) -> bytes:
    """Return the head of a frame that a server sends: unmasked."""
    if length < 126:
        return struct.pack("!BB", first, length)
    if length < 1 << 16:
        return struct.pack("!BBH", first, 126, length)
    return struct.pack("!BBQ", first, 127, length)


_FORMS = {"plain": _plain, "deflated": _deflated, "event": _event}


def deflate_offer(offered: str | None) -> str | None:
    """Return the offer of permessage-deflate that we accept, of those that a client makes.

    Frames are shared, so neither side may keep a context and the window is the largest; who wants
    a smaller one, or something that RFC 7692 does not know, gets plain frames.

    Args:
        offered: Header ``Sec-WebSocket-Extensions``.
    """
    for offer in (offered or "").split(","):
        name, *parameters = (part.strip() for part in offer.split(";"))
        names = {parameter.partition("=")[0].strip() for parameter in parameters}
        if name == "permessage-deflate" and names <= _ACCEPTABLE:
            return "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    return None
