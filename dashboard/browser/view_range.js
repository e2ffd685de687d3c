/** Which bars the page's chart shows: for elements that say something of them. */

import {Listeners} from "quotewire/listeners.js";

/**
 * @typedef {object} Shown
 * @property {string} symbol
 * @property {string} interval
 * @property {number} decimals of its prices
 * @property {string} zone times are told in
 * @property {readonly import("./core/bars.js").Bar[]} bars
 */

class ViewRange {
  /** @type {Shown | null} */
  #shown = null;
  /** @type {Listeners<Shown | null>} */
  #changed = new Listeners();

  /** @param {Shown | null} shown null where there is no chart */
  tell(shown) {
    this.#shown = shown;
    this.#changed.tell(shown);
  }

  /** Calls the listener at once, and returns what ends it. @param {(shown: Shown | null) => void} listener */
  on(listener) {
    return this.#changed.add(listener, this.#shown);
  }
}

export const viewRange = new ViewRange();
