import json
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed_server.protocol import (
    ClientMessage,
    CloseCode,
    ErrorCode,
    Ping,
    QuoteRow,
    Quotes,
    ServerMessage,
    Subscribe,
    decode_client_message,
    decode_server_message,
    encode,
)

DOCS = Path(__file__).resolve().parents[1] / "docs" / "protocol.md"

finite = st.floats(allow_nan=False, allow_infinity=False)


def test_a_quote_in_a_batch_is_small() -> None:
    row = QuoteRow("AAPL", 506.09, 100, 506.08, 506.1, 24600000, -120, -3, 81723, 3)
    message = Quotes(1357000000000, 1795000000000, [row] * 50)
    assert len(encode(message)) / 50 <= 64


@given(
    st.builds(
        QuoteRow,
        symbol=st.text(max_size=64),
        last=finite,
        size=finite,
        bid=st.none() | finite,
        ask=st.none() | finite,
        volume=finite,
        event_delta_ms=st.integers(-(10**12), 10**12),
        received_delta_ms=st.integers(-(10**12), 10**12),
        offset=st.integers(0, 2**53),
        count=st.integers(1, 2**31),
    )
)
def test_a_quote_arrives_as_it_was_sent(row: QuoteRow) -> None:
    message = Quotes(1, 2, [row])
    assert decode_server_message(encode(message)) == message


def test_defaults_are_not_sent() -> None:
    assert json.loads(encode(Subscribe(1, "quotes", ["A"]))) == {
        "type": "subscribe",
        "id": 1,
        "channel": "quotes",
        "symbols": ["A"],
    }


def test_unknown_fields_are_ignored() -> None:
    assert decode_client_message('{"type":"ping","id":1,"new":true}') == Ping(1)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_no_input_does_more_than_fail_to_decode(text: bytes | str) -> None:
    try:
        decode_client_message(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return


@given(st.recursive(st.none() | st.booleans() | finite | st.text(), st.lists))
def test_no_json_does_more_than_fail_to_decode(body: object) -> None:
    for text in (json.dumps(body), json.dumps({"type": "subscribe", "id": body, "symbols": body})):
        with pytest.raises(msgspec.DecodeError):
            decode_client_message(text)


def documented() -> list[str]:
    return DOCS.read_text(encoding="utf-8").splitlines()


def yes(value: bool) -> str:
    return "yes" if value else "no"


def transcribed() -> Iterator[str]:
    """Gives the whole messages of the server that the documentation shows, put together again."""
    text = ""
    for line in documented():
        if text and line.startswith("   "):
            text += line[3:]
            continue
        if "…" not in text and text.startswith("◀ {"):
            yield text.removeprefix("◀ ")
        text = line


def test_every_code_is_documented() -> None:
    rows = [line for line in documented() if line.startswith("| ")]
    for error in ErrorCode:
        row = (f"`{error}`", error.number, error.http_status, error.reason, yes(error.retry))
        assert f"| {' | '.join(map(str, row))} |" in rows
    for close in CloseCode:
        assert f"| {close.number} | {close.reason} | {yes(close.reconnect)} |" in rows


def test_every_message_is_documented() -> None:
    tables = "".join(line for line in documented() if line.startswith("| "))
    for kind in (*get_args(ClientMessage), *get_args(ServerMessage)):
        assert f"`{kind.__struct_config__.tag}`" in tables


def test_what_the_documentation_shows_is_what_is_sent() -> None:
    shown = set()
    for text in transcribed():
        message = decode_server_message(text)
        assert json.loads(encode(message)) == json.loads(text)
        shown.add(type(message))
    assert shown == set(get_args(ServerMessage))
