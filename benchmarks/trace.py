"""What a page's main thread does, by the browser's own trace: task after task."""

import json
import time
from collections import defaultdict
from typing import Any

from benchmarks.chromium import Chromium

MAIN_THREAD = "CrRendererMain"
TASKS = ("ThreadControllerImpl::RunTask", "ThreadPool_RunTask")
CHUNK_BYTES = 4 << 20


def main_thread_tasks_ms(browser: Chromium, seconds: float) -> list[float]:
    """Return how long each task of the busiest page took, by the clock on the wall (ms).

    Args:
        browser: Its other pages do little meanwhile.
        seconds: For how long to look.
    """
    events = _trace(browser, seconds)
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == MAIN_THREAD
    }
    tasks: dict[tuple[int, int], list[float]] = defaultdict(list)
    for event in events:
        thread = event["pid"], event.get("tid", 0)
        if event["ph"] == "X" and event["name"] in TASKS and thread in mains:
            tasks[thread].append(event["dur"] / 1000)
    return max(tasks.values(), key=sum)


def _trace(browser: Chromium, seconds: float) -> list[dict[str, Any]]:
    browser.ask(
        "Tracing.start",
        traceConfig={"includedCategories": ["toplevel"], "recordMode": "recordAsMuchAsPossible"},
        transferMode="ReturnAsStream",
    )
    time.sleep(seconds)
    browser.ask("Tracing.end")
    stream = browser.await_event("Tracing.tracingComplete")["stream"]
    text = []
    while True:
        read = browser.ask("IO.read", handle=stream, size=CHUNK_BYTES)
        text.append(read["data"])
        if read["eof"]:
            break
    events: list[dict[str, Any]] = json.loads("".join(text))["traceEvents"]
    return events
