/**
 * What came of all that is wanted: books, measures, and what they tell of a message. Pure. Twin of
 * `dashboard/client/core/books.py`.
 *
 * @typedef {import("./session.js").Action} Action
 * @typedef {import("./session.js").Channel} Channel
 * @typedef {import("./loads.js").Series} Series
 * @typedef {import("./quote_book.js").QuotesMessage} QuotesMessage
 * @typedef {import("./trade_book.js").TradesMessage} TradesMessage
 * @typedef {import("./trades.js").TradeSeries} TradeSeries
 * @typedef {import("./trades.js").TradesChange} TradesChange
 * @typedef {import("./bars.js").BarsMessage} BarsMessage
 * @typedef {import("./bars.js").BarSeries} BarSeries
 * @typedef {import("./bar_book.js").BarsChange} BarsChange
 * @typedef {import("./session.js").SourceStatus} SourceStatus
 */

import {BarBook} from "quotewire/core/bar_book.js";
import {Meter} from "quotewire/core/latency.js";
import {QuoteBook} from "quotewire/core/quote_book.js";
import {Staleness} from "quotewire/core/staleness.js";
import {TradeBook} from "quotewire/core/trade_book.js";

/** @type {Record<string, string>} */
const REASONS = {
  gap: "history does not reach back to where it broke off",
  epoch: "the feed began anew, and how it ended before cannot be known",
};

/** All that is held. */
export class Books {
  /** What is measured, and counted. */
  meter = new Meter();
  /** @type {Map<string, SourceStatus>} what the feed said of its sources, by their names */
  sources = new Map();
  /** @type {Series[]} of which history has to be loaded; whoever loads them empties it */
  needs = [];
  #quotes = new QuoteBook(this.meter.counts);
  #bars = new BarBook(this.meter.counts);
  #trades = new TradeBook(this.meter.counts);
  #staleness = new Staleness();
  #told = "[]";

  get size() {
    return this.#quotes.size + this.#trades.size + this.#bars.size;
  }

  // ---- what comes

