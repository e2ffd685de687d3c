"""Whatever a stranger may say: valid commands, bent in every way, to a real `Commands`.

``python -m tests.fuzz_inbound --cases 1000000`` runs for long and tells how fast and how large it
was. ``tests/test_inbound_fuzz.py`` runs a little of it.
"""

import argparse
import asyncio
import json
import random
import resource
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import cast

import jwt

from feed_server.bus.connection import connect
from feed_server.bus.leases import Leases
from feed_server.bus.reader import Reader
from feed_server.bus.rpc import Caller
from feed_server.bus.subscriber import Subscriber
from feed_server.bus.update import StoredUpdate
from feed_server.gateway.auth import Authenticator, Grant
from feed_server.gateway.commands import Commands
from feed_server.gateway.history import History
from feed_server.gateway.hub import Hub
from feed_server.gateway.lookup import Lookup
from feed_server.gateway.market_view import MarketView, ViewListener
from feed_server.gateway.metrics import Metrics
from feed_server.keys import secret_key
from feed_server.protocol import SymbolInfo, decode_envelope
from feed_server.settings import FeedSettings
from tests.desk import traded
from tests.streams import client_of, connection

SECRET = "of no use to anybody, but long enough"
SYMBOLS = ["AAPL", "IBM", "MSFT", "A.B", "BTC-USD"]
MAX_SYMBOLS = 3
MAX_BYTES = 65_536
MAX_ANSWER_BYTES = 3 * MAX_BYTES
ANSWERS = {"error", "pong", "authenticated", "subscribed", "unsubscribed", "listed"}
NOWHERE = "redis://127.0.0.1:1/0"

Case = str | bytes


class EmptyReader(Reader):
    """A log that has nothing."""

    async def updates_since(
        self, since: Mapping[str, int], *, limit: int
    ) -> dict[str, list[StoredUpdate]]:
        return {symbol: [] for symbol in since}


@dataclass
class Report:
    """What came of a run."""

    cases: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    longest_answer: int = 0
    most_symbols: int = 0
    closes: int = 0


class Target:
    """One client's commands over a real hub, without Redis or a network between.

    Args:
        auth: Whether it must show a token first.
    """

    def __init__(self, stack: ExitStack, *, auth: bool) -> None:
        settings = FeedSettings(max_commands_per_s=1_000_000_000, max_symbols=MAX_SYMBOLS)
        redis = connect(NOWHERE)
        reader = EmptyReader(redis)
        view = MarketView(
            reader,
            Leases(redis, "fuzz"),
            lambda on_message, on_connected: Subscriber(redis, "fuzz", on_message, on_connected),
            cast(ViewListener, None),
            linger_s=0,
        )
        view.symbols.update({s: SymbolInfo(s, s, "USD", 2, "replay", "") for s in SYMBOLS})
        caller = Caller(redis, "fuzz")
        history = History(reader, caller)
        self.hub = Hub(settings, reader, view, Metrics(), lambda: None, history)
        self._offset = 0
        self._said: list[bytes] = []
        self._closes: list[object] = []
        stream, _peer = stack.enter_context(connection())
        self.client = client_of(stream, on_close=self._closes.append)
        self.client.send = self._hear
        self.client.grant = None if auth else Grant.EVERYTHING
        self._commands = Commands(
            self.client,
            self.hub,
            Authenticator(secret_key(SECRET) if auth else None),
            Lookup(caller, view),
        )

    def _hear(self, data: bytes) -> int:
        self._said.append(data)
        return len(data)

    def tick(self) -> None:
        """Let the market move."""
        self._offset += 1
        for symbol in SYMBOLS[:3]:
            self.hub.view.latest[symbol] = traded(self._offset, symbol)
            self.hub.on_update(self.hub.view.latest[symbol])

    def run(self, case: Case, report: Report) -> None:
        """Say something; what is wrong with the answer is an `AssertionError`."""
        self._said.clear()
        self._commands.receive(case)
        kinds = [decode_envelope(data.removeprefix(b"data: ")).type for data in self._said]
        answers = [kind for kind in kinds if kind in ANSWERS]
        assert len(answers) == 1, f"{answers} to {case[:200]!r}"
        report.cases += 1
        report.answers[answers[0]] += 1
        longest = max(map(len, self._said))
        assert longest <= MAX_ANSWER_BYTES, f"{longest} bytes to {case[:200]!r}"
        report.longest_answer = max(report.longest_answer, longest)
        held = sum(map(len, self.hub.subscriptions_of(self.client).values()))
        assert held <= MAX_SYMBOLS, f"{held} symbols after {case[:200]!r}"
        report.most_symbols = max(report.most_symbols, held)
        report.closes = len(self._closes)


