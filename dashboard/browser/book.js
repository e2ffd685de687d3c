/**
 * What is known of every symbol: quotes and bars, whatever way they came. Pure.
 *
 * One ordering rule for push and poll: newer event time wins, equal times go by offset. A poll's
 * answer that was overtaken by a push is late, like any other old datum.
 *
 * @typedef {import("./protocol.js").QuoteRow & import("./protocol.js").QuoteDetails
 *   & {bid: number | null, ask: number | null}} Quote
 * @typedef {import("./protocol.js").Bar} Bar
 *
 * @typedef {object} BarChange
 * @property {boolean} reset everything is new: draw it all
 * @property {number} since_ms start of the earliest bar that changed
 *
 * @typedef {{symbol: string, interval: string, change: BarChange}} SeriesChange
 */

import {Epochs} from "quotewire/epochs.js";
import {compareBars, place} from "quotewire/bars.js";
import {priceAt} from "quotewire/protocol.js";

/** Bars kept of one series; the oldest go first. */
export const MAX_BARS = 5000;

/** Above 0 where `next` is newer than `held`, 0 where it is the same datum, below 0 where older. */
export function compareQuotes(held, next) {
  return next.time_ms - held.time_ms || next.offset - held.offset;
}

export const seriesKey = (symbol, interval) => `${symbol} ${interval}`;

export class Book {
  counts = {received: 0, conflated: 0, duplicates: 0, late: 0};
  /** @type {Map<string, Quote>} */
  #quotes = new Map();
  /** @type {Map<string, {bars: Bar[], loaded: boolean, filled_ms: number | null}>} */
  #series = new Map();
  #quoteEpochs = new Epochs();
  #barEpochs = new Epochs();

  /** @returns {Quote | undefined} */
  quote(symbol) {
    return this.#quotes.get(symbol);
  }

  /** Bars of one series, oldest first; not to be changed. */
  bars(symbol, interval) {
    return this.#series.get(seriesKey(symbol, interval))?.bars ?? [];
  }

  /** Whether the history before the live bars is there. */
  isLoaded(symbol, interval) {
    return this.#series.get(seriesKey(symbol, interval))?.loaded ?? false;
  }

  /**
   * From which bar on history has to be asked for again, null where all of it is wanted.
   *
   * It is the first bar that could still change when history was told last: before it nothing is
   * missing. The last bar that is held would not do: live bars that were pushed since may stand
   * beyond a gap.
   *
   * @returns {number | null} start of that bar
   */
  resumeFrom(symbol, interval) {
    const series = this.#series.get(seriesKey(symbol, interval));
    return series?.loaded ? series.filled_ms : null;
  }

  forgetQuote(symbol) {
    this.#quotes.delete(symbol);
    this.#quoteEpochs.forget(symbol);
  }

  forgetBars(symbol, interval) {
    const key = seriesKey(symbol, interval);
    this.#series.delete(key);
    this.#barEpochs.forget(key);
  }

  /**
   * @param {import("./protocol.js").QuotesMessage} message
   * @returns {Quote[]} those that changed
   */
  applyQuotes({rows, details, snapshot}) {
    const changed = new Map();
    for (const row of rows) {
      const quote = this.#applyQuote(row, details.get(row.symbol), snapshot);
      if (quote) changed.set(row.symbol, quote);
    }
    return [...changed.values()];
  }

