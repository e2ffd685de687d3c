/** The order of a table's rows: by a column, stable, and calm. Pure. */

import {columnOf} from "quotewire/market/columns.js";

/** @typedef {import("./columns.js").Row} Row */

/** Rows change places at most so often, */
const EVERY_MS = 1000;
/** and not while someone goes through them by keys. */
const SETTLE_MS = 2000;

const collator = new Intl.Collator("en", {numeric: true});

/**
 * @param {readonly Row[]} rows in the order of their list: so are those that are equal
 * @param {string} sort a column's name, with `-` before it for the largest first; empty: as they are
 * @returns {Row[]} those of which nothing is known are last
 */
export function sorted(rows, sort) {
  const column = columnOf(sort.replace("-", ""));
  if (!column) return [...rows];
  const sign = sort.startsWith("-") ? -1 : 1;
  const keyed = rows.map((row) => ({row, key: column.value(row)}));
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return Number(a.key === null) - Number(b.key === null);
    if (typeof a.key === "string") return sign * collator.compare(a.key, String(b.key));
    return sign * (a.key - Number(b.key));
  });
  return keyed.map(({row}) => row);
}

/** What a column's head sorts by next: the largest first, the smallest first, not at all. @param {string} sort @param {string} name */
export function nextSort(sort, name) {
  const [first, second] = name === "symbol" ? [name, `-${name}`] : [`-${name}`, name];
  if (sort === first) return second;
  return sort === second ? "" : first;
}

/** Tells when rows may change places: never under the pointer, and not all the time. */
export class Calm {
  #isUnderPointer = false;
  #moved_ms = -Infinity;
  #pressed_ms = -Infinity;

  /** @param {boolean} isThere whether the pointer is over the rows */
  pointer(isThere) {
    this.#isUnderPointer = isThere;
  }

  /** A key went through the rows. @param {number} now_ms */
  pressed(now_ms) {
    this.#pressed_ms = now_ms;
  }

  /** The rows got another order, for whatever reason. @param {number} now_ms */
  moved(now_ms) {
    this.#moved_ms = now_ms;
  }

  /** @param {number} now_ms */
  isHeld(now_ms) {
    return this.#isUnderPointer || now_ms - this.#pressed_ms < SETTLE_MS;
  }

  /** @param {number} now_ms */
  mayMove(now_ms) {
    return !this.isHeld(now_ms) && now_ms - this.#moved_ms >= EVERY_MS;
  }
}
