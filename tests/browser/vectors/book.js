import { Book } from "quotewire/book.js";
import { fromWire, seriesFromWire } from "quotewire/protocol.js";

/** Applies a case's messages to a book; tells what each changed and what is held in the end. */
export function run({ steps, bars }) {
  const book = new Book();
  const flat = (list) => list.map(({ change, ...rest }) => ({ ...rest, ...change }));
  const apply = {
    quotes: ({ message }) => ({
      changed: book.applyQuotes(fromWire(message)).map(({ symbol }) => symbol),
    }),
    bars: ({ message }) => ({ changes: flat(book.applyBars(fromWire(message))) }),
    series: ({ body, whole }) => ({
      changes: flat(book.applySeries(seriesFromWire(body), { whole })),
    }),
    resume: ({ symbol, interval }) => ({ changes: book.resumeFrom(symbol, interval) }),
  };
  const told = steps.map((step) => apply[step.apply](step));
  const held = (read) =>
    Object.fromEntries(Object.keys(bars).map((key) => [key, read(...key.split(" "))]));
  const symbols = steps.flatMap(({ message }) =>
    message?.type === "quotes" ? message.rows.map(([symbol]) => symbol) : [],
  );
  return {
    steps: told,
    quotes: Object.fromEntries(symbols.map((symbol) => [symbol, book.quote(symbol)])),
    bars: held((...series) =>
      book.bars(...series).map(({ start_ms, close, final }) => [start_ms, close, final]),
    ),
    loaded: held((...series) => book.isLoaded(...series)),
    counts: book.counts,
  };
}
