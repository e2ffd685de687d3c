"""The public names of the Python client; a change of them is a change for those who use it."""

import inspect

import pytest

import dashboard.client
from dashboard.client import blocking

NAMES = [
    "Age",
    "Bar",
    "BarHistory",
    "FeedAccessError",
    "FeedClient",
    "FeedError",
    "FeedLossError",
    "FeedLossWarning",
    "FeedUnavailableError",
    "Instruments",
    "Loss",
    "Quote",
    "Snapshot",
    "SourceStatus",
    "StateChanged",
    "Stats",
    "Stream",
    "SymbolInfo",
    "Trade",
    "Trouble",
]

ASKED_ONCE = ["history", "search", "snapshot", "symbols"]
STREAMS = ["bars", "quotes", "trades"]


def public(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


def test_the_public_names_are_these() -> None:
    assert dashboard.client.__all__ == NAMES
    for name in NAMES:
        assert hasattr(dashboard.client, name)


def test_all_that_can_go_wrong_is_a_feed_error() -> None:
    for name in ("FeedAccessError", "FeedLossError", "FeedUnavailableError"):
        assert issubclass(getattr(dashboard.client, name), dashboard.client.FeedError)


@pytest.mark.parametrize("name", [*ASKED_ONCE, *STREAMS, "on_state", "__init__"])
def test_both_clients_take_the_same_arguments(name: str) -> None:
    ours = inspect.signature(getattr(dashboard.client.FeedClient, name)).parameters
    theirs = inspect.signature(getattr(blocking.FeedClient, name)).parameters
    assert list(ours.values()) == list(theirs.values())


def test_both_clients_can_do_the_same() -> None:
    internal = {"attach", "detach"}
    ours = public(dashboard.client.FeedClient) - internal - {"aclose"}
    assert public(blocking.FeedClient) - {"close", "url"} == ours
