"""Questions to the sources whose answers are kept for a while."""

import time
from collections import OrderedDict
from collections.abc import Callable

from feed_server.bus.requests import Answer, Resolve, Search
from feed_server.bus.rpc import Caller


class Asking:
    """Asks the sources, and remembers what they said: who asks again soon gets the same.

    Args:
        caller: Carries the questions.
        timeout_s: For how long to wait for an answer.
        keep_s: For how long an answer is kept.
        most: How many are kept at most.
    """

    def __init__(
        self, caller: Caller, timeout_s: float, keep_s: Callable[[Answer], float], *, most: int
    ) -> None:
        self._caller = caller
        self._timeout_s = timeout_s
        self._keep_s = keep_s
        self._most = most
        self._kept: OrderedDict[Resolve | Search, tuple[float, Answer]] = OrderedDict()

    async def ask(self, request: Resolve | Search) -> Answer:
        """Return the answer, `Failed` where there is none."""
        until_s, answer = self._kept.get(request, (0.0, None))
        if answer is not None and time.monotonic() < until_s:
            return answer
        answer = await self._caller.call(request, self._timeout_s)
        self._kept[request] = time.monotonic() + self._keep_s(answer), answer
        self._kept.move_to_end(request)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return answer
