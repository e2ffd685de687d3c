import {BarBook} from "quotewire/core/bar_book.js";
import {Counts} from "quotewire/core/latency.js";

const told = (change) => ({
  ...change,
  finals: change.finals.map(({start_ms, close}) => [start_ms, close]),
});

/** Takes a case through a book; tells what changed, and what is held in the end. */
export function run({steps, bars = {}, outputs = {}, most = 5000}) {
  const book = new BarBook(new Counts(), most);
  const held = (read) =>
    Object.fromEntries(Object.keys(bars).map((key) => [key, read(...key.split(" "))]));
  const does = {
    push: ({message}) => book.apply(message),
    load: ({body, start_ms, end_ms}) => [book.applySeries(body, {start_ms, end_ms})],
    give_up: ({symbol, interval}) => [book.giveUp(symbol, interval)],
    forget: ({symbol, interval}) => [book.forget(symbol, interval)],
    unlinked: () => [book.unlinked()],
  };
  return {
    steps: steps.map(({event}) => ({
      changes: does[event.type](event).filter(Boolean).map(told),
      resume: held((...key) => book.resumeFrom(...key)),
    })),
    bars: held((...key) =>
      book.bars(...key).map(({start_ms, close, final}) => [start_ms, close, final]),
    ),
    indicators: held((...key) => book.bars(...key).map(({indicators}) => indicators)),
    outputs: Object.fromEntries(Object.keys(outputs).map((name) => [name, book.outputs(name)])),
    loaded: held((...key) => book.isLoaded(...key)),
    needs: held((...key) => book.needsHistory(...key)),
    positions: held((symbol, interval) => book.positions([symbol], interval)[symbol] ?? null),
    held: book.size,
    counts: {...book.counts},
  };
}
