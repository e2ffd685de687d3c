"""Which indicators of a series the feed takes: one that it refuses costs the others nothing. Pure.

The feed refuses a subscription as a whole, and does not say by which of its indicators. Where it
can be only one, it is that; else they are tried one by one.
"""

from collections.abc import Collection, Iterable


class Trials:
    """What is known of the indicators that are wanted of one series."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._doubted: set[str] = set()
        self._refused: dict[str, str] = {}

    def refusal(self, names: Iterable[str]) -> str | None:
        """Return what the feed says of one of these that it refuses, None where it refuses none."""
        return next((self._refused[name] for name in names if name in self._refused), None)

    def choose(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return those of some indicators to ask for now, of the doubted ones the first."""
        doubted = sorted(self._doubted.intersection(names))
        return tuple(sorted({*names} - {*doubted[1:]}))

    def took(self, names: Iterable[str]) -> None:
        """The feed has taken these."""
        self._taken.update(names)
        self._doubted.difference_update(names)

    def refuse(self, names: Collection[str], reason: str) -> list[str] | None:
        """Take that the feed has refused to give these together.

        Returns:
            Those that are known as refused from now on; None where no indicator can be why.
        """
        if self.refusal(names) is not None:
            return []  # Asked before that was known.
        suspects = {*names} - self._taken
        if not suspects:
            return None
        if len(suspects) > 1:
            self._doubted |= suspects
            return []
        self._doubted -= suspects
        self._refused.update(dict.fromkeys(suspects, reason))
        return list(suspects)

    def linked(self) -> None:
        """There is another link: what it takes is not known."""
        self._taken.clear()

    def keep(self, names: Collection[str]) -> None:
        """Know nothing any more of those that are not among these."""
        self._refused = {name: why for name, why in self._refused.items() if name in names}
        self._doubted.intersection_update(names)
