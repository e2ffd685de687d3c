/**
 * One round of polling: all symbols at once, or in parts where the feed refuses one of them. Pure.
 *
 * `/api/quotes` refuses a whole request for one symbol that it does not know. The round is halved
 * then until it is known which one that is. Twin of `dashboard/client/core/rounds.py`.
 *
 * @typedef {{id: number, symbols: string[], since: string | null}} Part what to ask for next, and the
 *   cursor of the last answer for just these symbols
 */

/** The round under way, and where the one before has ended. */
export class Rounds {
  /** Whether the part under way waits to be asked for anew. */
  isHeld = false;
  #last = 0;
  /** @type {string[][]} */
  #parts = [];
  /** @type {{symbols: string, since: string} | null} */
  #cursor = null;

  /** What the part under way asks for. @returns {string[]} */
  get symbols() {
    return this.#parts[0] ?? [];
  }

  /** Whether an answer is of the part under way. @param {number} id */
  isCurrent(id) {
    return this.#parts.length > 0 && id === this.#last;
  }

  /** Begin a round, in place of the one under way if there is one. @param {string[]} symbols */
  begin(symbols) {
    this.#parts = [symbols];
    return this.#ask();
  }

  /** Wait, for another token. */
  hold() {
    this.isHeld = true;
  }

  /** Wait for no answer any more. */
  end() {
    this.#parts = [];
    this.isHeld = false;
  }

  /**
   * Take note that the part under way was answered.
   *
   * @param {string | null} cursor
   * @returns {Part | null} null where the round has ended
   */
  answered(cursor) {
    const symbols = this.#parts.shift() ?? [];
    this.#cursor = cursor === null ? null : {symbols: symbols.join(), since: cursor};
    return this.#parts.length ? this.#ask() : null;
  }

  /**
   * Take note that the part under way was refused. Whoever asked for one symbol alone knows now that
   * it is that one.
   *
   * @returns {Part | null} null where the round has ended
   */
  refused() {
    const symbols = this.#parts.shift() ?? [];
    const half = Math.floor(symbols.length / 2);
    if (half) this.#parts.unshift(symbols.slice(0, half), symbols.slice(half));
    return this.#parts.length ? this.#ask() : null;
  }

  /** @returns {Part} */
  #ask() {
    this.#last += 1;
    this.isHeld = false;
    const [symbols] = this.#parts;
    const since = this.#cursor?.symbols === symbols.join() ? this.#cursor.since : null;
    return {id: this.#last, symbols, since};
  }
}
