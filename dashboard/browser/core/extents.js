/**
 * How far back the bars of each series were loaded, and with what; how far is wanted. Pure. Twin of
 * `dashboard/client/core/extents.py`.
 *
 * @typedef {import("./bars.js").BarSeries} BarSeries
 * @typedef {import("./loads.js").Series} Series
 *
 * @typedef {object} Extent of one series
 * @property {string[]} indicators
 * @property {boolean} has_older
 * @property {number} reach how many bars were asked for beside what is wanted
 */

import {MAX_BARS} from "quotewire/core/bar_book.js";

/** Of all series. */
export class Extents {
  #wanted;
  #books;
  /** @type {Map<string, Extent>} */
  #extents = new Map();

  /**
   * @param {import("./subscriptions.js").Subscriptions} wanted
   * @param {import("./books.js").Books} books
   */
  constructor(wanted, books) {
    this.#wanted = wanted;
    this.#books = books;
  }

  get size() {
    return this.#extents.size;
  }

  /** Know nothing of a series any more. @param {string} symbol @param {string | null} interval */
  forget(symbol, interval) {
    this.#extents.delete(keyOf(symbol, interval));
  }

  // ---- what is to be loaded

  /** Whether all the history that is wanted of bars has to be loaded. @param {Series} series */
  isFirst({symbol, interval}) {
    if (interval === null || !this.#wanted.history(interval, symbol)) return false;
    const have = this.#extents.get(keyOf(symbol, interval))?.indicators;
    const names = this.#wanted.indicators(interval, symbol);
    const lacks = !have || !names.every((name) => have.includes(name));
    return lacks || !this.#books.isLoaded(symbol, interval);
  }

  /**
   * How many bars are wanted before the live ones, or were asked for.
   *
   * @param {string} symbol
   * @param {string} interval
   */
  goal(symbol, interval) {
    const reach = this.#extents.get(keyOf(symbol, interval))?.reach ?? 0;
    return Math.min(MAX_BARS, Math.max(this.#wanted.history(interval, symbol), reach));
  }

  /**
   * Want so many bars before those that are held; to say so twice does not add up.
   *
   * @param {string} symbol
   * @param {string} interval
   * @param {number} bars
   */
  extend(symbol, interval, bars) {
    const extent = this.#extents.get(keyOf(symbol, interval));
    if (extent) extent.reach = this.#books.bars(symbol, interval).length + bars;
  }

  /**
   * Whether there may be bars before the earliest that is held, and room for them.
   *
   * @param {string} symbol
   * @param {string} interval
   */
  hasOlder(symbol, interval) {
    const hasOlder = this.#extents.get(keyOf(symbol, interval))?.has_older ?? false;
    const held = this.#books.bars(symbol, interval).length;
    return hasOlder && this.#books.isLoaded(symbol, interval) && held > 0 && held < MAX_BARS;
  }

  /**
   * What is older of those series that do not reach as far back as they should.
   *
   * @param {Series[]} found
   * @returns {Series[]}
   */
  short(found) {
    return found
      .filter(({interval}) => interval !== null)
      .map((series) => ({...series, older: true}))
      .filter((series) => this.missing(series) > 0);
  }

  /** How many bars a series is short of. @param {Series} series */
  missing({symbol, interval}) {
    if (interval === null || !this.hasOlder(symbol, interval)) return 0;
    const held = this.#books.bars(symbol, interval).length;
    return Math.max(0, this.goal(symbol, interval) - held);
  }

  /** Up to which start bars are older than those held; there must be some. @param {Series} series */
  endOf({symbol, interval}) {
    return this.#books.bars(symbol, interval ?? "")[0].start_ms - 1;
  }

  // ---- what came

  /**
   * Take note of what was asked for, and whether there was more, of the newest bars.
   *
   * @param {Series} series
   * @param {string[]} indicators
   * @param {boolean} more
   */
  loaded({symbol, interval}, indicators, more) {
    const key = keyOf(symbol, interval);
    const reach = this.#extents.get(key)?.reach ?? 0;
    this.#extents.set(key, {indicators, has_older: more, reach});
  }

  /** Whether older bars are of the epoch of those that are held. @param {BarSeries} body */
  isOf({symbol, interval, epoch}) {
    if (!this.#books.isLoaded(symbol, interval)) return false;
    if (!this.#books.bars(symbol, interval).length) return false;
    const [held = ""] = this.#books.positions("bars", interval, [symbol])[symbol] ?? [];
    return epoch === held;
  }

  /**
   * Take note of what was told of older bars. Where there were none it was the end, unless the source
   * could not tell them now.
   *
   * @param {Series} series
   * @param {BarSeries} body
   */
  olderLoaded({symbol, interval}, {start_ms, more = false, note = null}) {
    const extent = this.#extents.get(keyOf(symbol, interval));
    if (extent) extent.has_older = more && (start_ms.length > 0 || note !== null);
  }
}

/** @param {string} symbol @param {string | null} interval */
function keyOf(symbol, interval) {
  return `${symbol} ${interval}`;
}
