/** Callbacks, and an end to them. */

/**
 * A set of callbacks. One's fault does not keep the others from hearing.
 *
 * @template T
 */
export class Listeners {
  /** @type {Set<(value: T) => void>} */
  #listeners = new Set();

  /**
   * Tell it what is known already, and then the newest.
   *
   * @param {(value: T) => void} listener
   * @param {T} known
   * @returns {() => void} ends it
   */
  add(listener, known) {
    guarded(() => listener(known));
    return this.hear(listener);
  }

  /**
   * Tell it what comes from now on.
   *
   * @param {(value: T) => void} listener
   * @returns {() => void} ends it
   */
  hear(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get hasAny() {
    return this.#listeners.size > 0;
  }

  /** @param {T} value */
  tell(value) {
    for (const listener of [...this.#listeners]) guarded(() => listener(value));
  }
}

/** Call it; its fault is the browser's to report, and ends nothing else. @param {() => void} call */
export function guarded(call) {
  try {
    call();
  } catch (error) {
    reportError(error);
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
