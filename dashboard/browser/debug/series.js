/** What was measured, second by second, over the last minutes. Pure. */

export const MINUTES = 5;
const LASTS_MS = MINUTES * 60_000;

/**
 * @typedef {object} Point
 * @property {number} at_ms
 * @property {Record<string, number | null>} values by name
 */

export class Series {
  /** @type {Point[]} oldest first */
  #points = [];

  /** What is older than the last minutes goes. @param {Point} point */
  add(point) {
    const since_ms = point.at_ms - LASTS_MS;
    // A clock that was set back begins anew.
    const before = this.#points.filter(({at_ms}) => at_ms >= since_ms && at_ms < point.at_ms);
    this.#points = [...before, point];
  }

  get length() {
    return this.#points.length;
  }

  get points() {
    return this.#points;
  }

  /**
   * As columns: `x` is seconds from now, 0 or less; NaN where nothing was measured.
   *
   * @param {string[]} names
   * @param {number} now_ms
   * @returns {Record<string, number[]>}
   */
  columns(names, now_ms) {
    const x = this.#points.map(({at_ms}) => (at_ms - now_ms) / 1000);
    return {x, ...Object.fromEntries(names.map((name) =>
      [name, this.#points.map(({values}) => values[name] ?? NaN)]))};
  }

  /** The largest of some values, 0 without any. @param {string[]} names */
  most(names) {
    return Math.max(0, ...this.#points.flatMap(({values}) => names.map((name) => values[name] ?? 0)));
  }
}

/** What counters gained a second between two readings. */
export class Rates {
  /** @type {Map<string, {at_ms: number, totals: Record<string, number>}>} */
  #read = new Map();

  /**
   * @param {string} name of what is counted there
   * @param {number} at_ms
   * @param {Record<string, number>} totals since it began
   * @returns {Record<string, number> | null} a second; null at the first reading, or where it began anew
   */
  read(name, at_ms, totals) {
    const before = this.#read.get(name);
    if (before && before.at_ms >= at_ms) return null;
    this.#read.set(name, {at_ms, totals});
    if (!before) return null;
    const gained = Object.entries(totals).map(([key, total]) =>
      /** @type {[string, number]} */ ([key, ((total - before.totals[key]) * 1000) / (at_ms - before.at_ms)]));
    return gained.some(([, rate]) => rate < 0) ? null : Object.fromEntries(gained);
  }
}
