/**
 * At most so many applies a second: the first at once, then the newest of what came. Pure.
 *
 * Twin of `dashboard/client/core/pace.py`.
 */

/**
 * Holds what changed until it may be applied.
 *
 * @template Key
 * @template Item
 */
export class Pace {
  /** @type {Map<Key, Item>} */
  #held = new Map();
  #gap_ms;
  #merge;
  #free_ms = -Infinity;
  #hidden = false;

  /**
   * @param {number} [max_hz] applies a second at most; 0 for no limit
   * @param {(held: Item, newer: Item) => Item} [merge] makes one item of two of a key; without it
   *   the newer counts
   */
  constructor(max_hz = 0, merge = (_held, newer) => newer) {
    this.#gap_ms = gap(max_hz);
    this.#merge = merge;
  }

  /** Set another rate; it counts from the last apply on. @param {number} max_hz */
  configure(max_hz) {
    const gap_ms = gap(max_hz);
    this.#free_ms += gap_ms - this.#gap_ms;
    this.#gap_ms = gap_ms;
  }

  /**
   * Take what changed.
   *
   * @param {number} now_ms
   * @param {Iterable<[Key, Item]>} items
   * @returns {Map<Key, Item>} what to apply now, nothing where it is too early
   */
  offer(now_ms, items) {
    for (const [key, item] of items) {
      const held = this.#held.get(key);
      this.#held.set(key, held === undefined ? item : this.#merge(held, item));
    }
    return this.take(now_ms);
  }

  /**
   * @param {number} now_ms
   * @returns {Map<Key, Item>} what to apply now, nothing where it is too early or there is nothing
   */
  take(now_ms) {
    if (this.#hidden || !this.#held.size || now_ms < this.#free_ms) return new Map();
    const held = this.#held;
    this.#held = new Map();
    this.#free_ms = now_ms + this.#gap_ms;
    return held;
  }

  /** @returns {number | null} when to `take`, null where nothing waits for the time */
  deadline() {
    return this.#held.size && !this.#hidden ? this.#free_ms : null;
  }

  /** Hold everything from now on. */
  hide() {
    this.#hidden = true;
  }

  /** Hold no longer. @param {number} now_ms @returns {Map<Key, Item>} what to apply now */
  show(now_ms) {
    this.#hidden = false;
    return this.take(now_ms);
  }

  /** Drop what is held. */
  clear() {
    this.#held = new Map();
  }
}

/** @param {number} max_hz */
function gap(max_hz) {
  return max_hz ? 1000 / max_hz : 0;
}
