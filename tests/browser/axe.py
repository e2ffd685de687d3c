"""axe-core, which finds what keeps people from using a page: an npm package that Deno fetches.

`npm/deno.lock` pins it by version and hash. Deno asks the registry that npm is set to.
"""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from playwright.sync_api import Page

CONFIG = Path(__file__).with_name("npm") / "deno.json"
PRINT = 'import axe from "axe-core"; console.log(axe.source);'
TIMEOUT_S = 120

# Also what is in open shadow roots. What is minor or moderate is a matter of taste.
RUN = """
async (part) => {
  const {violations} = await axe.run(part ?? document, {resultTypes: ["violations"]});
  return violations.filter(({impact}) => impact === "serious" || impact === "critical")
    .flatMap(({id, help, nodes}) => nodes.map(({target, html, any, all}) => {
      const [{message = ""} = {}] = [...any, ...all];
      return `${id} (${help}): ${target.flat().join(" ")} ${html.slice(0, 200)} ${message}`;
    }));
}
"""


class NoAxeError(Exception):
    """It is not there, and cannot be had; the text says why."""


@cache
def axe_source() -> str:
    """Return its script.

    Raises:
        NoAxeError: There is no Deno here, or no way to the registry.
    """
    folder = Path(sys.prefix)
    command = [str(folder / "bin" / "deno"), "eval", "--quiet", "--frozen"]
    environment = {
        **os.environ,
        "DENO_DIR": str(folder / ".deno"),
        "DENO_NO_UPDATE_CHECK": "1",
    }
    try:
        return subprocess.run(
            [*command, "--config", str(CONFIG), PRINT],
            check=True,
            capture_output=True,
            text=True,
            env=environment,
            timeout=TIMEOUT_S,
        ).stdout
    except subprocess.CalledProcessError as error:
        raise NoAxeError(f"axe-core cannot be fetched: {error.stderr}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoAxeError(f"axe-core cannot be fetched: {error}") from error


def faults_of(page: Page, test_id: str | None = None) -> list[str]:
    """Return what is serious or critical on a page as it is now, or in one part of it."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(axe_source())
    part = page.get_by_test_id(test_id).element_handle() if test_id else None
    faults: list[str] = page.evaluate(RUN, part)
    return faults
