"""Alerts at real processes: set over HTTP, told to their user, evaluated with nobody connected."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashboard.tokens import TokenSigner
from feed_server.keys import secret_key
from feed_server.protocol import Alerted, Authenticated
from tests import pem
from tests.harness import FeedProcess, Write, wait_for
from tests.raw_socket import RawSocket
from tests.servers import ValkeyServer

pytestmark = pytest.mark.integration

T0 = 1_381_152_600_000
"""2013-10-07, 09:30 in New York."""
ABOVE = {"symbol": "BAC", "condition": "price_above"}


def rising(write: Write, *, trades: int, step_ms: int, step: float) -> str:
    """Write a tape of trades that each cost a little more than that before, from 100 on."""
    lines = [f"{T0 + n * step_ms},{100 + n * step:.3f},1" for n in range(trades)]
    return str(write("BAC.csv", "\n".join(["time,price,size", *lines])))


def set_alert(feed: FeedProcess, headers: dict[str, str] | None = None, **alert: object) -> Any:
    answer = httpx.post(f"{feed.url}/api/alerts", json={**ABOVE, **alert}, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


def alerts(feed: FeedProcess, headers: dict[str, str] | None = None, **query: str) -> Any:
    url = f"{feed.url}/api/alerts"
    return httpx.get(url, params=query, headers=headers).raise_for_status().json()


def fired(feed: FeedProcess, count: int, headers: dict[str, str] | None = None) -> Any:
    """Return what has fired, as soon as it is so much."""

    def enough() -> Any:
        told = alerts(feed, headers)["fired"]
        return told if len(told) >= count else None

    return wait_for(f"{count} alerts have fired", enough)


@pytest.fixture(scope="module")
def idle() -> Iterator[FeedProcess]:
    """A feed whose prices hardly move within a test."""
    settings = {"replay_speed": "1", "max_alerts": "3"}
    with FeedProcess(settings) as process:
        yield process


@pytest.fixture(autouse=True)
def no_alerts(request: pytest.FixtureRequest) -> None:
    if "idle" in request.fixturenames:
        feed = request.getfixturevalue("idle")
        for alert in alerts(feed)["alerts"]:
            httpx.delete(f"{feed.url}/api/alerts", params={"id": alert["id"]}).raise_for_status()


def test_an_alert_is_set_listed_and_removed(idle: FeedProcess) -> None:
    alert = set_alert(idle, symbol="aapl", level=1e6, note=" sell? ")
    assert (alert["symbol"], alert["note"], alert["armed"]) == ("AAPL", "sell?", True)
    beyond = set_alert(idle, symbol="AAPL", level=1)
    assert beyond["armed"] is False
    told = alerts(idle)
    assert told["alerts"] == [alert, beyond]
    assert (told["fired"], told["max_alerts"]) == ([], 3)
    url = f"{idle.url}/api/alerts"
    gone = httpx.delete(url, params={"id": alert["id"]})
    assert (gone.status_code, gone.content) == (204, b"")
    again = httpx.delete(url, params={"id": alert["id"]})
    assert (again.status_code, again.json()["code"]) == (404, "not_found")
    assert alerts(idle)["alerts"] == [beyond]


def test_what_is_set_twice_is_one(idle: FeedProcess) -> None:
    first = set_alert(idle, symbol="AAPL", level=700)
    second = set_alert(idle, symbol="AAPL", level=700.0, repeat=True)
    assert first["id"] == second["id"]
    assert [alert["repeat"] for alert in alerts(idle)["alerts"]] == [True]


def test_there_are_no_more_than_may_be(idle: FeedProcess) -> None:
    for level in (700, 701, 702):
        set_alert(idle, symbol="AAPL", level=level)
    body = {**ABOVE, "symbol": "AAPL", "level": 703}
    answer = httpx.post(f"{idle.url}/api/alerts", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_alerts")
    assert "3 alerts" in answer.json()["message"]


@pytest.mark.parametrize(
    ("body", "status", "code", "hint"),
    [
        ('{"symbol":"NOPE","condition":"price_above","level":1}', 404, "unknown_symbol", "NOPE"),
        ('{"symbol":"AAPL","condition":"above","level":1}', 400, "bad_parameter", "price_above"),
        ('{"symbol":"AAPL","condition":"price_above"}', 400, "bad_parameter", "level"),
        ('{"symbol":"AAPL","condition":"price_above","level":0}', 400, "bad_parameter", "price"),
        ('{"symbol":"AAPL","condition":"price_below","level":-5}', 400, "bad_parameter", "price"),
        ('{"symbol":"AAPL","condition":"price_above","level":1e13}', 400, "bad_parameter", "level"),
        ('{"symbol":"AAPL","condition":"price_above","level":1e999}', 400, "bad_parameter", ""),
        ('{"symbol":"AAPL","condition":"price_above","level":NaN}', 400, "bad_parameter", ""),
        ('{"symbol":"AAPL","condition":"price_above","level":"1"}', 400, "bad_parameter", "level"),
        ("[]", 400, "bad_parameter", "alert"),
        ("", 400, "bad_parameter", "alert"),
        ("[" * 4_000, 400, "bad_parameter", "alert"),
    ],
)
def test_a_bad_alert_is_told_why(
    idle: FeedProcess, body: str, status: int, code: str, hint: str
) -> None:
    answer = httpx.post(f"{idle.url}/api/alerts", content=body.encode())
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert hint in answer.json()["message"]


def test_a_note_is_no_book(idle: FeedProcess) -> None:
    body = {**ABOVE, "symbol": "AAPL", "level": 1, "note": "ä" * 201}
    answer = httpx.post(f"{idle.url}/api/alerts", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")
    assert set_alert(idle, symbol="AAPL", level=1, note="ä" * 200)["note"] == "ä" * 200


def test_a_page_from_elsewhere_can_change_nothing(idle: FeedProcess) -> None:
    url, elsewhere = f"{idle.url}/api/alerts", {"Origin": "https://evil.example"}
    alert = set_alert(idle, symbol="AAPL", level=700)
    body = {**ABOVE, "symbol": "AAPL", "level": 701}
    for answer in (
        httpx.post(url, json=body, headers=elsewhere),
        httpx.delete(url, params={"id": alert["id"]}, headers=elsewhere),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert alerts(idle)["alerts"] == [alert]
    ours = {"Origin": "http://localhost:5006"}
    asked = httpx.options(url, headers={**ours, "Access-Control-Request-Method": "DELETE"})
    assert "DELETE" in asked.headers["Access-Control-Allow-Methods"]
    assert "Content-Type" in asked.headers["Access-Control-Allow-Headers"]
    assert httpx.post(url, json=body, headers=ours).status_code == 201


def test_every_connection_of_the_user_hears_of_it(write: Write) -> None:
    path = rising(write, trades=4_000, step_ms=100, step=0.01)
    settings = {"replay_files": path, "replay_speed": "20", "replay_loop": "false"}
    with FeedProcess(settings) as feed, RawSocket(feed.port) as one, RawSocket(feed.port) as other:
        now = httpx.get(f"{feed.url}/api/quotes").json()["rows"][0][1]
        alert = set_alert(feed, level=now + 1, note="<b>now</b>")
        for socket in (one, other):
            assert socket.next(Alerted).fired is None
            told = socket.next(Alerted).fired
            assert told is not None
            assert (told.id, told.note, told.price) == (alert["id"], "<b>now</b>", told.value)
            assert now + 1 <= told.price < now + 1.02
            (kept,) = alerts(feed)["fired"]
            assert kept["cursor"] == told.cursor
        assert alerts(feed, since=kept["cursor"])["fired"] == []
        assert alerts(feed)["alerts"] == []


def signed(subject: str, **claims: list[str]) -> str:
    signer = TokenSigner(secret_key(pem.SECRET), lifetime_s=600)
    return signer.sign(subject, time.time(), **claims)


def bearer(subject: str, **claims: list[str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed(subject, **claims)}"}


def test_alerts_are_the_token_s_user_s(write: Write) -> None:
    path = rising(write, trades=4_000, step_ms=100, step=0.01)
    settings = {
        "replay_files": path,
        "replay_speed": "20",
        "replay_loop": "false",
        "jwt_secret": pem.SECRET,
    }
    ann, bob = bearer("ann"), bearer("bob")
    with ExitStack() as stack:
        feed = stack.enter_context(FeedProcess(settings, token=signed("harness")))
        sockets = [stack.enter_context(RawSocket(feed.port)) for _ in range(2)]
        for socket, name in zip(sockets, ("ann", "bob"), strict=True):
            socket.say(type="auth", id=1, token=signed(name))
            socket.next(Authenticated)
        now = httpx.get(f"{feed.url}/api/quotes", headers=ann).json()["rows"][0][1]
        anns = set_alert(feed, ann, level=now + 1)
        bobs = set_alert(feed, bob, level=now + 1.5)
        assert alerts(feed, bob)["alerts"] == [bobs]
        url, one = f"{feed.url}/api/alerts", {"id": anns["id"]}
        assert httpx.delete(url, params=one, headers=bob).status_code == 404
        assert httpx.get(url).status_code == 401
        for headers in (bearer(""), bearer("ann", channels=["trades"])):
            refused = httpx.get(url, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        other = bearer("ann", symbols=["IBM"])
        assert httpx.post(url, json={**ABOVE, "level": 1}, headers=other).status_code == 403
        assert [told["id"] for told in fired(feed, 1, bob)] == [bobs["id"]]
        assert [told["id"] for told in fired(feed, 1, ann)] == [anns["id"]]
        assert alerts(feed, other)["fired"] == []
        for socket, alert in zip(sockets, (anns, bobs), strict=True):
            assert socket.next(Alerted).fired is None
            told = socket.next(Alerted).fired
            assert told is not None
            assert told.id == alert["id"]


def test_killed_again_and_again_each_fires_once_and_in_order(tmp_path: Path, write: Write) -> None:
    path = rising(write, trades=12_000, step_ms=40, step=0.01)
    levels = [round(100.5 + n * 0.5, 3) for n in range(238)]
    with ExitStack() as stack:
        server = stack.enter_context(ValkeyServer(tmp_path))
        settings = {
            "redis_url": server.url,
            "replay_files": path,
            "replay_speed": "20",
            "replay_loop": "false",
            "max_alerts": "1000",
            "max_commands_per_s": "1000",
            "log_level": "info",
        }
        gateway = FeedProcess(settings, role="gateway")
        ingests = [FeedProcess(settings, role="ingest") for _ in range(3)]
        for process in (gateway, *ingests):
            stack.callback(process.stop)
        gateway.spawn()
        ingests[0].spawn()
        wait_for("it is ready", gateway.is_ready)
        begun = httpx.get(f"{gateway.url}/api/quotes").json()["rows"][0][1]
        levels = [level for level in levels if level > begun + 4]
        with httpx.Client(base_url=gateway.url) as http:
            for level in levels:
                http.post("/api/alerts", json={**ABOVE, "level": level}).raise_for_status()
        for ingest in ingests[1:]:
            ingest.spawn()
        for goal in (len(levels) // 3, 2 * len(levels) // 3):
            fired(gateway, goal)
            working = next(one for one in ingests if one.process and "carrying" in one.said())
            working.kill()
        told = fired(gateway, min(len(levels), 200))
        wait_for("all have fired", lambda: not alerts(gateway)["alerts"])
        told = alerts(gateway)["fired"]
    assert [one["level"] for one in told] == levels[-200:]
    for one in told:
        assert one["level"] <= one["price"] < one["level"] + 0.011


@pytest.mark.parametrize("killed", [False, True])
def test_a_restart_of_the_whole_feed_forgets_nothing(tmp_path: Path, killed: bool) -> None:
    settings = {
        "replay_speed": "1",
        "state_folder": str(tmp_path / "new"),
        "jwt_secret": pem.SECRET,
    }
    ann, bob = bearer("ann"), bearer("bob")
    chosen = {"settings": {"theme": {"value": "dark", "at_ms": 1}}}
    with FeedProcess(settings, token=signed("harness")) as feed:
        for level in (1e6, 2e6):
            set_alert(feed, ann, symbol="AAPL", level=level)
        set_alert(feed, bob, symbol="AAPL", level=1, condition="price_below", repeat=True)
        httpx.put(f"{feed.url}/api/settings", json=chosen, headers=ann).raise_for_status()
        gone = alerts(feed, ann)["alerts"][0]["id"]
        httpx.delete(f"{feed.url}/api/alerts", params={"id": gone}, headers=ann)
        before = [alerts(feed, headers) for headers in (ann, bob)]
        (file,) = wait_for("it is saved", lambda: list((tmp_path / "new").glob("users-*.msgpack")))
        if killed:
            old = file.stat().st_mtime_ns
            httpx.put(
                f"{feed.url}/api/settings",
                json={"settings": {"palette": {"value": "red_up", "at_ms": 2}}},
                headers=ann,
            ).raise_for_status()
            wait_for("it is saved again", lambda: file.stat().st_mtime_ns > old)
            feed.kill()
        else:
            feed.stop()
        assert file.stat().st_mode & 0o077 == 0
        feed.start()
        assert [alerts(feed, headers) for headers in (ann, bob)] == before
        kept = httpx.get(f"{feed.url}/api/settings", headers=ann).json()["settings"]
        assert kept["theme"] == chosen["settings"]["theme"]
        assert ("palette" in kept) is killed
        assert len(before[0]["alerts"]) == len(before[1]["alerts"]) == 1
        # What was put back can be changed, and is evaluated under a lock with another number.
        set_alert(feed, ann, symbol="AAPL", level=3e6)
        assert len(alerts(feed, ann)["alerts"]) == 2


def test_nobody_can_make_changes_all_the_time() -> None:
    settings = {"replay_speed": "1", "max_commands_per_s": "1", "jwt_secret": pem.SECRET}
    ann, bob = bearer("ann"), bearer("bob")
    with FeedProcess(settings, token=signed("harness")) as feed:
        url, one = f"{feed.url}/api/alerts", {"id": "0" * 16}
        said = [httpx.delete(url, params=one, headers=ann) for _ in range(8)]
        assert [said[0].status_code, said[-1].status_code] == [404, 429]
        assert said[-1].json()["code"] == "too_many_commands"
        assert httpx.delete(url, params=one, headers=bob).status_code == 404


def test_alerts_look_at_so_many_symbols_together() -> None:
    settings = {"replay_speed": "1", "max_alert_symbols": "1"}
    with FeedProcess(settings) as feed:
        set_alert(feed, symbol="AAPL", level=1e6)
        set_alert(feed, symbol="AAPL", level=2e6)
        answer = httpx.post(f"{feed.url}/api/alerts", json={**ABOVE, "symbol": "IBM", "level": 1e6})
        assert (answer.status_code, answer.json()["code"]) == (409, "too_many_alerts")
        assert "1 symbols" in answer.json()["message"]
