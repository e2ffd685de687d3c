/**
 * Bars as a client keeps them: series for charts, and every final bar once, in order. Pure.
 *
 * Several bars of a series can be open at once: one that has ended is amended by late trades until
 * it is final. That a final bar is missing is told by `recovered: false`, or by a new epoch. While
 * such a gap is open, final bars are held back, until `applySeries` mends it or `giveUp` ends it.
 * Who subscribes to a series that is held must say `since`. Twin of
 * `dashboard/client/core/bar_book.py`.
 *
 * @typedef {import("./bars.js").Bar} Bar
 * @typedef {import("./bars.js").BarSeries} BarSeries
 * @typedef {import("./bars.js").BarsMessage} BarsMessage
 * @typedef {import("./bar_series.js").Placed} Placed
 * @typedef {import("./bar_series.js").Told} Told
 * @typedef {import("./quote_book.js").Position} Position
 *
 * @typedef {object} BarsChange what came of one series
 * @property {string} symbol
 * @property {string} interval
 * @property {boolean} reset whether bars before the last ones changed, too: draw all
 * @property {number | null} since_ms start of the earliest bar that changed; 0 where all did, null
 *   where none did
 * @property {Bar[]} finals bars that became final, in order of their start, each once. Where the
 *   feed began anew at an earlier time they begin anew, too. One that came without its indicators
 *   does not come again when they do.
 * @property {boolean} needs_history whether there is a gap that history has to mend: load
 *   `/api/bars` from `resumeFrom` on and `applySeries` it, or `giveUp`
 * @property {import("./trades.js").Lost | null} lost some final bars are missing for good: before
 *   these, between them, or right after
 */

import {NOTHING, Series} from "quotewire/core/bar_series.js";
import {loadedBars, pushedBars} from "quotewire/core/bars.js";
import {Counts} from "quotewire/core/latency.js";
import {Epochs} from "quotewire/core/ordering.js";

/** Bars kept of one series; the oldest go first. */
export const MAX_BARS = 5000;

/** @type {Placed} */
const ALL = Object.freeze({reset: true, since_ms: 0});
/** @type {Placed} */
const NONE = Object.freeze({reset: false, since_ms: null});

/** The bars of every symbol and interval that is followed. */
export class BarBook {
  /** @type {Map<string, Series>} */
  #series = new Map();
  #epochs = new Epochs();
  /** @type {Map<string, string[]>} */
  #outputs = new Map();
  #most;

  /**
   * @param {Counts} [counts] where bars and gaps are counted
   * @param {number} [max_bars] bars kept of one series
   */
  constructor(counts = new Counts(), max_bars = MAX_BARS) {
    this.counts = counts;
    this.#most = max_bars;
  }

  get size() {
    return this.#series.size;
  }

