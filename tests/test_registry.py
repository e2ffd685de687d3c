import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE

import pytest

from feed_server.errors import ConfigurationError
from feed_server.providers.base import Provider
from feed_server.providers.registry import (
    BUILT_IN,
    ProviderOptions,
    open_provider,
    provider_names,
)
from feed_server.settings import FeedSettings, SourceSettings
from tests.harness import PROJECT

GUIDE = (PROJECT / "docs" / "providers.md").read_text()

Install = Callable[..., None]

GOOD = """
from feed_server.providers.base import Capabilities, Provider

class Acme(Provider):
    name, label, zone, capabilities = "acme", "TEST", "UTC", Capabilities(polls=True)

    def __init__(self, listed):
        self.listed = listed

    async def symbols(self):
        return []

def opened(options):
    return Acme(options.symbols)
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a package with an entry point where Python finds installed ones."""

    def install(
        code: str, name: str = "acme", function: str = "opened", package: str = "acme-quotes"
    ) -> None:
        module = package.replace("-", "_")
        folder = tmp_path / package
        info = folder / f"{module}-1.2.dist-info"
        info.mkdir(parents=True)
        (folder / f"{module}.py").write_text(code)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(
            f"[quotewire.providers]\n{name} = {module}:{function}\n"
        )
        monkeypatch.syspath_prepend(folder)
        monkeypatch.delitem(sys.modules, module, raising=False)

    return install


def options(**settings: object) -> ProviderOptions:
    made = FeedSettings.model_validate(settings)
    return ProviderOptions.from_settings(made)


def refused(name: str, given: ProviderOptions | None = None) -> str:
    with pytest.raises(ConfigurationError) as error:
        open_provider(name, given or options())
    return str(error.value)


def test_options_are_settings_of_the_same_names() -> None:
    names = {field.name for field in dataclasses.fields(ProviderOptions)}
    assert names <= set(SourceSettings.model_fields)
    for prefix in ("twelvedata_", "alphavantage_", "coinbase_", "simulated_"):
        settings = {name for name in SourceSettings.model_fields if name.startswith(prefix)}
        assert settings <= names, "a provider is not told what is set for it"


def test_options_have_the_values_of_the_settings_and_hide_keys() -> None:
    made = options(alphavantage_key="S3CRET", twelvedata_key="H1DDEN", symbols="IBM,AAPL")
    assert made.alphavantage_key == "S3CRET"
    assert made.twelvedata_key == "H1DDEN"
    assert made.symbols == ("IBM", "AAPL")
    assert (made.alphavantage_per_day, made.simulated_symbols) == (25, 50)
    assert "S3CRET" not in repr(made)
    assert "H1DDEN" not in repr(made)


@pytest.mark.parametrize("name", list(BUILT_IN))
async def test_a_built_in_provider_is_opened_by_its_name(name: str) -> None:
    given = options(alphavantage_key="k", twelvedata_key="k", replay_speed=1e6)
    provider = open_provider(name, given)
    await provider.aclose()
    assert isinstance(provider, Provider)
    assert provider.name == name
    (row,) = [line for line in GUIDE.splitlines() if line.startswith(f"| `{name}` |")]
    assert provider.label in row, "the guide tells another label"


def test_only_the_module_of_the_provider_that_is_used_is_imported() -> None:
    code = """
import sys
from feed_server.providers.registry import ProviderOptions, open_provider
from feed_server.settings import FeedSettings
open_provider("alphavantage", ProviderOptions.from_settings(FeedSettings(alphavantage_key="k")))
print(*sorted(name for name in sys.modules if name.startswith("feed_server.providers.")))
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, stdout=PIPE, text=True, timeout=60, check=True
    )
    loaded = {name.split(".")[2] for name in ran.stdout.split()}
    assert "alphavantage" in loaded
    assert not loaded & {"replay", "simulated", "coinbase", "twelvedata"}


@pytest.mark.parametrize(
    ("name", "variable", "site"),
    [
        ("twelvedata", "QUOTEWIRE_TWELVEDATA_KEY", "twelvedata.com"),
        ("alphavantage", "QUOTEWIRE_ALPHAVANTAGE_KEY", "alphavantage.co"),
    ],
)
def test_a_missing_key_is_told_with_its_variable_and_where_to_get_one(
    name: str, variable: str, site: str
) -> None:
    text = refused(name)
    assert variable in text
    assert site in text


@pytest.mark.parametrize(
    ("name", "closest"),
    [("alphavantge", "alphavantage"), ("Coinbase", "coinbase"), ("twelve-data", "twelvedata")],
)
def test_an_unknown_name_is_told_all_there_are_the_closest_first(name: str, closest: str) -> None:
    text = refused(name)
    assert f"there are {closest}, " in text
    assert all(known in text for known in BUILT_IN)


def test_a_provider_of_a_package_is_opened_and_listed(install: Install) -> None:
    install(GOOD)
    provider = open_provider("acme", options(symbols="A,B"))
    assert provider.name == "acme"
    assert vars(provider)["listed"] == ("A", "B")
    assert provider_names() == [*BUILT_IN, "acme"]
    assert "there are acme, " in refused("acm")


def test_a_package_does_not_replace_a_built_in_provider(install: Install) -> None:
    install(GOOD, name="alphavantage")
    assert "QUOTEWIRE_ALPHAVANTAGE_KEY" in refused("alphavantage")
    assert provider_names() == list(BUILT_IN)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import acme_has_no_such_module", "ModuleNotFoundError"),
        ("1 / 0", "ZeroDivisionError"),
        ("def opened(:", "SyntaxError"),
        ("", "AttributeError"),
        ("opened = 1", "TypeError"),
        ("def opened(): ...", "TypeError"),
        ("def opened(options): raise KeyError('ACME_KEY')", "KeyError: 'ACME_KEY'"),
        ("def opened(options): raise ValueError('two\\nlines')", "ValueError: two lines"),
        ("def opened(options): return None", "gave NoneType; expected"),
        ("async def opened(options): ...\nopened = lambda options: opened", "gave function"),
        (GOOD.replace('"acme", "TEST"', '"other", "TEST"'), "calls itself 'other'"),
        (GOOD.replace("async def symbols", "async def instruments"), "TypeError"),
    ],
)
def test_an_entry_point_that_cannot_be_used_is_told_with_its_package(
    install: Install, code: str, why: str
) -> None:
    install(code)
    text = refused("acme")
    assert "provider 'acme' of acme-quotes 1.2 (acme_quotes:opened)" in text
    assert why in text
    assert "\n" not in text, "it is one line"


def test_what_a_package_misses_is_told_in_its_own_words(install: Install) -> None:
    install(
        "from feed_server.errors import ConfigurationError\n"
        "def opened(options): raise ConfigurationError('ACME_KEY is not set')"
    )
    assert refused("acme").endswith("(acme_quotes:opened): ACME_KEY is not set")


def test_a_broken_package_does_not_harm_other_providers(install: Install) -> None:
    install("1 / 0", name="broken", package="broken-quotes")
    install(GOOD)
    assert open_provider("acme", options()).name == "acme"
    assert "broken" in provider_names()


def test_a_name_that_two_packages_claim_is_refused_with_both(install: Install) -> None:
    install(GOOD)
    install(GOOD, package="other-quotes")
    assert "several packages (acme-quotes 1.2, other-quotes 1.2)" in refused("acme")
