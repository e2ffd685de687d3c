"""Real browsers behind one small interface: Chromium, Firefox and WebKitGTK, without a screen.

Playwright drives Chromium. It could drive only its own builds of the other two, so each of these is
spoken to in the protocol that it ships with: WebDriver BiDi over a WebSocket, and WebDriver over
HTTP.
"""

import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import httpx
from playwright.sync_api import Browser, Page
from websockets.sync.client import ClientConnection, connect

from deploy.browser import WebKit
from tests.harness import descendants, free_port, wait_for

TIMEOUT_S = 60.0

# Text in and text out: all three then agree about numbers, and about what is undefined.
CALL = "async (text) => JSON.stringify((await ({function})(JSON.parse(text))) ?? null)"
# WebDriver has no promises: a script ends by calling its last argument.
CALL_WEBDRIVER = """
const done = arguments[arguments.length - 1];
({call})(arguments[0]).then((text) => done({{text}}), (error) => done({{error: String(error)}}));
"""

# Firefox asks Mozilla for nothing while it is tested.
FIREFOX_PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.safebrowsing.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
}


class Engine(Protocol):
    """One page of a browser."""

    def open(self, url: str) -> None:
        """Go to an address, and return when it is loaded."""

    def run(self, function: str, argument: object = None) -> Any:
        """Call a JavaScript function, that may be async, with one argument; both ways JSON."""


# Panel's elements are in shadow roots, one inside the other.
SHOWN = """
(ids) => {
  const find = (root, id) => {
    const found = root.querySelector(`[data-testid="${id}"]`);
    if (found) return found;
    for (const {shadowRoot} of root.querySelectorAll("*")) {
      const below = shadowRoot && find(shadowRoot, id);
      if (below) return below;
    }
    return null;
  };
  return ids.map((id) => {
    const element = find(document, id);
    return element && (element.dataset.state ?? element.textContent);
  });
}
"""


def shown(page: Engine, *test_ids: str) -> list[str | None]:
    """Return the states, else the texts, of the dashboard's elements; None for one not there."""
    texts: list[str | None] = page.run(SHOWN, test_ids)
    return texts


class Chromium:
    """A page that Playwright drives."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def open(self, url: str) -> None:
        """Go to an address, and return when it is loaded."""
        self._page.goto(url)

    def run(self, function: str, argument: object = None) -> Any:
        """Call a JavaScript function."""
        return json.loads(self._page.evaluate(CALL.format(function=function), json.dumps(argument)))


class Firefox:
    """A page that is driven by WebDriver BiDi."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._ask("session.new", capabilities={})
        self._context = self._ask("browsingContext.getTree")["contexts"][0]["context"]

    def open(self, url: str) -> None:
        """Go to an address, and return when it is loaded."""
        self._ask("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def run(self, function: str, argument: object = None) -> Any:
        """Call a JavaScript function.

        Raises:
            RuntimeError: It has thrown.
        """
        told = self._ask(
            "script.callFunction",
            functionDeclaration=CALL.format(function=function),
            arguments=[{"type": "string", "value": json.dumps(argument)}],
            target={"context": self._context},
            awaitPromise=True,
        )
        if told["type"] != "success":
            raise RuntimeError(told["exceptionDetails"]["text"])
        return json.loads(told["result"]["value"])

    def quit(self) -> None:
        """End the browser."""
        self._ask("browser.close")

    def _ask(self, method: str, **parameters: object) -> dict[str, Any]:
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (answer := json.loads(self._socket.recv(TIMEOUT_S))).get("id") != number:
            pass  # an event
        if answer["type"] != "success":
            raise RuntimeError(f"{method}: {answer['message']}")
        result: dict[str, Any] = answer["result"]
        return result


class WebKitGtk:
    """A page that is driven by WebDriver."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        session = self._ask("POST", "/session", capabilities={})
        self._path = f"/session/{session['sessionId']}"

    def open(self, url: str) -> None:
        """Go to an address, and return when it is loaded."""
        self._ask("POST", f"{self._path}/url", url=url)

    def run(self, function: str, argument: object = None) -> Any:
        """Call a JavaScript function.

        Raises:
            RuntimeError: It has thrown.
        """
        script = CALL_WEBDRIVER.format(call=CALL.format(function=function))
        told = self._ask(
            "POST", f"{self._path}/execute/async", script=script, args=[json.dumps(argument)]
        )
        if "error" in told:
            raise RuntimeError(told["error"])
        return json.loads(told["text"])

    def quit(self) -> None:
        """End the browser."""
        self._ask("DELETE", self._path)

    def _ask(self, method: str, path: str, **body: object) -> Any:
        answer = self._http.request(method, path, json=body if method == "POST" else None)
        value = answer.json()["value"]
        if not answer.is_success:
            raise RuntimeError(f"{method} {path}: {value['message']}")
        return value


@contextmanager
def open_chromium(browser: Browser) -> Iterator[Engine]:
    """Open a page of a Chromium that runs."""
    page = browser.new_page()
    yield Chromium(page)
    page.close()


@contextmanager
def open_firefox(path: Path) -> Iterator[Engine]:
    """Start Firefox with an empty profile."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        profile = Path(folder)
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in FIREFOX_PREFERENCES.items()
        ]
        (profile / "user.js").write_text("".join(lines))
        command = [str(path), "--headless", "--no-remote", "--profile", folder]
        told = profile / "WebDriverBiDiServer.json"
        with running([*command, "--remote-debugging-port", "0"]):
            port = wait_for("Firefox listens", lambda: _port(told), timeout_s=TIMEOUT_S)
            with connect(f"ws://127.0.0.1:{port}/session", max_size=None) as socket:
                firefox = Firefox(socket)
                yield firefox
                firefox.quit()


@contextmanager
def open_webkit(webkit: WebKit) -> Iterator[Engine]:
    """Start WebKitGTK's own small browser on a screen that nobody sees."""
    screen = [str(webkit.screen), "-displayfd", "1", "-nolisten", "tcp"]
    with running(screen, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        display = server.stdout.readline().decode().strip()
        port = free_port()
        command = [str(webkit.driver), "--host=127.0.0.1", f"--port={port}"]
        environment = {"DISPLAY": f":{display}", "GDK_BACKEND": "x11"}
        with (
            running(command, environment),
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=TIMEOUT_S) as http,
        ):
            wait_for("WebKitWebDriver listens", lambda: _answers(http), timeout_s=TIMEOUT_S)
            engine = WebKitGtk(http)
            yield engine
            engine.quit()


@contextmanager
def running(
    command: list[str], environment: Mapping[str, str] | None = None, *, stdout: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command that ends with us, also when we are killed."""
    guarded = subprocess.Popen(
        [sys.executable, "-m", "feed_server.guard", "--", *command],
        env={**os.environ, **(environment or {})},
        stdin=subprocess.PIPE,
        stdout=stdout or subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with guarded:
        try:
            yield guarded
        finally:
            # The command may be a script that waits for the browser, and would leave it behind.
            for pid in descendants(guarded.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            guarded.terminate()


def _port(told: Path) -> int | None:
    with suppress(FileNotFoundError, json.JSONDecodeError, KeyError):
        port: int = json.loads(told.read_text())["ws_port"]
        return port
    return None


def _answers(http: httpx.Client) -> bool:
    with suppress(httpx.TransportError):
        return http.get("/status").is_success
    return False
