"""Runs a command that must not outlive whoever started it.

``python -m feed_server.guard [--remove FOLDER] -- COMMAND [ARG ...]``

The starter holds the other end of this process's standard input. When that closes, because the
starter closed it, ended or was killed, the command is stopped: SIGTERM, and SIGKILL when it is not
gone in time. Where the kernel can (Linux), the command is also killed when this process itself is.
Exits with the command's code. It imports the standard library only, to start fast and stay small.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading

GRACE_S = 4.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _stop_at_end_of_input(command: "subprocess.Popen[bytes]") -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stop(command)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a process: SIGTERM, and SIGKILL when it is not gone in time."""
    process.terminate()
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()


def main(arguments: list[str]) -> int:
    """Run the command line's command; return its exit code."""
    split = arguments.index("--")
    folder = arguments[1] if arguments[:1] == ["--remove"] else None
    try:
        command = subprocess.Popen(
            arguments[split + 1 :],
            stdin=subprocess.DEVNULL,
            # Safe here: no thread runs yet.
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: command.terminate())
        threading.Thread(target=_stop_at_end_of_input, args=(command,), daemon=True).start()
        code = command.wait()
        # As a shell tells it: 128 and the signal's number.
        return code if code >= 0 else 128 - code
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
