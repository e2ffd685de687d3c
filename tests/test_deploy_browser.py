"""How deploy/browser.py finds browsers, with scripts in their place."""

from pathlib import Path

import pytest

from deploy import browser


def make_browser(path: Path, exit_code: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nexit {exit_code}\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without any browser, not in CI, on which nothing can be installed."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "cache"))
    monkeypatch.delenv("QUOTEWIRE_CHROMIUM", raising=False)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(browser, "obtain", lambda _: False)


@pytest.mark.parametrize("name", list(browser.WANTED))
def test_nothing_is_found_on_a_bare_machine(name: str) -> None:
    assert browser.main(["--has", name]) == 1


def test_the_browser_asked_for_comes_before_the_one_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    on_path = make_browser(tmp_path / "bin" / "chromium")
    assert browser.find_chromium() == on_path
    wanted = make_browser(tmp_path / "own" / "chrome")
    monkeypatch.setenv("QUOTEWIRE_CHROMIUM", str(wanted))
    assert browser.find_chromium() == wanted


def test_one_without_windows_comes_before_a_whole_one(tmp_path: Path) -> None:
    make_browser(tmp_path / "bin" / "chromium")
    small = make_browser(tmp_path / "bin" / "chromium-headless-shell")
    assert browser.find_chromium() == small


def test_asking_for_a_browser_that_is_not_there_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_browser(tmp_path / "bin" / "chromium")
    monkeypatch.setenv("QUOTEWIRE_CHROMIUM", "/nowhere/chrome")
    with pytest.raises(FileNotFoundError, match="/nowhere/chrome"):
        browser.find_chromium()


def test_a_browser_that_does_not_start_gives_way_to_playwrights_own(tmp_path: Path) -> None:
    make_browser(tmp_path / "bin" / "chromium", exit_code=127)
    own = make_browser(tmp_path / "cache" / "chromium-1200" / "chrome-linux64" / "chrome")
    assert browser.find_chromium() == own


def test_firefox_is_found_under_the_name_that_debian_gives_it(tmp_path: Path) -> None:
    make_browser(tmp_path / "bin" / "firefox-esr")
    assert browser.main(["--has", "firefox"]) == 0


def test_webkit_needs_a_driver_and_a_screen(tmp_path: Path) -> None:
    make_browser(tmp_path / "bin" / "WebKitWebDriver")
    assert browser.find_webkit() is None
    make_browser(tmp_path / "bin" / "Xvfb")
    assert browser.find_webkit() is not None


@pytest.mark.parametrize(("ci", "code"), [(None, 0), ("true", 1)])
def test_a_missing_browser_is_said_and_in_ci_an_error(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    ci: str | None,
    code: int,
) -> None:
    make_browser(tmp_path / "bin" / "firefox")
    if ci:
        monkeypatch.setenv("CI", ci)
    assert browser.main([]) == code
    said = capsys.readouterr().err.splitlines()
    assert said == [browser.WANTED[name].missing for name in ("chromium", "webkit")]
