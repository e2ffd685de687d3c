/** The panes of a chart's indicators: those that there are by now. */

import {IndicatorLines} from "quotewire/chart/indicator_lines.js";
import {PriceAxis} from "quotewire/chart/price_axis.js";
import {h} from "quotewire/dom.js";

/**
 * @typedef {object} Pane
 * @property {HTMLElement} element
 * @property {HTMLElement} legend
 * @property {IndicatorLines} lines
 * @property {PriceAxis} axis
 * @property {any} parts models, by name
 */

export class IndicatorPanes {
  /** @type {Pane[]} from above */
  all = [];
  #model;
  #view;
  #supply;
  #take;

  /**
   * @param {Pick<import("../panel.d.ts").ElementContext, "model" | "view">} context
   * @param {import("./supply.js").Supply} supply
   * @param {(pane: Pane) => void} take puts one into its place in the page
   */
  constructor({model, view}, supply, take) {
    this.#model = model;
    this.#view = view;
    this.#supply = supply;
    this.#take = take;
  }

  /** Take those that there are, and each that comes. @param {() => void} onMore @returns {() => void} ends it */
  follow(onMore) {
    const leave = layOutNew(this.#view);
    this.#fetch();
    const more = () => {
      const before = this.all.length;
      this.#fetch();
      if (this.all.length === before) return;
      this.#view.render_children(); // Panel draws only what is in its place
      onMore();
    };
    this.#view.on_child_render("panes", more);
    return () => {
      this.#view.remove_on_child_render("panes", more);
      leave();
    };
  }

  #fetch() {
    const children = /** @type {(HTMLElement | undefined)[]} */ (/** @type {unknown} */ (
      this.#model.get_child("panes")));
    const {panes} = this.#supply.made;
    for (let i = this.all.length; i < Math.min(children.length, panes.length); i += 1) {
      const child = children[i];
      if (!child) return; // its view is still being made
      const pane = paneOf(child, panes[i], i);
      this.all.push(pane);
      this.#take(pane);
    }
  }
}

/**
 * Have each figure laid out before it is measured. Bokeh measures all figures at whatever changes the
 * place of one, also one that it has only just built, and fails on it: then none is drawn any more.
 *
 * @param {import("../panel.d.ts").View} view
 * @returns {() => void} ends it
 */
function layOutNew(view) {
  const measure = view.measure_layout.bind(view);
  view.measure_layout = () => {
    for (const child of view.layoutable_views) if (!child.layout) child.update_layout();
    measure();
  };
  return () => void (view.measure_layout = measure);
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
