from collections import Counter
from typing import cast

import pytest

from feed_server.gateway.client import Client
from feed_server.gateway.roll import SLOTS, Roll


def clients(number: int) -> list[Client]:
    """Return what a roll may hold: it only puts them in order."""
    return [cast(Client, object()) for _ in range(number)]


def test_each_client_comes_up_once_a_round() -> None:
    roll, here = Roll(), clients(3 * SLOTS + 7)
    for client in here:
        roll.add(client)
    turns = Counter(client for _ in range(SLOTS) for client in roll.turn())
    assert turns == Counter(here)


@pytest.mark.parametrize("gone", [0, 30, 55])
def test_turns_are_even(gone: int) -> None:
    roll, here = Roll(), clients(60 + gone)
    for client in here:
        roll.add(client)
    for client in here[:gone]:
        roll.remove(client)
    for client in clients(gone):
        roll.add(client)
    sizes = [len(list(roll.turn())) for _ in range(SLOTS)]
    assert max(sizes) - min(sizes) <= 1


def test_who_was_removed_comes_up_no_more() -> None:
    roll = Roll()
    (client,) = clients(1)
    roll.add(client)
    assert (len(roll), list(roll)) == (1, [client])
    assert roll.remove(client)
    assert not roll.remove(client)
    assert (len(roll), list(roll)) == (0, [])
    assert [c for _ in range(SLOTS) for c in roll.turn()] == []


def test_clients_may_be_removed_while_they_are_gone_through() -> None:
    roll = Roll()
    for client in clients(SLOTS * 2):
        roll.add(client)
    for client in roll:
        roll.remove(client)
    assert len(roll) == 0
    for client in clients(SLOTS * 2):
        roll.add(client)
    for _ in range(SLOTS):
        for client in roll.turn():
            roll.remove(client)
    assert len(roll) == 0
