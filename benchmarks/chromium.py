"""A Chromium whose tabs are seen or hidden as a user's are.

Playwright makes every page think that it is seen; here each is left to what the browser thinks.
"""

import itertools
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from benchmarks.children import process_cpu_s
from deploy.browser import WANTED, find_chromium
from tests.browser.engines import CALL, running
from tests.harness import descendants, wait_for

TIMEOUT_S = 60.0
ARGUMENTS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--remote-debugging-port=0"),
)


class Tab:
    """A page of a browser."""

    def __init__(self, chromium: "Chromium", target: str) -> None:
        self._chromium = chromium
        self._target = target
        attached = chromium.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]

    def before_all(self, script: str) -> None:
        """Have a script run in each page that is opened, before anything else."""
        self.ask("Page.enable")
        self.ask("Page.addScriptToEvaluateOnNewDocument", source=script)

    def open(self, url: str) -> None:
        """Begin to go to an address."""
        self.ask("Page.navigate", url=url)

    def close(self) -> None:
        """Close it, as a user does."""
        self._chromium.ask("Target.closeTarget", targetId=self._target)

    def show(self) -> None:
        """Bring it to the front; what was there is hidden."""
        self._chromium.ask("Target.activateTarget", targetId=self._target)

    def run(self, function: str, argument: object = None) -> Any:
        """Call a JavaScript function with one argument.

        Raises:
            RuntimeError: It has thrown.
        """
        expression = f"({CALL.format(function=function)})({json.dumps(json.dumps(argument))})"
        told = self.ask(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in told:
            raise RuntimeError(told["exceptionDetails"]["text"])
        return json.loads(told["result"]["value"])

    def ask(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call a method of the DevTools protocol for this page."""
        return self._chromium.ask(method, self._session, **parameters)


class Chromium:
    """A running browser."""

    def __init__(self, socket: ClientConnection, pid: int) -> None:
        self._socket = socket
        self._pid = pid
        self._ids = itertools.count(1)

    def new_tab(self, *, window: bool = False, size: tuple[int, int] | None = None) -> Tab:
        """Give an empty tab in front of the others, or one that is seen beside them.

        Args:
            window: Whether it is in a window of its own.
            size: Of that window, width and height in pixels; None for the usual one.
        """
        given: dict[str, Any] = {} if size is None else {"width": size[0], "height": size[1]}
        target = self.ask("Target.createTarget", url="about:blank", newWindow=window, **given)
        return Tab(self, target["targetId"])

    def cpu_s(self) -> float:
        """Return the processor time that all its processes have used, as far as they live."""
        return sum(map(_cpu_s, descendants(self._pid)))

    def pages_cpu_s(self) -> float:
        """Return the processor time of the processes that run pages."""
        processes = self.ask("SystemInfo.getProcessInfo")["processInfo"]
        return sum(_cpu_s(each["id"]) for each in processes if each["type"] == "renderer")

    def ask(self, method: str, session: str | None = None, **parameters: object) -> dict[str, Any]:
        """Call a method of the DevTools protocol.

        Raises:
            RuntimeError: The browser refused.
        """
        number = next(self._ids)
        message = {"id": number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        while (answer := json.loads(self._socket.recv(TIMEOUT_S))).get("id") != number:
            pass  # an event
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def await_event(self, name: str) -> dict[str, Any]:
        """Return what the next event of a name tells; others that come before it are left out."""
        while (event := json.loads(self._socket.recv(TIMEOUT_S))).get("method") != name:
            pass
        told: dict[str, Any] = event["params"]
        return told


@contextmanager
def chromium(benchmark: str) -> Iterator[Chromium]:
    """Give a headless Chromium with an empty profile.

    Args:
        benchmark: Ends with this name and a reason where there is none.
    """
    path = find_chromium()
    if path is None:
        sys.exit(f"{benchmark}: {WANTED['chromium'].missing}")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        told = Path(profile) / "DevToolsActivePort"
        command = [str(path), *ARGUMENTS, f"--user-data-dir={profile}", "about:blank"]
        with running(command) as process:
            wait_for("Chromium listens", lambda: _address(told), timeout_s=TIMEOUT_S)
            with connect(_address(told), max_size=None) as socket:
                yield Chromium(socket, process.pid)


def _address(told: Path) -> str:
    with suppress(FileNotFoundError, ValueError):
        port, path = told.read_text().split()
        return f"ws://127.0.0.1:{port}{path}"
    return ""


def _cpu_s(pid: int) -> float:
    with suppress(OSError):
        return process_cpu_s(pid)
    return 0.0  # it has ended
