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
from feed_server.bus.user_settings import MAX_BYTES, SettingsStore
from feed_server.keys import secret_key
from feed_server.protocol import MAX_SETTINGS, UserSetting
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
    assert await store.merge("ann", {"theme": setting("dark"), "lists": setting([{"a": "ä b"}])})
    assert await store.merge("bob", {"theme": setting("light")})
    assert await read(store, "ann") == {"lists": ([{"a": "ä b"}], 5), "theme": ("dark", 5)}
    assert await read(store, "bob") == {"theme": ("light", 5)}
    assert await read(store, "eve") == {}


async def test_of_each_the_newest_choice_counts(redis: Redis) -> None:
    store = SettingsStore(redis)
    await store.merge("ann", {"theme": setting("dark", 9), "flash": setting(False, 9)})
    await store.merge("ann", {"theme": setting("light", 8), "flash": setting(None, 10)})
    await store.merge("ann", {"theme": setting("system", 9)})  # as new: what is kept stays
    assert await read(store, "ann") == {"flash": (None, 10), "theme": ("dark", 9)}


async def test_what_has_no_room_changes_nothing(redis: Redis) -> None:
    store = SettingsStore(redis)
    assert await store.merge("ann", {"theme": setting("dark")})
    assert not await store.merge(
        "ann", {"theme": setting("light", 9), "x": setting("y" * MAX_BYTES)}
    )
    many = {f"x{number}": setting(number) for number in range(MAX_SETTINGS)}
    assert not await store.merge("ann", many)
    assert await read(store, "ann") == {"theme": ("dark", 5)}
    large = setting("y" * (MAX_BYTES - 100))
    assert await store.merge("ann", {"x": large})
    assert await store.merge("ann", {"x": setting("y", 6)})  # it makes room again


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
    half = {"value": "ä" * (MAX_BYTES // 5), "at_ms": 1}
    assert put(feed, "hog", {"one": half, "two": {"value": 1, "at_ms": 1}}).is_success
    answer = put(feed, "hog", {"three": {**half, "value": "ä" * (MAX_BYTES // 3)}})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")
    assert str(MAX_BYTES) in answer.json()["message"]
    assert list(kept(feed, "hog")) == ["one", "two"]
    many = {f"x{number}": {"value": 1, "at_ms": 1} for number in range(MAX_SETTINGS + 1)}
    assert put(feed, "ann", many).status_code == 400


def test_a_page_from_elsewhere_can_change_nothing(feed: FeedProcess) -> None:
    headers = {**bearer("ann"), "Origin": "https://evil.example"}
    body = {"settings": {"theme": {"value": "pink", "at_ms": 99}}}
    answer = httpx.put(url(feed), json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    ours = {"Origin": "http://localhost:5006"}
    asked = httpx.options(url(feed), headers={**ours, "Access-Control-Request-Method": "PUT"})
    assert "PUT" in asked.headers["Access-Control-Allow-Methods"]
