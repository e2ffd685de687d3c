/** What befell a connection: its states, lasting gaps, what was refused, trouble of sources, drills. */

const KEPT = 100;

/**
 * @typedef {import("./core/session.js").StateChanged | import("./core/session.js").Lost
 *   | import("./core/session.js").Failed | import("./core/session.js").Trouble
 *   | import("./drill.js").Told} Told
 *
 * @typedef {object} Entry
 * @property {"state" | "lost" | "failed" | "trouble" | "simulation"} kind
 * @property {number} at_ms
 * @property {string} code
 * @property {string} reason
 * @property {string} [state] of kind `state`
 * @property {string} [way] likewise
 * @property {string} [symbol] of the other kinds
 * @property {string} [channel] of kinds `lost` and `failed`
 * @property {string | null} [interval] likewise
 */

export class Timeline {
  /** @type {Entry[]} newest last */
  entries = [];

  /** @param {Told} told @param {number} now_ms */
  add({do: kind, ...rest}, now_ms) {
    this.entries = [...this.entries, {at_ms: now_ms, ...rest, kind}].slice(-KEPT);
  }

  /** @param {Entry["kind"]} kind @param {number} count @returns {Entry[]} the last ones, newest first */
  last(kind, count) {
    return this.entries.filter((entry) => entry.kind === kind).slice(-count).reverse();
  }
}
