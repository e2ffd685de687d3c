"""Sets up .venv from a lock: `python3 deploy/bootstrap.py [run|dev]`.

Every make target begins here, so that a fresh clone needs nothing but Python; a set-up that is
current returns at once. For Linux, macOS and WSL.

It is the one file an old Python may have to read: until it has found a newer one it keeps to the
standard library and the syntax of Python 3.6, which is why some annotations are strings.
"""

import fcntl
import hashlib
import importlib.util
import itertools
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".quotewire"
UNFINISHED = "unfinished"
LOG = ROOT / ".setup.log"
LOCKS = {"run": ROOT / "deploy" / "locks" / "run.txt", "dev": ROOT / "deploy" / "locks" / "dev.txt"}
INPUTS = (*LOCKS.values(), ROOT / "pyproject.toml")

OLDEST = (3, 11)
NEWER_NAMES = ("python3.14", "python3.13", "python3.12", "python3.11")

NO_PIP = "Python cannot make environments with pip; on Debian or Ubuntu: apt install python3-venv"
NETWORK = "cannot reach the package index; check the network, the proxy and, for uv, UV_INDEX_URL"
REASONS = (
    (r"No space left on device", "the disk is full; make room"),
    (r"No module named ensurepip|ensurepip is (disabled|not available)", NO_PIP),
    (
        r"CERTIFICATE_VERIFY_FAILED|invalid peer certificate",
        "the package index's certificate is not trusted; set SSL_CERT_FILE and PIP_CERT to the "
        "file of your network's certificates",
    ),
    (r"Failed to establish a new connection|ConnectTimeout|ReadTimeout|ProxyError", NETWORK),
    (r"error sending request|dns error|tcp connect error|operation timed out", NETWORK),
    (
        r"Hash mismatch for `(?P<name>[\w.-]+)",
        "{name} is not the file that the lock names; the index in use changed it",
    ),
    (
        r"DO NOT MATCH THE HASHES[^\n]*\n\s*(?P<name>[\w.-]+)",
        "{name} is not the file that the lock names; the index in use changed it",
    ),
    (
        r"Because (?P<name>[\w.-]+).*? (has no (usable )?wheels|was not found)"
        r"|No matching distribution found for (?P<pip_name>[\w.-]+)",
        "the index has no {name} for this Python and machine; Python 3.11 to 3.14 on x86-64 or "
        "arm64 is sure to work (make PYTHON=/path/to/python TARGET)",
    ),
)


class SetupError(Exception):
    """What went wrong and what to do about it, in one line."""


def choose_python(
    own: "tuple[str, tuple[int, ...]]",
    others: "Iterable[tuple[str, tuple[int, ...] | None]]",
) -> str:
    """Gives the first interpreter that is new enough, the running one before all others.

    A name on the path may be a shim without an interpreter behind it: its version is None.
    """
    for path, version in itertools.chain([own], others):
        if version is not None and version >= OLDEST:
            return path
    found = ".".join(map(str, own[1][:2]))
    raise SetupError(
        f"Quotewire needs Python 3.11 or newer and found {found}; install one from your system "
        "or python.org, then: make PYTHON=/path/to/python TARGET"
    )


def ask_version(python: str) -> "tuple[int, ...] | None":
    """Asks an interpreter for its version; None when there is none or it does not run."""
    command = [python, "-I", "-S", "-c", "import sys; print(*sys.version_info[:3])"]
    try:
        answer = subprocess.check_output(command, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    return tuple(int(part) for part in answer.split())


def find_newer() -> "Iterable[tuple[str, tuple[int, ...] | None]]":
    """Looks for newer interpreters on the path, asking one only when it comes to that."""
    for name in NEWER_NAMES:
        path = shutil.which(name)
        if path:
            yield path, ask_version(path)


def fingerprint(version: "tuple[int, ...]", contents: "Iterable[bytes]") -> str:
    """Digests all that a set-up depends on."""
    digest = hashlib.sha256(repr(version).encode())
    for content in contents:
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def is_current(stamp: str, level: str, digest: str) -> bool:
    """Tells whether a stamp answers for `level`; the dev lock holds all of the run lock."""
    stamped_level, _, stamped_digest = stamp.partition(" ")
    return stamped_digest == digest and stamped_level in (level, "dev")


def explain(output: str) -> str:
    """Finds in an installer's output what failed and says what to do about it."""
    for pattern, reason in REASONS:
        match = re.search(pattern, output)
        if match:
            names = [name for name in match.groupdict().values() if name]
            return reason.format(name=names[0].rstrip(".") if names else "")
    errors = re.findall(r"^ *(?:error: |(?=\w+Error: ))(.+)$", output, re.MULTILINE | re.IGNORECASE)
    return errors[-1] if errors else "the installer stopped without a reason"


def count_pins(lock: str) -> int:
    """Counts the packages of a lock."""
    return len(re.findall(r"^[\w.-]+==", lock, re.MULTILINE))


def create_commands(uv: "str | None", python: str) -> "list[list[str]]":
    """Gives the commands that make an empty environment."""
    if uv:
        return [[uv, "venv", "--python", python, str(VENV)]]
    return [[python, "-m", "venv", str(VENV)]]


def install_commands(uv: "str | None", lock: Path) -> "list[list[str]]":
    """Gives the commands that fill an environment, with the project itself last.

    Nothing is built except the project, and that with the build tools of the lock.
    """
    if uv:
        install, first = [uv, "pip", "install", "--python", str(PYTHON)], []
    else:
        install = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check"]
        first = [[str(PYTHON), "-m", "ensurepip"]]  # uv's environments come without pip
    return [
        *first,
        [*install, "--require-hashes", "--only-binary", ":all:", "-r", str(lock)],
        [*install, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)],
    ]


