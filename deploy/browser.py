"""Finds or obtains the Chromium that the browser tests drive.

`python deploy/browser.py` makes sure there is one, `--path` prints where it is.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Below the folder of one Playwright browser, newest layouts first.
LAYOUTS = (
    "chrome-linux*/chrome",
    "chrome-mac*/*.app/Contents/MacOS/*",
    "chrome-win*/chrome.exe",
)
MISSING = (
    "No Chromium for the browser tests: install one (apt install chromium, or "
    "python -m playwright install chromium), or set QUOTEWIRE_CHROMIUM to its path"
)


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
    return next((path for path in _candidates() if _starts(path)), None)


def _candidates() -> Iterator[Path]:
    for name in NAMES:
        if found := shutil.which(name):
            yield Path(found)
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


def _ways_to_obtain() -> Iterator[list[list[str]]]:
    yield [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get") and os.geteuid() == 0:
        # libatomic1: what Playwright's driver asks of the system, and a bare Debian lacks
        yield [["apt-get", "update"], ["apt-get", "install", "--yes", "libatomic1", "chromium"]]


def obtain_chromium() -> Path | None:
    """Installs a Chromium by the first way that gives one which starts."""
    env = {"DEBIAN_FRONTEND": "noninteractive", **os.environ}
    for commands in _ways_to_obtain():
        print(f"No Chromium yet: {' '.join(commands[-1])}", flush=True)
        with suppress(subprocess.CalledProcessError):
            for command in commands:
                subprocess.run(command, check=True, env=env, capture_output=True)
        if found := find_chromium():
            return found
    return None


def main(arguments: list[str]) -> int:
    """Answers the command line; outside CI a missing browser is said, not an error."""
    if arguments == ["--path"]:
        if found := find_chromium():
            print(found)
        return 0 if found else 1
    if find_chromium() or obtain_chromium():
        return 0
    print(MISSING, file=sys.stderr)
    return 1 if os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except FileNotFoundError as error:
        sys.exit(str(error))
