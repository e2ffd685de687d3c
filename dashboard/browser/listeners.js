/** Callbacks, and an end to them. */

/** A set of callbacks that hear the newest value, and on joining the one that is known. */
export class Listeners {
  #listeners = new Set();

  /** @returns {() => void} ends it */
  add(listener, known) {
    this.#listeners.add(listener);
    listener(known);
    return () => this.#listeners.delete(listener);
  }

  tell(value) {
    for (const listener of [...this.#listeners]) listener(value);
  }
}

/** @returns {() => void} what calls this the first time only */
export function once(call) {
  let done = false;
  return () => {
    if (!done) call();
    done = true;
  };
}
