"""What gateways shall do, told to all of them at once."""

import msgspec
from redis.asyncio import Redis

from feed_server.bus import names
from feed_server.bus.connection import bus_errors


class Disconnect(msgspec.Struct, tag="disconnect", frozen=True):
    """Close every connection of a token's subject. The token stays good until it expires.

    Attributes:
        subject: As the tokens name it.
    """

    subject: str


class Drain(msgspec.Struct, tag="drain", frozen=True):
    """Say goodbye to all clients and take no new ones, before the process is ended.

    Attributes:
        server: The gateway that shall do so.
    """

    server: str


ControlMessage = Disconnect | Drain

encode_control = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[ControlMessage] = msgspec.json.Decoder(ControlMessage)
decode_control = _decoder.decode


async def publish_control(redis: Redis, message: ControlMessage) -> int:
    """Tell all gateways; return how many heard it.

    Raises:
        BusError: Redis could not be reached.
    """
    with bus_errors("publishing a control message"):
        heard: int = await redis.publish(names.CONTROL, encode_control(message))
    return heard
