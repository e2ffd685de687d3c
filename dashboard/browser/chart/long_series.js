/**
 * Bars of one series: those the connection keeps, and older ones that were asked for on top.
 *
 * @typedef {import("../core/bars.js").Bar} Bar
 * @typedef {(path: string, query: Record<string, unknown>) => Promise<any>} Ask the body of `/api/<path>`
 * @typedef {"idle" | "loading" | "end" | "full" | "failed"} State `end`: there are none before; `full`:
 *   there may be, but more is not held
 */

import {MOST} from "quotewire/chart/drawn_bars.js";
import {loadedBars} from "quotewire/core/bars.js";

const PAGE_BARS = 1500;
/** From a failure on, until the same is asked for again. */
const PAUSE_MS = 10_000;

export class LongSeries {
  /** @type {State} */
  state = "idle";
  #ask;
  #onOlder;
  /** @type {Bar[]} */
  #older = [];
  /** @type {readonly Bar[]} */
  #live = [];
  /** Where the older ones end. */
  #joint_ms = Infinity;
  /** @type {{symbol: string, interval: string, indicators: string[]}} */
  #asked = {symbol: "", interval: "", indicators: []};
  /** Numbers what is asked for, so that late answers are known. */
  #run = 0;
  /** @type {number | undefined} from where on older ones were asked for last */
  #from_ms;
  #failed_ms = -Infinity;
  /** All from there on were loaded, though the first may be later. */
  #reached_ms = Infinity;

  /** @param {Ask} ask @param {() => void} onOlder called when the state is another; there may be older ones then */
  constructor(ask, onOlder) {
    this.#ask = ask;
    this.#onOlder = onOlder;
  }

  /** @returns {readonly Bar[]} all, oldest first */
  get bars() {
    return this.#older.length ? [...this.#older, ...this.#live] : this.#live;
  }

  /** Another series from now on. @param {string} symbol @param {string} interval @param {string[]} indicators */
  begin(symbol, interval, indicators) {
    this.#asked = {symbol, interval, indicators};
    this.#live = [];
    this.#forget();
  }

  /**
   * The same with other indicators: those of the older bars are asked for anew, and so are older bars
   * that are under way without them.
   *
   * @param {string[]} indicators
   */
  async compute(indicators) {
    this.#asked = {...this.#asked, indicators};
    const before = this.state;
    const run = (this.#run += 1);
    const [first] = this.#older;
    if (first) {
      this.#become("loading");
      const told = await this.#load({start: first.start_ms, end: this.#joint_ms - 1, limit: MOST});
      if (run !== this.#run) return;
      if (told) this.#older = told.loaded;
    }
    this.#become(before === "loading" ? "idle" : before);
    if (before === "loading") await this.load(this.#from_ms);
  }

  /** @param {readonly Bar[]} bars as the connection keeps them */
  take(bars) {
    this.#live = bars;
    // It has let go of its oldest: they would be missing in between.
    if (bars.length && bars[0].start_ms > this.#joint_ms) this.#forget();
    this.#trim();
  }

  /** No late answer is waited for any more. */
  end() {
    this.#run += 1;
  }

  /** Ask again at once for what could not be loaded. */
  retry() {
    this.#failed_ms = -Infinity;
    return this.load(this.#from_ms);
  }

  /** Have those from a time on, as far as there are any. @param {number} from_ms */
  reach(from_ms) {
    const [first] = this.bars;
    if (first && first.start_ms > from_ms && from_ms < this.#reached_ms) this.load(from_ms);
  }

  /**
   * Ask for older ones, unless there are none, or they could not be loaded a moment ago.
   *
   * @param {number} [from_ms] only those from there on
   */
  async load(from_ms) {
    const first_ms = this.bars[0]?.start_ms;
    if (first_ms === undefined || !this.#isLoadable) return;
    if (this.bars.length >= MOST) return this.#become("full");
    const run = (this.#run += 1);
    this.#from_ms = from_ms;
    this.#become("loading");
    const limit = from_ms === undefined ? PAGE_BARS : MOST;
    const told = await this.#load({start: from_ms, end: first_ms - 1, limit: Math.min(limit, 5000)});
    if (run !== this.#run) return;
    if (told === null) return this.#fail();
    if (!this.#older.length) this.#joint_ms = this.#live[0].start_ms;
    this.#older = [...told.loaded, ...this.#older];
    if (from_ms !== undefined && !told.more) this.#reached_ms = from_ms;
    this.#trim();
    this.#become(told.more || from_ms !== undefined ? "idle" : "end");
  }

  /** @param {{start?: number, end: number, limit: number}} query */
  async #load(query) {
    const {symbol, interval, indicators} = this.#asked;
    try {
      const body = await this.#ask("bars", {
        symbol, interval, ...query, indicators: indicators.length ? indicators.join(",") : undefined,
      });
      return {loaded: loadedBars(body), more: Boolean(body.more) && body.start_ms.length > 0};
    } catch (error) {
      console.debug(`quotewire: no older bars of ${symbol}: ${error}`);
      return null;
    }
  }

  get #isLoadable() {
    if (this.state === "failed") return Date.now() - this.#failed_ms >= PAUSE_MS;
    return this.state === "idle";
  }

  #fail() {
    this.#failed_ms = Date.now();
    this.#become("failed");
  }

  /** No more are held than are drawn. */
  #trim() {
    const over = this.#older.length + this.#live.length - MOST;
    if (over > 0) this.#older = this.#older.slice(over);
  }

  #forget() {
    this.#run += 1;
    this.#older = [];
    this.#joint_ms = Infinity;
    this.#reached_ms = Infinity;
    this.state = "idle";
  }

  /** @param {State} state */
  #become(state) {
    if (state === this.state) return;
    this.state = state;
    this.#onOlder();
  }
}
