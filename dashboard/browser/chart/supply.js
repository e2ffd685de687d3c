/**
 * What Python makes of a chart's figures when it is needed, for a browser cannot make figures: panes,
 * lines and dots of indicators, lines of other symbols. Most charts need none.
 */

import {plain} from "quotewire/chart/plain.js";
import {toast} from "quotewire/toasts.js";

/** Panel's server may be away when it is asked. */
const AGAIN_MS = 5000;
const AWAY = "What was chosen is drawn as soon as the page’s server is back.";

/**
 * @typedef {"panes" | "lines" | "dots" | "compared"} Name
 * @typedef {Partial<Record<Name, number>>} Counts
 * @typedef {Record<Name | "paneLines", number>} Room how many there can be; lines in each pane
 */

export class Supply {
  /** @type {Room} */
  room;
  #model;
  /** @type {Counts} */
  #wanted = {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #asking;

  /** @param {import("../panel.d.ts").ElementModel} model */
  constructor(model) {
    this.#model = model;
    this.room = plain(model.room);
  }

  /** Lists of the models that there are by now, by name. */
  get made() {
    return plain(this.#model.made);
  }

  /** @param {() => void} onMore called when more have come @returns {() => void} ends it */
  follow(onMore) {
    this.#model.on("made", onMore);
    return () => {
      this.#model.off("made", onMore);
      clearTimeout(this.#asking);
    };
  }

  /** Have at least so many, if not now then when they come. @param {Counts} counts */
  want(counts) {
    this.#wanted = {...this.#wanted, ...counts};
    clearTimeout(this.#asking);
    this.#ask(() => toast(AWAY, {tone: "warn"}));
  }

  /**
   * Python makes those that are missing, however often it is asked.
   *
   * @param {() => void} [unanswered] called once, when no answer has come for long
   */
  #ask(unanswered) {
    if (!this.#isMissing) return;
    this.#model.send_msg({do: "make", ...this.#wanted});
    this.#asking = setTimeout(() => {
      if (this.#isMissing) unanswered?.();
      this.#ask();
    }, AGAIN_MS);
  }

  get #isMissing() {
    const {made} = this;
    return Object.entries(this.#wanted).some(([name, count]) => made[name].length < count);
  }
}
