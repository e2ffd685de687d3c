/**
 * Which epoch each stream of data is in. Pure.
 *
 * Offsets and bars count within an epoch. Epochs have no order of their own, so one that was left
 * is remembered: what still arrives from it is late, and anything else unknown is new.
 */

const REMEMBERED = 8;

export class Epochs {
  /** @type {Map<string, {current: string, left: string[]}>} */
  #streams = new Map();

  /**
   * @param {string} stream
   * @param {string} epoch
   * @returns {"first" | "same" | "new" | "left"}
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

  forget(stream) {
    this.#streams.delete(stream);
  }
}
