"""The browser's machine and book, driven by the vectors that any client must pass, in Chromium."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

VECTORS = Path(__file__).parents[1] / "vectors"

pytestmark = pytest.mark.browser

RUN_MACHINE = """
async ({mode, random, steps}) => {
  const {Machine} = await import("quotewire/machine.js");
  const draws = [...random];
  const machine = new Machine({mode, random: () => draws.shift()});
  return steps.map(({at_ms, event}) => {
    const actions = machine.step(at_ms, event).map(({reason, ...action}) => action);
    return {actions, deadline_ms: machine.deadline()};
  });
}
"""

RUN_BOOK = """
async ({steps, bars}) => {
  const {Book} = await import("quotewire/book.js");
  const {fromWire, seriesFromWire} = await import("quotewire/protocol.js");
  const book = new Book();
  const flat = (list) => list.map(({change, ...rest}) => ({...rest, ...change}));
  const apply = {
    quotes: ({message}) => book.applyQuotes(fromWire(message)).map(({symbol}) => symbol),
    bars: ({message}) => flat(book.applyBars(fromWire(message))),
    series: ({body, whole}) => flat(book.applySeries(seriesFromWire(body), {whole})),
    resume: ({symbol, interval}) => book.resumeFrom(symbol, interval),
  };
  const changes = steps.map((step) => apply[step.apply](step));
  const held = (read) => Object.fromEntries(
    Object.keys(bars).map((key) => [key, read(...key.split(" "))]));
  const symbols = steps.flatMap(({message}) =>
    message?.type === "quotes" ? message.rows.map(([symbol]) => symbol) : []);
  return {
    changes,
    quotes: Object.fromEntries(symbols.map((symbol) => [symbol, book.quote(symbol)])),
    bars: held((...series) =>
      book.bars(...series).map(({start_ms, close, final}) => [start_ms, close, final])),
    loaded: held((...series) => book.isLoaded(...series)),
    counts: book.counts,
  };
}
"""


def cases(name: str) -> list[Any]:
    vectors = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["name"]) for case in vectors["cases"]]


@pytest.mark.parametrize("case", cases("machine"))
def test_machine(blank_page: Page, case: dict[str, Any]) -> None:
    told = blank_page.evaluate(RUN_MACHINE, case)
    expected = [{key: step[key] for key in ("actions", "deadline_ms")} for step in case["steps"]]
    assert told == expected


@pytest.mark.parametrize("case", cases("book"))
def test_book(blank_page: Page, case: dict[str, Any]) -> None:
    told = blank_page.evaluate(RUN_BOOK, case)
    assert told["changes"] == [step.get("changed", step.get("changes")) for step in case["steps"]]
    for symbol, fields in case["quotes"].items():
        assert {name: told["quotes"][symbol][name] for name in fields} == fields
    assert told["bars"] == case["bars"]
    assert told["loaded"] == case.get("loaded", told["loaded"])
    assert told["counts"] == case.get("counts", told["counts"])