  /**
   * Take what was pushed.
   *
   * @param {BarsMessage} message
   * @returns {BarsChange[]} one for each series that changed
   */
  apply(message) {
    const {epochs = {}, offsets = {}, recovered = {}} = message;
    /** @type {Map<string, Bar[]>} */
    const told = new Map();
    for (const bySymbol of [epochs, offsets, recovered]) {
      for (const symbol of Object.keys(bySymbol)) told.set(symbol, []);
    }
    for (const bar of pushedBars(message)) {
      const bars = told.get(bar.symbol);
      if (bars) bars.push(bar);
      else told.set(bar.symbol, [bar]);
    }
    this.counts.received += message.rows.length;
    return [...told].flatMap(([symbol, bars]) => this.#push(symbol, bars, message) ?? []);
  }

  /**
   * Take history, or the answer to a poll.
   *
   * The first one of a series only says where it stands: none of its bars is new. A later one tells
   * those that became final, mends the gap if there is one, or says that something is lost. Where it
   * ends before the gap does, history is needed once more.
   *
   * @param {BarSeries} body
   * @param {object} [asked]
   * @param {number | null} [asked.start_ms] the start it was asked for from; null where the newest
   *   were asked for, however far back: this makes a series loaded
   * @param {number | null} [asked.end_ms] the end it was asked for to: such a page of older bars says
   *   nothing of the newest
   * @returns {BarsChange | null}
   */
  applySeries(body, {start_ms = null, end_ms = null} = {}) {
    const {symbol, interval, epoch, offset, indicators = {}} = body;
    const bars = loadedBars(body);
    for (const [name, outputs] of Object.entries(indicators)) {
      this.#outputs.set(name, Object.keys(outputs));
    }
    const {series, entered} = this.#enter(symbol, interval, epoch, {loaded: true});
    if (entered === "left") {
      this.counts.late += bars.length;
      return change(symbol, interval, NONE, {...NOTHING, needs_history: series.gap_end !== null});
    }
    const whole = start_ms === null && end_ms === null;
    const put = series.put(bars, {history: true});
    const placed = entered === "new" || (whole && !series.is_loaded) ? ALL : put;
    series.is_loaded ||= whole;
    const told = end_ms === null ? series.join(bars, offset, coveredFrom(body, start_ms)) : NOTHING;
    series.trim(this.#most);
    return change(symbol, interval, placed, told);
  }

  /**
   * End a gap that cannot be mended.
   *
   * @param {string} symbol
   * @param {string} interval
   * @returns {BarsChange | null} null where there is none
   */
  giveUp(symbol, interval) {
    const series = this.#series.get(keyOf(symbol, interval));
    if (!series || series.gap_end === null) return null;
    return change(symbol, interval, NONE, series.close(false));
  }

  /** Take note that a link has ended: until the next, what is polled is all there is. */
  unlinked() {
    for (const series of this.#series.values()) {
      series.pushed = series.epoch;
      series.live = false;
    }
  }

  /** Know nothing of a series any more; what still arrives of it is late.
   * @param {string} symbol @param {string} interval */
  forget(symbol, interval) {
    const key = keyOf(symbol, interval);
    this.#series.delete(key);
    this.#epochs.forget(key);
  }

  /** @param {string} symbol @param {string} interval @returns {readonly Bar[]} oldest first */
  bars(symbol, interval) {
    return this.#series.get(keyOf(symbol, interval))?.bars ?? [];
  }

  /** @param {string} indicator @returns {string[]} names of its outputs, once history told them */
  outputs(indicator) {
    return this.#outputs.get(indicator) ?? [];
  }

  /** Whether the history before the live bars is held; a new epoch forgets it.
   * @param {string} symbol @param {string} interval */
  isLoaded(symbol, interval) {
    return this.#series.get(keyOf(symbol, interval))?.is_loaded ?? false;
  }

  /** Whether a gap of the series is open. @param {string} symbol @param {string} interval */
  needsHistory(symbol, interval) {
    return (this.#series.get(keyOf(symbol, interval))?.gap_end ?? null) !== null;
  }

  /**
   * From which bar on history has to be asked for, so that no bar is missed.
   *
   * Where history is held it is the first bar that could still change when it was told last: the
   * newest that is held would not do, for it may stand beyond a gap. Else it is what follows the
   * last final bar that was told.
   *
   * @param {string} symbol
   * @param {string} interval
   * @returns {number | null} null where nothing is known
   */
  resumeFrom(symbol, interval) {
    return this.#series.get(keyOf(symbol, interval))?.resumeFrom() ?? null;
  }

  /**
   * @param {Iterable<string>} symbols
   * @param {string} interval
   * @returns {Record<string, Position>} where each that is held stands: for `since`
   */
  positions(symbols, interval) {
    /** @type {Record<string, Position>} */
    const positions = {};
    for (const symbol of symbols) {
      const {epoch = "", offset = null} = this.#series.get(keyOf(symbol, interval)) ?? {};
      if (epoch && offset !== null) positions[symbol] = [epoch, offset];
    }
    return positions;
  }

  /**
   * Take one series' part of a message.
   *
   * @param {string} symbol
   * @param {Bar[]} bars
   * @param {BarsMessage} message
   * @returns {BarsChange | null}
   */
  #push(symbol, bars, {interval, epochs = {}, offsets = {}, recovered = {}}) {
    const epoch = epochs[symbol] ?? null;
    if (epoch === null && !this.#series.has(keyOf(symbol, interval))) {
      this.counts.late += bars.length;
      return null;
    }
    const {series, entered} = this.#enter(symbol, interval, epoch);
    series.pushed = epoch || series.pushed;
    if (series.pushed !== series.epoch) {
      this.counts.late += bars.length;
      return null;
    }
    const is_new = entered === "new";
    const put = series.put(bars);
    let told = series.push(bars, offsets[symbol] ?? null, {
      is_new,
      recovered: recovered[symbol] ?? true,
    });
    if (series.gap_end !== null && series.overflows(this.#most)) told = series.close(false);
    series.trim(this.#most);
    return change(symbol, interval, is_new ? ALL : put, told);
  }

  /**
   * The series that data of an epoch is of, and how the epoch stands to it.
   *
   * @param {string} symbol
   * @param {string} interval
   * @param {string | null} epoch
   * @param {{loaded?: boolean}} [options] `loaded`: it came over HTTP
   * @returns {{series: Series, entered: import("./ordering.js").Entered}}
   */
  #enter(symbol, interval, epoch, {loaded = false} = {}) {
    const key = keyOf(symbol, interval);
    let series = this.#series.get(key);
    // While a link tells of it, the link alone says which epoch is in force.
    if (loaded && epoch && series?.live && series.epoch !== epoch) return {series, entered: "left"};
    const entered = epoch ? this.#epochs.enter(key, epoch) : "same";
    if (!series) {
      series = new Series(epoch ?? "", this.counts);
      this.#series.set(key, series);
    } else if (entered === "new") {
      series = series.renewed(epoch ?? "");
      this.#series.set(key, series);
    } else if (entered === "first") {
      series.epoch = series.pushed = epoch ?? "";
    }
    return {series, entered};
  }
}

/** @param {string} symbol @param {string} interval */
function keyOf(symbol, interval) {
  return `${symbol} ${interval}`;
}

/**
 * From which start on history has every bar, or says that there is no other.
 *
 * @param {BarSeries} body
 * @param {number | null} start_ms
 */
function coveredFrom({more = false, note = null, start_ms: starts}, start_ms) {
  if (!more && note === null) return start_ms ?? 0;
  return starts[0] ?? Infinity;
}

/**
 * @param {string} symbol
 * @param {string} interval
 * @param {Placed} placed
 * @param {Told} told
 * @returns {BarsChange | null} null where nothing changed
 */
function change(symbol, interval, placed, told) {
  const {finals, needs_history, lost} = told;
  if (placed.since_ms === null && !finals.length && !needs_history && !lost) return null;
  return {symbol, interval, ...placed, finals, needs_history, lost};
}
