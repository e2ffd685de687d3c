/**
 * Keeps the subscribed series of bars whole: loads their history, and fills the gap after a drop.
 *
 * Live bars alone would leave a hole for what closed before the subscription began, so each series
 * is asked for again, from where its history ended, whenever one begins.
 */

import {MAX_BARS, seriesKey} from "quotewire/book.js";
import {fetchBars, isRefusal} from "quotewire/transports/polling.js";

export const HISTORY_BARS = 750;
const RETRY_MS = 1000;

export class History {
  #feed;
  #book;
  #onChange;
  /** @type {Map<string, {again: boolean, done: Promise<void>}>} */
  #running = new Map();

  /**
   * @param {import("./feed.js").Feed} feed
   * @param {import("./book.js").Book} book
   * @param {(symbol: string, interval: string, change: import("./book.js").BarChange) => void} onChange
   */
  constructor(feed, book, onChange) {
    this.#feed = feed;
    this.#book = book;
    this.#onChange = onChange;
  }

  /** Bring one series up to date; a second call while one runs makes it run once more. */
  fill(symbol, interval) {
    const key = seriesKey(symbol, interval);
    const running = this.#running.get(key);
    if (running) {
      running.again = true;
      return running.done;
    }
    const run = {again: false, done: Promise.resolve()};
    this.#running.set(key, run);
    run.done = this.#fillAll(run, symbol, interval).finally(() => this.#running.delete(key));
    return run.done;
  }

  /** The same, tried again while it fails and is wanted. @param {() => boolean} isWanted */
  async keepFilled(symbol, interval, isWanted) {
    do {
      try {
        return await this.fill(symbol, interval);
      } catch (error) {
        console.debug(`quotewire: no history of ${symbol} yet: ${error.message}`);
        if (isRefusal(error)) return;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    } while (isWanted());
  }

  async #fillAll(run, symbol, interval) {
    do {
      run.again = false;
      const whole = !this.#book.isLoaded(symbol, interval);
      const start = this.#book.resumeFrom(symbol, interval) ?? undefined;
      const range = {start, limit: whole ? HISTORY_BARS : MAX_BARS};
      const series = await fetchBars(this.#feed, symbol, interval, range);
      for (const {change} of this.#book.applySeries(series, {whole})) {
        this.#onChange(symbol, interval, change);
      }
      // A new epoch came with a short answer: what was held is gone, so start over.
      if (!whole && !this.#book.isLoaded(symbol, interval)) run.again = true;
    } while (run.again);
  }
}
