/**
 * When a trouble with the data is worth a word: once it lasts, once per outage, and once when it is
 * over. Pure; the clock is passed in.
 *
 * @typedef {import("./health.js").Health} Health
 * @typedef {{tell: "trouble", health: Health} | {tell: "over", after_ms: number}} Word `after_ms`: how
 *   long it was
 */

/** A trouble that is shorter is the badge's matter only. */
export const LASTS_MS = 3000;
/** Data that comes again for a shorter time is no end of an outage. */
export const SETTLES_MS = 1000;

const WELL = new Set(["live", "polling", "market-closed"]);

export class Outage {
  /** @type {number | null} since when there is trouble */
  #since_ms = null;
  /** @type {number | null} since when there is none, in an outage */
  #well_ms = null;
  #told = false;

  /**
   * @param {number} now_ms
   * @param {Health} health
   * @param {boolean} [isSeen] a page that nobody sees asks for nothing: that is no trouble
   * @returns {Word | null} what to tell now
   */
  see(now_ms, health, isSeen = true) {
    if (WELL.has(health.state)) return this.#well(now_ms);
    this.#well_ms = null;
    if (!isSeen) {
      if (!this.#told) this.#since_ms = null;
      return null;
    }
    this.#since_ms ??= now_ms;
    if (this.#told || now_ms - this.#since_ms < LASTS_MS) return null;
    this.#told = true;
    return {tell: "trouble", health};
  }

  /** @param {number} now_ms @returns {Word | null} */
  #well(now_ms) {
    if (this.#since_ms === null) return null;
    this.#well_ms ??= now_ms;
    if (this.#told && now_ms - this.#well_ms < SETTLES_MS) return null;
    const after_ms = this.#well_ms - this.#since_ms;
    const told = this.#told;
    this.#since_ms = this.#well_ms = null;
    this.#told = false;
    return told ? {tell: "over", after_ms} : null;
  }
}
