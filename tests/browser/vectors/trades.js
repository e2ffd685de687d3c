import {TradeBook} from "quotewire/core/trade_book.js";
import {Counts} from "quotewire/core/latency.js";

const told = (change) => ({
  ...change,
  trades: change.trades.map((t) => [t.offset, t.price, t.time_ms, t.received_ms]),
});

/** Takes a case through a book; tells what changed, and what is held in the end. */
export function run({steps, most = 500, tails = {}, positions = {}}) {
  const book = new TradeBook(new Counts(), most);
  const does = {
    push: ({message}) => book.apply(message),
    load: ({body}) => [book.applySeries(body)],
    give_up: ({symbol}) => [book.giveUp(symbol)],
    forget: ({symbol}) => [book.forget(symbol)],
    unlinked: () => [book.unlinked()],
  };
  return {
    steps: steps.map(({event}) => ({changes: does[event.type](event).filter(Boolean).map(told)})),
    tails: Object.fromEntries(
      Object.keys(tails).map((symbol) => [symbol, book.tail(symbol).map(({offset}) => offset)]),
    ),
    positions: book.positions(Object.keys(positions)),
    held: book.size,
    counts: {...book.counts},
  };
}
