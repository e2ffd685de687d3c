"""Finds or obtains the browsers that the tests drive: Chromium, Firefox and WebKitGTK.

`python deploy/browser.py` makes sure that they are there, `--has NAME` asks for one of them.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# First the one without windows and menus, which are never seen here: it costs a quarter less.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
# Below the folder of one Playwright browser, newest layouts first.
LAYOUTS = (
    "chrome-linux*/chrome",
    "chrome-mac*/*.app/Contents/MacOS/*",
    "chrome-win*/chrome.exe",
)


@dataclass(frozen=True)
class WebKit:
    """What runs WebKitGTK's own small browser, which has no way to do without a screen.

    Attributes:
        driver: Speaks WebDriver, and starts the browser.
        screen: An X server that shows nothing.
    """

    driver: Path
    screen: Path


def find_chromium() -> Path | None:
    """Gives the Chromium to use: the one asked for, one on the path, or Playwright's.

    Raises:
        FileNotFoundError: QUOTEWIRE_CHROMIUM names a file that is not there; another browser
            than the one asked for would be no answer.
    """
    if wanted := os.environ.get("QUOTEWIRE_CHROMIUM"):
        if not Path(wanted).is_file():
            raise FileNotFoundError(f"QUOTEWIRE_CHROMIUM names no file: {wanted}")
        return Path(wanted)
    return next((path for path in _chromiums() if _starts(path)), None)


def find_firefox() -> Path | None:
    """Gives the Firefox on the path."""
    return next((path for path in _on_path("firefox-esr", "firefox") if _starts(path)), None)


def find_webkit() -> WebKit | None:
    """Gives WebKitGTK's driver and the screen for it, where both are on the path."""
    found = list(_on_path("WebKitWebDriver", "Xvfb"))
    return WebKit(*found) if len(found) == 2 else None


def _on_path(*names: str) -> Iterator[Path]:
    for name in names:
        if found := shutil.which(name):
            yield Path(found)


def _chromiums() -> Iterator[Path]:
    yield from _on_path(*NAMES)
    for folder in (Path(folder).expanduser() for folder in _playwright_caches()):
        builds = sorted(folder.glob("chromium-*"), key=lambda path: path.stat().st_mtime)
        for build in reversed(builds):
            for layout in LAYOUTS:
                yield from build.glob(layout)


def _playwright_caches() -> list[str]:
    if own := os.environ.get("PLAYWRIGHT_BROWSERS_PATH"):
        return [own]
    return ["~/.cache/ms-playwright", "~/Library/Caches/ms-playwright"]


def _starts(path: Path) -> bool:
    """Tells a browser from one whose system libraries are missing."""
    try:
        subprocess.run([path, "--version"], check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


@dataclass(frozen=True)
class Wanted:
    """A browser that the tests want.

    Attributes:
        name: For people.
        find: Looks for it.
        packages: Of Debian.
        without_root: Another way to obtain it, if any.
        hint: What else a person may do.
    """

    name: str
    find: Callable[[], Path | WebKit | None]
    packages: tuple[str, ...]
    without_root: tuple[str, ...] = ()
    hint: str = ""

    @property
    def missing(self) -> str:
        """What to do where it is not there."""
        install = f"apt install {' '.join(self.packages)}"
        return f"No {self.name} for the browser tests: {install}{self.hint}"


WANTED: Mapping[str, Wanted] = {
    # libatomic1: what Playwright's driver asks of the system, and a bare Debian lacks
    "chromium": Wanted(
        "Chromium",
        find_chromium,
        ("libatomic1", "chromium-headless-shell"),
        (sys.executable, "-m", "playwright", "install", "chromium"),
        ", or python -m playwright install chromium, or set QUOTEWIRE_CHROMIUM to its path",
    ),
    "firefox": Wanted("Firefox", find_firefox, ("firefox-esr",)),
    "webkit": Wanted("WebKitGTK", find_webkit, ("webkit2gtk-driver", "xvfb")),
}


def _ways_to_obtain(wanted: Wanted) -> Iterator[list[list[str]]]:
    if wanted.without_root:
        yield [list(wanted.without_root)]
    if shutil.which("apt-get") and os.geteuid() == 0:
        yield [["apt-get", "update"], ["apt-get", "install", "--yes", *wanted.packages]]


def obtain(wanted: Wanted) -> bool:
    """Installs a browser by the first way that gives one which starts."""
    env = {"DEBIAN_FRONTEND": "noninteractive", **os.environ}
    for commands in _ways_to_obtain(wanted):
        print(f"No {wanted.name} yet: {' '.join(commands[-1])}", flush=True)
        with suppress(subprocess.CalledProcessError):
            for command in commands:
                subprocess.run(command, check=True, env=env, capture_output=True)
        if wanted.find():
            return True
    return False


def main(arguments: list[str]) -> int:
    """Answers the command line; outside CI a missing browser is said, not an error."""
    if arguments[:1] == ["--has"]:
        return 0 if WANTED[arguments[1]].find() else 1
    missing = [wanted for wanted in WANTED.values() if not (wanted.find() or obtain(wanted))]
    for wanted in missing:
        print(wanted.missing, file=sys.stderr)
    return 1 if missing and os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except FileNotFoundError as error:
        sys.exit(str(error))