  /**
   * @param {number} now_ms
   * @param {QuotesMessage} message
   * @param {{polled?: boolean}} [options]
   * @returns {Action[]}
   */
  quotesCame(now_ms, message, {polled = false} = {}) {
    const quotes = this.#quotes.apply(message, {polled});
    if (!quotes.length) return [];
    const pushed = !(polled || message.snapshot);
    let newest = null;
    for (const quote of quotes) {
      if (this.#staleness.heard(quote.symbol, quote.received_ms)) newest = quote;
    }
    this.meter.applied(now_ms, quotes.length, pushed ? newest : null);
    return [{do: "quotes", quotes, pushed}];
  }

  /** @param {number} now_ms @param {TradesMessage} message */
  tradesCame(now_ms, message) {
    return this.#tradesChanged(now_ms, this.#trades.apply(message));
  }

  /** @param {number} now_ms @param {BarsMessage} message */
  barsCame(now_ms, message) {
    return this.#barsChanged(now_ms, this.#bars.apply(message));
  }

  /**
   * Take history.
   *
   * @param {number} now_ms
   * @param {Series} series
   * @param {BarSeries | TradeSeries} body
   * @param {{start_ms: number | null, end_ms: number | null}} span asked for
   */
  loaded(now_ms, series, body, {start_ms, end_ms}) {
    if (series.channel === "bars") {
      const asked = {start_ms, end_ms};
      const bars = this.#bars.applySeries(/** @type {BarSeries} */ (body), asked);
      return bars ? this.#barsChanged(now_ms, [bars]) : [];
    }
    const trades = this.#trades.applySeries(/** @type {TradeSeries} */ (body));
    return trades ? this.#tradesChanged(now_ms, [trades]) : [];
  }

  /**
   * End a gap that cannot be mended, for the reason that is given.
   *
   * @param {number} now_ms
   * @param {Series} series
   * @param {string} code
   * @param {string} reason
   * @returns {Action[]}
   */
  giveUp(now_ms, {channel, symbol, interval}, code, reason) {
    let found;
    if (channel === "trades") {
      const trades = this.#trades.giveUp(symbol);
      found = trades ? this.#tradesChanged(now_ms, [trades]) : [];
    } else {
      const bars = this.#bars.giveUp(symbol, interval ?? "");
      found = bars ? this.#barsChanged(now_ms, [bars]) : [];
    }
    return found.map((action) => (action.do === "lost" ? {...action, code, reason} : action));
  }

  /**
   * Take how the sources do; nothing is told where that is known.
   *
   * @param {{sources: SourceStatus[]}} message
   * @returns {Action[]}
   */
  statusCame({sources}) {
    const told = JSON.stringify(sources);
    if (told === this.#told) return [];
    this.#told = told;
    this.sources = new Map(sources.map((status) => [status.source, status]));
    this.#staleness.sources(new Map(sources.map(({source, state}) => [source, state])));
    return [{do: "status", sources: this.sources}];
  }

  /** Take what instruments there are. @param {Iterable<import("../protocol.js").SymbolInfo>} symbols */
  symbolsCame(symbols) {
    const known = [...symbols];
    this.#staleness.symbols(new Map(known.map(({symbol, source}) => [symbol, source])));
    const replayed = known.filter(({label}) => label.startsWith("REPLAY"));
    this.meter.replayed = new Set(replayed.map(({symbol}) => symbol));
  }

  /** Take how the connection does. @param {import("./session.js").State} state */
  connection(state) {
    this.#staleness.connection(state);
  }

  /** Take note that nothing is pushed until it is asked for again. */
  unlinked() {
    this.#quotes.unlinked();
    this.#trades.unlinked();
    this.#bars.unlinked();
  }

  /**
   * Let go what is held of something.
   *
   * @param {Channel} channel
   * @param {string | null} interval
   * @param {string} symbol
   */
  forget(channel, interval, symbol) {
    if (channel === "quotes") {
      this.#quotes.forget(symbol);
      this.#staleness.forget(symbol);
    } else if (channel === "trades") this.#trades.forget(symbol);
    else this.#bars.forget(symbol, interval ?? "");
  }

  // ---- what is known

  /** @param {string} symbol */
  quote(symbol) {
    return this.#quotes.quote(symbol);
  }

  /** @param {string} symbol @param {string} interval */
  bars(symbol, interval) {
    return this.#bars.bars(symbol, interval);
  }

  /** @param {string} indicator */
  outputs(indicator) {
    return this.#bars.outputs(indicator);
  }

  /** @param {string} symbol */
  trades(symbol) {
    return this.#trades.tail(symbol);
  }

  /** @param {string} symbol @param {number} now_ms */
  age(symbol, now_ms) {
    return this.#staleness.of(symbol, this.meter.serverMs(now_ms));
  }

  /**
   * Where each of some symbols stands that is held.
   *
   * @param {Channel} channel
   * @param {string | null} interval
   * @param {string[]} symbols
   */
  positions(channel, interval, symbols) {
    if (channel === "quotes") return this.#quotes.positions(symbols);
    if (channel === "trades") return this.#trades.positions(symbols);
    return this.#bars.positions(symbols, interval ?? "");
  }

  /** Whether trades go on from those that are held, or could not. @param {TradeSeries} body */
  reaches(body) {
    return this.#trades.reaches(body);
  }

  /** Whether a series has a gap that history may mend. @param {Series} series */
  hasGap({channel, symbol, interval}) {
    if (channel === "trades") return this.#trades.needsHistory(symbol);
    return this.#bars.needsHistory(symbol, interval ?? "");
  }

  /** @param {string} symbol @param {string} interval */
  isLoaded(symbol, interval) {
    return this.#bars.isLoaded(symbol, interval);
  }

  /** @param {string} symbol @param {string} interval */
  resumeFrom(symbol, interval) {
    return this.#bars.resumeFrom(symbol, interval);
  }

  /** @param {number} now_ms @param {TradesChange[]} changes @returns {Action[]} */
  #tradesChanged(now_ms, changes) {
    /** @type {Action[]} */
    const actions = [];
    const trades = [];
    for (const {symbol, lost, needs_history, trades: told} of changes) {
      if (lost) actions.push(lostAction("trades", symbol, null, lost));
      if (needs_history) this.needs.push({channel: "trades", symbol, interval: null});
      for (const trade of told) trades.push(trade);
    }
    if (trades.length) {
      this.meter.applied(now_ms, trades.length);
      actions.push({do: "trades", trades});
    }
    return actions;
  }

  /** @param {number} now_ms @param {BarsChange[]} changes @returns {Action[]} */
  #barsChanged(now_ms, changes) {
    /** @type {Action[]} */
    const actions = [];
    for (const {symbol, interval, reset, since_ms, finals, lost, needs_history} of changes) {
      if (lost) actions.push(lostAction("bars", symbol, interval, lost));
      if (needs_history || lost === "epoch") this.needs.push({channel: "bars", symbol, interval});
      if (since_ms !== null || finals.length) {
        actions.push({do: "bars", symbol, interval, reset, since_ms, finals});
        this.meter.applied(now_ms, 1);
      }
    }
    return actions;
  }
}

/**
 * @param {"bars" | "trades"} channel
 * @param {string} symbol
 * @param {string | null} interval
 * @param {string} code
 * @returns {Action}
 */
function lostAction(channel, symbol, interval, code) {
  return {do: "lost", channel, symbol, interval, code, reason: REASONS[code] ?? code};
}