class Cases:
    """Makes commands, most of them wrong."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._token = jwt.encode({"exp": time.time() + 86_400}, SECRET, "HS256")

    def next(self) -> Case:
        """Return one more."""
        rng = self._rng
        body = self._command()
        kind = rng.randrange(10)
        if kind < 3:
            return json.dumps(body)
        if kind < 6:
            return self._as_sent(json.dumps(self._bent(body)).encode())
        if kind < 9:
            return self._as_sent(self._scrambled(json.dumps(body).encode()))
        return self._as_sent(self._monster())

    def _command(self) -> dict[str, object]:
        rng = self._rng
        number = rng.choice([0, 1, -1, rng.randrange(2**53)])
        channel = rng.choice(["quotes", "trades", "bars"])
        symbols: object = rng.choices([*SYMBOLS, "NOPE", ""], k=rng.randrange(5))
        body: dict[str, object] = {
            "type": rng.choice(
                ["subscribe"] * 4 + ["unsubscribe", "unsubscribe", "list", "ping", "auth"]
            ),
            "id": number,
        }
        match body["type"]:
            case "auth":
                body["token"] = rng.choice([self._token, self._token[:-2], "", "a.b.c"])
            case "subscribe" | "unsubscribe":
                body |= {"channel": channel, "symbols": symbols}
                if channel == "bars" or rng.random() < 0.1:
                    body["interval"] = "1d"
        if body["type"] == "subscribe":
            body |= self._options()
        return body

    def _options(self) -> dict[str, object]:
        rng = self._rng
        options: dict[str, object] = {}
        if rng.random() < 0.4:
            options["max_hz"] = rng.choice([0, 0.1, 1, 10, 1e9, 1e-9, -1, 2.5])
        if rng.random() < 0.4:
            options["since"] = {
                symbol: [rng.choice(["e1", "", "é"]), rng.choice([0, 1, -1, 2**53, 2**70])]
                for symbol in rng.choices([*SYMBOLS, "NOPE"], k=rng.randrange(4))
            }
        if rng.random() < 0.3:
            options["snapshot"] = rng.choice([True, False])
        return options

    def _bent(self, body: dict[str, object]) -> object:
        """Return a command with wrong values, or without some."""
        rng = self._rng
        bent: dict[str, object] = dict(body)
        for _ in range(rng.randrange(1, 3)):
            bent[rng.choice([*body, "type", "id", "new"])] = self._value(3)
        if rng.random() < 0.2:
            bent.pop(rng.choice(list(bent)))
        return bent if rng.random() < 0.9 else self._value(4)

    def _value(self, depth: int) -> object:
        rng = self._rng
        plain = [
            None,
            True,
            0,
            -1,
            1.5,
            2**63,
            2**64,
            10**400,
            1e308,
            "",
            "AAPL",
            "\ud800",
            "\x00",
            "é" * 50,
        ]
        kind = rng.randrange(6) if depth else 0
        if kind < 4:
            return rng.choice(plain)
        if kind == 4:
            return [self._value(depth - 1) for _ in range(rng.randrange(4))]
        return {str(rng.choice(plain)): self._value(depth - 1) for _ in range(rng.randrange(4))}

    def _scrambled(self, text: bytes) -> bytes:
        """Return bytes with some turned over, cut out, or there twice."""
        rng, data = self._rng, bytearray(text)
        for _ in range(rng.randrange(1, 4)):
            start = rng.randrange(len(data) + 1)
            end = min(len(data), start + rng.randrange(1, 20))
            match rng.randrange(6):
                case 0:
                    data[start:end] = bytes(b ^ (1 << rng.randrange(8)) for b in data[start:end])
                case 1:
                    del data[start:end]
                case 2:
                    data[start:start] = data[start:end] * rng.randrange(1, 5)
                case 3:
                    del data[start:]
                case 4:
                    data[start:end] = rng.randbytes(end - start)
                case _:
                    words = [
                        b"NaN",
                        b"Infinity",
                        b"-",
                        b"1e999",
                        b'"\\ud800"',
                        b"9" * 50,
                        b"\\u0000",
                        b"/**/",
                    ]
                    data[start:end] = rng.choice(words)
        return bytes(data)

    def _monster(self) -> bytes:
        """Return something long, or deep."""
        rng = self._rng
        deep = rng.choice([10, 1_000, 30_000])
        many = rng.choice([10, 1_000, 6_000])
        symbols = ",".join(f'"{rng.choice(SYMBOLS)}{i}"' for i in range(many)).encode()
        since = b",".join(b'"S%d":["e",%d]' % (i, i) for i in range(min(many, 3_000)))
        head = b'{"type":"subscribe","id":1,"channel":"quotes","symbols":['
        return rng.choice(
            [
                b"[" * deep,
                b'{"type":"ping","id":1,"x":' + b'{"x":' * (deep // 5),
                b"[" * (deep // 2) + b"]" * (deep // 2),
                head + symbols + b"]}",
                head + b'"AAPL"],"since":{' + since + b"}}",
                b'{"type":"unsubscribe","id":1,"channel":"quotes","symbols":[' + symbols + b"]}",
                b'{"type":"ping","id":' + b"9" * deep + b"}",
                b'{"type":"auth","id":1,"token":"' + b"." * deep + b'"}',
                b'{"type":"' + b"x" * deep + b'"}',
                b" " * deep,
                b"",
            ]
        )

    def _as_sent(self, data: bytes) -> Case:
        """Return what Tornado makes of a frame: text, or bytes of a binary one."""
        data = data[:MAX_BYTES]
        if self._rng.random() < 0.5:
            return data
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data


async def fuzz(cases: int, seed: int = 0, *, targets: Sequence[Target] | None = None) -> Report:
    """Run so many cases, in turn to a client that is in and to one that must show a token."""
    report, made = Report(), Cases(seed)
    with ExitStack() as stack:
        if targets is None:
            targets = [Target(stack, auth=False), Target(stack, auth=True)]
        recovering = [asyncio.create_task(target.hub.recover()) for target in targets]
        for number in range(cases):
            target = targets[number % len(targets)]
            target.run(made.next(), report)
            if number % 50 == 0:
                target.tick()
                # Flushes and recoveries have their turn.
                await asyncio.sleep(0)
        for task, target in zip(recovering, targets, strict=True):
            task.cancel()
            target.hub.stop()
        await asyncio.wait(recovering)
    return report


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    began_s = time.monotonic()
    report = asyncio.run(fuzz(arguments.cases, arguments.seed))
    took_s = time.monotonic() - began_s
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{report.cases} cases in {took_s:.0f} s, {report.cases / took_s:.0f} a second")
    print(f"peak memory {peak_mb:.0f} MB, longest answer {report.longest_answer} bytes")
    print(f"answers {dict(report.answers)}, closes {report.closes}")


if __name__ == "__main__":
    main()
