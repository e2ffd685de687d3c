/** Pause: the screen stands still, the data comes in all the same. It is the whole page's. */

import {Listeners} from "quotewire/listeners.js";

export class Pause {
  #isPaused = false;
  /** @type {Listeners<boolean>} */
  #changed = new Listeners();

  get isPaused() {
    return this.#isPaused;
  }

  toggle() {
    this.#isPaused = !this.#isPaused;
    this.#changed.tell(this.#isPaused);
  }

  /** Calls the listener at once too, and returns what ends it. @param {(isPaused: boolean) => void} listener */
  on(listener) {
    return this.#changed.add(listener, this.#isPaused);
  }

  /** Calls the listener from the next change on. @param {(isPaused: boolean) => void} listener */
  hear(listener) {
    return this.#changed.hear(listener);
  }
}

export const pause = new Pause();
