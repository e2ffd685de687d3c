/** A place in the user's history of alerts, kept in the browser. */

import {isCursor} from "quotewire/alerts/book.js";

export class Mark {
  #key;
  /** @type {string | null} where storage is forbidden, it is kept as long as the page */
  #cursor = null;

  /** @param {string} key */
  constructor(key) {
    this.#key = key;
  }

  /** @returns {string | null} null before the first */
  get cursor() {
    try {
      const kept = localStorage.getItem(this.#key);
      return isCursor(kept) ? kept : this.#cursor;
    } catch {
      return this.#cursor;
    }
  }

  /** @param {string | null} cursor */
  set cursor(cursor) {
    this.#cursor = cursor;
    try {
      localStorage.setItem(this.#key, cursor ?? "");
    } catch {
      // as above
    }
  }
}
