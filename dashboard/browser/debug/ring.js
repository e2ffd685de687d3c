/** The last of what went by: bounded in number and in length. Pure. */

/** @typedef {import("../traffic.js").Passed} Passed */
/** @typedef {Passed & {number: number}} Kept counted from 1, whatever was dropped */

export class Ring {
  /** @type {Kept[]} oldest first */
  #kept = [];
  #first = 0;
  #bytes = 0;
  #number = 0;
  #most;
  #mostBytes;

  /** @param {number} most @param {number} mostBytes of all together; the newest is kept anyway */
  constructor(most, mostBytes) {
    this.#most = most;
    this.#mostBytes = mostBytes;
  }

  /** @param {Passed} passed */
  add(passed) {
    this.#number += 1;
    this.#kept.push({...passed, number: this.#number});
    this.#bytes += passed.bytes;
    while (this.length > this.#most || (this.#bytes > this.#mostBytes && this.length > 1)) {
      this.#bytes -= this.#kept[this.#first].bytes;
      this.#first += 1;
    }
    // Now and then, for to move all of them each time would cost more than to keep them.
    if (this.#first > this.#most) this.#kept = this.#kept.slice(this.#first);
    if (this.#first > this.#most) this.#first = 0;
  }

  get length() {
    return this.#kept.length - this.#first;
  }

  /** How many there were in all. */
  get count() {
    return this.#number;
  }

  /** @returns {Kept[]} oldest first */
  all() {
    return this.#kept.slice(this.#first);
  }

  /**
   * The newest that a filter lets through, newest first.
   *
   * @param {(passed: Passed) => boolean} passes
   * @param {number} most
   * @param {number} [upTo] number of the newest one to be told
   */
  newest(passes, most, upTo = Infinity) {
    /** @type {Kept[]} */
    const found = [];
    for (let i = this.#kept.length - 1; i >= this.#first && found.length < most; i -= 1) {
      const kept = this.#kept[i];
      if (kept.number <= upTo && passes(kept)) found.push(kept);
    }
    return found;
  }
}
