"""Writes deploy/locks/: every package the project installs, pinned and hashed.

The locks name no registry, so that the same files serve behind a company mirror; the tool's own
configuration is ignored for the same reason. The development lock comes first and constrains the
runtime lock: what is tested is what runs.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = Path("deploy/locks")
COMPILE = (
    *("--no-config", "pip", "compile", "pyproject.toml"),
    *("--universal", "--python-version=3.11", "--fork-strategy=fewest"),
    *("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-annotate"),
    *("--custom-compile-command=make lock", "--group=build", "--quiet"),
)


def find_uv(scratch: Path) -> str:
    """Gives the uv on the path, or installs one that lasts as long as `scratch`."""
    if found := shutil.which("uv"):
        return found
    venv.create(scratch, with_pip=True)
    python = scratch / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "uv"], check=True)
    return str(scratch / "bin" / "uv")


def main(options: list[str]) -> None:
    """Compiles both locks; `options` go to uv, e.g. --upgrade or --upgrade-package=panel."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    env["UV_SYSTEM_CERTS"] = "true"
    dev, run = LOCKS / "dev.txt", LOCKS / "run.txt"
    with tempfile.TemporaryDirectory() as scratch:
        uv = find_uv(Path(scratch))
        for extra in (
            [f"--output-file={dev}", "--group=test", "--group=check", *options],
            [f"--output-file={run}", f"--constraints={dev}", "--upgrade"],
        ):
            subprocess.run([uv, *COMPILE, *extra], cwd=ROOT, env=env, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
