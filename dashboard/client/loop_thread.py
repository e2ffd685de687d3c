"""A thread with an event loop, for code that is not asynchronous."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any, TypeVar

from dashboard.client.errors import FeedError

T = TypeVar("T")


class ClosedError(FeedError):
    """The thread is stopped."""

    def __init__(self) -> None:
        super().__init__("this FeedClient is closed: make another one")


class LoopThread:
    """A thread that runs an event loop, from the first call on.

    Args:
        at_end: Is run there when the thread is stopped.
    """

    def __init__(self, at_end: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._at_end = at_end
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: Future[asyncio.AbstractEventLoop] = Future()
        self._stopped: asyncio.Event | None = None
        self._closed = False

    def call(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine there, and return what it returns.

        Raises:
            FeedError: The thread is stopped, or it is this very thread that would wait.
        """
        loop = self._started()
        if self.is_own:
            raise FeedError("this was called by the client itself, which would wait for ever")
        future: Future[T] = Future()

        def begin() -> None:
            if self._closed:
                future.cancel()
            else:
                task = loop.create_task(work())
                task.add_done_callback(lambda _done: _pass_on(task, future))
                future.add_done_callback(lambda _done: _cancel(loop, task))

        try:
            # The coroutine is made there, for one that was interrupted here would never be run.
            loop.call_soon_threadsafe(begin)
            return future.result()
        except RuntimeError:  # stopped meanwhile
            raise ClosedError from None
        except CancelledError:
            raise ClosedError from None
        finally:
            future.cancel()  # where the wait was interrupted, as by Ctrl-C

    @property
    def is_own(self) -> bool:
        """Whether it is this very thread that asks."""
        return threading.current_thread() is self._thread

    def look(self, what: Callable[[], T]) -> T:
        """Return what is found there between two steps, or here where nothing runs there."""
        if self._thread is None or self.is_own:
            return what()

        async def between() -> T:
            return what()

        try:
            return self.call(between)
        except ClosedError:
            self.stop()
            return what()

    def end(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a coroutine that ends something, unless all has ended or nothing has begun."""
        if self._thread is not None:
            with suppress(ClosedError):
                self.call(work)

    def stop(self) -> None:
        """End all that runs there, and the thread; safe to repeat."""
        with self._lock:
            self._closed = True
        if self._thread is None or self._loop.exception() is not None:
            return
        assert self._stopped is not None
        with suppress(RuntimeError):  # stopped already
            self._loop.result().call_soon_threadsafe(self._stopped.set)
        if not self.is_own:
            self._thread.join()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise ClosedError
            if self._thread is None:
                self._thread = threading.Thread(target=self._main, name="feed client", daemon=True)
                self._thread.start()
        return self._loop.result()

    def _main(self) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.get_loop()
                runner.run(self._run())
        except Exception as error:
            if self._loop.done():
                raise
            self._loop.set_exception(FeedError(f"no event loop can be had: {error!r}"))

    async def _run(self) -> None:
        self._stopped = asyncio.Event()
        self._loop.set_result(asyncio.get_running_loop())
        await self._stopped.wait()
        await self._at_end()


def _pass_on(task: asyncio.Task[T], future: Future[T]) -> None:
    """Give what has come of a task to who waits for it in another thread, if somebody does."""
    if task.cancelled():
        future.cancel()
        return
    error = task.exception()
    if future.set_running_or_notify_cancel():
        if error is None:
            future.set_result(task.result())
        else:
            future.set_exception(error)


def _cancel(loop: asyncio.AbstractEventLoop, task: asyncio.Task[T]) -> None:
    with suppress(RuntimeError):  # the loop is closed, and all has ended with it
        loop.call_soon_threadsafe(task.cancel)
