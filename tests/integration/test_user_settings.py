"""Users' settings: in Redis, and over HTTP by whose token it is."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import msgspec
import pytest
from redis.asyncio import Redis

from dashboard.tokens import TokenSigner
from feed_server.bus import names
from feed_server.bus.user_settings import SettingsStore
from feed_server.keys import secret_key
from feed_server.protocol import (
    MAX_SETTINGS,
    MAX_SETTINGS_BODY_BYTES,
    MAX_SETTINGS_BYTES,
    UserSetting,
)
from tests import pem
from tests.harness import FeedProcess

pytestmark = pytest.mark.integration

Json = dict[str, Any]


def setting(value: object, at_ms: int = 5) -> UserSetting:
    return UserSetting(msgspec.Raw(json.dumps(value).encode()), at_ms)


async def read(store: SettingsStore, subject: str) -> dict[str, tuple[object, int]]:
    kept = await store.read(subject)
    return {name: (json.loads(bytes(one.value)), one.at_ms) for name, one in kept.items()}


async def test_settings_are_kept_by_user(redis: Redis) -> None:
    store = SettingsStore(redis)
    both = {"theme": setting("dark"), "lists": setting([{"a": "ä b"}])}
    assert await store.merge("ann", both) == []
    assert await store.merge("bob", {"theme": setting("light")}) == []
    assert await read(store, "ann") == {"lists": ([{"a": "ä b"}], 5), "theme": ("dark", 5)}
    assert await read(store, "bob") == {"theme": ("light", 5)}
    assert await read(store, "eve") == {}


async def test_of_each_the_newest_choice_counts(redis: Redis) -> None:
    store = SettingsStore(redis)
    await store.merge("ann", {"theme": setting("dark", 9), "flash": setting(False, 9)})
    await store.merge("ann", {"theme": setting("light", 8), "flash": setting(None, 10)})
    await store.merge("ann", {"theme": setting("system", 9)})  # as new: what is kept stays
    assert await read(store, "ann") == {"flash": (None, 10), "theme": ("dark", 9)}


async def test_what_has_no_room_is_left_out_by_itself(redis: Redis) -> None:
    store = SettingsStore(redis)
    too_large = {"x": setting("y" * MAX_SETTINGS_BYTES), "theme": setting("light", 9)}
    assert await store.merge("ann", too_large) == ["x"]
    many = {f"x{number}": setting(number) for number in range(MAX_SETTINGS)}
    (left_out,) = await store.merge("ann", {**many, "theme": setting("dark", 10)})
    kept = await read(store, "ann")
    assert (len(kept), kept["theme"], left_out in kept) == (MAX_SETTINGS, ("dark", 10), False)


async def test_what_makes_room_makes_it_for_what_comes_along(redis: Redis) -> None:
    store = SettingsStore(redis)
    large = "y" * (MAX_SETTINGS_BYTES - 100)
    assert await store.merge("ann", {"x": setting(large)}) == []
    assert await store.merge("ann", {"a": setting(large), "b": setting("z" * 100)}) == ["b", "a"]
    assert await store.merge("ann", {"a": setting(large), "x": setting("y", 6)}) == []
    assert {name: at_ms for name, (_, at_ms) in (await read(store, "ann")).items()} == {
        "a": 5,
        "x": 6,
    }


async def test_settings_of_a_user_who_stays_away_are_forgotten(redis: Redis) -> None:
    store = SettingsStore(redis)
    await store.merge("ann", {"theme": setting("dark")})
    key = names.user_settings("ann")
    await redis.pexpire(key, 10_000)
    await store.read("ann")
    assert await redis.pttl(key) > 300 * 86_400_000


def bearer(subject: str) -> dict[str, str]:
    signer = TokenSigner(secret_key(pem.SECRET), lifetime_s=600)
    return {"Authorization": f"Bearer {signer.sign(subject, time.time())}"}


@pytest.fixture(scope="module")
def feed() -> Iterator[FeedProcess]:
    token = TokenSigner(secret_key(pem.SECRET), lifetime_s=600).sign("harness", time.time())
    with FeedProcess({"jwt_secret": pem.SECRET}, token=token) as running:
        yield running


def url(feed: FeedProcess) -> str:
    return f"{feed.url}/api/settings"


def put(feed: FeedProcess, subject: str, settings: Mapping[str, object]) -> httpx.Response:
    return httpx.put(url(feed), json={"settings": settings}, headers=bearer(subject))


def kept(feed: FeedProcess, subject: str) -> Json:
    answer = httpx.get(url(feed), headers=bearer(subject)).raise_for_status()
    told: Json = answer.json()["settings"]
    return told


def test_each_user_has_settings_of_their_own(feed: FeedProcess) -> None:
    ann, bob = {"theme": {"value": "dark", "at_ms": 5}}, {"theme": {"value": "light", "at_ms": 6}}
    assert put(feed, "ann", ann).json() == {"settings": ann}
    assert put(feed, "bob", bob).json() == {"settings": bob}
    assert (kept(feed, "ann"), kept(feed, "bob"), kept(feed, "eve")) == (ann, bob, {})
    both = {**ann, "flash": {"value": False, "at_ms": 7}}
    older = {"theme": {"value": "system", "at_ms": 4}, "flash": both["flash"]}
    assert put(feed, "ann", older).json() == {"settings": both}


def test_who_is_nobody_has_none(feed: FeedProcess) -> None:
    assert httpx.get(url(feed)).status_code == 401
    answer = httpx.get(url(feed), headers=bearer(""))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert put(feed, "", {}).status_code == 403


def test_where_all_are_let_in_none_are_kept() -> None:
    with FeedProcess({}) as feed:
        for answer in (httpx.get(url(feed)), httpx.put(url(feed), json={"settings": {}})):
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "7",
        "{}",
        '{"settings":[]}',
        '{"settings":{"theme":"dark"}}',
        '{"settings":{"theme":{"value":1}}}',
        '{"settings":{"theme":{"value":1,"at_ms":-1}}}',
        '{"settings":{"theme":{"value":1,"at_ms":1e20}}}',
        '{"settings":{"theme":{"value":1,"at_ms":"now"}}}',
        '{"settings":{"theme":{"value":NaN,"at_ms":1}}}',
        '{"settings":{"theme":{"value":[1,"at_ms":1}}}',
        '{"settings":{"../admin":{"value":1,"at_ms":1}}}',
        '{"settings":{"":{"value":1,"at_ms":1}}}',
        '{"settings":{"theme":{"value":' + "[" * 20_000 + "]" * 20_000 + ',"at_ms":1}}}',
    ],
)
def test_what_is_no_setting_is_refused(feed: FeedProcess, body: str) -> None:
    answer = httpx.put(url(feed), content=body.encode(), headers=bearer("mal"))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")
    assert kept(feed, "mal") == {}


def test_there_is_room_for_so_much(feed: FeedProcess) -> None:
    half = {"value": "ä" * (MAX_SETTINGS_BYTES // 5), "at_ms": 1}
    assert put(feed, "hog", {"one": half, "two": {"value": 1, "at_ms": 1}}).is_success
    three = {"value": "ä" * (MAX_SETTINGS_BYTES // 3), "at_ms": 1}
    answer = put(feed, "hog", {"three": three, "theme": {"value": "dark", "at_ms": 1}})
    assert (answer.status_code, list(answer.json()["refused"])) == (200, ["three"])
    assert str(MAX_SETTINGS_BYTES) in answer.json()["refused"]["three"]
    assert list(answer.json()["settings"]) == list(kept(feed, "hog")) == ["one", "theme", "two"]
    many = {f"x{number}": {"value": 1, "at_ms": 1} for number in range(MAX_SETTINGS + 1)}
    assert put(feed, "ann", many).status_code == 400


def test_one_value_that_is_no_json_keeps_no_other_back(feed: FeedProcess) -> None:
    body = b'{"settings":{"x":{"value":"\xff","at_ms":1},"theme":{"value":"dark","at_ms":1}}}'
    answer = httpx.put(url(feed), content=body, headers=bearer("kim"))
    assert (answer.status_code, list(answer.json()["refused"])) == (200, ["x"])
    assert list(kept(feed, "kim")) == ["theme"]


@pytest.mark.parametrize("chunked", [False, True], ids=["by its length", "in chunks"])
@pytest.mark.parametrize("size", [MAX_SETTINGS_BODY_BYTES + 1, 10 * MAX_SETTINGS_BODY_BYTES])
def test_a_page_hears_that_a_request_is_too_large(
    feed: FeedProcess, size: int, chunked: bool
) -> None:
    body = b" " * size
    headers = {**bearer("ann"), "Origin": "http://localhost:5006"}
    with httpx.Client() as client:
        answer = client.put(url(feed), content=iter([body]) if chunked else body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert str(MAX_SETTINGS_BODY_BYTES) in answer.json()["message"]
        assert answer.headers["Access-Control-Allow-Origin"] == headers["Origin"]
        assert client.get(url(feed), headers=headers).is_success


def test_a_stranger_hears_that_also_of_a_large_request(feed: FeedProcess) -> None:
    assert httpx.put(url(feed), content=b" " * MAX_SETTINGS_BODY_BYTES).status_code == 401


def test_a_time_to_come_is_kept_as_now(feed: FeedProcess) -> None:
    late = {"theme": {"value": "dark", "at_ms": 253_402_300_799_999}}
    (told,) = put(feed, "una", late).json()["settings"].values()
    now_ms = time.time() * 1000
    assert (told["value"], abs(told["at_ms"] - now_ms) < 60_000) == ("dark", True)
    newer = {"theme": {"value": "light", "at_ms": told["at_ms"] + 1}}
    assert put(feed, "una", newer).json()["settings"] == newer
    soon = {"flash": {"value": False, "at_ms": int(time.time() * 1000) + 2_000}}
    assert put(feed, "una", soon).json()["settings"]["flash"] == soon["flash"]


def test_a_page_from_elsewhere_can_change_nothing(feed: FeedProcess) -> None:
    headers = {**bearer("ann"), "Origin": "https://evil.example"}
    body = {"settings": {"theme": {"value": "pink", "at_ms": 99}}}
    answer = httpx.put(url(feed), json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    ours = {"Origin": "http://localhost:5006"}
    asked = httpx.options(url(feed), headers={**ours, "Access-Control-Request-Method": "PUT"})
    assert "PUT" in asked.headers["Access-Control-Allow-Methods"]