def run_logged(commands: "Iterable[list[str]]") -> None:
    """Runs commands with their output in the log; the first failure is explained."""
    # Installers must see this environment only, copy where a hard link cannot be made, and
    # trust the certificates that the rest of the machine trusts.
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    env = {"UV_LINK_MODE": "copy", "UV_SYSTEM_CERTS": "true", **env}
    for command in commands:
        with LOG.open("a+", encoding="utf-8", errors="replace") as log:
            log.write(f"$ {' '.join(command)}\n")
            start = log.tell()
            log.flush()
            code = subprocess.call(command, cwd=str(ROOT), env=env, stdout=log, stderr=log)
            log.seek(start)
            if code:
                raise SetupError(f"{explain(log.read())} (full output: {LOG.name})")


def is_usable(version: "tuple[int, ...] | None", stamp: str) -> bool:
    """Tells whether to install into an environment as it is; a half-done one may be broken."""
    return version is not None and version >= OLDEST and stamp != UNFINISHED


def set_up(uv: "str | None", lock: Path) -> None:
    """Completes the environment, or makes it anew."""
    if not is_usable(ask_version(str(PYTHON)), read_stamp()):
        if VENV.is_symlink() or VENV.is_file():
            VENV.unlink()
        elif VENV.exists():
            shutil.rmtree(str(VENV))
        run_logged(create_commands(uv, sys.executable))
    STAMP.write_text(UNFINISHED)
    run_logged(install_commands(uv, lock))


def set_up_with_any(installers: "list[str | None]", lock: Path) -> None:
    """Tries one installer after the other: uv is fast, but only pip reads pip's configuration."""
    for position, uv in enumerate(installers, 1):
        try:
            set_up(uv, lock)
            break
        except SetupError:
            if position == len(installers):
                raise


def find_installers() -> "list[str | None]":
    """Gives what can install here: the path of uv, None for pip."""
    uv = shutil.which("uv")
    has_pip = importlib.util.find_spec("ensurepip") is not None
    if not (uv or has_pip):
        raise SetupError(NO_PIP)
    return ([uv] if uv else []) + ([None] if has_pip else [])


def read_stamp() -> str:
    """Gives what the last set-up left; empty for an environment that others made, or none."""
    return STAMP.read_text() if STAMP.exists() else ""


def current_digest() -> str:
    """Gives the fingerprint of this checkout, at this place, and its environment."""
    version = ask_version(str(PYTHON)) or ()
    return fingerprint(version, [str(ROOT).encode(), *(path.read_bytes() for path in INPUTS)])


def needs_set_up(level: str) -> bool:
    """Tells whether anything has changed since the last set-up that was finished."""
    stamp = read_stamp()
    return not (stamp and is_current(stamp, level, current_digest()))


def bootstrap(level: str) -> None:
    """Brings .venv to `level`, telling of it only when there is work to do."""
    if not needs_set_up(level):
        return
    with LOG.open("a") as log:
        fcntl.flock(log, fcntl.LOCK_EX)  # another terminal may be at it
        if not needs_set_up(level):
            return
        log.truncate(0)
        start = time.monotonic()
        again = read_stamp() not in ("", UNFINISHED)
        when = "to match the lock" if again else "first time, about a minute"
        print(f"Setting up: installing {count_pins(LOCKS[level].read_text())} packages ({when})")
        sys.stdout.flush()
        set_up_with_any(find_installers(), LOCKS[level])
        STAMP.write_text(f"{level} {current_digest()}")
        print(f"Set up in {time.monotonic() - start:.0f} s")


def main(arguments: "list[str]") -> int:
    """Runs the set-up under a Python that is new enough; the exit code says how it went."""
    level = arguments[0] if arguments else "run"
    try:
        if level not in LOCKS:
            raise SetupError("bootstrap.py takes run or dev, not " + level)
        python = choose_python((sys.executable, sys.version_info[:3]), find_newer())
        if python != sys.executable:
            os.execv(python, [python, __file__, level])
        bootstrap(level)
    except SetupError as error:
        print(f"Set-up failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Set-up interrupted; the next one starts over", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
