/** The window of time that the user went to: kept in the address, and gone to where that tells one. */

import {h} from "quotewire/dom.js";

/** The address changes no more often than this, however much the view moves. */
const KEEP_MS = 400;

/**
 * @typedef {{from_ms: number, to_ms: number}} Window starts of its first and of its last bar
 */

export class KeptView {
  element = h("button", {
    type: "button", class: "go-live", hidden: true, "data-testid": "go-live",
    title: "Back to the newest bars (g)", onclick: () => this.leave(),
  }, "Go live ▸");
  #place;
  #figure;
  #history;
  #told = "";
  /** @type {Window | null} that is to be in view */
  #sought = null;
  #timer = 0;

  /**
   * @param {import("../address.js").Address} place
   * @param {import("./figure.js").ChartFigure} figure
   * @param {import("./history.js").History} history
   */
  constructor(place, figure, history) {
    this.#place = place;
    this.#figure = figure;
    this.#history = history;
  }

  /** Another chart begins, with the window that the address has now. */
  begin() {
    this.end();
    this.#told = this.#place.get("at");
    this.#sought = readWindow(this.#told);
  }

  /** The address is another. */
  changed() {
    if (this.#place.get("at") === this.#told) return;
    this.begin();
    this.go();
  }

  /** The user moved the view. */
  moved() {
    this.end();
    this.#sought = null;
    this.#timer = setTimeout(() => this.#keep(), KEEP_MS);
  }

  /** Back to the newest bars. */
  leave() {
    this.end();
    this.#sought = null;
    this.#tell("");
    this.#figure.viewport.goLive();
  }

  /** Other bars are in view. */
  viewed() {
    this.element.hidden = this.#figure.viewport.following;
  }

  /** Go there, as soon as there are bars of it, or there will be none. Call when others are there. */
  go() {
    const {bars, viewport} = this.#figure;
    const [first] = bars.all;
    if (!this.#sought || !first) return;
    const {from_ms, to_ms} = this.#sought;
    if (first.start_ms > from_ms && this.#history.reachBack()) return;
    this.#sought = null;
    viewport.show(bars.xFrom(from_ms) - 0.5, bars.xFrom(to_ms) + 0.5);
  }

  end() {
    clearTimeout(this.#timer);
  }

  #keep() {
    const {viewport, view} = this.#figure;
    const last = view.bars.at(-1);
    this.#tell(viewport.following || !last ? "" : `${view.bars[0].start_ms}-${last.start_ms}`);
  }

  /** @param {string} at */
  #tell(at) {
    this.#told = at;
    this.#place.set({at});
  }
}

/** @param {string} text @returns {Window | null} */
export function readWindow(text) {
  const [from_ms, to_ms] = text.split("-").map(Number);
  return text && from_ms <= to_ms ? {from_ms, to_ms} : null;
}
