import {QuoteBook} from "quotewire/core/quote_book.js";

/** Applies a case's messages; tells which symbols changed, and what is held in the end. */
export function run({steps}) {
  const book = new QuoteBook();
  const does = {
    apply: ({message, polled = false}) => ({
      changed: book.apply(message, {polled}).map(({symbol}) => symbol),
    }),
    forget: ({symbol}) => ({forgotten: book.forget(symbol)}),
    unlinked: () => ({unlinked: book.unlinked()}),
  };
  return {
    steps: steps.map(({event}) => does[event.type](event)),
    quotes: Object.fromEntries(book.quotes()),
    held: book.size,
    counts: {...book.counts},
  };
}
