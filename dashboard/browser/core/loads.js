/**
 * History that is being loaded, one request at a time for each series. Pure. Twin of
 * `dashboard/client/core/loads.py`.
 *
 * @typedef {{channel: "bars" | "trades", symbol: string, interval: string | null,
 *   older?: boolean}} Series trades of a symbol, or its bars of one interval; `older`: those before
 *   what is held
 *
 * @typedef {{code: string, reason: string}} Why
 *
 * @typedef {object} Running one series that is being loaded, or will be again
 * @property {Series} series
 * @property {number | null} id number of the request under way, null between two
 * @property {number | null} at when the request has taken too long, or is to be made again
 * @property {number} failures in a row
 * @property {Why | null} why it failed the last time, null where it has not
 * @property {boolean} again whether it is wanted once more after the request under way
 * @property {number | null} start_ms asked for
 * @property {number | null} end_ms asked for
 * @property {string[]} indicators asked for
 */

import {LIMITS, backoff} from "quotewire/core/limits.js";

/** So many failures in a row are told. */
const FAILED = 2;
/** @type {Why} */
const TIMEOUT = {code: "timeout", reason: "the feed did not answer in time"};

/** @param {Series} series */
export function seriesKey({channel, symbol, interval, older = false}) {
  return `${channel} ${symbol} ${interval ?? ""}${older ? " older" : ""}`;
}

/** All that is being loaded. */
export class Loads {
  #last = 0;
  /** @type {Map<string, Running>} */
  #running = new Map();
  /** @type {Map<number, Running>} */
  #byId = new Map();
  #random;

  /** @param {() => number} random uniform in [0, 1), for the jitter of another try */
  constructor(random) {
    this.#random = random;
  }

  get size() {
    return this.#running.size;
  }

  /** When the next `tick` is due, or null. */
  deadline() {
    let due_ms = Infinity;
    for (const {at} of this.#running.values()) due_ms = Math.min(due_ms, at ?? Infinity);
    return due_ms === Infinity ? null : due_ms;
  }

  /** Want a series to be loaded; tell whether to ask for it now. @param {Series} series */
  need(series) {
    const running = this.#running.get(seriesKey(series));
    if (!running) return true;
    running.again = running.id !== null;
    return false;
  }

  /**
   * Ask now.
   *
   * @param {number} now_ms
   * @param {Series} series
   * @param {{start_ms: number | null, end_ms: number | null}} span
   * @param {string[]} indicators
   * @returns {number} the request's number
   */
  begin(now_ms, series, {start_ms, end_ms}, indicators) {
    const running = this.#of(series);
    const id = (this.#last += 1);
    Object.assign(running, {id, at: now_ms + LIMITS.load_ms, again: false});
    Object.assign(running, {start_ms, end_ms, indicators});
    this.#byId.set(id, running);
    return id;
  }

  /**
   * What an answer is for.
   *
   * @param {number} id
   * @returns {Running | null} null where nobody waits for it
   */
  take(id) {
    const running = this.#byId.get(id);
    if (!running) return null;
    this.#byId.delete(id);
    running.id = null;
    return running;
  }

  /**
   * Ask once more after a while, that grows with every time.
   *
   * @param {number} now_ms
   * @param {Series} series
   * @param {Why | null} [why]
   * @param {number} [times]
   */
  failed(now_ms, series, why = null, times = 1) {
    const running = this.#of(series);
    running.failures += times;
    running.why = why;
    running.at = now_ms + backoff(running.failures, this.#random);
  }

  /** Wait for nothing of a series any more. @param {Series} series */
  drop(series) {
    const key = seriesKey(series);
    const id = this.#running.get(key)?.id ?? null;
    this.#running.delete(key);
    if (id !== null) this.#byId.delete(id);
  }

  /** Wait for nothing any more. */
  clear() {
    this.#running.clear();
    this.#byId.clear();
  }

  /**
   * What to ask for now; requests that take too long have failed.
   *
   * @param {number} now_ms
   * @returns {Series[]}
   */
  tick(now_ms) {
    const due = [...this.#running.values()].filter(({at}) => at !== null && now_ms >= at);
    const ready = due.filter(({id}) => id === null);
    for (const {id, series} of due) {
      if (id === null) continue;
      this.take(id);
      this.failed(now_ms, series, TIMEOUT);
    }
    return ready.map(({series}) => series);
  }

  /** Why a series has failed to be loaded more than once in a row; else null. @param {Series} series */
  failure(series) {
    const running = this.#running.get(seriesKey(series));
    return running && running.failures >= FAILED ? running.why : null;
  }

  /** @param {Series} series @returns {Running} */
  #of(series) {
    const key = seriesKey(series);
    let running = this.#running.get(key);
    if (!running) {
      running = {series, id: null, at: null, failures: 0, why: null, again: false, start_ms: null,
        end_ms: null, indicators: []};
      this.#running.set(key, running);
    }
    return running;
  }
}
