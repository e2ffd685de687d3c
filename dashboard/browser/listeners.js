/** Callbacks, and an end to them. */

/**
 * A set of callbacks that hear the newest value, and on joining the one that is known.
 *
 * @template T
 */
export class Listeners {
  /** @type {Set<(value: T) => void>} */
  #listeners = new Set();

  /** @param {(value: T) => void} listener @param {T} known @returns {() => void} ends it */
  add(listener, known) {
    this.#listeners.add(listener);
    listener(known);
    return () => this.#listeners.delete(listener);
  }

  /** @param {T} value */
  tell(value) {
    for (const listener of [...this.#listeners]) listener(value);
  }
}

/** @param {() => void} call @returns {() => void} what calls this the first time only */
export function once(call) {
  let done = false;
  return () => {
    if (!done) call();
    done = true;
  };
}
