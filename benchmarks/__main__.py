"""Runs the benchmarks: ``python -m benchmarks [NAME ...]``."""

import argparse
import importlib
import signal
import sys

BENCHMARKS = (
    *("startup", "fanout", "conflation", "latency", "ticks", "memory", "stuck"),
    *("day", "indicators", "simulated", "python_client", "browser_apply", "tabs", "hidden_tab"),
    *("page_load", "panel_cpu", "page_open", "long_day"),
)


def main() -> int:
    """Run those named, else all; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(BENCHMARKS)}")
    names = parser.parse_args().names or BENCHMARKS
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no benchmark named {', '.join(sorted(unknown))}")
    # So that every process started here is stopped, as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    for name in names:
        importlib.import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
