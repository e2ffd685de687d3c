"""What is declared, what is locked and what conda installs are the same."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCKS = ("run", "dev")
CONDA_TO_PYPI = {
    "playwright-python": "playwright",
    "python-tzdata": "tzdata",
    "redis-py": "redis",
}

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def declared(*groups: str) -> dict[str, Requirement]:
    """Gives the requirements of the project and of dependency groups by name."""
    lines = list(PYPROJECT["project"]["dependencies"])
    for group in groups:
        lines += PYPROJECT["dependency-groups"][group]
    return {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}


def lock_text(lock: str) -> str:
    return (ROOT / "deploy" / "locks" / f"{lock}.txt").read_text()


def pins(lock: str) -> dict[str, str]:
    """Gives the version and marker that a lock has for each package."""
    found = re.findall(r"^([\w.-]+)==(.+?) *\\$", lock_text(lock), re.MULTILINE)
    assert len(found) == len(dict(found)), "one version for every Python and platform"
    return dict(found)


def versions(lock: str) -> dict[str, str]:
    """Gives the versions alone: one that more packages ask for has a wider marker."""
    return {name: pin.split()[0] for name, pin in pins(lock).items()}


def conda_requirements() -> dict[str, Requirement]:
    """Gives what environment.yml asks of conda-forge and, in its pip section, of PyPI."""
    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    from_pip = next(entry["pip"] for entry in entries if isinstance(entry, dict))
    lines = [entry for entry in (*entries, *from_pip) if isinstance(entry, str)]
    requirements = [Requirement(line) for line in lines if line != "-e ."]
    names = [canonicalize_name(requirement.name) for requirement in requirements]
    return {
        CONDA_TO_PYPI.get(name, name): requirement
        for name, requirement in zip(names, requirements, strict=True)
    }


def bounds(requirements: dict[str, Requirement]) -> dict[str, str]:
    return {name: str(requirement.specifier) for name, requirement in requirements.items()}


def test_conda_installs_what_the_project_declares() -> None:
    expected = bounds(declared("test", "check"))
    expected["python"] = PYPROJECT["project"]["requires-python"]
    found = bounds(conda_requirements())
    del found["pip"]
    assert found == expected


def test_every_dependency_has_a_lower_bound() -> None:
    unbounded = [name for name, bound in bounds(declared("test", "check", "build")).items()
                 if not bound.startswith(">=")]  # fmt: skip
    assert unbounded == []


def test_every_runtime_dependency_has_its_reason() -> None:
    source = (ROOT / "pyproject.toml").read_text()
    for line in PYPROJECT["project"]["dependencies"]:
        assert re.search(rf'#.*\n *"{re.escape(line)}",|"{re.escape(line)}", *# \w', source), line


@pytest.mark.parametrize(
    ("lock", "groups"), [("run", ["build"]), ("dev", ["build", "test", "check"])]
)
def test_a_lock_holds_what_is_declared(lock: str, groups: list[str]) -> None:
    pinned = versions(lock)
    stale = [
        name
        for name, requirement in declared(*groups).items()
        if name not in pinned or pinned[name] not in requirement.specifier
    ]
    assert stale == [], "run: make lock"


def test_what_is_tested_is_what_runs() -> None:
    run, dev = versions("run"), versions("dev")
    assert {name: dev.get(name) for name in run} == run


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_registry(lock: str) -> None:
    options = re.findall(r"^ *--(?!hash=sha256:[0-9a-f]{64}\b).*", lock_text(lock), re.MULTILINE)
    assert options == []
    assert "://" not in lock_text(lock)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes(lock: str) -> None:
    blocks = re.split(r"^(?=[\w.-]+==)", lock_text(lock), flags=re.MULTILINE)[1:]
    assert [block for block in blocks if "--hash=sha256:" not in block] == []
    assert len(blocks) == len(pins(lock))
