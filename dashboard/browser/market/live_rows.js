/** The rows of a list, live: of a long list those that are in view and as many as a page gets. */

import {liveSymbols} from "quotewire/market/rows_in_view.js";
import {pathsOf} from "quotewire/session_paths.js";

/** @typedef {import("./columns.js").Row} Row */
/** @typedef {import("../protocol.js").SymbolInfo} SymbolInfo */

/** Symbols that are live at a time. A feed usually gives a connection 1,000; some are for charts. */
export const MOST_LIVE = 900;
/** After the last turn of the wheel, before the feed is asked for what is in view. */
const WAIT_MS = 150;

export class LiveRows {
  /** @type {Map<string, Row>} in the order of their list */
  #rows = new Map();
  /** Of all that were among them: a filter hides them for a while. @type {Map<string, import("../core/quote_book.js").Quote>} */
  #quotes = new Map();
  #connection;
  #onQuotes;
  #first = "";
  #beside = "";
  #endFirst = () => {};
  #endBeside = () => {};
  /** @type {number | undefined} */
  #timer;

  /**
   * @param {import("../connection.js").Connection} connection
   * @param {(symbols: Set<string>) => void} onQuotes hears which rows have changed
   * @param {(end: () => void) => void} until
   */
  constructor(connection, onQuotes, until) {
    this.#connection = connection;
    this.#onQuotes = onQuotes;
    until(() => this.#endFirst());
    until(() => this.#endBeside());
    until(() => clearTimeout(this.#timer));
  }

  /** @returns {Row[]} */
  get all() {
    return [...this.#rows.values()];
  }

  /** How many are not live unless they are in view. */
  get over() {
    return Math.max(0, this.#rows.size - MOST_LIVE);
  }

  /** Rows that stay keep what is known of them. @param {SymbolInfo[]} infos */
  show(infos) {
    const before = this.#rows;
    this.#rows = new Map(infos.map((info) => {
      const quote = this.#quotes.get(info.symbol) ?? null;
      const known = before.get(info.symbol) ?? {quote, age_ms: null, isStale: false};
      return [info.symbol, {...known, info}];
    }));
    this.#want([]);
  }

  /** @param {string[]} symbols */
  see(symbols) {
    if (!this.over) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#want(symbols), WAIT_MS);
  }

  tick() {
    for (const row of this.#rows.values()) this.#age(row);
  }

  /** The connection forgets who is hidden: what is still known here is old until another quote comes. @param {Row} row */
  #age(row) {
    const {quote, info: {symbol}} = row;
    const {state, age_ms} = this.#connection.freshness(symbol);
    row.age_ms = quote && state === "unknown" ? this.#connection.ageOf(quote) : age_ms;
    row.isStale = quote !== null && (state === "stale" || state === "unknown");
  }

  /** What stays is asked for all the time: the new before the old is given back. @param {string[]} inView */
  #want(inView) {
    const {first, beside} = liveSymbols([...this.#rows.keys()], inView, MOST_LIVE);
    if (first.join() !== this.#first) {
      this.#first = first.join();
      const end = this.#endFirst;
      this.#endFirst = this.#subscribe(first);
      end();
    }
    if (beside.join() === this.#beside) return;
    this.#beside = beside.join();
    const end = this.#endBeside;
    this.#endBeside = this.#subscribe(beside);
    end();
  }

  /** @param {string[]} symbols */
  #subscribe(symbols) {
    if (!symbols.length) return () => {};
    const paths = pathsOf(this.#connection);
    return this.#connection.subscribeQuotes(symbols, (quotes) => {
      for (const quote of quotes) {
        const row = this.#rows.get(quote.symbol);
        if (row) {
          row.quote = quote;
          this.#age(row);
        }
        this.#quotes.set(quote.symbol, quote);
        paths.add(quote);
      }
      this.#onQuotes(new Set(quotes.map(({symbol}) => symbol)));
    });
  }
}
