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
