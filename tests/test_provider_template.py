"""The template of ``docs/providers.md``, installed as a package would be, against its vendor."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from feed_server.errors import (
    ConfigurationError,
    MalformedError,
    ProviderError,
    RateLimitedError,
    UnavailableError,
)
from feed_server.market.events import SessionSnapshot
from feed_server.protocol import Interval
from feed_server.providers.base import Provider
from feed_server.providers.registry import ProviderOptions, open_provider
from feed_server.settings import FeedSettings
from tests.harness import PROJECT
from tests.provider_conformance import Example, conforms
from tests.vendors.http_faults import Answer, Asked, FaultServer

TEMPLATE = PROJECT / "docs" / "templates" / "provider_template.py"
KEY = "ACME-K3Y"
START_S = 1_700_002_800
"""On the hour; the vendor's bars begin here, one a minute."""
HAS = ("A", "B")


class AcmeServer(FaultServer):
    """The vendor that the template tells of."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = {"/quotes": self._quotes, "/bars": self._bars, "/instruments": _instruments}

    def _quotes(self, asked: Asked) -> Answer:
        assert asked.headers["x-acme-key"] == KEY
        told = {
            symbol: {"price": 1.5, "time": START_S} if symbol in HAS else {"error": "who?"}
            for symbol in asked.query["symbols"].split(",")
        }
        return Answer(body=told)

    def _bars(self, asked: Asked) -> Answer:
        if asked.query["symbol"] not in HAS:
            return Answer(status=404, body={"error": "who?"})
        begin, end, step = (int(asked.query[name]) for name in ("from", "to", "step"))
        times = range(START_S + (begin - START_S) // step * step, end, step)
        good = [[time, 1, 2, 0.5, 1.5, 10] for time in times]
        odd = [[START_S + 1, 1, 0, 0, 0, 0], [START_S + 2], None]
        return Answer(body=[*reversed(good), *odd])


def _instruments(_asked: Asked) -> Answer:
    return Answer(body=[{"symbol": symbol, "name": f"{symbol}lpha"} for symbol in HAS])


def entry_line(text: str) -> str:
    """Return what is to be written into a package's ``pyproject.toml``."""
    begin = text.index('[project.entry-points."quotewire.providers"]')
    return text[begin:].splitlines()[1].strip()


@pytest.fixture
def server() -> Iterator[AcmeServer]:
    with AcmeServer() as vendor:
        yield vendor


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: AcmeServer) -> None:
    """Installs it as the template's own words say."""
    package, info = tmp_path / "acme_quotes", tmp_path / "acme_quotes-1.0.dist-info"
    package.mkdir()
    info.mkdir()
    (package / "__init__.py").touch()
    text = TEMPLATE.read_text()
    (package / "provider.py").write_text(text)
    line = entry_line(text)
    (info / "entry_points.txt").write_text(f"[quotewire.providers]\n{line.replace(chr(34), '')}\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-quotes\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    for module in ("acme_quotes", "acme_quotes.provider"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setenv("ACME_KEY", KEY)
    monkeypatch.setenv("ACME_URL", server.url)


@asynccontextmanager
async def opened(**settings: object) -> AsyncIterator[Provider]:
    options = ProviderOptions.from_settings(FeedSettings.model_validate(settings))
    provider = open_provider("acme", options)
    try:
        yield provider
    finally:
        await provider.aclose()


def test_the_guide_names_the_templates_entry_point_and_leads_to_it() -> None:
    guide = (PROJECT / "docs" / "providers.md").read_text()
    assert entry_line(guide) == entry_line(TEMPLATE.read_text())
    assert f"({TEMPLATE.relative_to(PROJECT / 'docs')})" in guide


@pytest.mark.usefixtures("installed")
async def test_the_template_keeps_what_a_provider_promises() -> None:
    hour_ms = Interval.HOUR.ms
    begin_ms = START_S * 1000
    example = Example(
        symbol="A",
        unknown="NOPE",
        now_ms=begin_ms + 10 * hour_ms,
        history={
            Interval.MINUTE: (begin_ms, begin_ms + hour_ms),
            Interval.HOUR: (begin_ms - 1, begin_ms + 9 * hour_ms + 1),
        },
        query="lpha",
    )
    async with opened() as provider:
        await conforms(provider, example)


@pytest.mark.usefixtures("installed")
async def test_the_template_tells_the_newest_bars_where_there_are_too_many() -> None:
    async with opened() as provider:
        end_ms = START_S * 1000 + 2000 * 60_000
        bars = await provider.history("A", Interval.MINUTE, START_S * 1000, end_ms)
        assert len(bars) == provider.capabilities.history_bars
        assert bars.index[-1].timestamp() * 1000 == end_ms - 60_000


@pytest.mark.usefixtures("installed")
async def test_the_template_offers_the_symbols_that_are_set() -> None:
    async with opened(symbols="B") as provider:
        assert [info.symbol for info in await provider.symbols()] == ["B"]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Answer(body="<html>"), MalformedError),
        (Answer(body=b'{"A": {"pri'), MalformedError),
        (Answer(body="7"), MalformedError),
        (Answer(drop=True), UnavailableError),
        (Answer(status=502, body=KEY), UnavailableError),
        (Answer(status=429, headers={"Retry-After": "3"}), RateLimitedError),
    ],
)
async def test_a_faulty_vendor_is_a_provider_error_of_the_template(
    server: AcmeServer, fault: Answer, kind: type[ProviderError]
) -> None:
    server.answers = dict.fromkeys(server.answers, fault)
    async with opened() as provider:
        for asking in (
            provider.symbols(),
            provider.quotes(["A"]),
            provider.history("A", Interval.MINUTE, 0, START_S * 1000),
            provider.search("A"),
        ):
            with pytest.raises(kind) as error:
                await asking
            assert KEY not in str(error.value)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    "told", [None, 7, {}, {"price": 1.5}, {"price": "1.5", "time": START_S}, {"time": START_S}]
)
async def test_one_bad_answer_of_a_batch_harms_no_other(server: AcmeServer, told: object) -> None:
    body = {"A": told, "B": {"price": 2, "time": START_S}}
    server.answers["/quotes"] = Answer(body=body)
    async with opened() as provider:
        found = await provider.quotes(["A", "B"])
    assert isinstance(found["A"], ProviderError)
    assert isinstance(found["B"], SessionSnapshot)


@pytest.mark.usefixtures("installed")
async def test_the_template_says_what_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACME_KEY")
    with pytest.raises(ConfigurationError, match=r"acme-quotes 1\.0 .*: ACME_KEY is not set"):
        async with opened():
            pass
