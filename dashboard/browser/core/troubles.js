/**
 * Trouble that sources have with symbols: each is told once, and again after a while. Pure. Twin of
 * `dashboard/client/core/troubles.py`.
 *
 * @typedef {import("./session.js").Trouble} Trouble
 */

/** A source that goes on to refuse a symbol says so at every try: it is told so seldom. */
const AGAIN_MS = 600_000;

export class Troubles {
  /** @type {Map<string, number>} when it was told */
  #told = new Map();

  /**
   * What is to be told of a trouble: nothing, where it was a short while ago.
   *
   * @param {number} now_ms
   * @param {Trouble} trouble
   * @returns {Trouble[]}
   */
  came(now_ms, trouble) {
    for (const [told, at] of this.#told) if (now_ms - at >= AGAIN_MS) this.#told.delete(told);
    const key = JSON.stringify(trouble);
    if (this.#told.has(key)) return [];
    this.#told.set(key, now_ms);
    return [trouble];
  }
}