  /** A snapshot repeats what is held by its nature; only an update that does is counted. */
  #applyQuote(row, details, snapshot) {
    this.counts.received += 1;
    const entered = details ? this.#quoteEpochs.enter(row.symbol, details.epoch) : "same";
    const held = entered === "new" ? undefined : this.#quotes.get(row.symbol);
    const order = entered === "left" ? -1 : held ? compareQuotes(held, row) : 1;
    if (order < 0) {
      this.counts.late += 1;
      return null;
    }
    if (order === 0) {
      if (!snapshot) this.counts.duplicates += 1;
      if (!details || sameDetails(held, details)) return null;
    } else {
      this.counts.conflated += Math.max(0, changesBetween(held, row) - 1);
    }
    const {decimals = null} = details ?? held ?? {};
    const bid = priceAt(row.last, row.bid_steps, decimals);
    const ask = priceAt(row.last, row.ask_steps, decimals);
    const quote = {...held, ...details, ...row, bid, ask};
    this.#quotes.set(row.symbol, quote);
    return quote;
  }

  /**
   * @param {import("./protocol.js").BarsMessage} message
   * @returns {SeriesChange[]}
   */
  applyBars({interval, rows, epochs}) {
    const changes = new Changes();
    const left = new Set();
    for (const [symbol, epoch] of epochs) {
      const entered = this.#enterSeries(symbol, interval, epoch);
      if (entered === "left") left.add(symbol);
      if (entered === "new") changes.note(symbol, interval, 0, true);
    }
    for (const bar of rows) {
      this.counts.received += 1;
      if (left.has(bar.symbol)) this.counts.late += 1;
      else this.#applyBar(bar, changes);
    }
    return changes.list();
  }

  /**
   * Take the answer to a request for history, or a poll's: both are a stretch of one series.
   *
   * @param {import("./protocol.js").Series} series
   * @param {object} [options]
   * @param {boolean} [options.whole] it reaches back as far as history was asked for
   * @returns {SeriesChange[]}
   */
  applySeries({symbol, interval, epoch, bars}, {whole = false} = {}) {
    const entered = this.#enterSeries(symbol, interval, epoch);
    if (entered === "left") {
      this.counts.late += bars.length;
      return [];
    }
    const changes = new Changes();
    const series = this.#seriesOf(symbol, interval);
    if (entered === "new" || (whole && !series.loaded)) changes.note(symbol, interval, 0, true);
    if (whole) series.loaded = true;
    for (const bar of bars) this.#applyBar(bar, changes, {history: true});
    if (bars.length) series.filled_ms = Math.max(series.filled_ms ?? -Infinity, unsettledFrom(bars));
    return changes.list();
  }

  #enterSeries(symbol, interval, epoch) {
    const key = seriesKey(symbol, interval);
    const entered = this.#barEpochs.enter(key, epoch);
    if (entered === "new") this.#series.set(key, emptySeries());
    return entered;
  }

  #seriesOf(symbol, interval) {
    const key = seriesKey(symbol, interval);
    let series = this.#series.get(key);
    if (!series) this.#series.set(key, (series = emptySeries()));
    return series;
  }

  /** History repeats what is held by its nature; only a push that does is counted. */
  #applyBar(bar, changes, {history = false} = {}) {
    const {symbol, interval, start_ms} = bar;
    const {bars} = this.#seriesOf(symbol, interval);
    const {index, found} = place(bars, start_ms);
    const order = found ? compareBars(bars[index], bar) : 1;
    if (order > 0) {
      bars.splice(index, found ? 1 : 0, bar);
      const inserted = !found && index < bars.length - 1;
      changes.note(symbol, interval, start_ms, inserted);
      if (bars.length > MAX_BARS) bars.shift();
    } else if (!history) {
      this.counts[order === 0 ? "duplicates" : "late"] += 1;
    }
  }
}

class Changes {
  /** @type {Map<string, SeriesChange>} */
  #bySeries = new Map();

  note(symbol, interval, since_ms, reset) {
    const key = seriesKey(symbol, interval);
    const change = this.#bySeries.get(key)?.change ?? {reset: false, since_ms: Infinity};
    change.reset ||= reset;
    change.since_ms = Math.min(change.since_ms, since_ms);
    this.#bySeries.set(key, {symbol, interval, change});
  }

  list() {
    return [...this.#bySeries.values()];
  }
}

/** Offsets count every change, also those that a poll or a reconnect has skipped. */
function changesBetween(held, row) {
  return held ? row.offset - held.offset : row.count;
}

function emptySeries() {
  return {bars: [], loaded: false, filled_ms: null};
}

/** Start of the first bar that may still change; of the last where none may. */
function unsettledFrom(bars) {
  return (bars.find(({final}) => !final) ?? bars.at(-1)).start_ms;
}

function sameDetails(held, details) {
  return Object.entries(details).every(([name, value]) => held[name] === value);
}
