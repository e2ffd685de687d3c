/**
 * Which of two accounts of the same thing is newer: the one rule for push, poll and history. Pure.
 *
 * Offsets count within an epoch, and epochs have no order of their own: `Epochs` remembers those
 * that were left, so that what still arrives from them is late, and anything else unknown is new.
 * While a link tells of something, the link alone says which epoch is in force: an answer over HTTP
 * that does not agree is late, for it may have been on its way for long.
 *
 * Twin of `dashboard/client/core/ordering.py`.
 *
 * @typedef {"first" | "same" | "new" | "left"} Entered
 */

/** Epochs of a stream that are known as left. */
const REMEMBERED = 8;

/**
 * Which of two quotes of a symbol in one epoch is newer: the later event time wins, at equal times
 * the higher offset.
 *
 * @param {number} held_ms
 * @param {number} held_offset
 * @param {number} new_ms
 * @param {number} new_offset
 * @returns {number} above 0 where the new one is newer, 0 where both are the same, below 0 where it
 *   is older
 */
export function compare(held_ms, held_offset, new_ms, new_offset) {
  return new_ms - held_ms || new_offset - held_offset;
}

/** Which epoch each stream of data is in. */
export class Epochs {
  /** @type {Map<string, {current: string, left: string[]}>} */
  #streams = new Map();

  /**
   * Take note that data of an epoch came.
   *
   * @param {string} stream
   * @param {string} epoch
   * @returns {Entered} how it stands to what came before
   */
  enter(stream, epoch) {
    const known = this.#streams.get(stream);
    if (!known) {
      this.#streams.set(stream, {current: epoch, left: []});
      return "first";
    }
    if (known.current === epoch) return "same";
    if (known.left.includes(epoch)) return "left";
    known.left = [known.current, ...known.left].slice(0, REMEMBERED);
    known.current = epoch;
    return "new";
  }

  /** Know nothing of a stream any more. @param {string} stream */
  forget(stream) {
    this.#streams.delete(stream);
  }
}
