import pytest

from feed_server.gateway.origins import Origins

ORIGINS = Origins(["https://desk.example", "http://desk.example:5006/", "https://port.example:443"])


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:5006",
        "http://127.0.0.1:8888",
        "https://[::1]:5006",
        "https://desk.example",
        "https://DESK.example:443",
        "http://desk.example:5006",
        "https://port.example",
    ],
)
def test_pages_of_this_machine_and_of_the_list_may_talk_to_the_feed(origin: str) -> None:
    assert ORIGINS.allows(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "http://desk.example",
        "https://desk.example:5006",
        "https://desk.example.evil.example",
        "https://localhost.evil.example",
        "https://evil.example",
        "file://localhost",
        "null",
        "",
        "http://[",
        "http://localhost:port",
    ],
)
def test_other_pages_may_not(origin: str) -> None:
    assert not ORIGINS.allows(origin)
