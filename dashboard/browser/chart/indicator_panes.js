/** The figures of a chart's indicators. Python makes one when it is first needed: most charts need none. */

import {IndicatorLines} from "quotewire/chart/indicator_lines.js";
import {plain} from "quotewire/chart/plain.js";
import {PriceAxis} from "quotewire/chart/price_axis.js";
import {h} from "quotewire/dom.js";

/** As `INDICATOR_PANES` and `PANE_LINES` in `panes.py`. */
export const ROOM = {panes: 4, paneLines: 3};
/** Panel's server may be away when it is asked. */
const AGAIN_MS = 5000;

/**
 * @typedef {object} Pane
 * @property {HTMLElement} element
 * @property {HTMLElement} legend
 * @property {IndicatorLines} lines
 * @property {PriceAxis} axis
 * @property {any} parts models, by name
 */

export class IndicatorPanes {
  /** @type {Pane[]} that are there, from above */
  all = [];
  /** What is to be done when more have come. */
  onMore = () => {};
  #model;
  #view;
  #take;
  #wanted = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #asking;

  /**
   * @param {Pick<import("../panel.d.ts").ElementContext, "model" | "view">} context
   * @param {(pane: Pane) => void} take puts one into its place in the page
   */
  constructor({model, view}, take) {
    this.#model = model;
    this.#view = view;
    this.#take = take;
  }

  /** Take those that there are, and each that comes. @returns {() => void} ends it */
  follow() {
    this.#fetch();
    const more = () => {
      const before = this.all.length;
      this.#fetch();
      if (this.all.length === before) return;
      this.#view.render_children(); // Panel draws only what is in its place
      this.onMore();
    };
    this.#view.on_child_render("panes", more);
    return () => {
      clearTimeout(this.#asking);
      this.#view.remove_on_child_render("panes", more);
    };
  }

  /** Have so many, if not now then when they come. @param {number} count */
  want(count) {
    this.#wanted = count;
    clearTimeout(this.#asking);
    this.#ask();
  }

  /** Python makes those that are missing, however often it is asked. */
  #ask() {
    if (this.#wanted <= this.all.length) return;
    this.#model.send_msg({do: "panes", count: this.#wanted});
    this.#asking = setTimeout(() => this.#ask(), AGAIN_MS);
  }

  #fetch() {
    const children = /** @type {(HTMLElement | undefined)[]} */ (/** @type {unknown} */ (
      this.#model.get_child("panes")));
    const {panes} = plain(this.#model.parts);
    for (let i = this.all.length; i < Math.min(children.length, panes.length); i += 1) {
      const child = children[i];
      if (!child) return; // its view is still being made
      const pane = paneOf(child, panes[i], i);
      this.all.push(pane);
      this.#take(pane);
    }
  }
}

/** @param {HTMLElement} child @param {any} parts @param {number} i @returns {Pane} */
function paneOf(child, parts, i) {
  const legend = h("div", {class: "pane-legend"});
  const {source, lines, columns} = parts;
  return {
    legend, parts,
    element: h("div", {class: "pane indicator", hidden: true, "data-testid": `pane-${i}`}, child, legend),
    lines: new IndicatorLines(source, {line: lines, dots: [], columns}),
    axis: new PriceAxis(parts),
  };
}
